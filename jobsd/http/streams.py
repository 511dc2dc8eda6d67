"""The streams: `/v1/events` as they happen, and the log of a run as it grows."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header, Query
from fastapi.responses import StreamingResponse

from jobsd import views
from jobsd.http.errors import RESPONSES
from jobsd.http.hub import Hub
from jobsd.http.output import LogReader
from jobsd.http.parameters import CallerOf, HubOf, RunKey, ServiceOf
from jobsd.http.service import Service
from scheduler.ledger import NotFound, jobs, queries

ALIVE_S = 15.0
"""Seconds between two signs of life of a quiet event stream."""

GATHER_S = 0.05
"""Seconds in which events gather before they are read: a busy ledger commits more often than anybody reads."""

PAGE = 200
"""Events read at once."""

router = APIRouter(prefix="/v1", tags=["streams"], responses=RESPONSES)


@router.get(
    "/events",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
)
async def events(
    service: ServiceOf,
    hub: HubOf,
    *,
    job: Annotated[str | None, Query(description="Only events of this job.")] = None,
    last_event_id: Annotated[int | None, Header(ge=0, le=2**62, description="Go on after this event.")] = None,
) -> StreamingResponse:
    """The journal as it is written, as server-sent events; `data` is an event in JSON, `id` its event_id."""
    hub.check_room()
    name = None if job is None else (await service.read(lambda c: jobs.find(c, job))).name
    after = last_event_id if last_event_id is not None else await service.read(queries.last_event_id)
    return StreamingResponse(_events(service, hub, name, after), media_type="text/event-stream")


async def _events(service: Service, hub: Hub, job: str | None, after: int) -> AsyncIterator[str]:
    with hub.listening() as news:
        yield ": connected\n\n"
        while not hub.closed():
            news.forget()
            rows = await service.read(lambda c, after=after: queries.events_after(c, after, limit=PAGE))  # type: ignore[misc]
            for row in rows:
                after = row.event_id
                if job is None or row.job == job:
                    data = json.dumps(views.event_view(row).model_dump(mode="json"))
                    yield f"id: {row.event_id}\nevent: {row.name}\ndata: {data}\n\n"
            if len(rows) < PAGE and not await news.wait(ALIVE_S):
                yield ": alive\n\n"
            await asyncio.sleep(GATHER_S)


@router.get(
    "/runs/{key}/log",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
async def log(
    service: ServiceOf,
    caller: CallerOf,
    hub: HubOf,
    key: RunKey,
    *,
    attempt: Annotated[int | None, Query(ge=1, description="Only this attempt; default: all of them.")] = None,
    follow: Annotated[bool, Query(description="Go on until the run (or that attempt) has ended.")] = False,
) -> StreamingResponse:
    """What the run's work printed, attempt after attempt. Needs a token on every listener."""
    caller.need_token("output")
    if follow:
        hub.check_room()
    run = await service.read(lambda c: queries.find_run(c, key))
    if attempt is not None and attempt > run.attempts:
        raise NotFound(f"run {run.run_id} has no attempt {attempt}: it made {run.attempts}")
    reader = LogReader(service, hub, run.run_no, only=attempt, follow=follow)
    return StreamingResponse(reader.chunks(), media_type="text/plain; charset=utf-8")
