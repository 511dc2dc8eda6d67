"""A job that was initiated is watched to its end: over restarts, windows and silence, and no longer than its time."""

import asyncio
from datetime import timedelta

import pytest

from runners.api import Ended, Stop, StopReason
from runners.sde import memory

JOB = r"jobs/alm/\d"


def stopped(driver, reason, after):
    """A stop that is asked for after so much time."""
    stop = Stop()
    driver.clock.at(after, lambda: stop.request(reason))
    return stop


async def died(sde, driver, method, path):
    """The daemon dies while a request is on its way, and starts anew."""
    reached = asyncio.Event()

    async def never():
        reached.set()
        await asyncio.Event().wait()

    sde.order(method, path, never)
    task = asyncio.create_task(driver.go())
    await reached.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await driver.restart()


async def test_the_looks_grow_rarer_up_to_poll_and_vary(sde, driver):
    """From two seconds to `poll`, each up to a fifth shorter by chance."""
    sde.script = (20, True, "")
    await driver.go(poll=40)
    seconds = [pause.total_seconds() for pause in driver.clock.slept]
    assert 1.6 <= seconds[0] <= 2
    assert all(32 <= pause <= 40 for pause in seconds[9:])
    assert len(set(seconds)) > 10


@pytest.mark.parametrize(
    ("kind", "deadline", "limit", "words"),
    [("alm", None, 6, "6 h"), ("ldap", None, 7, "7 h"), ("alm", timedelta(minutes=45), 0.75, "45 min")],
)
async def test_a_job_that_is_not_ready_in_time_fails(sde, driver, kind, deadline, limit, words):
    """The server's limits are the default; the job may go on there, which is said."""
    sde.script = (100_000, True, "")
    begin = driver.clock.now()
    outcome = await driver.go(kind=kind, poll=600, deadline=deadline)
    assert outcome.ended is Ended.FAILED
    assert outcome.reason == (
        f"prod: job 101 was not ready {words} after it was initiated; it may still go on at the server"
    )
    assert driver.clock.now() - begin == timedelta(hours=limit)
    assert not outcome.retryable
    assert outcome.unsettled


async def test_the_deadline_also_ends_the_waiting_for_a_server_that_is_silent(sde, driver):
    """Its silence is no longer waited out than the job."""
    sde.script = (100, True, "")
    sde.order("GET", JOB, "drop_before", times=100_000)
    begin = driver.clock.now()
    outcome = await driver.go(deadline=timedelta(minutes=45))
    assert "was not ready 45 min after it was initiated" in outcome.reason
    assert driver.clock.now() - begin == timedelta(minutes=45)


async def test_the_deadline_counts_from_the_initiation_that_was_taken(sde, driver):
    """Not from one that the server throttled."""
    sde.script = (100_000, True, "")
    sde.order("POST", "jobs/alm/", (429, {"detail": "Request was throttled."}, {"Retry-After": "7200"}))
    begin = driver.clock.now()
    await driver.go(poll=600)
    assert timedelta(hours=8) <= driver.clock.now() - begin <= timedelta(hours=8, minutes=1)


async def test_the_deadline_counts_from_the_initiation_over_restarts(sde, driver):
    """Three hours before a restart and four after it are more than six; a job that is ready by then has ended well."""
    sde.script = (100_000, True, "")
    stop = stopped(driver, StopReason.SHUTDOWN, timedelta(hours=3))
    await driver.go(stop=stop, poll=600)
    begin = driver.clock.now()
    await driver.restart()
    assert (await driver.go(poll=600)).ended is Ended.FAILED
    assert timedelta(hours=2, minutes=50) < driver.clock.now() - begin <= timedelta(hours=3)
    await driver.restart()
    sde.end(101)
    assert (await driver.go()).ended is Ended.COMPLETED
    assert sde.count("POST") == 1


async def test_the_daemons_stop_leaves_the_job_and_the_next_start_finds_it(sde, driver):
    """Nothing is initiated again."""
    sde.script = (8, True, "done")
    outcome = await driver.go(stop=stopped(driver, StopReason.SHUTDOWN, timedelta(seconds=5)))
    assert outcome.ended is Ended.STOPPED
    assert outcome.reason == "prod: job 101 goes on at the server and is found again at the next start"
    assert not outcome.unsettled
    await driver.restart()
    assert (await driver.go()).reason == "prod: done"
    assert sde.count("POST") == 1


