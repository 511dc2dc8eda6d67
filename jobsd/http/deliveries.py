"""`/v1/deliveries`: the outbox, and sending again."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query

from jobsd import views
from jobsd.http.errors import RESPONSES
from jobsd.http.parameters import CallerOf, Limit, ServiceOf
from jobsd.views.shapes import DeliveryDetail, DeliveryView
from scheduler.ledger import Connection, deliveries, jobs, queries
from scheduler.ledger.deliveries import DeliveryFilter, Fate

DeliveryKey = Annotated[
    str, Path(description="The delivery's GUID, the beginning of one GUID only, or its number.")
]

router = APIRouter(prefix="/v1/deliveries", tags=["deliveries"], responses=RESPONSES)


@router.get("")
async def list_deliveries(
    service: ServiceOf,
    *,
    job: Annotated[str | None, Query(description="Only of this job.")] = None,
    run: Annotated[str | None, Query(description="Only of this run.")] = None,
    state: Annotated[list[Fate] | None, Query(description="Only in this state; repeat it for more.")] = None,
    before: Annotated[str | None, Query(description="Only those older than this one: the next page.")] = None,
    limit: Limit = 100,
) -> list[DeliveryView]:
    """Deliveries, newest first."""

    def operation(connection: Connection) -> list[DeliveryView]:
        which = DeliveryFilter(
            job_id=None if job is None else jobs.find(connection, job).job_id,
            run_no=None if run is None else queries.find_run(connection, run).run_no,
            states=frozenset(state or ()),
        )
        last = None if before is None else deliveries.find(connection, before)
        rows = deliveries.list_deliveries(connection, which, limit=limit, before=last)
        return [views.delivery_view(row) for row in rows]

    return await service.read(operation)


@router.get("/{key}")
async def show_delivery(service: ServiceOf, key: DeliveryKey) -> DeliveryDetail:
    """One delivery with what it says."""
    return await service.read(lambda c: views.delivery_detail(deliveries.find(c, key)))


@router.post("/{key}/resend")
async def resend(service: ServiceOf, caller: CallerOf, key: DeliveryKey) -> DeliveryView:
    """Send a refused delivery again, or a pending one now. 409 if it was delivered or is void."""
    at, actor = service.now(), caller.actor
    sent = await service.act(service.ledger.write(lambda c: deliveries.resend(c, key, at=at, actor=actor)))
    return views.delivery_view(sent)
