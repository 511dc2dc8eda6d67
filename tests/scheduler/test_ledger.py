"""The ledger: one schema, one writer, all or nothing, durable."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from recurrence.schedule import Occurrence
from scheduler.ledger import Ledger, LedgerLocked, LedgerUnavailable, NotFound, attempts, jobs, runs, schema
from scheduler.lifecycle import Move
from scheduler.model import Actor, By, Cause, Cycle, Kind

AT = datetime(2026, 3, 2, tzinfo=UTC)
ACTOR = Actor("tester", By.CLI)


def record(connection, name="job"):
    """A job without a schedule."""
    version = jobs.Version("d", None, {})
    return jobs.record(
        connection,
        version,
        name=name,
        origin="yaml",
        anchor=AT.replace(tzinfo=None),
        armed=True,
        at=AT,
        actor=ACTOR,
    )


def new_run(kind=Kind.FIRE, at=AT):
    """A run without assets."""
    occurrence = Occurrence(at, at.replace(tzinfo=None))
    return runs.NewRun(kind=kind, occurrence=occurrence, zone="UTC", cycle=Cycle())


def test_the_migrations_build_what_the_program_uses(ledger):
    """Alembic finds no difference between the migrated file and the tables in the code."""
    found = ledger.read(lambda c: compare_metadata(MigrationContext.configure(c), schema.metadata))
    assert found == []


def test_the_file_is_durable_and_private(ledger):
    """WAL, synchronous FULL, foreign keys on."""

    def pragmas(connection):
        return [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]

    assert ledger.read(pragmas) == ["wal", 2, 1]


async def test_a_path_is_taken_as_it_is_and_a_file_that_is_gone_is_not_made_anew(tmp_path):
    """Also with characters that mean something in an address; a reader says that the file was removed."""
    path = tmp_path / "a b?#%20é" / "ledger.db"
    opened = Ledger(path)
    try:
        assert path.exists()
        path.rename(path.with_name("elsewhere.db"))
        with pytest.raises(LedgerUnavailable, match="removed or replaced"):
            opened.read(jobs.every)
        assert not path.exists()
    finally:
        opened.close()


def test_a_lock_that_is_about_to_be_let_go_is_waited_for(tmp_path):
    """A child that a killed daemon was just starting holds it for a moment; a daemon that lives is refused."""
    first = Ledger(tmp_path / "ledger.db")
    with pytest.raises(LedgerLocked, match="in use by another daemon"):
        Ledger(tmp_path / "ledger.db")
    threading.Timer(0.3, first.close).start()
    Ledger(tmp_path / "ledger.db").close()


async def test_a_run_is_unique_by_job_kind_and_fire_time(ledger):
    """A second row for one occurrence is not opened; a manual run takes the next microsecond.

    Rule: run-key
    """
    row = await ledger.write(record)
    one = await ledger.write(lambda c: runs.open_run(c, row, new_run(), at=AT, actor=ACTOR))
    again = await ledger.write(lambda c: runs.open_run(c, row, new_run(), at=AT, actor=ACTOR))
    assert one is not None
    assert again is None
    asked = [
        await ledger.write(lambda c: runs.open_run(c, row, new_run(Kind.MANUAL), at=AT, actor=ACTOR))
        for _ in range(3)
    ]
    assert [x.fire_time.microsecond for x in asked] == [0, 1, 2]


async def test_an_operation_that_fails_takes_no_other_down(ledger):
    """Written together with a failing one, the others are stored; the failing one leaves nothing."""

    def bad(connection):
        record(connection, "half")
        raise ZeroDivisionError

    answers = await asyncio.gather(
        *(ledger.write(lambda c, i=i: record(c, f"j{i}")) for i in range(20)),
        ledger.write(bad),
        return_exceptions=True,
    )
    assert isinstance(answers[-1], ZeroDivisionError)
    assert len(ledger.read(jobs.every)) == 20
    assert "half" not in {event.job for event in ledger.heard}


async def test_what_waits_goes_into_one_transaction(ledger):
    """A thousand operations at once take few commits."""
    commits = []
    sa.event.listen(ledger._engine, "commit", lambda _connection: commits.append(1))
    await asyncio.gather(*(ledger.write(lambda c, i=i: record(c, f"j{i}")) for i in range(1000)))
    assert len(ledger.read(jobs.every)) == 1000
    assert len(commits) < 50


async def test_a_ledger_held_by_another_process_is_unavailable_and_stores_nothing(ledger):
    """BEGIN IMMEDIATE waits its time, then says so; afterwards it works again."""
    thief = sqlite3.connect(ledger.path, isolation_level=None)
    thief.execute("BEGIN IMMEDIATE")
    with pytest.raises(LedgerUnavailable, match="locked"):
        await ledger.write(record)
    thief.execute("ROLLBACK")
    thief.close()
    assert ledger.read(jobs.every) == []
    await ledger.write(record)


async def test_a_readers_connection_cannot_write(ledger):
    """Whatever a face does, it does not change the ledger."""
    with pytest.raises(LedgerUnavailable, match="readonly"):
        ledger.read(record)


async def test_an_attempts_token_is_worth_nothing_once_it_has_ended(ledger):
    """A second end, or a late report, is fenced off."""
    from scheduler.ending import Ending
    from scheduler.ledger import Fenced

    row = await ledger.write(record)
    run = await ledger.write(lambda c: runs.open_run(c, row, new_run(), at=AT, actor=ACTOR))
    started = await ledger.write(
        lambda c: attempts.start(c, run.run_no, Cause.FIRE, at=AT, owner="me", actor=ACTOR)
    )
    ending = Ending(ended="completed", move=Move.SUCCEED, reason="", exit_code=0, changes={})
    token = started.attempt.token
    await ledger.write(lambda c: attempts.end(c, token, ending, at=AT, actor=ACTOR))
    with pytest.raises(Fenced):
        await ledger.write(lambda c: attempts.end(c, token, ending, at=AT, actor=ACTOR))


async def test_guids_may_be_shortened_while_they_are_unique(ledger):
    """A prefix finds its run; one that fits two, or none, does not."""
    row = await ledger.write(record)
    run = await ledger.write(lambda c: runs.open_run(c, row, new_run(), at=AT, actor=ACTOR))
    assert ledger.read(lambda c: runs.by_guid(c, run.run_id[:8].upper())).run_no == run.run_no
    with pytest.raises(NotFound):
        ledger.read(lambda c: runs.by_guid(c, "zz"))
    with pytest.raises(NotFound):
        ledger.read(lambda c: runs.by_guid(c, "%"))


WRITER = """
import asyncio, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from scheduler.ledger import Ledger, jobs
from datetime import UTC, datetime
from scheduler.model import Actor, By

