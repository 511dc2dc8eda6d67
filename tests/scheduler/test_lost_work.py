"""Nothing stays running at which nobody works, whatever went wrong between the ledger and the work."""

import asyncio
import sqlite3
from dataclasses import replace

import pytest
import structlog

from recurrence.schedule import Schedule
from runners.api import Ended, Outcome
from scheduler.control import Refused
from scheduler.ledger import LedgerUnavailable, attempts, runs
from scheduler.model import CLOCK_ACTOR, Cause

JOB = """
version: 1
jobs:
  - name: job
    idempotent: true
    schedule: {start: 2026-03-02T06:00:00, daily: {}, window: 1h}
    run: {command: {argv: ["true"]}}
"""


class Patient:
    """A runner that works until it is asked to stop or let go."""

    def __init__(self):
        self.free = asyncio.Event()
        self.reasons = []

    async def execute(self, execution):
        stop = asyncio.ensure_future(execution.stop.wait())
        free = asyncio.ensure_future(self.free.wait())
        done, waiting = await asyncio.wait({stop, free}, return_when=asyncio.FIRST_COMPLETED)
        for one in waiting:
            one.cancel()
        if stop in done:
            self.reasons.append(str(stop.result()))
            return Outcome(Ended.STOPPED)
        return Outcome(Ended.COMPLETED)


async def under_way(rig, text=JOB):
    """A rig with one attempt under way since 06:00."""
    r, patient = rig("2026-03-02T05:59:59Z"), Patient()
    await r.up(text, runner=lambda _run: patient)
    await r.tick(seconds=1, wait=False)
    assert r.run().state == "running"
    return r, patient


async def test_an_attempt_at_which_nobody_works_is_closed_and_taken_up_again(rig):
    """Its start is in the ledger, though this process was told that it is not: the next proof of life finds it."""
    r = rig("2026-03-02T06:00:00Z")
    await r.up(JOB)
    run = await r.control.trigger("job", CLOCK_ACTOR)
    await r.ledger.write(
        lambda c: attempts.start(
            c, run.run_no, Cause.MANUAL, at=r.clock.now(), owner=r.dispatcher.owner, actor=CLOCK_ACTOR
        )
    )
    r.dispatcher._renewed_at = 0.0
    with structlog.testing.capture_logs() as lines:
        await r.settle()
        await r.idle()
    assert (r.run().state, [a.ended for a in r.attempts(r.run())]) == ("succeeded", ["interrupted", "completed"])
    assert [line["attempt"] for line in lines if line["event"] == "attempt_lost"] == [1]


async def test_a_stop_on_record_that_did_not_reach_its_work_is_repeated(rig):
    """An abort is in the ledger and its caller gone: the work is asked all the same."""
    r, patient = await under_way(rig)
    await r.ledger.write(
        lambda c: runs.request_stop(
            c, r.run().run_no, at=r.clock.now(), stop="cancel", reason="aborted", actor=CLOCK_ACTOR
        )
    )
    r.dispatcher._renewed_at = 0.0
    await r.settle()
    await r.idle()
    assert (r.run().state, patient.reasons) == ("cancelled", ["cancel"])


async def test_an_abort_outlives_the_daemon_that_took_it(rig, tmp_path):
    """kill -9 between the abort and the end of the work: the run is cancelled at the next start, not continued."""
    r, _ = await under_way(rig)
    await r.ledger.write(
        lambda c: runs.request_stop(
            c, r.run().run_no, at=r.clock.now(), stop="cancel", reason="aborted by ann", actor=CLOCK_ACTOR
        )
    )
    tasks = [work.task for work in r.dispatcher.executor._works.values()]
    await r.crash()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    again = rig("2026-03-02T06:10:00Z")
    await again.up(JOB)
    assert (again.run().state, again.run().reason, again.run().attempts) == ("cancelled", "aborted by ann", 1)


class BrokenSchedule(Schedule):
    """A schedule whose recurrence raises, as a bug of ours would."""

    __slots__ = ()

    def __getattribute__(self, name):
        if name == "rule":
            raise RuntimeError("no more instants")
        return super().__getattribute__(name)


