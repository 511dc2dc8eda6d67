"""What was moved is run only where its own row says so: an edit of a calendar or schedule fires no old slot.

Where occurrences are moved is told by schedule and calendars alone. A calendar that is given a day of the past
tells of moves of what ran on that day, and so does a job that is new: what is on record decides.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from config.calendars.words import MOVED, MOVED_EACH, why_not_moved, zulu
from recurrence.moving import FARTHEST
from scheduler.ledger import schema
from scheduler.lifecycle import State
from scheduler.model import JobRow, Kind
from scheduler.planner.actions import Record

_SECOND = timedelta(seconds=1)


def kept(connection: sa.Connection, row: JobRow, record: Record) -> Record:
    """`record`; as skipped where it is of a moved run and no occurrence that was skipped was moved there."""
    if record.moved_from is None or record.state is not State.PENDING:
        return record
    first = _promised(connection, row, record.occurrence.fire_time, record.moved_from)
    if first is not None or record.own:
        return replace(record, moved_from=first)
    return replace(record, state=State.SKIPPED, reason=why_not_moved(record.moved_from))


def _promised(connection: sa.Connection, row: JobRow, target: datetime, source: datetime) -> datetime | None:
    """The fire time of the first occurrence from `source` on whose row says that it was moved to `target`.

    A row that retention has deleted said so, if it was of the present schedule.
    """
    runs = schema.runs
    query = sa.select(sa.func.min(runs.c.fire_time, type_=schema.Instant)).where(
        runs.c.job_id == row.job_id,
        runs.c.kind == Kind.FIRE.value,
        runs.c.state == State.SKIPPED.value,
        runs.c.fire_time < target,
        sa.func.coalesce(runs.c.last_fire_time, runs.c.fire_time) >= source,
        runs.c.reason.endswith(f"{MOVED}{zulu(target)}") | runs.c.reason.endswith(MOVED_EACH),
    )
    found: datetime | None = connection.execute(query).scalar_one()
    deleted = found is None and row.schedule_since < source < row.known_since
    return source if deleted else found


def moved_to(connection: sa.Connection, row: JobRow, at: datetime, until: datetime) -> list[datetime]:
    """The last fire time of each row that says that it was moved to [`at`, `until`), a minute at the most."""
    runs, wanted = schema.runs, zulu(at.astimezone(UTC))
    if until - at > _SECOND:
        wanted = wanted[:-3]
    last = sa.func.coalesce(runs.c.last_fire_time, runs.c.fire_time, type_=schema.Instant)
    query = sa.select(last).where(
        runs.c.job_id == row.job_id,
        runs.c.kind == Kind.FIRE.value,
        runs.c.state == State.SKIPPED.value,
        runs.c.fire_time < until,
        runs.c.reason.contains(f"{MOVED}{wanted}") | runs.c.reason.endswith(MOVED_EACH),
    )
    return list(connection.execute(query).scalars())


def owed(connection: sa.Connection, row: JobRow, until: datetime) -> dict[datetime, datetime]:
    """What rows say was moved to instants in (watermark, until]: each with the first that was moved there."""
    runs = schema.runs
    query = sa.select(runs.c.fire_time, runs.c.reason).where(
        runs.c.job_id == row.job_id,
        runs.c.kind == Kind.FIRE.value,
        runs.c.state == State.SKIPPED.value,
        runs.c.fire_time.between(row.watermark - FARTHEST, row.watermark),
        runs.c.reason.contains(MOVED),
    )
    found: dict[datetime, datetime] = {}
    for source, reason in connection.execute(query.order_by(runs.c.fire_time)):
        target = datetime.fromisoformat(reason.rpartition(MOVED)[2])
        if row.watermark < target <= until:
            found.setdefault(target, source)
    return found
