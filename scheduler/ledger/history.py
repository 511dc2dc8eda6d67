"""Deleting what is known of a job's past: its ended runs and all that hangs on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from scheduler.ledger import events, jobs, schema
from scheduler.model import Actor, JobRow

_HANGING = (
    schema.attempts,
    schema.run_assets,
    schema.check_results,
    schema.run_memory,
    schema.sde_jobs,
    schema.events,
    schema.deliveries,
)


@dataclass(frozen=True, slots=True)
class Deleted:
    """The GUIDs of the runs that were deleted: their output is still there."""

    run_ids: tuple[str, ...]


def delete(connection: sa.Connection, row: JobRow, *, at: datetime, actor: Actor) -> Deleted:
    """Delete the job's ended runs; of the time before `at` nothing is known any more.

    An event says who deleted how many. What is still to be delivered about them stays, and names no run any more.
    """
    runs, deliveries = schema.runs, schema.deliveries
    ended = (runs.c.job_id == row.job_id, runs.c.ended_at.is_not(None))
    numbers = sa.select(runs.c.run_no).where(*ended)
    found = sa.select(runs.c.run_id, runs.c.fire_time).where(*ended).order_by(runs.c.fire_time)
    deleted = connection.execute(found).all()
    # Written before the runs' events go: SQLite gives the id of a deleted newest event out again, and whoever
    # follows the journal has read beyond it.
    reason = _reason([run.fire_time for run in deleted])
    event = events.Event(at=at, name="history_deleted", job=row.name, actor=actor, reason=reason)
    events.append(connection, event, job_id=row.job_id)
    waiting = (deliveries.c.run_no.in_(numbers), deliveries.c.ended_at.is_(None))
    connection.execute(deliveries.update().where(*waiting).values(run_no=None))
    for table in _HANGING:
        connection.execute(table.delete().where(table.c.run_no.in_(numbers)))
    connection.execute(runs.delete().where(*ended))
    jobs.forget_before(connection, row, at)
    return Deleted(tuple(run.run_id for run in deleted))


def _reason(fire_times: Sequence[datetime]) -> str:
    """How many runs, and of which time; `fire_times` in their order."""
    if not fire_times:
        return "no runs deleted"
    first, last = (f"{instant:%Y-%m-%dT%H:%M:%SZ}" for instant in (fire_times[0], fire_times[-1]))
    if len(fire_times) == 1:
        return f"1 run deleted, of {first}"
    return f"{len(fire_times)} runs deleted, of {first} to {last}"
