"""Results of a remote agent on their way to a real HTTP server: all of them arrive, in order, none twice."""

import threading
from datetime import timedelta

import pytest


async def test_a_result_becomes_a_job_of_its_connection(agent, server):
    """Automatic, without `ready`; the ledger keeps the job's id, and no token."""
    server.add(12, "older")
    await agent.has(12, " 2 warnings ", succeeded=False)
    await agent.office.carry()
    assert server.results() == [(12, True, "older"), (12, False, "2 warnings")]
    ((_, path, body),) = [one for one in server.got if one[0] == "POST"]
    assert path == "/api/v2/jobs/alm/"
    assert body == {"connection": 12, "result_message": "2 warnings", "succeeded": False, "automatic": True}
    (one,) = agent.office.outbox()
    assert (str(one.state), one.tries, one.reason) == ("delivered", 1, "")
    assert one.body["progress"] == {"baseline": 1, "job": 2}
    assert "t0ken" not in repr(one)


@pytest.mark.parametrize("kind", ["alm", "analysis", "ldap"])
async def test_each_kind_has_its_own_path(agent, server, kind):
    """Jobs are posted to, and looked for among, those of the connection's kind."""
    await agent.has(7, "x", kind=kind)
    server.order("POST", "drop_after")
    await agent.office.carry()
    await agent.office.tick(minutes=2)
    assert {path.partition("?")[0] for _, path, _ in server.got} == {f"/api/v2/jobs/{kind}/"}
    assert (server.results(), agent.fates()) == ([(7, True, "x")], ["delivered"])


async def test_an_hour_without_the_server(agent, server):
    """All results arrive afterwards, in order for each connection, none twice; other receivers are not held up."""
    server.down()
    expected = {12: [], 13: [], 14: []}
    for minute in range(0, 60, 5):
        for connection, told in expected.items():
            told.append((connection, minute % 10 == 0, f"at {minute}" if connection == 12 else ""))
            await agent.has(*told[-1][::2], succeeded=told[-1][1])
        await agent.office.tick(minutes=5)
    assert set(agent.fates()) == {"pending"}
    assert agent.office.outbox()[0].reason.startswith("no usable answer: ")
    assert {one.tries for one in agent.office.outbox()[3:]} == {0}  # they wait for their turn
    server.up()
    await agent.office.tick(hours=1, minutes=10)
    assert {connection: server.results(connection) for connection in expected} == expected
    assert set(agent.fates()) == {"delivered"}
    assert server.count("POST") == 36


@pytest.mark.parametrize("act", ["drop_after", "garble", (500, "<html>", {}), (503, {}, {})])
async def test_a_lost_answer_is_looked_for(agent, server, act):
    """What was taken is not sent again; what was not, is. An answer of ours cannot be told from a proxy's."""
    server.order("POST", act)
    await agent.has(12, "done")
    await agent.office.carry()
    taken = len(server.jobs)
    assert (agent.fates(), agent.progress()) == (["pending"], {"baseline": 0})
    await agent.office.tick(minutes=2)
    assert (server.results(), agent.fates()) == ([(12, True, "done")], ["delivered"])
    assert server.count("POST") == 2 - taken
    assert agent.progress() == {"baseline": 0, "job": 1}


async def test_what_is_carried_out_late_is_found_as_long_as_nobody_knows(agent, server):
    """The first POST comes out of a proxy's queue after the second was turned away: it is still looked for."""
    server.order("POST", "drop_before", (429, {}, {}))
    await agent.has(12, "done")
    await agent.office.carry()
    await agent.office.tick(minutes=1)
    assert (server.count("POST"), agent.progress()) == (2, {"baseline": 0})
    server.add(12, "done")
    server.add(12, "done")
    await agent.office.tick(minutes=5)
    assert (server.count("POST"), agent.fates()) == (2, ["delivered"])
    assert agent.progress() == {"baseline": 0, "job": 1}  # of several the oldest


async def test_an_answer_that_comes_too_late(agent, server):
    """The time is over and the server takes it nevertheless: it is found."""
    gate = threading.Event()
    server.order("POST", lambda: gate.wait(20))
    await agent.has(12, "done")
    try:
        await agent.office.carry()
    finally:
        gate.set()
    assert agent.fates() == ["pending"]
    await agent.office.tick(minutes=2)
    assert (server.results(), agent.fates()) == ([(12, True, "done")], ["delivered"])


async def test_two_identical_results_in_a_row_both_arrive(agent, server):
    """The job of the first is older than the second's first try: it is not taken for it, whatever gets lost."""
    for _ in range(3):
        await agent.has(12)
    server.order("POST", "drop_after", "drop_before", "drop_after")
    await agent.office.carry()
    await agent.office.tick(hours=1)
    assert (server.results(), agent.fates()) == ([(12, True, "")] * 3, ["delivered"] * 3)


async def test_the_same_words_of_yesterday_are_not_todays(agent, server):
    """Only what is newer than the first try counts, of this connection, automatic and with the same outcome.

    Rule: lost-answers
    """
    server.add(12, "done")
    await agent.has(12, "done")

    def others():
        server.add(13, "done")
        server.add(12, "done", automatic=False)
        server.add(12, "done", succeeded=False)
        server.add(12, "done ?")
        server.add(12, "done", ready=False)
        server.add(12, "done", kind="analysis")

    server.order("POST", "drop_before")
    await agent.office.carry()
    others()
    await agent.office.tick(minutes=2)
    assert (server.count("POST"), agent.fates()) == (2, ["delivered"])
    assert agent.progress() == {"baseline": 1, "job": 8}


