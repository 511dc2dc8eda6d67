"""A job is executed once, whatever becomes of the answer."""

import asyncio
from datetime import timedelta

import pytest

from runners.api import Ended, Stop, StopReason


def executed(ccs, job):
    return ccs.count("POST", f"/jobs/{job}$", "execute")


@pytest.mark.parametrize("act", ["drop_after", "fail_after", b"not json", b"{}"])
async def test_an_answer_that_is_lost(driver, ccs, job, act):
    """The run that is newer than what was known before is ours; nothing is repeated.

    Rule: lost-answers
    """
    ccs.order("POST", f"/jobs/{job}$", act)
    ccs.script = [2, 2, 4]
    assert (await driver.go(job=job)).ended is Ended.COMPLETED
    assert executed(ccs, job) == 1
    assert len(ccs.runs[job]) == 2
    assert driver.memory.values["ccs_run"] == ccs.runs[job][0]["JobRunID"]
    assert driver.report.counts() == {"ccs_answer_lost": 1}


async def test_a_request_that_never_arrived(driver, ccs, job):
    """Looked for with growing pauses; the run of yesterday is not taken for ours; then it is sent again.

    Rule: lost-answers
    """
    ccs.order("POST", f"/jobs/{job}$", "drop_before")
    assert (await driver.go(job=job)).ended is Ended.COMPLETED
    assert executed(ccs, job) == 2
    assert len(ccs.runs[job]) == 2
    pauses = [pause.total_seconds() for pause in driver.clock.slept[:6]]
    assert pauses == [0, 1, 2, 4, 8, 16]


async def test_a_run_that_appears_late(driver, ccs, job):
    """Within the pauses."""
    ccs.order("POST", f"/jobs/{job}$", "drop_before")
    driver.clock.at(timedelta(seconds=9), lambda: ccs.add_run(job, 4, before=timedelta(0)))
    assert (await driver.go(job=job)).ended is Ended.COMPLETED
    assert executed(ccs, job) == 1


async def test_an_answer_that_is_lost_again_and_again(driver, ccs, job):
    """After three it is given up, retryable; the next attempt looks before it repeats."""
    ccs.order("POST", f"/jobs/{job}$", "drop_before", times=3)
    outcome = await driver.go(job=job)
    assert (outcome.ended, outcome.retryable, executed(ccs, job)) == (Ended.FAILED, True, 3)
    assert "ccs_sent" in driver.memory.values
    ccs.add_run(job, 4, before=timedelta(0))
    assert (await driver.go(job=job)).ended is Ended.COMPLETED
    assert executed(ccs, job) == 3


async def test_a_repeat_that_is_refused_because_the_first_one_runs(driver, ccs, job):
    """A 400 at a repeat: what is active is ours."""
    ccs.order("POST", f"/jobs/{job}$", "drop_before")
    ccs.script = [2, 2, 2, 2, 4]
    ccs.order("POST", f"/jobs/{job}$", (400, {"Message": "a run of this job is active"}, {}))
    driver.clock.at(timedelta(seconds=31.5), lambda: ccs._execute(job))
    assert (await driver.go(job=job)).ended is Ended.COMPLETED
    assert (executed(ccs, job), len(ccs.runs[job])) == (2, 2)


async def test_a_first_execute_that_is_refused(driver, ccs, job):
    """A run of the job is active: it is not ours, and is not followed; trying again may help."""
    theirs = ccs.add_run(job, 2, before=timedelta(minutes=5))
    outcome = await driver.go(job=job)
    assert (outcome.ended, outcome.retryable) == (Ended.FAILED, True)
    assert outcome.reason == "prod: a run of this job is active (status 400)"
    assert driver.memory.values == {"ccs_job": job, "ccs_baseline": theirs, "ccs_executed_in": "1"}


async def test_several_new_runs(driver, ccs, job):
    """The oldest is taken, and it is told."""
    ccs.order("POST", f"/jobs/{job}$", "drop_after")
    ccs.script = [4]
    oldest = []

    def others():
        oldest.append(ccs.runs[job][0]["JobRunID"])
        driver.clock.advance(timedelta(seconds=1))
        ccs.add_run(job, 5, before=timedelta(0))

    driver.clock.at(timedelta(0), others)
    assert (await driver.go(job=job)).ended is Ended.COMPLETED
    assert driver.memory.values["ccs_run"] == oldest[0]
    assert driver.report.counts()["ccs_run_ambiguous"] == 1


