"""What retention deletes by age. Of each job its newest ended and its newest succeeded run outlive it.

A run of which something is still to be delivered waits for that, and so does the one with the journal's newest
event: SQLite would give the id of that event out again, and whoever follows the journal has read beyond it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from scheduler.ledger import accounts, clockback, events, schema
from scheduler.ledger.deliveries import SDE_RESULT, Fate
from scheduler.ledger.erasing import MOST_ROWS, MOST_RUNS
from scheduler.lifecycle import State
from scheduler.model import Actor, Kind

NAME = "pruned"
"""Of the event."""

Cursor = tuple[datetime, int]
"""When a run ended, and its number: the order in which runs are gone through."""

_RUNS = schema.runs
_TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Old:
    """A run that is to be deleted; `until` is the last fire time that its row accounts for, if it does."""

    run_no: int
    run_id: str
    job_id: int
    ended_at: datetime
    until: datetime | None
    attempts: int

    @property
    def cursor(self) -> Cursor:
        """Where it stands among the others."""
        return self.ended_at, self.run_no


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What is to be deleted of one job: how many runs, from and to which fire time."""

    job_id: int
    job: str
    count: int
    first: datetime
    last: datetime

    def told(self, before: datetime) -> str:
        """For the journal."""
        runs = "1 run" if self.count == 1 else f"{self.count} runs"
        span = f"{self.first:%Y-%m-%dT%H:%M:%SZ}"
        if self.last != self.first:
            span += f" to {self.last:%Y-%m-%dT%H:%M:%SZ}"
        return f"deleted by age (retention.runs): {runs} that ended before {before:%Y-%m-%dT%H:%M:%SZ}, of {span}"


def shares(connection: sa.Connection, before: datetime) -> dict[int, Share]:
    """What is to be deleted of each job, by its id: runs that ended before `before`."""
    first, last = (over(_RUNS.c.fire_time, type_=schema.Instant) for over in (sa.func.min, sa.func.max))
    query = sa.select(_RUNS.c.job_id, schema.jobs.c.name, sa.func.count(), first, last)
    query = query.join_from(_RUNS, schema.jobs).where(*_old(before)).group_by(_RUNS.c.job_id, schema.jobs.c.name)
    rows = connection.execute(query).all()
    return {job_id: Share(job_id=job_id, job=job, count=n, first=a, last=z) for job_id, job, n, a, z in rows}


def page(connection: sa.Connection, before: datetime, *, after: Cursor | None) -> list[Old]:
    """The next runs that ended before `before`, longest ago first: as many as one step takes."""
    columns = (_RUNS.c.run_no, _RUNS.c.run_id, _RUNS.c.job_id, _RUNS.c.ended_at, _RUNS.c.attempts)
    query = sa.select(*columns, _RUNS.c.kind, _RUNS.c.fire_time, _RUNS.c.last_fire_time).where(*_old(before))
    query = _onwards(query, after).limit(MOST_RUNS)
    found, weight = list[Old](), 0
    for row in connection.execute(query):
        weight += row.attempts
        if found and weight > MOST_ROWS:
            break
        until = (row.last_fire_time or row.fire_time) if row.kind == Kind.FIRE.value else None
        found.append(
            Old(
                run_no=row.run_no, run_id=row.run_id, job_id=row.job_id, ended_at=row.ended_at, until=until,
                attempts=row.attempts,
            )
        )  # fmt: skip
    return found


def begin(
    connection: sa.Connection,
    old: Sequence[Old],
    new: Iterable[Share],
    *,
    before: datetime,
    at: datetime,
    actor: Actor,
) -> None:
    """Have the jobs of `old` known since later only, and tell of `new`: jobs whose first runs these are."""
    for share in new:
        event = events.Event(at=at, name=NAME, job=share.job, actor=actor, reason=share.told(before))
        events.append(connection, event, job_id=share.job_id)
    ends: dict[int, datetime] = {}
    for run in old:
        if run.until is not None:
            ends[run.job_id] = max(run.until, ends.get(run.job_id, run.until))
    jobs = schema.jobs
    for job_id, until in ends.items():
        since = until + _TICK
        earlier = (jobs.c.job_id == job_id, jobs.c.known_since < since)
        connection.execute(jobs.update().where(*earlier).values(known_since=since))


def ended(
    connection: sa.Connection, before: datetime, *, after: Cursor | None, limit: int
) -> list[tuple[Cursor, str]]:
    """The next runs that ended before `before`, kept or not: each with its place in the order, and its GUID."""
    query = sa.select(_RUNS.c.ended_at, _RUNS.c.run_no, _RUNS.c.run_id).where(_RUNS.c.ended_at < before)
    rows = connection.execute(_onwards(query, after).limit(limit))
    return [((row.ended_at, row.run_no), row.run_id) for row in rows]


