"""What the doctor says of the SDE API that the daemon is to serve: its callers, its key, its commands."""

import asyncio
import os
from datetime import UTC, datetime
from functools import partial

import pytest

from runners.sde.sealing import Seal
from scheduler.ledger import Ledger, sde_connections

KEY, OLD = "k" * 40, "o" * 40
HEAD = "version: 1\nsettings: {http: {listen: '127.0.0.1:0'}, encryption_key: {env: G_KEY}}\n"
NO_KEY = "version: 1\nsettings: {http: {listen: '127.0.0.1:0'}}\n"
USER = "users: [{name: bot, email: b@x.org, token: {env: G_BOT}, permissions: [edit-alm-connections]}]\n"
SYSTEM = "commands: {sync: {argv: ['true'], stdin: ini}}\nsde_systems: {jira: {command: sync}}\n"


@pytest.fixture
def told(doctor, monkeypatch):
    """What is found in the area: (text, head=…, key=…, token=…) -> {name: (health, found)}, of a name the first."""

    def one(text, *, head=HEAD, key=KEY, token="t" * 40, **options):
        monkeypatch.setenv("G_KEY", key)
        monkeypatch.setenv("G_BOT", token)
        found = doctor.of("sde", text, head=head, **options)
        assert not any(secret in doctor.output for secret in (KEY, OLD, token) if len(secret) > 6)
        return {name: (health, text) for name, health, text in reversed(found)}

    return one


@pytest.fixture
def keeps(doctor):
    """Puts params that were encrypted with a key into the state folder's ledger: (key, …) -> None."""

    def keep(*keys):
        ledger = Ledger(doctor.state / "ledger.db")
        for key in keys:
            values = {
                "kind": "alm", "name": "Jira", "system": "jira", "inaccessible": False,
                "params": None if key is None else Seal(key).seal({"password": "p4ss"}),
            }  # fmt: skip
            add = partial(sde_connections.add_connector, values=values, at=datetime.now(UTC))
            asyncio.run(ledger.write(add))
        ledger.close()

    return keep


def test_a_file_that_says_nothing_of_it(told):
    """Has no line of it."""
    assert told("jobs: []\n", head=NO_KEY) == {}


def test_a_sound_file(told):
    """Callers, key and systems: each its own line."""
    assert told(USER + SYSTEM, exit_code=0) == {
        "users": ("ok", "1 user with a token; 1 may see params and change connections"),
        "settings.encryption_key": ("ok", "it can be used; nothing is encrypted yet"),
        "sde_systems.jira": ("ok", "sync can be run"),
    }


@pytest.mark.parametrize(
    ("token", "health", "words"),
    [
        ("two words of a long token", "fail", "it has blanks or line ends in it"),
        ("t" * 40 + "\n", "fail", "it has blanks or line ends in it"),
        ("short", "warning", "it has only 5 characters, and can be guessed"),
    ],
)
def test_a_token_that_is_none(token, health, words, told):
    """No client can send it, or everybody can guess it."""
    found, text = told(USER, token=token)["users.bot.token"]
    assert (found, text.startswith(words)) == (health, True)


def test_users_with_one_token(told):
    """Their calls cannot be told apart."""
    text = "users: [{name: a, token: {env: G_BOT}}, {name: b, token: {env: G_BOT}}]\n"
    assert told(text, exit_code=1)["users.b.token"] == (
        "fail",
        "it is the token of a too: all calls count as theirs",
    )


def test_nobody_can_call(told):
    """Systems are served, and no user has a token or a password."""
    assert told(SYSTEM)["users"] == ("warning", "nobody has a token or a password: nobody can call")


def test_a_token_that_cannot_be_had_is_told_once(told, doctor, monkeypatch):
    """As a secret."""
    monkeypatch.delenv("G_NONE", raising=False)
    text = USER.replace("G_BOT", "G_NONE")
    assert "users.bot.token" not in told(text)
    assert [health for _, health, _ in doctor.of("secret", text, head=NO_KEY)] == ["fail"]


def test_no_key(told, keeps):
    """Params are refused; where some are kept, nobody can run those any more."""
    assert told(USER, head=NO_KEY)["settings.encryption_key"] == (
        "warning", "it is not written: connections with params are refused",
    )  # fmt: skip
    keeps(KEY, None)
    assert told(USER, head=NO_KEY, exit_code=1)["settings.encryption_key"] == (
        "fail", "it is not written, and the ledger keeps encrypted params of one connection or connector: nobody can run them",
    )  # fmt: skip


