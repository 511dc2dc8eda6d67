"""The remote agent over real HTTP and real processes: what it runs, what it leaves, what it posts."""

import asyncio
from datetime import timedelta

import pytest

from runners.api import AssetRef, AssetState, Ended, StopReason

DONE, FAILED, TIMED_OUT, UNREACHABLE = (
    AssetState.DONE,
    AssetState.FAILED,
    AssetState.TIMED_OUT,
    AssetState.UNREACHABLE,
)


def asset(number, kind="alm", server="sde-prod"):
    """A connection as an asset."""
    return AssetRef(f"{number}@{server}", f"sde-{kind}")


async def test_a_batch(agency, listed):
    """Success, failure, failure with exit code 0, warnings, a hang, a missing permission, a forbidden command.

    Rule: agent-posts
    """
    agency.commands["hang"] = agency.command(timeout=timedelta(seconds=1))
    agency.server.lists["alm"] = [
        listed(1),
        listed(2, act="fail"),
        listed(3, act="zero"),
        listed(4, act="warn"),
        listed(5, act="hang", command="hang"),
        listed(6, params=None),
        listed(7, params={}),
        listed(8, command="/bin/rm -rf /"),
    ]
    agency.server.lists["ldap"] = [listed(9, system="LDAP")]
    outcome = await agency.run()
    assert (outcome.ended, outcome.reason) == (Ended.COMPLETED, "")
    assert agency.lab.report.found == (*map(asset, range(1, 9)), asset(9, "ldap"))
    unseen = (
        "its params are not shown: the token's user needs the permission to edit ALM (issue tracker) connections"
    )
    assert {name: (report.state, report.reason) for name, report in agency.reports.items()} == {
        "1 alm": (DONE, ""),
        "2 alm": (FAILED, "cannot log in to jira.example.com with ***"),
        "3 alm": (FAILED, "no such project as P3"),
        "4 alm": (DONE, "Done - Success (2 warnings, last: T22 is not there for ***)"),
        "5 alm": (TIMED_OUT, "timed out after 1s"),
        "6 alm": (FAILED, unseen),
        "7 alm": (FAILED, unseen),
        "8 alm": (FAILED, "command '/bin/rm -rf /' is not in this agent's list"),
        "9 ldap": (DONE, ""),
    }
    assert agency.posted() == {
        ("alm", 1): (True, ""),
        ("alm", 2): (False, "cannot log in to jira.example.com with ***"),
        ("alm", 3): (False, "no such project as P3"),
        ("alm", 4): (True, "Done - Success (2 warnings, last: T22 is not there for ***)"),
        ("alm", 5): (False, "timed out after 1s"),
        ("alm", 8): (False, "command '/bin/rm -rf /' is not in this agent's list"),
        ("ldap", 9): (True, ""),
    }
    assert agency.ran_projects() == ["P1", "P2", "P3", "P4", "P5", "P9"]
    assert agency.lab.warned("sde_params_missing") == [
        {"server": "sde-prod", "connection_kind": "alm", "connections": [6, 7]}
    ]


async def test_the_posting(agency, listed):
    """A result goes to its server, in order with the others of its connection, and holds nothing secret."""
    agency.server.lists["analysis"] = [listed(12)]
    await agency.run()
    (report,) = agency.lab.report.ended
    posting = report.posting
    assert (posting.kind, posting.about, posting.target) == ("sde_result", "result", "sde-prod")
    assert posting.channel == "sde:sde-prod:12"
    assert posting.body == {
        "server": "sde-prod",
        "kind": "analysis",
        "connection": 12,
        "succeeded": True,
        "result_message": "",
    }


async def test_the_log(agency, listed):
    """Every line has its connection; what is begun and how it ended is said; no secret is in it."""
    agency.server.lists["alm"] = [listed(2, act="fail", alias="Jira\nof \x1b[31mX")]
    await agency.run()
    first, *middle, last = agency.lab.log.splitlines()
    assert first == "[alm 2] Jira of X: sync_jira"
    assert sorted(middle) == ["[alm 2] Synchronizing P2", "[alm 2] cannot log in to jira.example.com with ***"]
    assert last == "[alm 2] failed: cannot log in to jira.example.com with ***"


