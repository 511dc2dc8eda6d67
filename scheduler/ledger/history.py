"""Deleting what is known of a job's past: its ended runs and all that hangs on them."""

from __future__ import annotations

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
    schema.events,
    schema.deliveries,
)


@dataclass(frozen=True, slots=True)
class Deleted:
    """The GUIDs of the runs that were deleted: their output is still there."""

    run_ids: tuple[str, ...]


def delete(connection: sa.Connection, row: JobRow, *, at: datetime) -> Deleted:
    """Delete the job's ended runs; of the time before `at` nothing is known any more.

    What is still to be delivered about them stays, and names no run any more.
    """
    runs, deliveries = schema.runs, schema.deliveries
    ended = (runs.c.job_id == row.job_id, runs.c.ended_at.is_not(None))
    numbers = sa.select(runs.c.run_no).where(*ended)
    run_ids = tuple(connection.execute(sa.select(runs.c.run_id).where(*ended)).scalars())
    waiting = (deliveries.c.run_no.in_(numbers), deliveries.c.ended_at.is_(None))
    connection.execute(deliveries.update().where(*waiting).values(run_no=None))
    for table in _HANGING:
        connection.execute(table.delete().where(table.c.run_no.in_(numbers)))
    connection.execute(runs.delete().where(*ended))
    jobs.forget_before(connection, row, at)
    return Deleted(run_ids)


def tell(connection: sa.Connection, row: JobRow, deleted: Deleted, *, at: datetime, actor: Actor) -> None:
    """Leave an event: who deleted how much."""
    count = len(deleted.run_ids)
    reason = f"{count} {'run' if count == 1 else 'runs'} deleted"
    event = events.Event(at=at, name="history_deleted", job=row.name, actor=actor, reason=reason)
    events.append(connection, event, job_id=row.job_id)
