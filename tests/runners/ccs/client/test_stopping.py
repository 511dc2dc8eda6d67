"""A stop ends the job run on the server, and that is seen to."""

import asyncio
from datetime import timedelta

import pytest

from runners.api import Ended, Stop, StopReason

ABORT = ("POST", "/jobs/", "abort")
ENDING = [StopReason.WINDOW_END, StopReason.CANCEL, StopReason.NEXT_RERUN, StopReason.NEW_OCCURRENCE]


def stop_soon(driver, reason=StopReason.WINDOW_END):
    driver.clock.at(timedelta(seconds=3), lambda: driver.stop.request(reason))


def status(ccs, job):
    return ccs.runs[job][0]["script"][0]


@pytest.mark.parametrize("reason", ENDING)
async def test_a_stop_aborts_and_waits_for_the_end(driver, ccs, job, reason):
    """The abort names the job run; it is asked until it has ended."""
    ccs.script, ccs.abort_script = [2], [2, 2, 2, 7]
    stop_soon(driver, reason)
    outcome = await driver.go(job=job)
    assert (outcome.ended, outcome.reason) == (Ended.STOPPED, "prod: aborted on the server, as asked")
    assert ccs.count("POST", f"/jobs/{driver.memory.values['ccs_run']}$", "abort") == 1
    assert status(ccs, job) == 7


async def test_what_was_done_in_the_meantime_counts(driver, ccs, job):
    """Completed before the abort arrives: completed."""
    ccs.script, ccs.abort_script = [2], [4]
    stop_soon(driver)
    assert (await driver.go(job=job)).ended is Ended.COMPLETED


@pytest.mark.parametrize("act", ["drop_before", "drop_after", 500, 429, 400])
async def test_an_abort_that_is_lost_is_repeated(driver, ccs, job, act):
    """Until the run has ended."""
    ccs.script = [2]
    ccs.order("POST", "/jobs/", act, body="abort", times=3)
    stop_soon(driver)
    outcome = await driver.go(job=job)
    assert outcome.ended is Ended.STOPPED
    assert status(ccs, job) == 7


async def test_a_run_that_does_not_end(driver, ccs, job):
    """After five minutes it is left to the operator, who is told."""
    ccs.script = ccs.abort_script = [2]
    stop_soon(driver)
    outcome = await driver.go(job=job)
    assert outcome.ended is Ended.STOPPED
    assert "is not confirmed: it was taken, and the status is still executing" in outcome.reason
    assert outcome.unsettled
    assert driver.report.counts() == {"ccs_abort_unconfirmed": 1}
    assert timedelta(minutes=5) < driver.clock.now() - driver.fire_time < timedelta(minutes=6)


async def test_a_server_that_is_away_at_the_windows_end(driver, ccs, job):
    """Likewise."""
    ccs.script = [2]

    async def gone():
        ccs.order("POST", "/jobs/", "drop_before", times=10_000)
        ccs.order("GET", "/jobs/", "drop_before", times=10_000)

    driver.clock.at(timedelta(seconds=2), lambda: asyncio.ensure_future(gone()))
    stop_soon(driver)
    outcome = await driver.go(job=job)
    assert outcome.ended is Ended.STOPPED
    assert "is not confirmed: no usable answer since" in outcome.reason
    assert driver.clock.now() - driver.fire_time < timedelta(minutes=8)
    ccs.orders.clear()
    ccs.runs[job][0]["script"] = [2, 2, 4]
    assert (await driver.go(job=job, stop=Stop())).ended is Ended.COMPLETED  # the rerun follows what went on
    assert ccs.count("POST", f"/jobs/{job}$", "execute") == 1


async def test_an_abort_that_may_not_be(driver, ccs, job):
    """The reason holds the server's words."""
    ccs.script = [2]
    ccs.order("POST", "/jobs/", (403, {"Message": "Access is denied."}, {}), body="abort", times=10_000)
    stop_soon(driver)
    outcome = await driver.go(job=job)
    assert outcome.ended is Ended.STOPPED
    assert "Access is denied." in outcome.reason


async def test_a_stop_while_execute_is_being_sent(driver, ccs, job):
    """The answer is waited for, and then the run is aborted."""

    async def stop():
        driver.stop.request(StopReason.CANCEL)
        await asyncio.sleep(0.05)

    ccs.script = [2]
    ccs.order("POST", f"/jobs/{job}$", stop)
    assert (await driver.go(job=job)).ended is Ended.STOPPED
    assert status(ccs, job) == 7


async def test_a_stop_while_the_answer_is_lost(driver, ccs, job):
    """The run is found first, and then aborted; nothing is executed again."""
    ccs.script = [2]
    ccs.order("POST", f"/jobs/{job}$", "drop_after")
    driver.clock.at(timedelta(0), lambda: driver.stop.request(StopReason.WINDOW_END))
    assert (await driver.go(job=job)).ended is Ended.STOPPED
    assert (status(ccs, job), ccs.count("POST", f"/jobs/{job}$")) == (7, 1)


async def test_a_stop_while_nothing_runs(driver, ccs, job):
    """An execute that never arrived is not repeated after a stop."""
    ccs.order("POST", f"/jobs/{job}$", "drop_before")
    driver.clock.at(timedelta(seconds=4), lambda: driver.stop.request(StopReason.WINDOW_END))
    outcome = await driver.go(job=job)
    assert (outcome.ended, outcome.reason) == (Ended.STOPPED, "prod: nothing was executed on the server")
    assert ccs.count("POST", f"/jobs/{job}$") == 1


async def test_a_shutdown_while_execute_hangs(driver, ccs, job):
    """It ends within seconds; the next start finds the run."""

    async def hang():
        driver.stop.request(StopReason.SHUTDOWN)
        await asyncio.sleep(60)

    driver.settings = {"timeout": timedelta(seconds=30)}
    ccs.script = [2, 2, 4]
    ccs.order("POST", f"/jobs/{job}$", hang)
    async with asyncio.timeout(10):
        assert (await driver.go(job=job)).ended is Ended.STOPPED
    assert (await driver.go(job=job, stop=Stop())).ended is Ended.COMPLETED
    assert len(ccs.runs[job]) == 2


async def test_a_stop_before_anything(driver, ccs, job):
    """Nothing is executed."""
    driver.stop.request(StopReason.CANCEL)
    assert (await driver.go(job=job)).ended is Ended.STOPPED
    assert ccs.count("POST", "/jobs/") == 0