async def test_only_what_is_due(agency, listed):
    """Accessible ones, other frequencies and manual ones are left; one with a job in progress is left and told."""
    agency.server.lists["alm"] = [
        listed(1, inaccessible=False),
        listed(2, frequency="hourly"),
        listed(3, frequency="manually"),
        listed(4, in_progress=True),
        listed(5),
        listed(6, frequency="fortnightly"),
    ]
    await agency.run()
    assert agency.lab.report.found == (asset(5),)
    assert agency.ran_projects() == ["P5"]
    assert agency.lab.warned("sde_in_progress") == [
        {"server": "sde-prod", "connection_kind": "alm", "connections": [4]}
    ]


async def test_all_pages(agency, listed):
    """Every page is read; a connection that stands on two of them is run once."""
    agency.server.most = 2
    agency.server.lists["alm"] = [listed(n) for n in (1, 2, 2, 3, 4, 5, 1)]
    await agency.run(kinds=("alm",))
    assert agency.lab.report.found == tuple(map(asset, (1, 2, 3, 4, 5)))
    assert agency.ran_projects() == ["P1", "P2", "P3", "P4", "P5"]
    assert len(agency.posted()) == 5


async def test_kinds(agency, listed):
    """Only the kinds of the definition are listed; one id in two kinds are two connections."""
    for kind in ("alm", "analysis", "ldap"):
        agency.server.lists[kind] = [listed(1)]
    await agency.run(kinds=("ldap", "alm"))
    assert agency.lab.report.found == (asset(1, "ldap"), asset(1, "alm"))
    assert agency.server.asked("analysis") == 0
    assert agency.posted() == {("ldap", 1): (True, ""), ("alm", 1): (True, "")}
    assert len(agency.ran()) == 2


async def test_nothing_to_do(agency):
    """Without a connection the run has no assets, and says so to the ledger."""
    agency.lab.report.found = None
    outcome = await agency.run()
    assert outcome.ended is Ended.COMPLETED
    assert agency.lab.report.found == ()


async def test_parallel(agency, listed, until_true):
    """At most `parallel` commands at the same time, the next as soon as one ends."""
    hold = agency.lab.folder / "hold"
    hold.touch()
    held = {"alm_server": "x", "alm_pass": "hunter-99", "act": "hold", "until": str(hold)}
    agency.server.lists["alm"] = [listed(n, params={**held, "alm_project": f"P{n}"}) for n in range(1, 8)]
    work = asyncio.ensure_future(agency.run(parallel=3))
    await until_true(lambda: len(agency.ran()) == 3, "three commands")
    await asyncio.sleep(0.2)
    assert len(agency.ran()) == 3
    assert len(agency.lab.report.started) == 3
    hold.unlink()
    await work
    assert len(agency.posted()) == 7


async def test_the_window_ends(agency, listed, until_true, carriers_of):
    """What was at work and what waits stays open, nothing is posted of it; what is done is kept."""
    hold = agency.lab.folder / "hold"
    hold.touch()
    held = {"alm_pass": "hunter-99", "act": "hold", "until": str(hold), "alm_project": "held"}
    agency.server.lists["alm"] = [listed(1), listed(2, params=held), listed(3)]
    work = asyncio.ensure_future(agency.run(parallel=1))
    await until_true(lambda: len(agency.ran()) == 2, "the second command")
    agency.lab.stop.request(StopReason.WINDOW_END)
    outcome = await work
    assert (outcome.ended, outcome.reason) == (
        Ended.STOPPED,
        "stopped: the run window is over; 2 of 3 connections left",
    )
    assert agency.posted() == {("alm", 1): (True, "")}
    assert list(agency.reports) == ["1 alm"]
    assert agency.lab.report.started == [asset(1), asset(2)]
    assert carriers_of(agency.lab.token) == []


async def test_stopped_before_it_begins(agency, listed):
    """Nothing is asked for, and nothing found."""
    agency.server.lists["alm"] = [listed(1)]
    agency.lab.report.found = None
    agency.lab.stop.request(StopReason.SHUTDOWN)
    outcome = await agency.run()
    assert (outcome.ended, outcome.reason) == (Ended.STOPPED, "stopped: the daemon shuts down")
    assert agency.lab.report.found is None
    assert agency.server.requests == []


