"""The versions of jobs' definitions: when they came into force."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from scheduler.ledger import schema
from scheduler.ledger.queries import CHUNK

_VERSIONS = schema.job_versions


def times(connection: sa.Connection, job_ids: Sequence[int]) -> dict[int, tuple[datetime, datetime]]:
    """When the first and the newest version of each of these jobs came into force, by job id."""
    found: dict[int, tuple[datetime, datetime]] = {}
    first, last = sa.func.min(_VERSIONS.c.from_at), sa.func.max(_VERSIONS.c.from_at)
    for begin in range(0, len(job_ids), CHUNK):
        query = sa.select(_VERSIONS.c.job_id, first.label("first"), last.label("last"))
        query = query.where(_VERSIONS.c.job_id.in_(job_ids[begin : begin + CHUNK])).group_by(_VERSIONS.c.job_id)
        found |= {row.job_id: (row.first, row.last) for row in connection.execute(query)}
    return found