async def test_a_job_that_never_ran(driver, ccs):
    """There is no baseline: every run is newer."""
    job = ccs.add_job()
    ccs.order("POST", f"/jobs/{job}$", "drop_after")
    assert (await driver.go(job=job)).ended is Ended.COMPLETED
    assert (executed(ccs, job), driver.memory.values["ccs_baseline"]) == (1, "")


async def test_a_baseline_that_is_far_down(driver, ccs, job):
    """All runs are read where the latest do not reach back to it."""
    ccs.order("POST", f"/jobs/{job}$", "drop_after")
    ours = []

    def others():
        ours.append(ccs.runs[job][0]["JobRunID"])
        for _ in range(40):
            driver.clock.advance(timedelta(seconds=1))
            ccs.add_run(job, 5, before=timedelta(0))

    driver.clock.at(timedelta(0), others)
    assert (await driver.go(job=job)).ended is Ended.COMPLETED
    assert driver.memory.values["ccs_run"] == ours[0]


async def test_two_runs_of_one_job_do_not_take_each_others(driver, ccs, job):
    """Both lost their answers: each follows a job run of its own."""
    theirs = ccs.add_run(job, 2, before=-timedelta(seconds=1))
    driver.runners._claims.job_runs[theirs] = "another run"
    ccs.order("POST", f"/jobs/{job}$", "drop_before", times=3)
    outcome = await driver.go(job=job)
    assert (outcome.ended, driver.memory.values.get("ccs_run")) == (Ended.FAILED, None)


async def test_an_execute_of_a_former_life_that_arrives_late(driver, ccs, job):
    """Looked for in vain, repeated, and refused because it has arrived by now: it is found by the first baseline."""
    await driver.memory.put({
        "ccs_job": job, "ccs_baseline": ccs.runs[job][0]["JobRunID"], "ccs_sent": driver.clock.now().isoformat()
    })  # fmt: skip

    async def arrives():
        ccs.add_run(job, 4, before=timedelta(0))

    ccs.order("POST", f"/jobs/{job}$", arrives)
    ccs._execute = lambda _: (400, {"Message": "a run of this job is active"})
    assert (await driver.go(job=job)).ended is Ended.COMPLETED
    assert driver.memory.values["ccs_run"] == ccs.runs[job][0]["JobRunID"]
    assert len(ccs.runs[job]) == 2


@pytest.mark.parametrize("restarted", [False, True])
async def test_the_job_run_of_a_run_that_has_ended_is_not_taken(driver, ccs, job, restarted):
    """Neither after a restart, when nothing but what is remembered tells whose it was."""
    first = type(driver.memory)()

    async def another():
        ours, driver.memory, driver.run_id = driver.memory, first, "run-2"
        driver.stop, waiting = Stop(), driver.stop
        assert (await driver.go(job=job)).ended is Ended.COMPLETED
        driver.memory, driver.run_id, driver.stop = ours, "run-1", waiting
        if restarted:
            driver.runners._claims.job_runs.clear()
        driver.memory.others = (first,)
        ccs.order("POST", f"/jobs/{job}$", "drop_before", times=3)

    ccs.order("GET", "/jobruns", another)
    outcome = await driver.go(job=job)
    assert (outcome.ended, driver.memory.values.get("ccs_run")) == (Ended.FAILED, None)
    assert first.values["ccs_run"] == ccs.runs[job][0]["JobRunID"]


async def test_an_execute_that_is_answered_with_anothers_job_run(driver, ccs, job):
    """A server may answer with the run that is active: two runs here never have one there. It may be tried again."""
    theirs = type(driver.memory)()
    theirs.values["ccs_run"] = ccs.runs[job][0]["JobRunID"]
    driver.memory.others = (theirs,)
    ccs._execute = lambda _: (200, ccs._status(ccs.runs[job][0]))
    outcome = await driver.go(job=job)
    assert (outcome.ended, outcome.retryable) == (Ended.FAILED, True)
    assert "which another run here has" in outcome.reason
    assert not {"ccs_run", "ccs_sent"} & set(driver.memory.values)


