"""Jobs: create, update, read, search, delete."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from jobsd.http.ccs import documents
from jobsd.http.ccs.bodies import parsed
from jobsd.http.ccs.errors import Answer, Forbidden, Turned
from jobsd.http.ccs.reading import Reader
from jobsd.http.ccs.rights import Creating, Deleting, Reading
from jobsd.http.ccs.values import flag, guid, number
from jobsd.http.parameters import ServiceOf
from jobsd.http.service import Service
from runners.ccs.definition import ORIGIN, Anything, group_names, judge, request_of, source_of
from runners.ccs.wire import CreateJob, UpdateJob, created, message, parse_create_job, parse_update_job
from runners.ccs.wire.properties import JobProperties
from runners.ccs.wire.search import EVERY, Search, parse_search
from scheduler.control import Refused
from scheduler.ledger import Connection
from scheduler.ledger.api_jobs import ApiJob

PAGE_SIZE = 100
MOST_PAGE_SIZE = 1000

router = APIRouter(tags=["ccs"])


@router.post(
    "/jobs", openapi_extra=documents.CREATE, responses=documents.answers(documents.CREATED, 400, 401, 403)
)
async def create(request: Request, service: ServiceOf, caller: Creating) -> Response:
    """Make a job; it runs at once if its Schedule says RunNow, whose default is true."""
    configuration = service.configuration
    settings = configuration.settings
    zone, codec, names = settings.timezone, settings.weekday_codec, group_names(configuration)

    def parse(body: object) -> CreateJob:
        asked = parse_create_job(body, zone=zone, weekday_codec=codec, names=names)
        judge(asked, configuration)
        return asked

    asked = await parsed(request, parse)
    still_serving(service)
    source = source_of(asked, zone=zone, weekday_codec=codec, created_at=service.now())
    row = await service.act(service.control.create(ORIGIN, source, caller.actor))
    return Answer(created(row.guid))


@router.patch(
    "/jobs", openapi_extra=documents.UPDATE, responses=documents.answers(documents.CREATED, 400, 401, 403)
)
async def update(request: Request, service: ServiceOf, caller: Creating) -> Response:
    """Change a job that was made here: the fields that are given; Schedule and notifications whole."""
    configuration = service.configuration
    zone, codec = configuration.settings.timezone, configuration.settings.weekday_codec
    names = group_names(configuration)
    asked = await parsed(request, partial(parse_update_job, zone=zone, weekday_codec=codec, names=names))
    still_serving(service)
    changes: asyncio.Lock = request.app.state.changes
    async with changes:  # each is applied to what the one before has left
        reader = Reader.of(service)
        before = await service.read(lambda connection: reader.own(connection, asked.job_id))
        source = await asyncio.to_thread(_updated, _made_here(before), asked, service)
        act = service.control.change(asked.job_id, source, run_now=asked.runs_now, actor=caller.actor)
        row = await service.act(act)
    return Answer(created(row.guid))


def _updated(before: ApiJob, asked: UpdateJob, service: Service) -> dict[str, object]:
    """What the job is made from after the update. Raises WireFaults."""
    source = before.source
    old = request_of(source)
    zone, codec = source["zone"], source["weekday_codec"]
    details = asked.applied(old.details, zone=zone, weekday_codec=codec, names=Anything())
    request = CreateJob(old.job_type, details)
    if details.assets != old.details.assets:
        judge(request, service.configuration)
    return {**source, "request": request.wire()}


@router.get("/jobs", responses=documents.answers(documents.FOUND, 400, 401, 403, 404))
async def find(
    service: ServiceOf,
    _caller: Reading,
    *,
    attributes: Annotated[str | None, Query(alias="Attributes", description=documents.ATTRIBUTES)] = None,
    jobname: Annotated[str | None, Query(description="The whole name of one job, instead of a search.")] = None,
    page: Annotated[str | None, Query(description="From 1; 0 is the first too.")] = None,
    pagesize: Annotated[str | None, Query(description=f"{PAGE_SIZE}; 1 to {MOST_PAGE_SIZE}.")] = None,
) -> Response:
    """One job by its name, or the jobs of which all conditions hold, by name; without conditions all of them."""
    reader = Reader.of(service)
    if jobname is not None:
        return Answer((await service.read(lambda connection: reader.named(connection, jobname))).wire())
    search = EVERY if attributes is None else parse_search(attributes)
    size = number("pagesize", pagesize, 1, MOST_PAGE_SIZE, default=PAGE_SIZE)
    # The page leaves open where counting begins, and the vendor's clients ask other lists for page 0.
    begin = max(number("page", page, 0, 10**9, default=1) - 1, 0) * size
    found = await service.read(lambda connection: _page(connection, reader, search, begin, begin + size))
    return Answer([job.wire() for job in found])


def _page(connection: Connection, reader: Reader, search: Search, begin: int, end: int) -> list[JobProperties]:
    every = reader.every(connection, runs=search.needs_runs)
    return reader.whole(connection, [job for job in every if search.matches(job)][begin:end])


@router.get("/jobs/{job_id}", responses=documents.answers(documents.JOB, 400, 401, 403, 404))
async def show(
    service: ServiceOf, _caller: Reading, job_id: Annotated[str, Path(description="JobID.")]
) -> Response:
    """One job."""
    reader, key = Reader.of(service), guid("JobID", job_id)
    return Answer((await service.read(lambda connection: reader.job(connection, key))).wire())


@router.delete("/jobs", responses=documents.answers(documents.MESSAGE, 400, 401, 403))
async def delete(
    service: ServiceOf,
    caller: Deleting,
    *,
    jobid: Annotated[str | None, Query(description="JobID.")] = None,
    delete_job: Annotated[
        str | None,
        Query(alias="DeleteJob", description="True: the job too; False, the default: its history only."),
    ] = None,
) -> Response:
    """Delete a job that the caller has made, or only its history."""
    key, whole = guid("jobid", jobid), flag("DeleteJob", delete_job)
    reader = Reader.of(service)
    made = _made_here(await service.read(lambda connection: reader.own(connection, key)))
    if made.creator.casefold() != caller.user.name.casefold():
        raise Forbidden
    if whole:
        await service.act(service.control.remove(key, caller.actor))
        return Answer(message("The job and its history were deleted."))
    count = await service.act(service.control.delete_history(key, caller.actor))
    return Answer(message(f"The history of the job was deleted: {count} job runs."))


def still_serving(service: Service) -> None:
    """Raises Turned (503) while the daemon stops: what is asked for now would be refused."""
    if not service.dispatcher.firing:
        raise Turned(503, "jobsd is stopping: try again later")


def _made_here(job: ApiJob | None) -> ApiJob:
    if job is None:
        raise Refused(
            "this job stands in the configuration file of jobsd: it can only be changed or deleted there"
        )
    return job
