"""When jobs were made and last changed, and by whom: by an API, or by the versions of their definitions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from scheduler.ledger import schema
from scheduler.ledger.queries import CHUNK

_VERSIONS = schema.job_versions
_API = schema.api_jobs


@dataclass(frozen=True, slots=True)
class Made:
    """When a job was made and last changed; `creator` is empty for one of the configuration file."""

    created_at: datetime
    modified_at: datetime
    creator: str = ""


def made(connection: sa.Connection, job_ids: Sequence[int]) -> dict[int, Made]:
    """Of each of these jobs, by job id."""
    found: dict[int, Made] = {}
    for begin in range(0, len(job_ids), CHUNK):
        query = sa.select(_API.c.job_id, _API.c.created_at, _API.c.modified_at, _API.c.creator)
        rows = connection.execute(query.where(_API.c.job_id.in_(job_ids[begin : begin + CHUNK])))
        found |= {row.job_id: Made(row.created_at, row.modified_at, row.creator) for row in rows}
    others = [job_id for job_id in job_ids if job_id not in found]
    return found | {job_id: Made(first, last) for job_id, (first, last) in times(connection, others).items()}


def times(connection: sa.Connection, job_ids: Sequence[int]) -> dict[int, tuple[datetime, datetime]]:
    """When the first and the newest version of each of these jobs came into force, by job id."""
    found: dict[int, tuple[datetime, datetime]] = {}
    first, last = sa.func.min(_VERSIONS.c.from_at), sa.func.max(_VERSIONS.c.from_at)
    for begin in range(0, len(job_ids), CHUNK):
        query = sa.select(_VERSIONS.c.job_id, first.label("first"), last.label("last"))
        query = query.where(_VERSIONS.c.job_id.in_(job_ids[begin : begin + CHUNK])).group_by(_VERSIONS.c.job_id)
        found |= {row.job_id: (row.first, row.last) for row in connection.execute(query)}
    return found
