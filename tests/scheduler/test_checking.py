"""`check`: a ledger that holds what it promises, and one broken by hand for each invariant."""

import asyncio
import re
import sqlite3
from contextlib import closing
from datetime import datetime
from functools import partial
from pathlib import Path

import pytest

from scheduler.ledger import LedgerTooNew, LedgerUnavailable, deliveries, pruning
from scheduler.ledger.checking import check

JOBS = """
version: 1
settings: {smtp: {host: 127.0.0.1, sender: jobsd@example.com}}
calendars: {freeze: {dates: [2026-03-03]}}
collectors: {host: {collect: [./c.sh, "{asset.id}"]}}
jobs:
  - name: fleet
    schedule: {start: 2026-03-01T06:00:00, daily: {}, rerun: {every: 1h, for: 3h}}
    run: {collect: {type: CollectionJob, assets: [{id: up, type: host}, {id: down, type: host}]}}
  - name: flaky
    schedule: {start: 2026-03-01T07:00:00, daily: {}}
    retry: {attempts: 2, backoff: 1m}
    notify: {failure: {to: [a@example.com]}}
    run: {command: {argv: ["false"]}}
  - name: often
    schedule: {start: 2026-03-02T08:30:00, interval: 5m, until: 2026-03-03T05:30:00}
    run: {command: {argv: ["true"]}}
  - name: edited
    schedule: {start: 2026-03-01T08:00:00, daily: {}}
    run: {command: {argv: ["true"]}}
  - name: moved
    schedule: {start: 2026-03-01T06:00:00, daily: {every: 2}, exclude: [freeze], on_exclude: next-day}
    run: {command: {argv: ["true"]}}
  - name: slow
    schedule: {start: 2026-03-01T06:00:00, daily: {}, window: 4h}
    run: {command: {argv: [sleep, "600"]}}
"""


async def live(rig):
    """Three days: a downtime, an edit, a job that was disabled for a while, an operator; a run is at work."""
    collector = rig.folder / "c.sh"
    collector.write_text('#!/bin/sh\ntest "$1" = up && echo data\n')
    collector.chmod(0o755)
    fast = JOBS.replace('[sleep, "600"]', '["true"]')
    await rig.up(fast)
    await rig.tick(hours=9)
    await rig.down()
    rig.clock.set(datetime.fromisoformat("2026-03-03T05:00:00Z"))
    await rig.up(fast)
    await rig.reload(fast.replace("08:00:00", "08:30:00"))
    await rig.tick(hours=4)
    await rig.control.rerun(next(run for run in rig.runs("flaky")).run_id, rig.operator)
    await rig.tick(minutes=2)
    await rig.reload(fast.replace("08:00:00, daily: {}}", "08:30:00, daily: {}}\n    enabled: false"))
    await rig.tick(hours=1)
    await rig.reload(JOBS.replace("08:00:00", "08:30:00"))
    await rig.tick(hours=18)
    rig.clock.set(datetime.fromisoformat("2026-03-04T06:00:00Z"))
    await rig.settle()
    await rig.until(lambda: all(str(run.state) != "running" for run in rig.runs() if run.job != "slow"))
    await rig.settle()


@pytest.fixture(scope="module")
def whole(rig_class, operator, tmp_path_factory):
    """A ledger in which nothing is wrong, as its daemon left it in the middle of its work."""
    folder = tmp_path_factory.mktemp("whole")

    async def made():
        rig = rig_class(folder, datetime.fromisoformat("2026-03-02T00:00:00Z"))
        rig.operator = operator
        try:
            await live(rig)
            with (
                closing(sqlite3.connect(folder / "state" / "ledger.db")) as source,
                closing(sqlite3.connect(folder / "whole.db")) as target,
            ):
                source.backup(target)
                target.execute("PRAGMA journal_mode=DELETE")
        finally:
            await rig.down()

    asyncio.run(made())
    return folder / "whole.db"


@pytest.fixture
def broken(whole, tmp_path):
    """A function that breaks a copy of the ledger by SQL; returns what is found."""

    def made(script):
        path = tmp_path / "ledger.db"
        path.write_bytes(whole.read_bytes())
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA ignore_check_constraints=ON")
            before = connection.total_changes
            connection.executescript(script)
            assert connection.total_changes > before, "the script changes nothing"
            connection.commit()
        return check(path)

    return made


def of(job, *, state=None, last=False):
    """The number of the first or the last run of a job, as SQL."""
    chosen = f"name = '{job}'" + (f" AND state = '{state}'" if state else "")
    order = f"fire_time {'DESC' if last else ''}"
    return f"(SELECT run_no FROM runs JOIN jobs USING (job_id) WHERE {chosen} ORDER BY {order} LIMIT 1)"  # noqa: S608 - ours


RUNS = {
    ":edited": of("edited"),
    ":flaky": of("flaky"),
    ":slow": of("slow", state="running"),
    ":fleet": of("fleet", state="incomplete"),
    ":moved": of("moved", last=True),
}


