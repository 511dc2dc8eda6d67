"""What the planner sees of the ledger at one wake-up."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa

from scheduler.ledger import schema
from scheduler.ledger.rows import RUNS, job_row, run_row
from scheduler.lifecycle import ACTIVE, State
from scheduler.planner import Snapshot

_CHUNK = 500


def take(connection: sa.Connection, *, due: Collection[str], now: datetime) -> Snapshot:
    """The jobs named in `due` and their active runs, the runs whose time has come, and the pending ones."""
    jobs, runs = schema.jobs, schema.runs
    active = runs.c.state.in_([state.value for state in ACTIVE])
    rows = {
        row.run_no: row
        for row in connection.execute(
            RUNS.where(active, sa.or_(runs.c.wake_at <= now, runs.c.state == State.PENDING.value))
        )
    }
    names = list(due)
    found = {}
    for start in range(0, len(names), _CHUNK):
        chunk = names[start : start + _CHUNK]
        for row in connection.execute(RUNS.where(active, jobs.c.name.in_(chunk))):
            rows[row.run_no] = row
        for row in connection.execute(sa.select(jobs).where(jobs.c.name.in_(chunk))):
            found[row.name] = job_row(row)
    others = list({row.job for row in rows.values()} - found.keys())
    for start in range(0, len(others), _CHUNK):
        chunk = others[start : start + _CHUNK]
        for row in connection.execute(sa.select(jobs).where(jobs.c.name.in_(chunk))):
            found[row.name] = job_row(row)
        # the siblings of a run decide whether it may start
        for row in connection.execute(RUNS.where(active, jobs.c.name.in_(chunk))):
            rows[row.run_no] = row
    running = sa.select(jobs.c.name).join_from(runs, jobs).where(runs.c.state == State.RUNNING.value)
    return Snapshot(
        jobs=found,
        due=frozenset(name for name in due if name in found),
        runs=tuple(run_row(rows[number]) for number in sorted(rows)),
        running=tuple(connection.execute(running).scalars()),
    )


def next_wake(connection: sa.Connection, now: datetime) -> datetime | None:
    """The first instant after `now` at which an active run is to be looked at; None if there is none."""
    wake_at = schema.runs.c.wake_at
    query = sa.select(sa.func.min(wake_at, type_=schema.Instant)).where(wake_at > now)
    found: datetime | None = connection.execute(query).scalar_one()
    return found