def break_schedule(r):
    """The job's recurrence raises from now on."""
    job = r.dispatcher.definitions["job"]
    broken = object.__new__(BrokenSchedule)
    for field in Schedule.__slots__:
        object.__setattr__(broken, field, getattr(job.schedule, field))
    r.dispatcher.definitions = {"job": replace(job, schedule=broken)}


async def test_a_recurrence_that_raises_while_an_attempt_is_at_work_does_not_keep_it_open(rig):
    """The end of the attempt asks for the next occurrence: it is written although there is no answer."""
    r, patient = await under_way(rig)
    break_schedule(r)
    patient.free.set()
    await r.idle()
    assert r.run().state == "succeeded"


async def test_a_recurrence_that_raises_does_not_keep_a_window_open(rig):
    """The run's own window ends it, and it is over: nothing can be said of a next occurrence."""
    r, patient = await under_way(rig)
    break_schedule(r)
    await r.tick(hours=1, wait=False)
    await r.idle()
    assert patient.reasons == ["window_end"]
    assert (r.run().state, r.run().reason) == ("expired", "the window closed; no rerun is configured")


async def test_a_window_ends_the_work_while_the_ledger_cannot_be_written(rig):
    """Whoever holds the ledger's lock, the work is asked to stop within a second; its end is written later."""
    r, patient = await under_way(rig)
    loop = asyncio.create_task(r.dispatcher.run(lambda: None))
    thief = sqlite3.connect(r.ledger.path, isolation_level=None)
    thief.execute("BEGIN IMMEDIATE")
    try:
        r.dispatcher._renewed_at = 0.0
        r.dispatcher.mark(["job"])
        await asyncio.sleep(0.1)
        r.clock.set(r.run().window_end)
        async with asyncio.timeout(1):
            while not patient.reasons:
                await asyncio.sleep(0.01)
        assert patient.reasons == ["window_end"]
        assert r.run().state == "running"
    finally:
        thief.execute("ROLLBACK")
        thief.close()
    await r.until(lambda: r.run().state == "expired")
    assert r.run().reason == "the window closed; no rerun is configured"
    loop.cancel()
    await asyncio.gather(loop, return_exceptions=True)


async def test_a_listener_that_raises_does_not_end_the_only_writer(rig):
    """A log that cannot be written (a closed pipe) concerns the log: the ledger goes on."""

    def broken(_events):
        raise BrokenPipeError

    r = rig("2026-03-02T06:00:00Z")
    await r.up(JOB)
    r.ledger.listen(broken)
    async with asyncio.timeout(10):
        await r.control.trigger("job", CLOCK_ACTOR)
        await r.settle()
        await r.idle()
    assert r.run().state == "succeeded"


async def test_a_closed_ledger_refuses_instead_of_waiting_for_ever(rig):
    """A late question during the daemon's end gets an answer."""
    r = rig()
    await r.up(JOB)
    await r.dispatcher.stop_firing()
    with pytest.raises(Refused, match="stopping"):
        await r.control.trigger("job", CLOCK_ACTOR)
    r.ledger.close()
    with pytest.raises(LedgerUnavailable, match="closed"):
        await r.ledger.write(lambda c: attempts.renew(c, "me", r.clock.now()))
    r.ledger = None


async def test_a_window_ends_the_run_of_a_job_that_is_gone(rig):
    """The file lost the job while its attempt was at work: that finishes, but not past its window."""
    r, patient = await under_way(rig)
    await r.reload(JOB.replace("name: job", "name: another"))
    await r.tick(minutes=59, wait=False)
    assert patient.reasons == []
    await r.tick(minutes=1, wait=False)
    await r.idle()
    assert patient.reasons == ["window_end"]
    assert (r.run("job").state, r.run("job").reason) == ("cancelled", "the job was removed")


async def test_a_reason_that_is_not_text_is_kept_escaped(rig):
    """An error names a file whose name is not UTF-8: the attempt ends all the same."""

    class Failing:
        async def execute(self, execution):
            raise OSError("no file \udcff")

    r = rig("2026-03-02T05:59:59Z")
    await r.up(JOB, runner=lambda _run: Failing())
    await r.tick(seconds=1)
    assert (r.run().state, r.run().reason) == ("failed", "OSError: no file \\udcff")