@pytest.mark.parametrize(("method", "path"), [("POST", "jobs/alm/"), ("GET", JOB)])
async def test_a_daemon_that_dies_finds_its_job_again(sde, driver, method, path):
    """While the answer to the initiation was on its way, and while it was watched: one job."""
    await died(sde, driver, method, path)
    assert (await driver.go()).ended is Ended.COMPLETED
    assert len(sde.jobs) == 1


async def test_a_failure_that_came_while_the_daemon_was_down_is_told(sde, driver):
    """It is this attempt's error; the next attempt initiates anew."""
    await died(sde, driver, "GET", JOB)
    sde.end(101, False, "Jira is down")
    outcome = await driver.go()
    assert (outcome.ended, outcome.retryable) == (Ended.FAILED, True)
    assert outcome.reason == "prod: job 101 failed: Jira is down"
    assert (await driver.go()).ended is Ended.COMPLETED
    assert sorted(sde.jobs) == [101, 102]


@pytest.mark.parametrize("reason", [StopReason.WINDOW_END, StopReason.NEXT_RERUN])
async def test_at_the_windows_end_it_is_no_longer_watched_and_that_is_said(sde, driver, reason):
    """A server cannot cancel: the job goes on there, and the rerun begins with it."""
    sde.script = (100, True, "")
    outcome = await driver.go(stop=stopped(driver, reason, timedelta(minutes=2)))
    assert outcome.ended is Ended.STOPPED
    assert outcome.unsettled
    assert outcome.reason == (
        "prod: job 101 goes on at the server, which cannot cancel it: the rerun looks at it first"
    )


@pytest.mark.parametrize(
    ("meanwhile", "jobs"),
    [("succeeded", [101]), ("at work", [101]), ("failed", [101, 102]), ("gone", [102])],
)
async def test_a_rerun_reads_the_job_first_and_initiates_again_only_if_it_ended_badly(
    sde, driver, meanwhile, jobs
):
    """A job that succeeded or is at work is this run's; one that failed, or that is gone, is replaced."""
    sde.script = (100, True, "")
    await driver.go(stop=stopped(driver, StopReason.WINDOW_END, timedelta(minutes=2)))
    sde.script = (2, True, "anew")
    match meanwhile:
        case "succeeded":
            sde.end(101, True, "as before")
        case "failed":
            sde.end(101, False, "badly")
        case "gone":
            del sde.jobs[101]
        case _:
            sde.jobs[101] |= {"left": 3, "message": "as before"}
    before = len(sde.requests)
    outcome = await driver.go(rerun=True)
    assert outcome.ended is Ended.COMPLETED
    assert sde.requests[before][:2] == ("GET", "/api/v2/jobs/alm/101/")
    assert outcome.reason == ("prod: as before" if len(jobs) == 1 and jobs == [101] else "prod: anew")
    assert sorted(sde.jobs) == jobs


async def test_a_cancel_stops_watching_and_says_that_the_job_goes_on(sde, driver):
    """Nobody can cancel it; the run's reason tells."""
    sde.script = (100, True, "")
    outcome = await driver.go(stop=stopped(driver, StopReason.CANCEL, timedelta(minutes=2)))
    assert (outcome.ended, outcome.unsettled) == (Ended.STOPPED, True)
    assert outcome.reason == "prod: job 101 goes on at the server, which cannot cancel it"


async def test_a_stop_before_anything_was_sent_initiates_nothing(sde, driver):
    """The window had closed when the attempt began."""
    stop = Stop()
    stop.request(StopReason.WINDOW_END)
    outcome = await driver.go(stop=stop)
    assert (outcome.ended, outcome.reason) == (Ended.STOPPED, "prod: nothing was initiated")
    assert not outcome.unsettled
    assert not sde.requests


async def test_a_stop_while_the_answer_is_lost_says_that_nobody_knows(sde, driver):
    """The rerun looks for the job before it initiates one."""
    stop = Stop()

    async def close():
        sde.order("GET", "", "drop_before", times=9)
        stop.request(StopReason.WINDOW_END)
        raise ConnectionError

    sde.order("POST", "jobs/alm/", close)
    outcome = await driver.go(stop=stop)
    sde.orders.clear()
    assert (outcome.ended, outcome.unsettled) == (Ended.STOPPED, True)
    assert outcome.reason == "prod: whether a job was initiated is not known: the server's answer is lost"
    assert (await driver.go(rerun=True)).ended is Ended.COMPLETED
    assert len(sde.jobs) == 1


