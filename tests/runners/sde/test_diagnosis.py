"""A server's connections held against our jobs: what the doctor says, and what it does not."""

import pytest

import config
from runners.sde.diagnosis import Wanted, findings
from runners.sde.wire import Connection, Kind, Listing, System, WireFault

HEAD = """version: 1
servers:
  sde-prod: {type: sde, url: 'https://acme.sdelements.com', token: {env: T}}
  other: {type: sde, url: 'https://other.sdelements.com', token: {env: T}}
commands: {sync_jira: {argv: ["true"]}}
jobs:
- {name: local, run: {command: {argv: ["true"]}}}
"""
RIGHT = "the permission to edit ALM (issue tracker) connections"


def connection(number, frequency="daily", *, inaccessible=False, command="sync_jira", params=None):
    return Connection(
        id=number, alias=f"C{number}", frequency=frequency, inaccessible=inaccessible, command=command,
        params=params, system=System("jira"),
    )  # fmt: skip


SHOWN = {"password": "p4ss"}


@pytest.fixture
def told(tmp_path):
    """What is found: (runs of jobs, connections, kind) -> [(health, what, text, advice)] of all that is not in order."""

    def one(runs, items, kind=Kind.ALM, faults=(), more="", **options):
        jobs = "".join(f"- {{name: j{n}{more}, run: {{{run}}}}}\n" for n, run in enumerate(runs))
        wanted = Wanted.of("sde-prod", config.loads(HEAD + jobs, file="f", folder=tmp_path))
        found = list(findings(wanted, kind, Listing(tuple(items), faults)))
        assert all("p4ss" not in f.text + f.advice for f in found)
        return [
            ("ok" if f.sound else "warning" if f.warning else "fail", f.what, f.text, f.advice)
            for f in found
            if options.get("sound") or not f.sound
        ]

    return one


AGENT = "sde_agent: {server: sde-prod, frequency: daily}"


def initiate(number, kind="alm", server="sde-prod"):
    return f"sde: {{server: {server}, kind: {kind}, connection: {number}}}"


@pytest.mark.parametrize(
    ("runs", "items", "text"),
    [
        ([], [], "0 alm connections may be read"),
        ([], [connection(1)], "1 alm connection may be read, without their params"),
        ([initiate(1)], [connection(1, "manually")], "1 alm connection may be read, without their params"),
        ([AGENT], [], "0 alm connections may be read"),
        ([AGENT], [connection(n, params=SHOWN, inaccessible=True) for n in (1, 2)], "2 alm connections may be read, params too"),
    ],
)  # fmt: skip
def test_what_is_in_order(runs, items, text, told):
    """How many connections there are, and whether their params are shown: of use to an agent only."""
    assert told(runs, items, sound=True) == [("ok", "permission", text, "")]


def test_an_agent_that_is_not_shown_params(told):
    """Its own connections fail, each named; where it has none yet, it is told beforehand."""
    blind = [connection(1, inaccessible=True), connection(2, inaccessible=True), connection(3)]
    assert told([AGENT], blind) == [
        ("fail", "params", "no agent can run alm connections 1 (C1, daily), 2 (C2, daily): no params are shown",
         f"give the token's user {RIGHT}")
    ]  # fmt: skip
    assert told([AGENT], [connection(3)]) == [
        ("warning", "params", "1 alm connection may be read, without their params: an agent could not run them",
         f"give the token's user {RIGHT}")
    ]  # fmt: skip


def test_a_connection_without_params_among_others_that_have_some(told):
    """Then it is not the right that is missing."""
    items = [connection(1, inaccessible=True, params={}), connection(2, inaccessible=True, params=SHOWN)]
    (found,) = told([AGENT], items)
    assert found[2:] == (
        "no agent can run alm connection 1 (C1, daily): no params are shown",
        "give them params there",
    )


