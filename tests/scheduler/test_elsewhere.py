"""Work that goes on at a counterpart while no attempt is under way here is ended there before its run ends."""

import asyncio

import pytest

from runners.api import Ended, Outcome, StopReason

JOBS = """
version: 1
settings: {{max_running: 1}}
servers:
  prod: {{type: ccs, url: "http://127.0.0.1:9", username: u, password: {{env: P}}}}
jobs:
  - name: far
    schedule: {{start: 2026-03-02T06:00:00, interval: 1h, window: 30m, rerun: {{every: 40m, for: 45m}}}}
    run: {{ccs: {{server: prod, job: 1aaaaaaa-0000-4000-8000-000000000000}}}}
    retry: {{attempts: 3, backoff: 1h, max_backoff: 1h}}
    {more}
  - {{name: near, run: {{command: {{argv: [unused]}}}}}}
"""


class Counterpart:
    """A runner whose attempts lose sight of their work, unless they are asked to end it."""

    def __init__(self):
        self.stops = []
        self.hold = asyncio.Event()
        self.hold.set()
        self.near = asyncio.Event()

    def __call__(self, run):
        return self

    async def execute(self, execution):
        if execution.job.name == "near":
            await self.near.wait()
            return Outcome(Ended.COMPLETED)
        self.stops.append(execution.stop.reason)
        if execution.stop.requested:
            await self.hold.wait()
            return Outcome(Ended.STOPPED, "ended there")
        return Outcome(Ended.FAILED, "lost sight of it", retryable=True)


@pytest.fixture
async def far(rig):
    """A run that waits for its next try while another has all the room: the rig, the counterpart."""
    r, counterpart = rig("2026-03-02T05:59:00Z"), Counterpart()
    await r.up(JOBS.format(more=""), runner=counterpart)
    await r.tick(minutes=2)
    assert r.run("far").state == "retrying"
    yield r, counterpart
    counterpart.near.set()
    counterpart.hold.set()
    await r.idle()


async def test_an_abort_is_answered_by_an_attempt_that_waits_for_no_room(far, operator):
    """The run is cancelled when that has ended; a second abort changes nothing."""
    r, counterpart = far
    counterpart.hold.clear()
    await r.control.trigger("near", operator)
    await r.settle()
    assert (await r.control.abort(r.run("far").run_id, operator)).state == "retrying"
    await r.control.abort(r.run("far").run_id, operator)
    await r.settle()
    assert r.run("far").state == "running"
    counterpart.hold.set()
    await r.until(lambda: r.run("far").state == "cancelled")
    assert r.run("far").reason == "aborted by tester"
    assert counterpart.stops == [None, StopReason.CANCEL]


async def test_a_window_that_closes_between_two_tries(far, operator):
    """Likewise; what is left is for the rerun, which is no stopped attempt."""
    r, counterpart = far
    await r.tick(minutes=29)
    assert (r.run("far").state, r.run("far").reason) == ("incomplete", "the window closed")
    await r.tick(minutes=10)
    assert counterpart.stops == [None, StopReason.WINDOW_END, None]


async def test_an_abort_while_it_is_ended_for_the_window(far, operator):
    """The abort outweighs the stop that came before it: no rerun comes."""
    r, counterpart = far
    counterpart.hold.clear()
    await r.tick(wait=False, minutes=29)
    assert r.run("far").state == "running"
    await r.control.abort(r.run("far").run_id, operator)
    counterpart.hold.set()
    await r.idle()
    assert (r.run("far").state, r.run("far").reason) == ("cancelled", "aborted by tester")
    assert counterpart.stops == [None, StopReason.WINDOW_END]


async def test_a_stop_outlives_the_daemon(far, operator):
    """It dies while the work is being ended: after its start another attempt ends it, for the same reason."""
    r, counterpart = far
    counterpart.hold.clear()
    await r.control.abort(r.run("far").run_id, operator)
    await r.settle()
    assert r.run("far").state == "running"
    await r.crash()
    counterpart.hold.set()
    await r.up(JOBS.format(more=""), runner=counterpart)
    await r.idle()
    assert (r.run("far").state, r.run("far").reason) == ("cancelled", "aborted by tester")
    assert counterpart.stops == [None, StopReason.CANCEL, StopReason.CANCEL]


async def test_a_job_that_is_disabled_between_two_tries(far):
    """Its work is ended, then its run is cancelled; with a job that is removed nobody knows how."""
    r, counterpart = far
    await r.reload(JOBS.format(more="enabled: false"))
    await r.idle()
    assert (r.run("far").state, r.run("far").reason) == ("cancelled", "the job was disabled")
    assert counterpart.stops == [None, StopReason.CANCEL]
