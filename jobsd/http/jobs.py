"""`/v1/jobs` and what is coming: /v1/next, /v1/explain."""

from __future__ import annotations

import contextlib
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from jobsd import views
from jobsd.http.errors import RESPONSES
from jobsd.http.parameters import CallerOf, Instant, JobName, ServiceOf
from jobsd.http.reading import Reader
from jobsd.http.service import Service
from jobsd.views.shapes import Coverage, Explanation, JobView, NextView, ResumedView, RunView
from scheduler.ledger import Connection, jobs

MOST_NEXT = 1000
"""Fire times of one job in one answer."""

router = APIRouter(prefix="/v1", tags=["jobs"], responses=RESPONSES)

Count = Annotated[int | None, Query(ge=1, le=MOST_NEXT, description="Most fire times of each job.")]


class PauseBody(BaseModel):
    """A pause: open, or until an instant (exclusive)."""

    model_config = ConfigDict(extra="forbid")

    until: AwareDatetime | None = None
    note: str | None = Field(default=None, max_length=1000)


class ResumeBody(BaseModel):
    """How a pause is ended."""

    model_config = ConfigDict(extra="forbid", strict=True)

    catch_up: bool = Field(default=False, description="Whether one run is opened for all that was passed over.")


@router.get("/jobs")
async def list_jobs(
    service: ServiceOf,
    *,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 10_000,
    after: Annotated[str, Query(description="Only jobs whose names come after this one.")] = "",
    removed: Annotated[bool, Query(description="Also jobs that are no longer defined.")] = False,
) -> list[JobView]:
    """Jobs, by name."""
    reader = Reader.of(service)
    return await service.read(lambda c: reader.jobs(c, after=after, limit=limit, removed=removed))


@router.get("/jobs/{name:path}/coverage")
async def show_coverage(service: ServiceOf, name: JobName) -> Coverage:
    """How far the job's assets are covered, asset by asset."""
    reader = Reader.of(service)
    return await service.read(lambda c: reader.coverage(c, name))


@router.get("/jobs/{name:path}/next")
async def show_next(
    service: ServiceOf, name: JobName, after: Instant | None = None, until: Instant | None = None, n: Count = None
) -> list[NextView]:
    """The job's coming fire times; none while it is disabled."""
    facts = await _facts(service, name)
    return _coming([facts], service.now() if after is None else after, until, n)


@router.get("/next")
async def list_next(
    service: ServiceOf,
    after: Instant | None = None,
    until: Instant | None = None,
    n: Count = None,
    job: Annotated[list[str] | None, Query(description="Only these jobs; repeat it.")] = None,
) -> list[NextView]:
    """Coming fire times of all jobs, or of some: `n` of each (10; all up to `until` where that is given)."""
    names = list(service.dispatcher.definitions) if job is None else list(dict.fromkeys(job))
    facts = [await _facts(service, name) for name in names] if job is not None else _defined(service)
    return _coming(facts, service.now() if after is None else after, until, n)


@router.get("/explain/{name:path}")
async def explain_job(service: ServiceOf, name: JobName) -> Explanation:
    """The job's schedule in one sentence."""
    return views.explanation(await _facts(service, name))


@router.post("/jobs/{name:path}/trigger")
async def trigger(service: ServiceOf, caller: CallerOf, name: JobName) -> RunView:
    """Open and start a run now. 409 while a run of the job is active, unless it says `overlap: allow`."""
    row = await service.read(lambda c: jobs.find(c, name))
    run = await service.act(service.control.trigger(row.name, caller.actor))
    reader = Reader.of(service)
    return (await service.read(lambda c: reader.runs(c, [run])))[0]


@router.post("/jobs/{name:path}/pause")
async def pause(service: ServiceOf, caller: CallerOf, name: JobName, body: PauseBody | None = None) -> JobView:
    """Pause: each occurrence becomes skipped; running attempts finish."""
    said = body or PauseBody()
    row = await service.read(lambda c: jobs.find(c, name))
    await service.act(service.control.pause(row.name, until=said.until, note=said.note, actor=caller.actor))
    return await show_job(service, name)


@router.post("/jobs/{name:path}/resume")
async def resume(
    service: ServiceOf, caller: CallerOf, name: JobName, body: ResumeBody | None = None
) -> ResumedView:
    """End the pause; nothing is replayed unless asked for. 409 if the job is not paused.

    With `catch_up` one run takes the place of all that was passed over; 409 while a run of the job is active.
    """
    said = body or ResumeBody()
    row = await service.read(lambda c: jobs.find(c, name))
    resumed = await service.act(service.control.resume(row.name, caller.actor, catch_up=said.catch_up))
    reader = Reader.of(service)
    asked = [] if resumed.run is None else [resumed.run]
    caught_up_by = next(iter(await service.read(lambda c: reader.runs(c, asked))), None)
    return ResumedView(**dict(await show_job(service, name)), caught_up_by=caught_up_by)


@router.get("/jobs/{name:path}")  # behind the others: a job of an API may have a slash in its name
async def show_job(service: ServiceOf, name: JobName) -> JobView:
    """One job, also one that is no longer defined."""
    reader = Reader.of(service)
    return await service.read(lambda c: reader.job(c, name))


async def _facts(service: Service, name: str) -> views.JobFacts:
    reader = Reader.of(service)

    def operation(connection: Connection) -> views.JobFacts:
        return reader.facts(connection, jobs.find(connection, name))

    return await service.read(operation)


def _defined(service: Service) -> list[views.JobFacts]:
    zone = service.configuration.settings.timezone
    return [views.JobFacts.of(job, zone=zone) for job in service.dispatcher.definitions.values()]


def _coming(facts: list[views.JobFacts], after: datetime, until: datetime | None, n: int | None) -> list[NextView]:
    limit = n or (10 if until is None else MOST_NEXT)
    found: list[NextView] = []
    for job in facts:
        # one broken schedule must not take the others down; the scheduling loop logs it as `trigger_failed`
        with contextlib.suppress(Exception):
            found += views.next_views(
                job.name, job.timetable, after=after, until=until, limit=limit if job.enabled else 0
            )
    return sorted(found, key=lambda entry: (entry.fire_time, entry.job))
