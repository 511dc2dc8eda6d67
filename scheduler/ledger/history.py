"""Deleting what is known of a job's past: it is decided and told at once, and carried out in small steps.

What was decided and is not done yet is found again by the journal: an ended run of which no event is newer than
the event of the deletion.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from scheduler.ledger import events, jobs, schema
from scheduler.ledger.erasing import MOST_RUNS
from scheduler.model import Actor, JobRow

NAME = "history_deleted"
"""Of the event."""


@dataclass(frozen=True, slots=True)
class Deletion:
    """A decided deletion: of the ended runs of a job, up to an event of the journal.

    Attributes:
        count: How many runs it is about when it is decided; 0 for one that is found again.
    """

    job_id: int
    event_id: int
    count: int = 0


def decide(connection: sa.Connection, row: JobRow, *, at: datetime, actor: Actor) -> Deletion:
    """The job's ended runs are to be deleted; of the time before `at` nothing is known any more.

    An event says who deletes how many.
    """
    runs = schema.runs
    ended = (runs.c.job_id == row.job_id, runs.c.ended_at.is_not(None))
    first, last = (over(runs.c.fire_time, type_=schema.Instant) for over in (sa.func.min, sa.func.max))
    found = connection.execute(sa.select(sa.func.count(), first, last).where(*ended)).one()
    # Written before the runs' events go: SQLite gives the id of a deleted newest event out again, and whoever
    # follows the journal has read beyond it.
    event = events.Event(at=at, name=NAME, job=row.name, actor=actor, reason=_reason(*found))
    event_id = events.append(connection, event, job_id=row.job_id)
    jobs.forget_before(connection, row, at)
    return Deletion(row.job_id, event_id, found[0])


def left(connection: sa.Connection, deletion: Deletion) -> list[tuple[int, str]]:
    """Number and GUID of runs that are still to be deleted, at most as many as one step takes."""
    runs, journal = schema.runs, schema.events
    newer = sa.select(journal.c.event_id).where(
        journal.c.run_no == runs.c.run_no, journal.c.event_id > deletion.event_id
    )
    query = sa.select(runs.c.run_no, runs.c.run_id).where(
        runs.c.job_id == deletion.job_id, runs.c.ended_at.is_not(None), ~newer.exists()
    )
    return [(row.run_no, row.run_id) for row in connection.execute(query.limit(MOST_RUNS))]


def unfinished(connection: sa.Connection) -> Sequence[Deletion]:
    """The deletions that a daemon decided and did not live to carry out."""
    journal = schema.events
    query = sa.select(journal.c.job_id, sa.func.max(journal.c.event_id)).where(
        journal.c.run_no.is_(None), journal.c.name == NAME
    )
    decided = [Deletion(*row) for row in connection.execute(query.group_by(journal.c.job_id)).all()]
    return [deletion for deletion in decided if left(connection, deletion)]


def _reason(count: int, first: datetime | None, last: datetime | None) -> str:
    """How many runs, and of which time."""
    if first is None or last is None:
        return "no runs deleted"
    if count == 1:
        return f"1 run deleted, of {first:%Y-%m-%dT%H:%M:%SZ}"
    return f"{count} runs deleted, of {first:%Y-%m-%dT%H:%M:%SZ} to {last:%Y-%m-%dT%H:%M:%SZ}"
