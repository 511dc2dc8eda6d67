"""What a runner remembers of a counterpart: on the disk when it says so, and written by the attempt at work only."""

import asyncio
import sqlite3

import pytest

from runners.api import Ended, Outcome
from scheduler.ledger import Fenced, memory

JOBS = """
version: 1
jobs:
  - {name: one, schedule: {start: 2026-03-02T06:00:00, interval: 1h}, run: {command: {argv: [unused]}}}
  - {name: two, schedule: {start: 2026-03-02T06:00:00, interval: 1h}, run: {command: {argv: [unused]}}}
"""


class Holding:
    """A runner whose executions wait to be used by the test, by their jobs' names."""

    def __init__(self):
        self.under_way = {}
        self.end = asyncio.Event()

    def __call__(self, run):
        return self

    async def execute(self, execution):
        self.under_way[execution.job.name] = execution
        await self.end.wait()
        return Outcome(Ended.COMPLETED)


@pytest.fixture
async def work(rig):
    """Two runs at work: the rig, its runner."""
    r, runner = rig("2026-03-02T05:59:00Z"), Holding()
    await r.up(JOBS, runner=runner)
    await r.tick(wait=False, minutes=1)
    await r.until(lambda: len(runner.under_way) == 2)
    yield r, runner
    runner.end.set()
    await r.idle()


async def test_what_is_remembered_is_forgotten_and_replaced(work):
    """None forgets, another text replaces; the run's and the job's are apart."""
    _, runner = work
    one = runner.under_way["one"]
    await one.memory.put({"a": "1", "b": "2"})
    await one.memory.put({"a": None, "b": "3"})
    await one.job_memory.put({"c": "4"})
    assert (await one.memory.read(), await one.job_memory.read()) == ({"b": "3"}, {"c": "4"})
    assert await runner.under_way["two"].memory.read() == {}


async def test_what_another_remembers(work):
    """Only another's counts, and only by the same name."""
    _, runner = work
    one, two = runner.under_way["one"], runner.under_way["two"]
    for ours, theirs in [(one.memory, two.memory), (one.job_memory, two.job_memory)]:
        await ours.put({"id": "7"})
        assert await theirs.has_another("id", "7")
        assert not await theirs.has_another("other", "7")
        assert not await theirs.has_another("id", "8")
        assert not await ours.has_another("id", "7")


async def test_an_attempt_that_has_ended_remembers_nothing_more(work):
    """Its token is worth nothing: what a straggler writes must not replace what the next attempt knows."""
    r, runner = work
    one = runner.under_way["one"]
    runner.end.set()
    await r.idle()
    for ended in (one.memory, one.job_memory):
        with pytest.raises(Fenced):
            await ended.put({"a": "late"})
    assert r.ledger.read(lambda c: memory.of_run(c, r.run("one").run_no)) == {}


async def test_nothing_is_remembered_before_it_is_on_the_disk(work, tmp_path):
    """While the ledger is locked, whoever remembers waits: nothing may be sent that would not be found again."""
    _, runner = work
    other = sqlite3.connect(tmp_path / "state" / "ledger.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    put = asyncio.ensure_future(runner.under_way["one"].memory.put({"a": "1"}))
    await asyncio.wait({put}, timeout=0.5)
    assert not put.done()
    other.execute("ROLLBACK")
    other.close()
    await put
    assert await runner.under_way["one"].memory.read() == {"a": "1"}