async def test_a_later_attempt(agency, listed):
    """Only what is left is run, with the params that the server has now; what is not as it was is told, not posted."""
    agency.server.lists["alm"] = [
        listed(1),
        listed(2, params={"alm_project": "new", "alm_server": "x"}),
        listed(3, inaccessible=False),
        listed(4, frequency="weekly"),
        listed(5, in_progress=True),
        listed(6, params=None),
        listed(9),
    ]
    left = [*map(asset, (2, 3, 4, 5, 6, 7)), asset(2, "ldap"), asset(8, server="former"), AssetRef("x", "linux")]
    outcome = await agency.run(left)
    assert outcome.ended is Ended.COMPLETED
    assert agency.ran_projects() == ["new"]
    assert agency.lab.report.found == ()
    assert {name: report.reason for name, report in agency.reports.items() if report.state is FAILED} == {
        "3 alm": "it is no longer inaccessible: the server runs it itself",
        "4 alm": "its frequency is weekly now",
        "5 alm": "a job of it is in progress on the server",
        "6 alm": "its params are not shown: the token's user needs "
        "the permission to edit ALM (issue tracker) connections",
        "7 alm": "the server lists it no more",
        "2 ldap": "the server lists it no more",
        "8@former alm": "the job runs connections of sde-prod now",
        "x linux": "the job runs connections of sde-prod now",
    }
    assert agency.posted() == {("alm", 2): (True, "")}
    assert agency.server.asked("analysis") == 0


async def test_a_later_attempt_with_nothing_left(agency):
    """A crash after the last one was done leaves nothing to do: nothing is asked for."""
    outcome = await agency.run([])
    assert outcome.ended is Ended.COMPLETED
    assert agency.server.requests == []


FORBIDDEN = (403, {"detail": "You do not have permission to perform this action."})


async def test_a_kind_that_is_refused(agency, listed):
    """The others go on; the list is an asset that failed, so that the run is not taken for done."""
    agency.server.lists["alm"] = [listed(1)]
    agency.server.answers["analysis"] = FORBIDDEN
    outcome = await agency.run()
    assert outcome.ended is Ended.COMPLETED
    assert agency.lab.report.found == (AssetRef("analysis@sde-prod", "sde-list"), asset(1))
    assert agency.reports["1 alm"].state is DONE
    told = agency.reports["analysis list"]
    assert (told.state, told.posting) == (FAILED, None)
    assert told.reason == (
        "the connections cannot be listed: You do not have permission to perform this action. (status 403)"
    )


async def test_a_kind_that_the_server_does_not_know(agency, listed):
    """An older server has no list of that kind: told once in the log, no failure."""
    agency.server.lists["alm"] = [listed(1)]
    agency.server.answers["ldap"] = (404, b"<html><title>Page not found</title></html>")
    outcome = await agency.run()
    assert outcome.ended is Ended.COMPLETED
    assert agency.lab.report.found == (asset(1),)
    assert agency.lab.warned("sde_kind_missing") == [
        {"server": "sde-prod", "connection_kind": "ldap", "reason": "Page not found (status 404)"}
    ]


async def test_no_kind_at_all(agency):
    """Where nothing can be listed the attempt has failed; trying again helps only where the cause may pass."""
    agency.lab.report.found = None
    for kind in ("alm", "analysis", "ldap"):
        agency.server.answers[kind] = (404, b"")
    outcome = await agency.run()
    assert (outcome.ended, outcome.retryable) == (Ended.FAILED, False)
    told = "alm, analysis, ldap: it gives no reason (status 404)"
    assert outcome.reason == f"sde-prod: no connections can be listed: {told}"
    assert agency.lab.report.found is None


async def test_a_server_that_does_not_answer(agency, listed, manual, until_true):
    """It is asked again for a while, by the daemon's clock, and left alone for as long as it says."""
    agency.lab.clock = manual
    agency.server.lists["alm"] = [listed(1)]
    busy = (503, b"<html>busy</html>")
    agency.server.answers["alm"] = [busy, (429, {"detail": "Request was throttled."}), None]
    work = asyncio.ensure_future(agency.run(kinds=("alm",)))
    for seconds, asked in ((2, 1), (5, 2)):
        await until_true(lambda s=seconds: manual.sleeping(timedelta(seconds=s)), "the pause")
        assert agency.server.asked("alm") == asked
        manual.advance(timedelta(seconds=seconds))
    assert (await work).ended is Ended.COMPLETED
    assert agency.ran_projects() == ["P1"]


