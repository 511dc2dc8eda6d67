"""Tokens: who gets them, how long they are good for, and what ends them."""

import base64
import contextlib
import re
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from jobsd.http.ccs import logins
from scheduler.model import Actor, By

WRONG = {"Message": "The user name or the password is incorrect."}
ACCESS = {"Message": "The access token is invalid or has expired."}
REFRESH = {"Message": "The refresh token is invalid or has expired."}


def good(face, token):
    """Whether an access token is admitted."""
    script = face.script(token=token)
    answer = script.call("GET", "/jobs?jobname=nightly")
    assert answer.status_code in (200, 401)
    return answer.status_code == 200


def refreshed(face, token, **more):
    """The answer to a refresh."""
    return face.tokens(grant_type="refresh_token", refresh_token=token, **more)


def installed(face, users):
    """Put other users in force, as a reload does."""
    changed = replace(face.house.configuration, users=users)
    face.house.call(face.house.dispatcher.install(changed, Actor("tester", By.SIGNAL)))


@pytest.mark.parametrize("name", [r"CORP\auditor", r"corp\AUDITOR", "CORP%5cauditor"])
def test_a_login_gives_two_tokens(shared, name):
    """The documented fields; the case of the name does not matter."""
    found = shared.login(name)
    assert set(found) == {"access_token", "refresh_token", "token_type", "expires_in"}
    assert (found["token_type"], found["expires_in"]) == ("bearer", 3600)
    assert good(shared, found["access_token"])


@pytest.mark.parametrize(
    "written", ["pa+ss w\u00f6rd@1", "pa%2Bss%20w%C3%B6rd%401", "pa%2bss+w%c3%b6rd%401", "BASE64", "BASE64ENCODED"]
)
def test_the_password_may_come_in_each_of_these_ways(build_face, words, written):
    """Raw with its plus, percent-encoded, as a form encodes it where only its spaces are pluses, in Base64."""
    password = "pass w\u00f6rd@1" if "bss+w" in written else words.password
    if "bss+w" in written:
        written = "pass+w%c3%b6rd%401"
    face = build_face(words.file(words.user("ann", known=words.hashed(password))))
    secret = base64.b64encode(password.encode()).decode()
    written = {"BASE64": secret, "BASE64ENCODED": secret.replace("+", "%2B").replace("=", "%3D")}.get(
        written, written
    )
    assert set(face.login("ann", written)) >= {"access_token"}


@pytest.mark.parametrize(
    ("body", "label"),
    [
        ("grant_type=password&username=CORP\\auditor&password={}", "application/json"),
        ("\r\ngrant_type=password&username=CORP\\auditor&password={}\r\n", "text/plain"),
        ('{{"grant_type": "password", "username": "corp\\\\auditor", "password": "{}"}}', None),
        (
            '\ufeff\r\n{{"username": "corp\\\\auditor", "password": "{}", "grant_type": "password", "scope": "x"}}\r\n',
            "x/y",
        ),
    ],
)
def test_what_a_body_is_labelled_as_does_not_matter(shared, words, body, label):
    """Form text and JSON, with line breaks and a byte order mark around."""
    headers = {} if label is None else {"Content-Type": label}
    answer = httpx.post(
        f"{shared.url}/ccs/api/v1/OAuth/Tokens/", content=body.format(words.password).encode(), headers=headers,
        trust_env=False,
    )  # fmt: skip
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    "body",
    [
        b"", b"\r\n", b"{}", b"[]", b"null", b"grant_type=client_credentials", b"grant_type=password",
        b"grant_type=password&username=a", b"grant_type=password&username=&password=x", b"grant_type=refresh_token",
        b"grant_type=password&grant_type=password&username=a&password=b", b'{"grant_type": "password", "username": 1}',
        b'{"grant_type": "password", "grant_type": "password", "username": "a", "password": "b"}',
        b'{"a": NaN}', b"[" * 50_000, b'{"grant_type": "\\ud800"}', b"\xff\xfe\x00", b"&&&&", b"%", b"=",
    ],
)  # fmt: skip
def test_a_token_request_that_says_nothing_is_refused(shared, body):
    """400 with every fault; no value of it is repeated."""
    stranger = shared.stranger()
    answer = stranger.json("POST", "/oauth/tokens", body, status=400)
    assert set(answer) == {"Message", "Errors"}