async def test_another_connection_in_the_yaml_is_another_job(sde, driver):
    """The definition is read anew at each attempt; what was initiated for the old connection is not this one's.

    Rule: edited-during-a-run
    """
    sde.script = (100, True, "")
    await driver.go(stop=stopped(driver, StopReason.WINDOW_END, timedelta(minutes=2)))
    sde.script = (1, True, "")
    assert (await driver.go(rerun=True, connection=13)).ended is Ended.COMPLETED
    assert [job["connection"] for job in sde.jobs.values()] == [12, 13]


@pytest.mark.parametrize(
    "fault", ["drop_before", (503, {}, {}), b"<html>", b"[]", b'{"id": 101}', (200, {"id": 9}, {})]
)
async def test_silence_is_waited_out_and_told_once(sde, driver, fault):
    """A server that is being restarted, a proxy that says something else: the job is at work all the same."""
    sde.script = (3, True, "")
    sde.order("GET", JOB, fault, times=5)
    assert (await driver.go()).ended is Ended.COMPLETED
    assert driver.report.counts() == {"counterpart_silent": 1, "counterpart_answers": 1}


async def test_a_server_that_stays_silent_is_given_up(sde, driver):
    """After four hours the attempt fails; a retry watches the same job."""
    sde.script = (3, True, "")
    sde.order("GET", JOB, "drop_before", times=100_000)
    outcome = await driver.go(poll=900)
    assert (outcome.ended, outcome.retryable) == (Ended.FAILED, True)
    assert "no usable answer since 2026-11-22T12:0" in outcome.reason
    assert "job 101 may still be at work" in outcome.reason
    sde.orders.clear()
    assert (await driver.go()).ended is Ended.COMPLETED
    assert len(sde.jobs) == 1


@pytest.mark.parametrize("status", [404, 401, 403])
async def test_one_refusal_is_not_the_end_of_a_job_that_goes_on(sde, driver, status):
    """Four times a server may deny a job or the token while it is being restarted."""
    sde.script = (3, True, "")
    sde.order("GET", JOB, status, times=4)
    assert (await driver.go()).ended is Ended.COMPLETED


async def test_a_job_that_is_gone_fails_the_attempt_and_the_retry_initiates_anew(sde, driver):
    """Somebody deleted it."""
    sde.script = (100, True, "")
    driver.clock.at(timedelta(minutes=1), sde.jobs.clear)
    outcome = await driver.go()
    assert outcome.reason == "prod: the server does not know job 101 any more"
    assert outcome.retryable
    sde.script = (1, True, "")
    assert (await driver.go()).ended is Ended.COMPLETED


async def test_each_change_of_the_job_is_remembered(sde, driver):
    """Operators see how far it is."""
    sde.script = (2, False, "no")
    await driver.go()
    states = [put[memory.STATUS] for put in driver.memory.log if put.get(memory.STATUS)]
    assert states == ["pending", "failed"]


async def test_the_daemons_stop_does_not_wait_for_a_server_that_hangs(sde, driver):
    """An answer under way has two seconds; the next start looks for what was sent."""
    driver.settings["timeout"] = timedelta(seconds=60)
    stop = Stop()

    async def hang():
        stop.request(StopReason.SHUTDOWN)
        await asyncio.Event().wait()

    sde.order("POST", "jobs/alm/", hang)
    outcome = await asyncio.wait_for(driver.go(stop=stop), 20)
    assert (outcome.ended, outcome.unsettled) == (Ended.STOPPED, False)
    await driver.restart()
    assert (await driver.go()).ended is Ended.COMPLETED
    assert len(sde.jobs) == 1


async def test_a_window_that_ends_while_a_job_is_initiated_waits_for_the_answer(sde, driver):
    """What was sent is known, if it can be."""
    stop = Stop()

    async def close():
        stop.request(StopReason.WINDOW_END)
        await asyncio.sleep(0.2)

    sde.order("POST", "jobs/alm/", close)
    outcome = await driver.go(stop=stop)
    assert outcome.ended is Ended.STOPPED
    assert driver.memory.values[memory.JOB].startswith("101@")
    assert not driver.report.told