@pytest.mark.parametrize(
    ("status", "asked", "waits"), [(429, 40, 40), (503, 90, 90), (429, 1, 2), (429, 36000, 900)]
)
async def test_a_server_that_asks_for_time(agency, listed, manual, until_true, status, asked, waits):
    """Retry-After is honoured, for a quarter of an hour at most; never less than our own pause."""
    agency.lab.clock = manual
    agency.server.lists["alm"] = [listed(1)]
    agency.server.answers["alm"] = [(status, {"detail": "later"}, ("Retry-After", asked)), None]
    work = asyncio.ensure_future(agency.run(kinds=("alm",)))
    await until_true(lambda: manual.sleeping(timedelta(seconds=waits)), "the pause")
    manual.advance(timedelta(seconds=waits))
    assert (await work).ended is Ended.COMPLETED
    assert agency.ran_projects() == ["P1"]


async def test_a_server_that_stays_silent(agency, listed, manual, until_true):
    """All kinds share the minute; one that was listed is run, the others are unreachable for this time."""
    agency.lab.clock = manual
    agency.server.lists["alm"] = [listed(1)]
    agency.server.answers = {"analysis": (502, b""), "ldap": (500, b"")}
    work = asyncio.ensure_future(agency.run())
    for seconds in (2, 5, 15, 30):
        await until_true(lambda s=seconds: manual.sleeping(timedelta(seconds=s)), "the pause")
        manual.advance(timedelta(seconds=seconds))
    assert (await work).ended is Ended.COMPLETED
    assert (agency.server.asked("analysis"), agency.server.asked("ldap")) == (5, 1)
    assert agency.reports["analysis list"].state is UNREACHABLE
    assert agency.reports["ldap list"].state is UNREACHABLE
    assert agency.reports["1 alm"].state is DONE


async def test_a_stop_while_the_server_is_silent(agency, manual, until_true):
    """The stop is not kept waiting for the server."""
    agency.lab.clock = manual
    agency.server.answers["alm"] = (503, b"")
    work = asyncio.ensure_future(agency.run())
    await until_true(lambda: manual.sleeping(timedelta(seconds=2)), "the pause")
    agency.lab.stop.request(StopReason.WINDOW_END)
    assert (await work).ended is Ended.STOPPED


async def test_a_stop_while_a_list_has_no_end(agency, listed):
    """Page follows page: the stop is not kept waiting for the last one."""
    numbers = iter(range(1, 10**6))

    def page(*_):
        number = next(numbers)
        if number == 3:
            agency.lab.stop.request(StopReason.WINDOW_END)
        return 200, {"next": "more", "results": [listed(number)]}

    agency.server._answer = page
    outcome = await asyncio.wait_for(agency.run(kinds=["alm"]), 20)
    assert (outcome.ended, agency.ran(), next(numbers) < 9) == (Ended.STOPPED, [], True)


async def test_nobody_listens(agency, manual, until_true):
    """A server that is down fails the attempt, which may be tried again."""
    agency.lab.clock = manual
    await agency.server.stop()
    work = asyncio.ensure_future(agency.run())
    for seconds in (2, 5, 15, 30):
        await until_true(lambda s=seconds: manual.sleeping(timedelta(seconds=s)), "the pause")
        manual.advance(timedelta(seconds=seconds))
    outcome = await work
    assert (outcome.ended, outcome.retryable) == (Ended.FAILED, True)


async def test_a_kind_that_is_listed_later(agency, listed):
    """At a rerun the list that failed is read again: its connections are found then, and run."""
    agency.server.lists["analysis"] = [listed(3), listed(4, params=None)]
    agency.server.lists["alm"] = [listed(1)]
    outcome = await agency.run([AssetRef("analysis@sde-prod", "sde-list")])
    assert outcome.ended is Ended.COMPLETED
    assert agency.lab.report.found == (asset(3, "analysis"), asset(4, "analysis"))
    assert {name: report.state for name, report in agency.reports.items()} == {
        "analysis list": DONE,
        "3 analysis": DONE,
        "4 analysis": FAILED,
    }
    assert agency.ran_projects() == ["P3"]