async def test_a_restart_before_the_answer_was_read(driver, ccs, job):
    """Killed between sending and reading: the run is found and followed, not executed again."""

    async def hang():
        await asyncio.sleep(60)

    ccs.order("POST", f"/jobs/{job}$", hang)
    ccs.script = [2, 2, 4]
    attempt = asyncio.ensure_future(driver.go(job=job))
    while not ccs.runs.get(job, [])[1:]:
        await asyncio.sleep(0.01)
    attempt.cancel()
    await asyncio.gather(attempt, return_exceptions=True)
    assert {"ccs_sent"} == {"ccs_sent", "ccs_run"} & set(driver.memory.values)
    assert (await driver.go(job=job)).ended is Ended.COMPLETED
    assert (executed(ccs, job), len(ccs.runs[job])) == (1, 2)


async def test_a_restart_in_the_middle_of_a_run(driver, ccs, job):
    """A shutdown leaves the job run alone; the next attempt follows it by its id."""
    ccs.script = [2] * 5 + [4]
    driver.clock.at(timedelta(seconds=3), lambda: driver.stop.request(StopReason.SHUTDOWN))
    outcome = await driver.go(job=job)
    assert outcome.ended is Ended.STOPPED
    assert ccs.count("POST", "/jobs/", "abort") == 0
    assert (await driver.go(job=job, stop=Stop())).ended is Ended.COMPLETED
    assert executed(ccs, job) == 1


async def test_a_run_that_was_done_while_the_daemon_was_down(driver, ccs, job):
    """It is done: nothing is executed."""
    run_id = ccs.add_run(job, 4)
    driver.memory.values = {"ccs_job": job, "ccs_run": run_id}
    assert (await driver.go(job=job)).ended is Ended.COMPLETED
    assert executed(ccs, job) == 0


def cut_off(driver, ccs, job, code):
    """The first attempt was cut off when it had executed; its job run has ended so since."""
    run_id = ccs.add_run(job, code)
    driver.memory.values = {
        "ccs_job": job,
        "ccs_baseline": "",
        "ccs_sent": "2026-11-22T11:00:00+00:00",
        "ccs_executed_in": "1",
        "ccs_run": run_id,
    }
    driver.attempt = 1
    return run_id


async def test_a_rerun_takes_the_place_of_what_ended_badly(driver, ccs, job):
    """Told or not: a rerun is there for what was not done."""
    cut_off(driver, ccs, job, 5)
    assert (await driver.go(job=job, rerun=True)).ended is Ended.COMPLETED
    assert executed(ccs, job) == 1


@pytest.mark.parametrize("code", [5, 7])
async def test_a_run_that_ended_badly_is_executed_again(driver, ccs, job, code):
    """Once that has been told, by the next attempt, with a baseline of its own."""
    run_id = cut_off(driver, ccs, job, code)
    assert (await driver.go(job=job)).ended is Ended.FAILED
    assert executed(ccs, job) == 0
    assert (await driver.go(job=job)).ended is Ended.COMPLETED
    assert executed(ccs, job) == 1
    assert driver.memory.values["ccs_baseline"] == run_id
    assert driver.memory.values["ccs_run"] == ccs.runs[job][0]["JobRunID"]


async def test_a_run_that_the_server_has_forgotten_is_executed_again(driver, ccs, job):
    """By the next attempt."""
    driver.memory.values = {"ccs_job": job, "ccs_run": "00000000-0000-0000-0000-000000000000"}
    assert (await driver.go(job=job)).ended is Ended.COMPLETED
    assert executed(ccs, job) == 1


async def test_a_restart_after_nothing_was_sent(driver, ccs, job):
    """Remembered as sent, and nothing is there: it is sent after all, once."""
    driver.memory.values = {
        "ccs_job": job, "ccs_baseline": ccs.runs[job][0]["JobRunID"], "ccs_sent": "2026-11-22T11:59:00+00:00",
    }  # fmt: skip
    assert (await driver.go(job=job)).ended is Ended.COMPLETED
    assert executed(ccs, job) == 1