def known(connection: sa.Connection, run_ids: Collection[str]) -> set[str]:
    """Those of these GUIDs, at most 500, that are of runs."""
    return set(connection.execute(sa.select(_RUNS.c.run_id).where(_RUNS.c.run_id.in_(run_ids))).scalars())


def prune_events(connection: sa.Connection, before: datetime) -> int:
    """Delete events of no run from before `before`, as many as one step takes; how many it were.

    Those that say when a job was in force stay as long as its fire times are accounted for, and those that say
    that the clock was set back for good: rows of that time may be kept.
    """
    table, jobs = schema.events, schema.jobs
    newest = sa.select(sa.func.max(table.c.event_id)).scalar_subquery()
    needed = sa.exists().where(
        jobs.c.job_id == table.c.job_id, table.c.name.in_(accounts.TOGGLES), table.c.at > jobs.c.known_since
    )
    chosen = sa.select(table.c.event_id).where(
        table.c.run_no.is_(None),
        table.c.at < before,
        table.c.event_id < newest,
        ~needed,
        table.c.name != clockback.NAME,
    )
    return connection.execute(table.delete().where(table.c.event_id.in_(chosen.limit(MOST_ROWS)))).rowcount


def prune_deliveries(connection: sa.Connection, before: datetime, *, loose: bool) -> int:
    """Delete deliveries that ended before `before`, as many as one step takes; how many it were.

    `loose`: only those of no run. The newest that arrived in a channel stays: what comes after it is compared with
    it. So do postings of a channel in which something waits: that may have to be told from what the server has.
    """
    table, waiting, newer = schema.deliveries, schema.deliveries.alias("waiting"), schema.deliveries.alias("newer")
    beside = sa.select(waiting.c.delivery_no).where(
        waiting.c.channel == table.c.channel, waiting.c.due_at.is_not(None)
    )
    after = sa.select(newer.c.delivery_no).where(
        newer.c.job_id == table.c.job_id,  # found by an index
        newer.c.delivery_no > table.c.delivery_no,
        newer.c.channel == table.c.channel,
        newer.c.state == Fate.DELIVERED.value,
    )
    chosen = sa.select(table.c.delivery_no).where(
        table.c.ended_at < before,
        sa.or_(table.c.kind != SDE_RESULT, ~beside.exists()),
        sa.or_(table.c.channel.is_(None), table.c.state != Fate.DELIVERED.value, after.exists()),
    )
    if loose:
        chosen = chosen.where(table.c.run_no.is_(None))
    return connection.execute(table.delete().where(table.c.delivery_no.in_(chosen.limit(MOST_ROWS)))).rowcount


def _onwards(query: sa.Select[Any], after: Cursor | None) -> sa.Select[Any]:
    if after is not None:
        place = sa.tuple_(_RUNS.c.ended_at, _RUNS.c.run_no)
        query = query.where(place > sa.tuple_(sa.literal(after[0], schema.Instant), sa.literal(after[1])))
    return query.order_by(_RUNS.c.ended_at, _RUNS.c.run_no)


def _old(before: datetime) -> list[sa.ColumnElement[bool]]:
    """Which runs are to be deleted."""
    succeeded = State.SUCCEEDED.value
    waiting, journal = schema.deliveries, schema.events
    newest_event = sa.select(sa.func.max(journal.c.event_id)).scalar_subquery()
    return [
        _RUNS.c.ended_at < before,
        _newer(lambda other: other.c.ended_at.is_not(None)),
        sa.or_(_RUNS.c.state != succeeded, _newer(lambda other: other.c.state == succeeded)),
        ~sa.select(waiting.c.delivery_no)
        .where(waiting.c.run_no == _RUNS.c.run_no, waiting.c.due_at.is_not(None))
        .exists(),
        ~sa.select(journal.c.event_id)
        .where(journal.c.run_no == _RUNS.c.run_no, journal.c.event_id == newest_event)
        .exists(),
    ]


def _newer(which: Callable[[sa.FromClause], sa.ColumnElement[bool]]) -> sa.ColumnElement[bool]:
    """Whether the job has a newer run of that kind; the kinds are named so that SQLite finds it by the key."""
    other = _RUNS.alias()
    same = (other.c.job_id == _RUNS.c.job_id, other.c.kind.in_([kind.value for kind in Kind]))
    later = sa.or_(
        other.c.fire_time > _RUNS.c.fire_time,
        sa.and_(other.c.fire_time == _RUNS.c.fire_time, other.c.run_no > _RUNS.c.run_no),
    )
    return (
        sa.select(other.c.run_no)
        .where(*same, other.c.fire_time >= _RUNS.c.fire_time, later, which(other))
        .exists()
    )