def test_a_token_request_has_its_own_limit(shared):
    """413 in the shape of the face."""
    stranger = shared.stranger()
    body = b"grant_type=password&username=a&password=" + b"x" * 70_000
    assert "65536" in stranger.text("POST", "/oauth/tokens", body, status=413)


@pytest.mark.parametrize("name", [r"CORP\auditor", "nobody", r"CORP\locked"])
def test_a_wrong_login_looks_the_same_whoever_it_is(build_face, words, name):
    """A known name, an unknown one, and a user without a password: one answer, and about the same time."""
    face = build_face(words.file(words.user(r"CORP\auditor"), r"  - {name: 'CORP\locked'}"))
    assert face.login(name, "wrong", status=401) == WRONG
    answer = httpx.post(f"{face.url}/ccs/api/v1/oauth/tokens", content=b"grant_type=password&username=a&password=b",
                        trust_env=False)  # fmt: skip
    assert answer.headers["www-authenticate"] == "Bearer"


def test_an_access_token_is_good_for_an_hour(face):
    """To the microsecond, by the daemon's clock."""
    token = face.login()["access_token"]
    face.clock.advance(timedelta(minutes=60) - timedelta(microseconds=1))
    assert good(face, token)
    face.clock.advance(timedelta(microseconds=1))
    assert face.script(token=token).json("GET", "/jobs?jobname=nightly", status=401) == ACCESS


def test_a_refresh_token_is_good_for_ninety_minutes_and_once(face):
    """Each refresh gives two new tokens; the access token of before lives on until its own end."""
    first = face.login()
    face.clock.advance(timedelta(minutes=50))
    second = refreshed(face, first["refresh_token"])
    assert second["refresh_token"] != first["refresh_token"]
    assert second["access_token"] != first["access_token"]
    assert good(face, first["access_token"])
    face.clock.advance(timedelta(minutes=10))
    assert not good(face, first["access_token"])
    assert good(face, second["access_token"])
    face.clock.advance(timedelta(minutes=80) - timedelta(microseconds=1))
    third = refreshed(face, second["refresh_token"])
    face.clock.advance(timedelta(minutes=90))
    assert refreshed(face, third["refresh_token"], status=401) == REFRESH


def test_a_used_refresh_token_ends_its_family(face):
    """Whoever shows it again has copied it, or was copied: both are out, other logins of the user are not."""
    other = face.login()
    first = face.login()
    second = refreshed(face, first["refresh_token"])
    assert refreshed(face, first["refresh_token"], status=401) == REFRESH
    assert not good(face, second["access_token"])
    assert not good(face, first["access_token"])
    assert refreshed(face, second["refresh_token"], status=401) == REFRESH
    assert good(face, other["access_token"])
    assert refreshed(face, other["refresh_token"])


def test_each_token_is_good_for_its_own_purpose_only(face):
    """An access token refreshes nothing, a refresh token opens nothing."""
    tokens = face.login()
    assert refreshed(face, tokens["access_token"], status=401) == REFRESH
    assert not good(face, tokens["refresh_token"])
    assert good(face, tokens["access_token"])
    assert refreshed(face, "never given", status=401) == REFRESH


def test_tokens_outlive_a_restart(shared, words, tmp_path):
    """A new daemon over the same ledger admits them; their ends stay where they were."""
    with contextlib.ExitStack() as houses:
        first = type(shared.house)(tmp_path, text=words.file())
        with contextlib.closing(type(shared)(first)) as face:
            tokens = face.login()
        first.stop()
        again = type(shared.house)(tmp_path, text=words.file())
        houses.callback(again.stop)
        face = houses.enter_context(contextlib.closing(type(shared)(again)))
        again.clock.advance(timedelta(minutes=59))
        assert good(face, tokens["access_token"])
        fresh = refreshed(face, tokens["refresh_token"])
        again.clock.advance(timedelta(minutes=1))
        assert not good(face, tokens["access_token"])
        assert good(face, fresh["access_token"])


@pytest.mark.parametrize("change", ["password", "removed", "no password"])
def test_tokens_of_a_changed_user_are_worth_nothing_after_the_reload(face, words, change):
    """A new password, a user who is gone: also where it is only the refresh token that is left."""
    mine, theirs = face.login(), face.login(r"CORP\other")
    auditor, other = face.house.configuration.users
    changes = {"password": words.hashed("another"), "no password": None}
    if change != "removed":
        auditor = auditor.model_copy(update={"password_hash": changes[change]})
    installed(face, (other,) if change == "removed" else (auditor, other))
    assert not good(face, mine["access_token"])
    assert refreshed(face, mine["refresh_token"], status=401) == REFRESH
    assert good(face, theirs["access_token"])