def breaks():
    """(what is broken, SQL that breaks it, the pattern of what is found) each."""
    text = (Path(__file__).parent / "data" / "broken_ledgers.txt").read_text()
    for part in text.split("=== ")[1:]:
        head, _, expected = part.partition("--- found\n")
        name, _, script = head.partition("\n")
        for word, number in RUNS.items():
            script = script.replace(word, number)
        yield name, script, expected.strip()


def test_nothing_is_wrong(whole):
    """A downtime, misses, retries, reruns, an edit, a job disabled for a while, a closure: all is accounted for."""
    assert check(whole) == []


def test_each_invariant(broken):
    """A ledger that breaks one is found out: the job, the run and what is wrong are told."""
    silent = {}
    for name, script, expected in breaks():
        found = [str(finding) for finding in broken(script)]
        if not any(re.search(expected, line) for line in found):
            silent[name] = found
    assert silent == {}


NIGHTLY = """
version: 1
jobs:
  - name: nightly
    schedule: {start: 2026-03-01T06:00:00, daily: {}}
    catch_up: {policy: none}
    run: {command: {argv: ["true"]}}
"""


async def test_what_says_when_a_job_was_in_force_outlives_retention(rig):
    """A job that was disabled for two days has no gap there, also when events are deleted by age."""
    r = rig("2026-03-01T00:00:00Z")
    await r.up(NIGHTLY)
    await r.tick(days=1)
    await r.reload(NIGHTLY + "    enabled: false\n")
    await r.tick(days=2)
    await r.reload(NIGHTLY)
    await r.tick(days=1)
    await r.ledger.write(lambda connection: pruning.prune_events(connection, r.clock.now()))
    assert check(r.ledger.path) == []
    assert len(r.runs()) == 2


async def test_a_clock_that_was_set_back_explains_what_ended_before_it_began(rig):
    """The journal shows by how much it was; beside a clock that was not, the same is told."""
    r = rig("2026-03-01T05:59:59Z")
    await r.up(NIGHTLY.replace('["true"]', '[sleep, "0.2"]'))
    r.clock.set(datetime.fromisoformat("2026-03-01T06:00:00Z"))
    await r.settle()
    r.clock.set(datetime.fromisoformat("2026-03-01T05:00:00Z"))
    await r.idle()
    assert r.run().ended_at < r.run().opened_at
    assert check(r.ledger.path) == []


async def test_a_step_back_is_journalled_though_nothing_else_happens_meanwhile(rig):
    """A mail written before the step and settled after it has no event of its own; later ones and retention hide none.

    Without that word of the clock the same rows are out of order.
    """
    r = rig("2026-03-01T00:00:00Z")
    mail = "settings: {smtp: {host: 127.0.0.1, sender: a@example.com}}\njobs:"
    text = NIGHTLY.replace("jobs:", mail) + "    notify: {success: {to: [a@example.com]}}\n"
    await r.up(text)
    await r.tick(hours=6)
    await r.down()
    r.clock.set(datetime.fromisoformat("2026-03-01T05:00:00Z"))
    await r.up(text)
    await r.settle()
    settle = partial(deliveries.settle, delivery_no=1, state=deliveries.Fate.DELIVERED, at=r.clock.now())
    await r.ledger.write(settle)
    r.clock.set(datetime.fromisoformat("2026-03-03T06:00:00Z"))
    await r.idle()
    await r.ledger.write(lambda connection: pruning.prune_events(connection, r.clock.now()))
    assert check(r.ledger.path) == []
    silent = r.folder / "silent.db"
    with closing(sqlite3.connect(r.ledger.path)) as whole, closing(sqlite3.connect(silent)) as connection:
        whole.backup(connection)
        connection.executescript("DELETE FROM events WHERE name = 'clock_back'; DELETE FROM health")
    assert [finding.invariant for finding in check(silent)] == ["order"]


def test_what_cannot_be_checked(tmp_path):
    """No ledger, a file that is none, an older and a newer one: each is said, and nothing is made."""
    path = tmp_path / "ledger.db"
    with pytest.raises(LedgerUnavailable, match="there is no ledger at"):
        check(path)
    path.write_bytes(b"not a ledger at all, whatever its name says")
    with pytest.raises(LedgerUnavailable, match="cannot be read as a ledger"):
        check(path)
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "CREATE TABLE alembic_version (version_num TEXT); INSERT INTO alembic_version VALUES ('0001')"
        )
    with pytest.raises(LedgerUnavailable, match="has schema 0001, and this program"):
        check(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(LedgerTooNew, match="has schema 9999"):
        check(path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["ledger.db"]


def test_a_damaged_file(whole, tmp_path):
    """What SQLite itself finds wrong is told, and nothing else is asked of such a file."""
    path = tmp_path / "ledger.db"
    body = bytearray(whole.read_bytes())
    with closing(sqlite3.connect(whole)) as connection:
        index = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'ix_runs_fire_time'"
        ).fetchone()
    begin = (index[0] - 1) * 4096
    body[begin + 8 : begin + 200] = b"\xff" * 192
    path.write_bytes(body)
    found = check(path)
    assert found
    assert {finding.invariant for finding in found} == {"file"}