def test_a_short_key(told):
    """Each line of it counts: the ledger's copy can be tried with all short ones."""
    told_of = told(USER, key=f"{KEY}\nshort\n")
    assert told_of["settings.encryption_key"][0] == "warning"
    assert "only 5 characters" in told_of["settings.encryption_key"][1]


def test_a_key_without_a_character(told):
    """Blank lines alone are none."""
    assert told(USER, key=" \n \n")["settings.encryption_key"] == ("fail", "the encryption key is empty")


@pytest.mark.parametrize(
    ("key", "health", "words"),
    [
        (KEY, "fail", "it does not open the params of one connection or connector"),
        (f"{KEY}\n{OLD}", "ok", "it opens the params of 2 connections and connectors"),
        ("x" * 32, "fail", "it does not open the params of 2 connections and connectors"),
    ],
)
def test_what_the_key_opens(key, health, words, told, keeps):
    """All that the ledger keeps; a new key goes above the one of before."""
    keeps(KEY, OLD, None)
    found, text = told(USER, key=key)["settings.encryption_key"]
    assert (found, text.startswith(words)) == (health, True)


def test_a_ledger_without_these_tables_or_none_at_all(told, doctor):
    """Nothing is kept, then; what is wrong with the ledger is told in its own area."""
    doctor.state.mkdir(mode=0o700)
    (doctor.state / "ledger.db").write_text("no ledger at all, but long enough to be taken for one " * 50)
    assert told(USER, exit_code=1)["settings.encryption_key"][0] == "ok"


def test_commands_of_systems(told):
    """One that is not there; one that is not given the params; each is told at the system that needs it."""
    commands = "commands: {sync: {argv: ['true'], stdin: json}, none: {argv: [no-such-program], stdin: ini}, deaf: {argv: ['true']}}\n"
    systems = "sde_systems: {a: {command: sync, test: none}, b: {command: sync, file: none}, c: {command: sync, file: deaf}, d: {command: sync, test: sync}}\n"
    found = told(USER + commands + systems, exit_code=1)
    assert {name[-1]: found[name] for name in found if name.startswith("sde_systems.")} == {
        "a": ("fail", "its command none cannot be run"),
        "b": ("fail", "its command none cannot be run"),
        "c": ("warning", "deaf: stdin is none, so that it is not given the params of a connection"),
        "d": ("ok", "sync can be run"),
    }


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, who may run as others")
def test_an_account_that_cannot_read_uploads(told):
    """A file's command runs as somebody else, who is not let into the state folder; the account of the daemon is."""
    commands = "commands: {sync: {argv: ['true'], stdin: ini}, other: {argv: ['true'], stdin: ini, run_as: nobody}, own: {argv: ['true'], stdin: ini, run_as: root}}\n"
    systems = "sde_systems: {a: {command: sync, file: other}, b: {command: other}, c: {command: other, file: sync}, d: {command: own}}\n"
    found = told(USER + commands + systems, exit_code=1)
    text = "other runs as nobody, who cannot read report files: uploads are the daemon's alone"
    assert {name[-1]: found[name] for name in found if name.startswith("sde_systems.")} == {
        "a": ("fail", text),
        "b": ("warning", text),
        "c": ("ok", "other, sync can be run"),
        "d": ("ok", "own can be run"),
    }


def test_connections_with_a_directory_need_a_system(told):
    """Whoever may make LDAP connections can; `ldap` says what runs them."""
    users = USER.replace("edit-alm", "edit-ldap")
    assert told(users)["sde_systems"][0] == "warning"
    assert "sde_systems" not in told(users + SYSTEM.replace("jira", "ldap"))


def test_uploads_that_do_not_fit(told, doctor, disk):
    """An upload may be larger than what is free."""
    doctor.state = disk("size=4m")
    head = HEAD.replace("'127.0.0.1:0'", "'127.0.0.1:0', upload_limit: {limit}")
    found, text = told(USER + SYSTEM, head=head.replace("{limit}", "5MiB"))["settings.http.upload_limit"]
    assert (found, text.startswith("one upload may take 5 MiB, and 4 MiB are free in")) == ("warning", True)
    assert "settings.http.upload_limit" not in told(USER + SYSTEM, head=head.replace("{limit}", "1MiB"))