async def test_a_crash_between_the_list_and_its_end(agency, listed):
    """A connection that is known already and stands in a list that is read anew is run once."""
    agency.server.lists["alm"] = [listed(1), listed(2, in_progress=True), listed(3, params=None)]
    await agency.run([AssetRef("alm@sde-prod", "sde-list"), asset(1), asset(2), asset(3)])
    assert agency.ran_projects() == ["P1"]
    ended = [report.asset.id.partition("@")[0] for report in agency.lab.report.ended]
    assert (ended[0], sorted(ended)) == ("alm", ["1", "2", "3", "alm"])
    assert [told["connections"] for told in agency.lab.warned("sde_params_missing")] == [[3]]


async def test_a_list_that_fails_again(agency, listed):
    """At a rerun a kind that cannot be listed leaves its connections with that reason."""
    agency.server.lists["alm"] = [listed(1)]
    agency.server.answers["ldap"] = FORBIDDEN
    await agency.run([asset(1), asset(5, "ldap"), AssetRef("ldap@sde-prod", "sde-list")])
    assert agency.lab.report.ended[0].asset.type == "sde-list"
    assert agency.reports["1 alm"].state is DONE
    assert agency.reports["5 ldap"].reason.startswith("the connections cannot be listed: You do not")
    assert agency.reports["ldap list"].state is FAILED
    assert agency.posted() == {("alm", 1): (True, "")}


async def test_a_connection_that_cannot_be_read(agency, listed):
    """The others are run; the log and the run's reason say what is wrong, without values."""
    agency.server.lists["alm"] = [listed(1), listed(3, params="geheim"), listed("x")]
    outcome = await agency.run()
    assert outcome.ended is Ended.COMPLETED
    assert agency.ran_projects() == ["P1"]
    (told,) = agency.lab.warned("sde_connections_unreadable")
    assert told["reason"] in outcome.reason
    assert outcome.reason.startswith("connections that cannot be read: alm: results[1].params: ")
    assert "geheim" not in outcome.reason


@pytest.mark.parametrize("command", ["Sync_Jira", "sync_jira ", "sync", "", "../sync_jira", "sync_jira\0"])
async def test_the_name_is_looked_up_exactly(agency, listed, command):
    """A name that is only like one of the list is not in it."""
    agency.server.lists["alm"] = [listed(1, command=command)]
    await agency.run()
    assert agency.ran() == []
    assert agency.reports["1 alm"].reason.endswith("is not in this agent's list")


async def test_params_that_cannot_be_handed_over(agency, listed):
    """The connection has failed, and the server is told which param; the others go on."""
    agency.server.lists["alm"] = [listed(1, params={"alm_pass": "a\nb\n\n[x]", "act": ""}), listed(2)]
    await agency.run()
    succeeded, message = agency.posted()["alm", 1]
    assert not succeeded
    assert message.startswith("the param 'alm_pass' has an empty line")
    assert agency.ran_projects() == ["P2"]


async def test_assets_are_told_apart_by_their_processes(agency, listed, python):
    """Each command's processes carry their connection, so that ending one ends no other."""
    code = "import os; print(os.environ['JOBSD_ASSET'], os.environ['JOBSD_ASSET_TYPE'])"
    agency.commands["sync_jira"] = agency.command(python, "-c", code)
    agency.server.lists["ldap"] = [listed(7)]
    await agency.run()
    assert "[ldap 7] 7@sde-prod sde-ldap\n" in agency.lab.log


async def test_a_ledger_that_cannot_be_written(agency, listed, carriers_of):
    """What reports raise ends the attempt, and leaves no process."""
    agency.server.lists["alm"] = [listed(1), listed(2, act="hang"), listed(3, act="hang")]
    agency.lab.report.broken = RuntimeError("no ledger")
    with pytest.raises(RuntimeError, match="no ledger"):
        await agency.run()
    assert carriers_of(agency.lab.token) == []


async def test_many(agency, listed):
    """Hundreds of connections are each run and posted once."""
    agency.server.most = 100
    agency.commands["sync_jira"] = agency.command("/bin/true")
    agency.server.lists["alm"] = [listed(n) for n in range(1, 301)]
    await agency.run(parallel=8, kinds=("alm",))
    assert len(agency.posted()) == 300
    assert all(succeeded for succeeded, _ in agency.posted().values())
    assert agency.server.asked("alm") == 3
