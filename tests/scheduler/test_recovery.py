"""What ran when the daemon died is found and continued or closed, never left running."""

import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

CHILD = """
import asyncio, sys
from datetime import datetime
from pathlib import Path
from config import loads
from runners.registry import Runners
from scheduler.clock import ManualClock
from scheduler.dispatcher import Dispatcher
from scheduler.ledger import Ledger
from scheduler.model import Actor, By

async def main(folder, start):
    text = (folder / "jobs.yaml").read_text()
    clock = ManualClock(datetime.fromisoformat(start))
    ledger = Ledger(folder / "state" / "ledger.db")
    dispatcher = Dispatcher(ledger, clock, folder / "state", owner="child", runner_for=Runners({}).runner_for)
    await dispatcher.install(loads(text, file="jobs.yaml", folder=folder), Actor("child", By.CLOCK))
    dispatcher.alarm.start()
    clock.set(datetime.fromisoformat(sys.argv[3]))
    await dispatcher.run(lambda: None)

asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
"""


def die_at_work(folder, text, *, start, now, sign, env=None):
    """Run the scheduler as a process until the file `sign` is there, then kill it with SIGKILL."""
    (folder / "jobs.yaml").write_text(text)
    (folder / "child.py").write_text(textwrap.dedent(CHILD))
    child = subprocess.Popen([sys.executable, folder / "child.py", folder, start, now], cwd=os.getcwd())
    try:
        deadline = time.monotonic() + 20
        while not sign():
            assert child.poll() is None, "the child ended by itself"
            assert time.monotonic() < deadline
            time.sleep(0.02)
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()


def script(folder, body):
    """An executable shell script."""
    path = folder / "c.sh"
    path.write_text("#!/bin/sh\n" + body)
    path.chmod(0o755)
    return path


FLEET = """
version: 1
collectors: {host: {collect: [./c.sh, "{asset.id}"]}}
jobs:
  - name: job
    schedule: {start: 2026-03-02T06:00:00, daily: {}}
    run: {collect: {type: CollectionJob, parallel: 3, assets: [{id: a, type: host}, {id: b, type: host}, {id: c, type: host}]}}
"""


async def test_a_collection_takes_its_remaining_assets(rig, tmp_path, alive):
    """kill -9 while two of three assets are at work: their processes are ended, the done one is kept.

    Rule: crash-leftovers
    """
    script(
        tmp_path,
        f"""
echo $1 >> {tmp_path}/starts
test $1 = a || test -e {tmp_path}/ok || {{ echo $$ >> {tmp_path}/pids; sleep 600; }}
echo data
""",
    )

    def at_work():
        pids = tmp_path / "pids"
        done = list((tmp_path / "state" / "data").glob("*/*")) if (tmp_path / "state" / "data").exists() else []
        return done and pids.exists() and len(pids.read_text().split()) == 2

    die_at_work(tmp_path, FLEET, start="2026-03-02T05:59:59Z", now="2026-03-02T06:00:00Z", sign=at_work)
    orphans = [int(p) for p in (tmp_path / "pids").read_text().split()]
    assert all(alive(p) for p in orphans)
    (tmp_path / "ok").write_text("")
    r = rig("2026-03-02T06:05:00Z")
    await r.up(FLEET)
    assert not any(alive(p) for p in orphans)
    await r.idle()
    run = r.run()
    assert run.state == "succeeded"
    assert [(str(a.cause), a.ended) for a in r.attempts(run)] == [("fire", "interrupted"), ("retry", "completed")]
    assert run.tries == 1
    starts = (tmp_path / "starts").read_text().split()
    assert sorted(starts[3:]) in (["b", "c"], ["a", "b", "c"])
    assert starts.count("b") == starts.count("c") == 2


@pytest.mark.parametrize(("more", "state"), [("", "lost"), ("idempotent: true", "succeeded")])
async def test_a_command_is_lost_unless_it_may_be_repeated(rig, tmp_path, more, state):
    """A command that was cut off may have done its work: lost, unless the job says idempotent.

    Rule: crash-lost
    """
    text = f"""
version: 1
jobs:
  - name: job
    {more}
    schedule: {{start: 2026-03-02T06:00:00, daily: {{}}}}
    run: {{command: {{argv: [/bin/sh, -c, "test -e {tmp_path}/up && exit; touch {tmp_path}/up; sleep 600"]}}}}
"""
    die_at_work(
        tmp_path, text, start="2026-03-02T05:59:59Z", now="2026-03-02T06:00:00Z", sign=(tmp_path / "up").exists
    )
    r = rig("2026-03-02T06:05:00Z")
    await r.up(text)
    await r.idle()
    assert r.run().state == state
    if state == "lost":
        assert "idempotent: true" in r.run().reason


async def test_three_crashes_in_a_row_fail_the_run(rig, tmp_path):
    """What brings the daemon down three times is not tried a fourth time.

    Rule: three-crashes
    """
    script(tmp_path, f"echo $1 >> {tmp_path}/starts; sleep 600\n")
    text = FLEET.replace(", {id: b, type: host}, {id: c, type: host}", "")
    starts = tmp_path / "starts"
    for count in (1, 2, 3):
        die_at_work(
            tmp_path,
            text,
            start=f"2026-03-02T05:59:5{count}Z",
            now=f"2026-03-02T06:0{count}:00Z",
            sign=lambda: starts.exists() and len(starts.read_text().split()) == count,  # noqa: B023
        )
        if count < 3:
            r = rig(f"2026-03-02T06:0{count}:30Z")
            await close_only(r, text)
    r = rig("2026-03-02T06:05:00Z")
    await r.up(text)
    await r.idle()
    assert r.run().state == "failed"
    assert "3 times in a row" in r.run().reason


async def close_only(r, text):
    """Recover without starting anything, so that the next process starts the attempt."""
    from config import loads
    from scheduler.ledger import Ledger
    from scheduler.recovery import recover

    r.ledger = Ledger(r.folder / "state" / "ledger.db")
    definitions = loads(text, file="jobs.yaml", folder=r.folder).jobs
    await recover(r.ledger, definitions, end_leftovers=r._end_leftovers, at=r.clock.now())
    r.ledger.close()
    r.ledger = None


async def test_a_window_that_closed_while_the_daemon_was_dead(rig, tmp_path):
    """Recovered after its window's end, the run is incomplete and waits for its rerun."""
    script(tmp_path, f"test -e {tmp_path}/ok || {{ touch {tmp_path}/up; sleep 600; }}; echo x\n")
    text = FLEET.replace("daily: {}", "daily: {}, window: 1h, rerun: {every: 3h, for: 9h}")
    die_at_work(
        tmp_path, text, start="2026-03-02T05:59:59Z", now="2026-03-02T06:00:00Z", sign=(tmp_path / "up").exists
    )
    (tmp_path / "ok").write_text("")
    r = rig("2026-03-02T08:00:00Z")
    await r.up(text)
    assert r.run().state == "incomplete"
    await r.tick(hours=1)
    assert r.run().state == "succeeded"