def test_a_command_that_is_not_in_the_list(told):
    """Each once, with its connections, of those that an agent here runs; an odd name is quoted."""
    far = {"inaccessible": True, "params": SHOWN}
    items = [
        connection(1, command="sync_other", **far), connection(2, command="sync_other", **far), connection(3, command="a\nb", **far),
        connection(4, **far), connection(5, command="reached", params=SHOWN), connection(6, "manually", command="by_hand", **far),
    ]  # fmt: skip
    assert told([AGENT], items) == [
        ("fail", "command", r'alm connection 3 (C3, daily) needs the command "a\nb", which is not under commands',
         "write it under commands, if it is one that you trust"),
        ("fail", "command", 'alm connections 1 (C1, daily), 2 (C2, daily) need the command "sync_other", which is not under commands',
         "write it under commands, if it is one that you trust"),
    ]  # fmt: skip


def test_connections_that_nobody_runs(told):
    """Of another frequency or kind than any agent here has; told only where there is an agent."""
    items = [
        connection(1, "weekly", inaccessible=True, params=SHOWN),
        connection(2, "manually", inaccessible=True),
    ]
    assert [found[:3] for found in told([AGENT], items)] == [
        (
            "warning",
            "connection",
            "nobody here runs alm connection 1 (C1, weekly), which the server does not reach",
        )
    ]
    assert told([initiate(9, "ldap")], items) == []
    ldap_only = "sde_agent: {server: sde-prod, frequency: weekly, kinds: [ldap]}"
    assert [found[0] for found in told([ldap_only], items)] == ["warning"]
    assert told(["sde_agent: {server: other, frequency: daily}"], items) == []


def test_connections_that_are_initiated(told):
    """One that is not there, one that the server cannot run, some that it runs by itself too."""
    items = [connection(1, inaccessible=True), connection(2, "hourly"), connection(3), connection(4, "manually")]
    assert [found[:3] for found in told([initiate(n) for n in (1, 2, 3, 4, 5)], items)] == [
        ("fail", "connection", 'job "j0": the server does not reach alm connection 1, and cannot run it'),
        ("fail", "connection", 'job "j4": there is no alm connection 5, or it may not be seen'),
        ("warning", "connection", "the server also runs alm connections 2 (C2, hourly), 3 (C3, daily) by their own frequency: they run twice"),
    ]  # fmt: skip
    assert told([initiate(9, "ldap"), initiate(9, server="other")], items) == []


def test_a_job_that_is_switched_off_wants_nothing(told):
    """It does not run."""
    assert told([initiate(9)], [], more=", enabled: false") == []


def test_many_connections_are_not_all_named(told):
    """Ten, and how many more."""
    (found,) = told([AGENT], [connection(n, inaccessible=True) for n in range(1, 15)])
    assert "10 (C10, daily) and 4 more: no params" in found[2]


def test_a_list_with_faults(told):
    """What cannot be read may be the connection that is looked for."""
    faults = (WireFault(("results[0]", "id"), "is missing"), WireFault(("results[1]", "id"), "is missing"))
    (found,) = told([initiate(9)], [], faults=faults)
    assert found[:2] == ("warning", "permission")
    assert found[2].startswith("2 faults in its list of alm connections, the first: results[0].id")


def test_which_kinds_are_looked_at(tmp_path):
    """Those that jobs work on; all of them where there are no jobs yet."""

    def kinds(*runs):
        jobs = "".join(f"- {{name: j{n}, run: {{{run}}}}}\n" for n, run in enumerate(runs))
        return Wanted.of("sde-prod", config.loads(HEAD + jobs, file="f", folder=tmp_path)).kinds

    assert kinds() == tuple(Kind)
    assert kinds(initiate(1, "ldap")) == (Kind.LDAP,)
    assert kinds(initiate(1), "sde_agent: {server: sde-prod, frequency: daily, kinds: [analysis]}") == (
        Kind.ALM,
        Kind.ANALYSIS,
    )
    assert kinds(initiate(1, server="other")) == tuple(Kind)
