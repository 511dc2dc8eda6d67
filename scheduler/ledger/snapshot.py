"""What the planner sees of the ledger at one wake-up."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import TypeVar

import sqlalchemy as sa

from scheduler.ledger import clockback, schema
from scheduler.ledger.rows import RUNS, job_row, run_row
from scheduler.lifecycle import State
from scheduler.model import JobRow, RunRow
from scheduler.planner import Snapshot
from scheduler.planner.active import startable

T = TypeVar("T")
_CHUNK = 500

_LONGEST_PAUSE = timedelta(days=1)
"""Between two tries of a delivery, also where its receiver asks for a longer one."""


_RUNS = schema.runs.c
_NOW = sa.bindparam("now", type_=schema.Instant)
_NAMES = schema.jobs.c.name_folded.in_(sa.bindparam("names", expanding=True))
_OTHERS = RUNS.where(_RUNS.wake_at <= _NOW, schema.IS_ACTIVE, _RUNS.state != State.PENDING.value)
_RETRYING = RUNS.where(schema.IS_ACTIVE, _RUNS.state == State.RETRYING.value)
_WAITING = (
    sa.select(schema.runs.c.run_no, schema.jobs.c.name)
    .join_from(schema.runs, schema.jobs)
    .where(_RUNS.wake_at <= _NOW, schema.IS_ACTIVE, _RUNS.state == State.PENDING.value)
)
_NUMBERED = RUNS.where(schema.runs.c.run_no.in_(sa.bindparam("numbers", expanding=True)))
_ACTIVE = RUNS.where(schema.IS_ACTIVE, _NAMES)
_JOBS = sa.select(schema.jobs).where(_NAMES)
_RUNNING = (
    sa.select(schema.jobs.c.name)
    .join_from(schema.attempts, schema.runs)
    .join(schema.jobs)
    .where(schema.attempts.c.ended_at.is_(None))
)
_NEXT_WAKE = sa.select(sa.func.min(_RUNS.wake_at, type_=schema.Instant)).where(_RUNS.wake_at > _NOW)
"""Statements are made once: they are asked at every turn of the loop, and making one costs more than asking it."""


class Eye:
    """Takes snapshots, one at a time.

    It remembers the rows of pending runs, of which only the name of the job may change while they are pending: of
    ten thousand runs that wait for room, only the new ones are read.
    """

    def __init__(self) -> None:
        self._pending: dict[int, RunRow] = {}

    def take(self, connection: sa.Connection, *, due: Collection[str], now: datetime) -> Snapshot:
        """The jobs named in `due` and their active runs, and every run whose time has come."""
        rows = _by_number(connection, _OTHERS, now=now)
        waiting = self._waiting(connection, now)
        if waiting:  # a run between two tries goes before them, also if its time has not come
            rows |= _by_number(connection, _RETRYING)
        rows |= waiting
        found = _jobs(connection, due)
        marked = frozenset(found)
        rows |= _active(connection, found)
        found |= _jobs(connection, {run.job for run in rows.values() if not startable(run, now)} - marked)
        return Snapshot(
            jobs=found,
            due=marked,
            runs=tuple(rows[number] for number in sorted(rows)),
            running=tuple(connection.execute(_RUNNING).scalars()),
        )

    def _waiting(self, connection: sa.Connection, now: datetime) -> dict[int, RunRow]:
        """Every pending run whose time has come: a run is pending from the moment it is opened."""
        asked = connection.execute(_WAITING, {"now": now})
        found = {number: (name, self._pending.get(number)) for number, name in asked}
        known = {number: run for number, (name, run) in found.items() if run is not None and run.job == name}
        new = [number for number in found if number not in known]
        for chunk in _chunks(new):
            known |= _by_number(connection, _NUMBERED, numbers=chunk)
        self._pending = known
        return known


def _by_number(
    connection: sa.Connection, query: sa.Select[tuple[object, ...]], **values: object
) -> dict[int, RunRow]:
    return {row.run_no: run_row(row) for row in connection.execute(query, values)}


def _active(connection: sa.Connection, names: Iterable[str]) -> dict[int, RunRow]:
    """The active runs of the jobs of these names, by number."""
    rows: dict[int, RunRow] = {}
    for chunk in _chunks(names):
        rows |= _by_number(connection, _ACTIVE, names=[name.casefold() for name in chunk])
    return rows


def _jobs(connection: sa.Connection, names: Iterable[str]) -> dict[str, JobRow]:
    found: dict[str, JobRow] = {}
    for chunk in _chunks(names):
        asked = connection.execute(_JOBS, {"names": [name.casefold() for name in chunk]})
        found |= {row.name: job_row(row) for row in asked}
    return found


def _chunks(items: Iterable[T]) -> Iterator[Sequence[T]]:
    """As many at a time as one statement may name."""
    rest = iter(items)
    while chunk := tuple(islice(rest, _CHUNK)):
        yield chunk


def next_wake(connection: sa.Connection, now: datetime) -> datetime | None:
    """The first instant after `now` at which an active run is to be looked at; None if there is none."""
    found: datetime | None = connection.execute(_NEXT_WAKE, {"now": now}).scalar_one()
    return found


@dataclass(frozen=True, slots=True)
class Ahead:
    """How many jobs in force have rows of occurrences that the clock has not reached, and up to which instant."""

    jobs: int
    until: datetime | None


def clock_back(connection: sa.Connection, now: datetime, before: datetime | None = None) -> Ahead:
    """Have all that waits looked at again at `now`: its time was taken from a clock that was ahead.

    The journal says so from then on; `before` is what the clock showed at the last look, None at the first.
    """
    clockback.note(connection, now, before)
    waiting = (State.PENDING.value, State.INCOMPLETE.value)
    runs, jobs = schema.runs.c, schema.jobs.c
    ahead = (runs.wake_at > now, schema.IS_ACTIVE, runs.state.in_(waiting))
    connection.execute(schema.runs.update().where(*ahead).values(wake_at=now))
    sent = schema.deliveries.c
    early = sa.or_(sent.created_at > now, sent.due_at > now + _LONGEST_PAUSE)
    late = sent.about == "late"  # due at an instant of its own, which is looked at then
    connection.execute(schema.deliveries.update().where(sent.due_at > now, early, ~late).values(due_at=now))
    latest = sa.func.max(jobs.watermark, type_=schema.Instant)
    query = sa.select(sa.func.count(), latest).where(jobs.armed, jobs.watermark > now)
    count, until = connection.execute(query).one()
    return Ahead(count, until)
