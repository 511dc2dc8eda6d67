"""Deletions that are cut off, or cannot be made now: they are finished later, and nothing is left behind."""

import asyncio
from datetime import timedelta

import pytest
import sqlalchemy as sa
import structlog

from runners import points
from scheduler import erasing
from scheduler.ledger import LedgerUnavailable, history, jobs, schema
from scheduler.ledger.erasing import erase
from scheduler.retention import Retention

FILE = """
version: 1
settings: {retention: {runs: 3d}}
collectors: {host: {collect: [/bin/sh, -c, 'echo data; test ! -e fail']}}
jobs:
  - name: daily
    schedule: {start: 2026-03-02T06:00:00, daily: {}}
    run: {command: {argv: [/bin/sh, -c, 'echo out; test ! -e FAIL']}}
"""
TABLES = ("attempts", "run_assets", "check_results", "run_memory", "events", "deliveries", "sde_jobs")


@pytest.fixture
def text(tmp_path):
    """The file; its command fails while `fail` exists."""
    return FILE.replace("FAIL", str(tmp_path / "fail"))


def keeper(r):
    """Retention over a rig, as the daemon puts it together."""
    folder = r.folder / "state"
    return Retention(
        r.ledger, r.clock, r.dispatcher.eraser, folder / "output", folder / "uploads",
        lambda: r.dispatcher.configuration.settings.retention,
    )  # fmt: skip


def outputs(r):
    """The GUIDs of the runs that have output."""
    return {path.name for path in (r.folder / "state" / "output").iterdir()}


def hanging(r):
    """How many rows name a run that is not there, or that are asked for by none."""
    return sum(
        r.ledger.read(
            lambda c, t=schema.metadata.tables[name]: c.execute(
                sa.select(sa.func.count()).where(
                    t.c.run_no.is_not(None), t.c.run_no.not_in(sa.select(schema.runs.c.run_no))
                )
            ).scalar()
        )
        for name in TABLES
    )


async def test_what_a_crash_leaves_of_output_is_removed_or_put_back(rig, text):
    """Between the commit and the removal of a folder the daemon dies; or before the commit, and the run stays."""
    r = rig("2026-03-02T05:00:00Z")
    await r.up(text)
    await r.tick(days=5)

    def die(point):
        if point == "prune.after":
            raise KeyboardInterrupt

    points.install(die)
    try:
        with pytest.raises(KeyboardInterrupt):
            await keeper(r).round()
    finally:
        points.install(None)
    staying = {run.run_id for run in r.runs()}
    assert len(staying) == 3
    aside = r.folder / "state" / "output" / ".removed"
    assert len(list(aside.iterdir())) == 2
    r.dispatcher.eraser._put_aside([r.runs()[0].run_id])
    await r.down()
    await r.up(text)
    await keeper(r).round()
    assert outputs(r) == staying


async def test_a_deletion_of_a_history_that_was_cut_off_is_finished(rig, toy, monkeypatch):
    """It is decided at once and done in steps: the next start takes up the rest, and nothing that came after."""
    monkeypatch.setattr(history, "MOST_RUNS", 2)
    r = rig("2026-03-02T05:00:00Z")
    await r.up(FILE, decode=toy.decode)
    made = await r.control.create("toy", {"name": "job", "daily": True}, toy.actor)
    await r.tick(days=5)
    steps = []

    def die(point):
        if point == "prune.before":
            steps.append(point)
            if len(steps) == 2:
                raise ArithmeticError

    points.install(die)
    try:
        with pytest.raises(ArithmeticError):
            await r.control.delete_history(made.guid, toy.actor)
    finally:
        points.install(None)
    assert len(r.runs("job")) == 3
    assert r.job("job").known_since == r.clock.now()
    await r.tick(days=1)
    newest = r.runs("job")[-1]
    await r.down()
    await r.up(FILE.replace("{runs: 3d}", "{}"), decode=toy.decode)
    await keeper(r).round()
    assert [run.run_id for run in r.runs("job")] == [newest.run_id]
    assert newest.run_id in outputs(r)
    assert hanging(r) == 0


async def test_a_deletion_that_takes_long_goes_on_by_itself(rig, toy, monkeypatch):
    """Whoever asked is told what was decided; the rest follows, and at a stop it is for the next start."""
    monkeypatch.setattr(erasing, "PATIENCE_S", 0.0)
    monkeypatch.setattr(history, "MOST_RUNS", 2)
    r = rig("2026-03-02T05:00:00Z")
    await r.up(FILE.replace("{runs: 3d}", "{}"), decode=toy.decode)
    made = await r.control.create("toy", {"name": "job", "daily": True}, toy.actor)
    await r.tick(days=3)
    assert await r.control.delete_history(made.guid, toy.actor) == 3
    await r.until(lambda: r.runs("job") == [])
    await r.tick(days=3)
    assert await r.control.delete_history(made.guid, toy.actor) == 3
    await r.dispatcher.eraser.stop()
    assert len(r.runs("job")) > 0
    await keeper(r).round()
    assert r.runs("job") == []
    assert hanging(r) == 0


async def test_two_deletions_of_the_same_runs_at_once(rig, text):
    """Nothing that one of them still deletes is put back when the other is done, and no output outlives its run."""
    r = rig("2026-03-02T05:00:00Z")
    await r.up(text)
    await r.tick(days=2)
    (first, *_), released = r.runs(), []
    eraser, which = r.dispatcher.eraser, [(first.run_no, first.run_id)]

    def slow(connection):
        if not released:
            return False
        jobs.forget_before(connection, jobs.named(connection, "daily"), r.clock.now())
        return erase(connection, [first.run_no])

    one = asyncio.create_task(eraser.runs(which, slow))
    aside = r.folder / "state" / "output" / ".removed"
    await r.until((aside / first.run_id).is_dir)
    await eraser.runs(which, lambda _: True)
    await eraser.tidy()
    assert (aside / first.run_id).is_dir()
    released.append(True)
    await one
    await eraser.tidy()
    assert outputs(r) == {run.run_id for run in r.runs()}


async def test_a_ledger_that_cannot_be_written_is_waited_for(rig, text, monkeypatch):
    """The round ends and the next one, an hour later, begins anew; output stays with its run."""
    r = rig("2026-03-02T05:00:00Z")
    await r.up(text)
    await r.tick(days=6)
    kept, output = keeper(r), outputs(r)
    plain, full = r.ledger.write, True

    async def write(operation):
        if full:
            raise LedgerUnavailable("database or disk is full")
        return await plain(operation)

    monkeypatch.setattr(r.ledger, "write", write)
    work = asyncio.create_task(kept.run())
    try:
        await r.until(lambda: r.clock.next_sleeper_at is not None)
        full = False
        assert len(r.runs()) == 6
        r.clock.advance(timedelta(hours=1))
        await r.until(lambda: len(r.runs()) == 3 and r.clock.next_sleeper_at is not None)
        assert outputs(r) < output
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)


async def test_output_that_cannot_be_removed_is_told_and_its_run_stays(rig, text):
    """What stands in the way is named; nothing ends, and no folder is left without its run."""
    r = rig("2026-03-02T05:00:00Z")
    await r.up(text)
    await r.tick(days=6)
    (r.folder / "state" / "output" / ".removed").write_text("no folder")
    with structlog.testing.capture_logs() as lines:
        work = asyncio.create_task(keeper(r).run())
        await r.until(lambda: r.clock.next_sleeper_at is not None)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
    (line,) = [line for line in lines if line["event"] == "output_stuck"]
    assert ".removed" in line["reason"]
    assert len(r.runs()) == 6
