"""Jobs made through an API: what they were made from, and by whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from scheduler.ledger import schema
from scheduler.ledger.rows import job_row
from scheduler.model import JobRow

CHUNK = 500
"""Values in one IN list at the most."""

_API = schema.api_jobs


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiJob:
    """What a job was made from.

    Attributes:
        source: JSON values; the API that made the job knows their meaning, and no one else.
        creator: Name of the user who made it.
        modified_at: When it was last changed through its API; at first, when it was made.
    """

    job_id: int
    source: Mapping[str, Any]
    creator: str
    created_at: datetime
    modified_at: datetime


def get(connection: sa.Connection, job_id: int) -> ApiJob | None:
    """What this job was made from; None if no API made it, or it was deleted."""
    row = connection.execute(sa.select(_API).where(_API.c.job_id == job_id)).one_or_none()
    return None if row is None else _api_job(row)


def every(connection: sa.Connection) -> list[tuple[JobRow, ApiJob]]:
    """All of them, oldest first, each with its row; deleted ones are not among them."""
    query = sa.select(schema.jobs, _API.c.source, _API.c.creator, _API.c.created_at, _API.c.modified_at)
    rows = connection.execute(query.join_from(schema.jobs, _API).order_by(schema.jobs.c.job_id))
    return [(job_row(row), _api_job(row)) for row in rows]


def creators(connection: sa.Connection, job_ids: Sequence[int]) -> dict[int, str]:
    """Who made these jobs, by job id; only those that an API made."""
    found: dict[int, str] = {}
    for begin in range(0, len(job_ids), CHUNK):
        query = sa.select(_API.c.job_id, _API.c.creator).where(_API.c.job_id.in_(job_ids[begin : begin + CHUNK]))
        found |= {row.job_id: row.creator for row in connection.execute(query)}
    return found


def record(
    connection: sa.Connection, job_id: int, source: Mapping[str, Any], *, creator: str, at: datetime
) -> None:
    """Keep what a new job was made from."""
    values = {"source": dict(source), "creator": creator, "created_at": at, "modified_at": at}
    connection.execute(_API.insert().values(job_id=job_id, **values))


def change(connection: sa.Connection, job_id: int, source: Mapping[str, Any], *, at: datetime) -> None:
    """Keep what the job is made from now."""
    connection.execute(_API.update().where(_API.c.job_id == job_id).values(source=dict(source), modified_at=at))


def _api_job(row: sa.Row[Any]) -> ApiJob:
    return ApiJob(
        job_id=row.job_id,
        source=row.source,
        creator=row.creator,
        created_at=row.created_at,
        modified_at=row.modified_at,
    )
