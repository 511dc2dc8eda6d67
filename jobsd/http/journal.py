"""`/v1/journal`: what happened and who did it, as far back as the ledger knows."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from jobsd import views
from jobsd.http.errors import RESPONSES
from jobsd.http.parameters import Limit, ServiceOf
from jobsd.views.shapes import EventView
from scheduler.ledger import Connection, jobs, queries

router = APIRouter(prefix="/v1/journal", tags=["journal"], responses=RESPONSES)


@router.get("")
async def list_journal(
    service: ServiceOf,
    *,
    job: Annotated[str | None, Query(description="Only of this job, by name or GUID.")] = None,
    acts: Annotated[bool, Query(description="Only what somebody did, not what the clock did.")] = False,
    before: Annotated[
        int | None, Query(ge=1, le=2**62, description="Only ids below this one: the next page.")
    ] = None,
    limit: Limit = 100,
) -> list[EventView]:
    """The journal, newest first. A deletion takes the events of its runs, never those of jobs."""

    def operation(connection: Connection) -> list[EventView]:
        job_id = None if job is None else jobs.find(connection, job).job_id
        rows = queries.journal(connection, job_id=job_id, acts=acts, before=before, limit=limit)
        return [views.event_view(row) for row in rows]

    return await service.read(operation)
