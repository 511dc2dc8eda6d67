"""Work that hangs delays nobody: others fire at their time, its own later occurrences get their rows, it is ended."""

import asyncio
from datetime import datetime, timedelta

import pytest
import structlog

from runners.registry import Runners
from scheduler.executor import GIVE_UP

JOBS = """
version: 1
settings: {{kill_after: 3s}}
collectors: {{host: {{collect: [./collect.sh, "{{asset.id}}"]}}}}
jobs:
  - name: hung
    schedule: {{start: 2026-03-02T06:00:00, interval: {every}{more}}}
    run: {{collect: {{type: CollectionJob, assets: [{{id: a, type: host}}], asset_timeout: 100h}}}}
  - name: prompt
    schedule: {{start: 2026-03-02T06:00:01, interval: 1m}}
    run: {{command: {{argv: ["true"]}}}}
"""


def text(more="", *, every="10m"):
    """A job whose work hangs, and another one of every minute, a second later."""
    return JOBS.format(more=more, every=every)


DEAF = "#!/bin/sh\ntrap '' TERM\necho $$ > pid.new; mv pid.new {pid}\nwhile :; do sleep 0.1; done\n"
STOPPED = "#!/bin/sh\necho $$ > pid.new; mv pid.new {pid}\nkill -STOP $$\n"
MUTE = "#!/bin/sh\necho $$ > pid.new; mv pid.new {pid}\nexec >/dev/full 2>&1 </dev/null\nexec sleep 10000\n"


def on_time(r):
    """That every minute's run of the other job was opened, started and ended at its own time."""
    runs = r.runs("prompt")
    assert {str(x.state) for x in runs} == {"succeeded"}
    assert all(x.opened_at == x.started_at == x.fire_time for x in runs)
    return len(runs)


async def through(r, minutes):
    """Let minutes pass, each second with a fire time of the prompt job seen to its end, while the hung one hangs."""
    await seen_to_its_end(r)
    for _ in range(minutes):
        await r.tick(minutes=1, wait=False)
        await seen_to_its_end(r)


async def seen_to_its_end(r):
    """Wait for the prompt job's run that is under way."""
    await r.until(lambda: all(x.ended_at for x in r.runs("prompt")))
    await r.settle()


@pytest.mark.parametrize("script", [DEAF, STOPPED, MUTE], ids=["deaf", "stopped", "mute"])
async def test_a_collector_that_hangs(rig, tmp_path, alive, script):
    """Deaf to TERM, stopped by SIGSTOP, mute: the other job runs on time; its own window ends it, KILL where it must."""
    pid = tmp_path / "pid"
    (tmp_path / "collect.sh").write_text(script.format(pid=pid))
    (tmp_path / "collect.sh").chmod(0o755)
    r = rig("2026-03-02T05:59:59Z")
    await r.up(text(", window: 5m, rerun: {every: 1h, for: 2h}"))
    await r.tick(seconds=1, wait=False)
    await r.until(pid.exists)
    group = int(pid.read_text())
    r.clock.advance(timedelta(seconds=1))
    await r.settle()
    await through(r, 4)
    assert r.runs("hung")[0].state == "running"
    r.clock.advance(timedelta(seconds=59))
    await r.settle()
    assert r.runs("hung")[0].stop_requested_at == r.runs("hung")[0].window_end
    if script is not MUTE:
        killed_at = r.clock.now() + timedelta(seconds=3)
        await r.until(lambda: r.clock.next_sleeper_at == killed_at)
        await r.tick(seconds=3, wait=False)
    await r.idle()
    assert not alive(group)
    assert r.runs("hung")[0].state == "expired"
    assert on_time(r) >= 5


class Silent:
    """A runner that never answers, whatever it is asked."""

    def __init__(self):
        self.cancelled = 0

    async def execute(self, execution):
        """Never."""
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise


async def hung(rig, more="", **every):
    """A rig in which the runner of the hung job has been silent since six o'clock."""
    r, silent = rig("2026-03-02T05:59:59Z"), Silent()
    runner = lambda run: silent if run.kind == "collect" else Runners({}).runner_for(run)  # noqa: E731
    await r.up(text(more, **every), runner=runner)
    await r.tick(seconds=2, wait=False)
    return r, silent


async def test_a_runner_that_never_answers_holds_up_nobody(rig):
    """The other job runs each minute; of its own later occurrences each is skipped, and the row names the run."""
    r, _ = await hung(rig)
    await through(r, 21)
    first, *later = r.runs("hung")
    assert (first.state, [str(x.state) for x in later], on_time(r)) == ("running", ["skipped"] * 2, 22)
    assert all(f"run {first.run_id} is still running" in x.reason for x in later)


async def test_a_runner_that_does_not_answer_a_stop_is_given_up_after_an_hour(rig, operator):
    """Aborted: it is waited for an hour, then the run is cancelled, says so, and the job goes on at its next time."""
    r, silent = await hung(rig)
    run = await r.control.abort(r.run("hung").run_id, operator)
    await r.settle()
    with structlog.testing.capture_logs() as lines:
        r.clock.advance(GIVE_UP - timedelta(seconds=1))
        await r.settle()
        await seen_to_its_end(r)
        assert (r.runs("hung")[0].state, silent.cancelled) == ("running", 0)
        r.clock.advance(timedelta(seconds=1))
        await r.settle()
        await r.until(lambda: r.runs("hung")[0].state == "cancelled")
    first = r.runs("hung")[0]
    assert first.reason == "aborted by tester; its work did not end within 1h of being asked to"
    assert [line["run_id"] for line in lines if line["event"] == "attempt_given_up"] == [run.run_id]
    assert [str(a.ended) for a in r.attempts(first)] == ["stopped"]
    await r.tick(minutes=10, wait=False)
    assert r.runs("hung")[-1].state == "running"


async def test_what_is_given_up_at_its_windows_end_is_left_for_its_rerun(rig):
    """The rerun times that passed meanwhile are used up; what is left is taken up at the next."""
    r, _ = await hung(rig, ", window: 5m, rerun: {every: 40m, for: 3h}", every="9h")
    r.clock.set(datetime.fromisoformat("2026-03-02T06:05:00Z"))
    await r.settle()
    r.clock.advance(GIVE_UP)
    await r.settle()
    await r.until(lambda: r.runs("hung")[0].state == "incomplete")
    reason = "the window closed: 1 of 1 assets left; its work did not end within 1h of being asked to"
    assert r.runs("hung")[0].reason == reason
    r.clock.set(datetime.fromisoformat("2026-03-02T07:20:00Z"))
    await r.settle()
    first = r.runs("hung")[0]
    assert (first.state, [str(a.cause) for a in r.attempts(first)]) == ("running", ["fire", "rerun"])


async def test_what_waits_for_the_ledger_is_not_given_up(rig, operator):
    """While the ledger cannot be written nothing can end: the hour begins when it can."""
    r, silent = await hung(rig)
    await r.control.abort(r.run("hung").run_id, operator)
    await r.settle()
    path, aside = r.ledger.path, r.ledger.path.with_name("aside")
    path.rename(aside)
    r.dispatcher._renewed_at = 0
    await r.settle()
    assert not r.dispatcher.writable
    r.clock.advance(GIVE_UP * 3)
    await r.settle()
    aside.rename(path)
    await r.settle()
    await r.settle()
    r.clock.advance(GIVE_UP - timedelta(seconds=1))
    await r.settle()
    await asyncio.sleep(0)
    assert silent.cancelled == 0
    r.clock.advance(timedelta(seconds=1))
    await r.settle()
    await r.until(lambda: silent.cancelled == 1)