AT = datetime(2026, 3, 2, tzinfo=UTC)

async def main():
    ledger = Ledger(Path(sys.argv[1]))
    for i in range(100000):
        version = jobs.Version("d", None, {{}})
        await ledger.write(lambda c: jobs.record(c, version, name=f"j{{i}}", origin="yaml",
            anchor=AT.replace(tzinfo=None), armed=True, at=AT, actor=Actor("x", By.CLI)))
        print(i, flush=True)

asyncio.run(main())
"""


def test_what_was_answered_is_on_the_disk_after_a_kill(tmp_path):
    """Every write that was answered before SIGKILL is there afterwards, and the file is sound."""
    script = tmp_path / "writer.py"
    script.write_text(WRITER.format(tests=str(tmp_path)))
    child = subprocess.Popen(
        [sys.executable, script, tmp_path / "s/ledger.db"], stdout=subprocess.PIPE, text=True, cwd=os.getcwd()
    )
    said = [child.stdout.readline() for _ in range(50)]
    child.send_signal(signal.SIGKILL)
    rest = child.stdout.read().splitlines()
    child.wait()
    child.stdout.close()
    answered = len(said) + len([line for line in rest if line])
    ledger = Ledger(tmp_path / "s/ledger.db")
    assert len(ledger.read(jobs.every)) >= answered - 1
    assert ledger.read(lambda c: c.exec_driver_sql("PRAGMA integrity_check").scalar()) == "ok"
    ledger.close()


def test_instants_must_be_aware(ledger):
    """A naive instant is a bug, and is refused where it would be stored."""
    with pytest.raises(sa.exc.StatementError, match="aware instants only"):
        ledger.read(
            lambda c: c.execute(sa.select(schema.runs).where(schema.runs.c.fire_time > datetime(2026, 1, 1)))
        )
