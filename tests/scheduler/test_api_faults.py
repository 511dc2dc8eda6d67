"""What may go wrong with jobs of an API: names that clash, sources nobody can read, a daemon that dies, many at once."""

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta

import pytest
import structlog

from config import ConfigError
from scheduler.control import Refused
from scheduler.ledger import LedgerUnavailable, jobs, sync
from scheduler.model import CLOCK_ACTOR

FILE = """
version: 1
jobs:
  - {name: other, run: {command: {argv: ['true']}}}
  - {name: %s, run: {command: {argv: ['true']}}}
"""
SIX = {"RunNow": False, "RunPeriodically": True, "RecurrenceType": 1, "StartDate": "2026-03-02T06:00:00"}
RERUNS = {
    **SIX,
    "RunEveryNDays": True,
    "RepeatDays": 7,
    "EndJobRunConfigured": True,
    "EndJobRunTimeInterval": "01:00:00",
    "SubScheduleRepeatDays": 1,
    "SubScheduleRepeatPeriodDays": 3,
}


async def test_a_file_that_takes_the_name_of_an_apis_job_is_refused_whole(rig, toy):
    """Each clash with its place; what was in force stays, in the program and in the ledger.

    Rule: names
    """
    r = rig("2026-03-02T05:00:00Z")
    await r.up(FILE % "fine", decode=toy.decode)
    made = await r.control.create("toy", {"name": "Taken", "schedule": SIX}, toy.actor)
    rows = r.ledger.read(jobs.every)
    with pytest.raises(ConfigError) as refused:
        await r.reload(FILE % "taken")
    told = f'job "taken": a job made through the API (toy) has this name: "Taken", {made.guid}'
    assert str(refused.value).startswith(f"jobs.yaml:5:5: {told}")
    assert r.ledger.read(jobs.every) == rows
    await r.tick(days=1)
    assert r.states("Taken") == [("2026-03-02T06:00:00Z", "succeeded")]


async def test_a_start_with_such_a_file_is_refused_too(rig, toy):
    """The ledger stays as it was: the next start with another file goes on."""
    r = rig("2026-03-02T05:00:00Z")
    await r.up(FILE % "fine", decode=toy.decode)
    await r.control.create("toy", {"name": "taken"}, toy.actor)
    await r.down()
    with pytest.raises(ConfigError, match="write another name, or rename or delete that job through its API"):
        await r.up(FILE % "taken", decode=toy.decode)
    await r.down()
    await r.up(FILE % "fine", decode=toy.decode)
    assert set(r.dispatcher.definitions) == {"other", "fine", "taken"}


async def test_a_source_that_cannot_be_read_at_a_reload_leaves_the_job_as_it_was(rig, toy):
    """It is told, the others are reloaded, and the definition that was in force goes on."""
    r = rig("2026-03-02T05:00:00Z")
    await r.up(FILE % "fine", decode=toy.decode)
    await r.control.create("toy", {"name": "job", "schedule": SIX}, toy.actor)
    toy.unreadable.add("job")
    with structlog.testing.capture_logs() as lines:
        await r.reload(FILE % "new")
    assert [(line["event"], line["job"], line["reason"]) for line in lines if line["log_level"] == "error"] == [
        ("job_unreadable", "job", "ValueError: no such thing any more")
    ]
    assert set(r.dispatcher.definitions) == {"other", "new", "job"}
    await r.tick(days=1)
    assert r.states("job") == [("2026-03-02T06:00:00Z", "succeeded")]


async def test_a_source_that_cannot_be_read_at_a_start_waits_until_it_can(rig, toy):
    """It does not fire, and nothing of it is cancelled; read again, its reruns go on."""
    r = rig("2026-03-02T05:00:00Z")
    await r.up(FILE % "fine", decode=toy.decode)
    await r.control.create("toy", {"name": "job", "argv": ["sleep", "1000"], "schedule": RERUNS}, toy.actor)
    await r.tick(hours=1, wait=False)
    await r.tick(hours=1, wait=False)
    await r.idle()
    assert r.run("job").state == "incomplete"
    await r.down()
    toy.unreadable.add("job")
    await r.up(FILE % "fine", decode=toy.decode)
    await r.tick(hours=23, minutes=30)
    assert (r.run("job").state, r.run("job").attempts, r.job("job").armed) == ("incomplete", 1, True)
    assert "job" not in r.dispatcher.definitions
    toy.unreadable.clear()
    await r.reload(FILE % "fine")
    assert (r.run("job").state, r.run("job").attempts) == ("running", 2)


async def test_a_change_mends_a_source_that_could_not_be_read(rig, toy):
    """A deletion works on it as well."""
    r = rig("2026-03-02T05:00:00Z")
    await r.up(FILE % "fine", decode=toy.decode)
    made = [await r.control.create("toy", {"name": name, "schedule": SIX}, toy.actor) for name in ("a", "b")]
    await r.down()
    toy.unreadable |= {"a", "b"}
    await r.up(FILE % "fine", decode=toy.decode)
    assert set(r.dispatcher.definitions) == {"other", "fine"}
    await r.control.change(made[0].guid, {"name": "readable", "schedule": SIX}, run_now=False, actor=toy.actor)
    await r.control.remove(made[1].guid, toy.actor)
    await r.tick(days=1)
    assert r.states() == [("2026-03-02T06:00:00Z", "succeeded")]