async def test_an_ldap_server_says_of_no_job_that_it_is_automatic(agent, server):
    """As the vendor's page has it: it is found by the rest."""

    def loses_it():
        server.jobs[-1].update(automatic=False)
        raise ConnectionError

    await agent.has(12, "done", kind="ldap")
    server.order("POST", loses_it)
    await agent.office.carry()
    await agent.office.tick(minutes=2)
    assert (len(server.jobs), agent.fates(), server.count("POST")) == (1, ["delivered"], 1)


async def test_among_many_jobs_the_result_is_found(agent, server):
    """More than one page lies between."""
    for number in range(450):
        server.add(12, f"old {number}")
    await agent.has(12, "done")
    server.order("POST", "drop_after")
    await agent.office.carry()
    for number in range(450):
        server.add(12, f"new {number}")
    await agent.office.tick(minutes=2)
    assert (server.count("POST"), agent.fates()) == (1, ["delivered"])
    assert agent.progress() == {"baseline": 450, "job": 451}


async def test_one_job_that_cannot_be_read_holds_the_rest(agent, server):
    """It may be the one that is looked for: nothing is repeated until it can be read."""
    await agent.has(12, "done")
    server.order("POST", "drop_after")
    await agent.office.carry()
    server.jobs[0]["ready"] = "?"
    await agent.office.tick(minutes=5)
    assert (server.count("POST"), agent.fates()) == (1, ["pending"])
    assert "job 1 cannot be read" in agent.office.outbox()[0].reason
    server.jobs[0]["ready"] = True
    await agent.office.tick(minutes=10)
    assert (server.count("POST"), agent.fates()) == (1, ["delivered"])


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_busy_server_is_left_alone(agent, server, method):
    """429: not before the time that Retry-After gives, and what was not done does not have to be looked for."""
    server.order(method, (429, {"detail": "Request was throttled."}, {"Retry-After": "600"}))
    await agent.has(12, "done")
    await agent.office.carry()
    (one,) = agent.office.outbox()
    assert one.due_at == agent.office.clock.now() + timedelta(seconds=600)
    assert "Request was throttled." in one.reason
    assert not one.body.get("progress")
    seen = len(server.got)
    await agent.office.tick(minutes=9)
    assert len(server.got) == seen
    await agent.office.tick(minutes=2)
    assert (server.results(), agent.fates()) == ([(12, True, "done")], ["delivered"])


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "act", [(401, {"detail": "Invalid token."}, {}), (302, "", {"Location": "http://127.0.0.1:9/login"}),
            (409, {}, {}), (503, {}, {"Retry-After": "120"}), (200, {"results": "?"}, {})],
)  # fmt: skip
async def test_what_may_mend_itself_is_tried_again(agent, server, method, act):
    """Another token, a redirect of a login page, a server in maintenance, nonsense."""
    server.order(method, act, act)
    await agent.has(12, "done")
    await agent.office.carry()
    assert agent.fates() == ["pending"]
    await agent.office.tick(minutes=10)
    assert (server.results(), agent.fates()) == ([(12, True, "done")], ["delivered"])


async def test_a_new_token_is_taken_without_a_restart(agent, server, monkeypatch):
    """401: the token is read anew at each try."""
    server.token = "n3w-token"
    await agent.has(12, "done")
    await agent.office.carry()
    assert agent.fates() == ["pending"]
    assert agent.office.outbox()[0].reason == "Invalid token. (status 401)"
    monkeypatch.setenv("AGENT_TOKEN", "n3w-token")
    await agent.office.tick(minutes=2)
    assert (server.results(), agent.fates()) == ([(12, True, "done")], ["delivered"])


async def test_a_server_that_leaves_the_file_and_comes_back(agent, server):
    """Its results wait, in order, and say so; so do those for a server of another type."""
    await agent.office.reload("version: 1\njobs: []")
    await agent.has(12, "one")
    await agent.has(12, "two")
    await agent.has(13, "three")
    await agent.office.carry()
    assert set(agent.fates()) == {"pending"}
    assert agent.office.outbox()[0].reason.startswith("servers.prod is no SDE server of the configuration")
    ccs = "{type: ccs, url: 'https://ccs.example.com', username: u, password: {env: AGENT_TOKEN}}"
    await agent.office.reload(f"version: 1\nservers: {{prod: {ccs}}}\njobs: []")
    await agent.office.tick(minutes=2)
    assert {one.tries for one in agent.office.outbox()} == {0, 3}
    assert agent.office.outbox()[0].reason.startswith("servers.prod is no SDE server of the configuration")
    await agent.office.reload(agent.file)
    await agent.office.tick(minutes=10)
    assert server.results(12) == [(12, True, "one"), (12, True, "two")]
    assert set(agent.fates()) == {"delivered"}


async def test_a_week_without_the_server(agent, server, operator):
    """Then it is refused, with what was noted: a resend looks first, and finds what had been taken."""
    await agent.has(12, "done")
    server.order("POST", "drop_after")
    await agent.office.carry()
    server.down()
    await agent.office.tick(step=timedelta(minutes=30), days=8)
    assert agent.fates() == ["refused"]
    assert agent.office.outbox()[0].reason.startswith("given up after 7 days: no usable answer: ")
    server.up()
    await agent.resend(1, operator)
    await agent.office.carry()
    assert (server.results(), agent.fates()) == ([(12, True, "done")], ["delivered"])