def test_permissions_that_were_taken_are_gone_at_once(face):
    """The token lives on; what it may do is read from the file in force."""
    script = face.script()
    auditor, other = face.house.configuration.users
    installed(face, (auditor.model_copy(update={"permissions": ()}), other))
    assert script.call("GET", "/jobs?jobname=nightly").status_code == 403
    installed(face, (auditor, other))
    assert script.call("GET", "/jobs?jobname=nightly").status_code == 200


def test_the_ledger_keeps_digests_and_lets_go_of_what_has_expired(face):
    """No token stands in any file of the state folder, and old rows do not gather."""
    tokens = [face.login() for _ in range(3)]
    tokens.append(refreshed(face, tokens[0]["refresh_token"]))
    stored = b"".join(path.read_bytes() for path in (face.house.folder / "state").iterdir() if path.is_file())
    assert b"api_tokens" in stored
    assert not any(pair[name].encode() in stored for pair in tokens for name in ("access_token", "refresh_token"))

    def rows(connection):
        return connection.exec_driver_sql("SELECT count(*) FROM api_tokens").scalar()

    assert face.house.ledger.read(rows) == 8
    face.clock.advance(timedelta(hours=2))
    face.login()
    assert face.house.ledger.read(rows) == 2


def test_guessing_becomes_slow(face, monkeypatch, capsys):
    """After three wrong passwords each further try waits longer, also with the right one; others do not wait."""
    monkeypatch.setattr(logins, "FIRST_S", 1.0)
    for _ in range(3):
        face.login(password="wrong", status=401)
    begin = time.monotonic()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(face.login, password="wrong", status=401)
        face.login(r"CORP\other")
        assert not waiting.done()
        waiting.result()
    assert time.monotonic() - begin > 0.8
    face.login()
    assert time.monotonic() - begin > 2.8
    monkeypatch.setattr(logins, "FIRST_S", 600.0)
    face.login(password="wrong", status=401)
    face.login()
    lines = [line for line in capsys.readouterr().out.splitlines() if "login_failed" in line]
    assert [re.search(r"failures=(\d)", line)[1] for line in lines] == ["1", "2", "3", "4", "1"]
    assert all("127.0.0.1" in line and "auditor" in line and "wrong" not in line for line in lines)


def test_guessing_keeps_nobody_else_out(face, monkeypatch):
    """Of very many guesses few wait and the others are turned away at once; another user logs in as ever."""
    monkeypatch.setattr(logins, "FIRST_S", 3.0)
    monkeypatch.setattr(logins, "MOST_S", 3.0)
    monkeypatch.setattr(logins, "WAITING", 12)
    form = rb"grant_type=password&username=CORP\auditor&password=wrong"

    def guess(_number):
        return httpx.post(
            f"{face.url}/ccs/api/v1/oauth/tokens", content=form, trust_env=False, timeout=60
        ).status_code

    for _ in range(3):
        assert guess(0) == 401
    begin = time.monotonic()
    with ThreadPoolExecutor(10) as pool:
        guesses = [pool.submit(guess, number) for number in range(10)]
        first = [done.result() for _, done in zip(range(6), as_completed(guesses), strict=False)]
        assert first == [503] * 6
        face.login(r"CORP\other")
        assert time.monotonic() - begin < 3


def test_a_name_cannot_write_into_the_log(face, capsys):
    """Control characters are made visible, long names are cut."""
    face.login("a%0aevent=x%1b[31m" + "y" * 500, "wrong", status=401)
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "login_failed" in line]
    assert "\x1b[31my" not in line
    assert "y" * 100 not in line


def test_a_reused_token_is_told_in_the_log(face, capsys):
    """With the user and the address."""
    token = face.login()["refresh_token"]
    refreshed(face, token)
    refreshed(face, token, status=401)
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "token_reused" in line]
    assert "auditor" in line
    assert token not in line


@pytest.mark.parametrize("header", ["", "Bearer", "Basic YTpi", "Bearer a b c", "bearer \u00ff", "Token x"])
def test_a_header_that_is_no_token_is_refused(shared, header):
    """401, whatever stands there."""
    answer = httpx.get(
        f"{shared.url}/ccs/api/v1/jobs", headers=[(b"Authorization", header.encode("latin-1"))], trust_env=False
    )
    assert (answer.status_code, set(answer.json())) == (401, {"Message"})