async def test_a_commit_that_failed_for_us_and_is_there_after_all_is_found(rig, toy):
    """Who asked was told that it cannot be said; what is in force is read anew, and the job fires."""
    r = rig("2026-03-02T05:00:00Z")
    await r.up(FILE % "fine", decode=toy.decode)
    source = {"name": "job", "schedule": SIX}

    async def lost_answer():
        write = r.ledger.write

        async def written(operation):
            await write(operation)
            raise LedgerUnavailable("the disk did not answer")

        r.ledger.write = written
        try:
            await r.control.create("toy", source, toy.actor)
        finally:
            r.ledger.write = write

    with pytest.raises(LedgerUnavailable):
        await lost_answer()
    await r.settle()
    with pytest.raises(Refused, match="already"):
        await r.control.create("toy", source, toy.actor)
    await r.tick(days=1)
    assert r.states("job") == [("2026-03-02T06:00:00Z", "succeeded")]


CHILD = """
import asyncio, os, signal, sys
from datetime import datetime
from pathlib import Path
from config import loads
from config.definitions import CommandRun, JobDefinition
from recurrence.schedule import Schedule
from runners.registry import Runners
from scheduler.clock import ManualClock
from scheduler.control import Control
from scheduler.dispatcher import Dispatcher
from scheduler.ledger import Ledger
from scheduler.model import Actor, By

def decode(origin, source, configuration):
    return JobDefinition(name="job", schedule=Schedule(rule=None, zone="UTC", run_now=True), run=CommandRun(argv=("true",)))

async def main(folder):
    ledger = Ledger(folder / "state" / "ledger.db")
    dispatcher = Dispatcher(ledger, ManualClock(datetime.fromisoformat("2026-03-02T05:00:00Z")), folder / "state",
        owner="child", runner_for=Runners({}).runner_for, decode=decode)
    text = (folder / "jobs.yaml").read_text()
    await dispatcher.install(loads(text, file="jobs.yaml", folder=folder), Actor("child", By.CLOCK))
    ledger.listen(lambda events: os.kill(os.getpid(), signal.SIGKILL))  # committed, not answered
    await Control(dispatcher).create("toy", {"name": "job", "schedule": {"RunNow": True}}, Actor("x", By.API))

asyncio.run(main(Path(sys.argv[1])))
"""


async def test_killed_between_the_commit_and_the_answer_the_job_is_there_once(rig, toy, tmp_path):
    """With its RunNow run, which runs once; who asks again is told that the name is taken."""
    (tmp_path / "jobs.yaml").write_text(FILE % "fine")
    (tmp_path / "child.py").write_text(CHILD)
    child = subprocess.run(
        [sys.executable, tmp_path / "child.py", tmp_path], cwd=os.getcwd(), check=False, timeout=30
    )
    assert child.returncode == -signal.SIGKILL
    r = rig("2026-03-02T05:01:00Z")
    await r.up(FILE % "fine", decode=toy.decode)
    with pytest.raises(Refused, match="already"):
        await r.control.create("toy", {"name": "job", "schedule": {"RunNow": True}}, toy.actor)
    await r.idle()
    assert [(str(run.kind), str(run.state)) for run in r.runs()] == [("run_now", "succeeded")]


async def test_many_creations_cost_the_same_each(rig, toy):
    """Five hundred jobs are made, one after the other; the last ones take no longer than the first."""
    r = rig("2026-03-02T05:00:00Z")
    await r.up(FILE % "fine", decode=toy.decode)
    took = []
    for part in range(10):
        began = time.monotonic()
        for number in range(50):
            await r.control.create("toy", {"name": f"job-{part}-{number}", "schedule": SIX}, toy.actor)
            await r.dispatcher.turn()
        took.append(time.monotonic() - began)
    assert min(took[5:]) < 3 * min(took[:5])
    r.clock.advance(timedelta(hours=1))
    assert len(r.dispatcher.definitions) == len(list(r.dispatcher.alarm.names)) + 2 == 502


async def test_what_is_in_force_is_told_apart_from_what_is_kept(rig, toy):
    """A configuration is put in force together with the jobs that are kept, in one transaction."""
    r = rig("2026-03-02T05:00:00Z")
    await r.up(FILE % "fine", decode=toy.decode)
    await r.control.create("toy", {"name": "job"}, toy.actor)
    toy.unreadable.add("job")

    def operation(connection):
        return sync.put_in_force(
            connection, r.configuration, decode=toy.decode, at=r.clock.now(), actor=CLOCK_ACTOR
        )

    found = await r.ledger.write(operation)
    assert (set(found.definitions), dict(found.unreadable)) == (
        {"other", "fine"},
        {"job": "ValueError: no such thing any more"},
    )
