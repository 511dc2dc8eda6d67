"""Job runs: execute, abort, and the latest ones, which clients poll."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from jobsd.http.ccs import documents
from jobsd.http.ccs.bodies import parsed
from jobsd.http.ccs.errors import Answer
from jobsd.http.ccs.jobs import still_serving
from jobsd.http.ccs.reading import Reader
from jobsd.http.ccs.rights import Operating, Reading
from jobsd.http.ccs.values import flag, guid, number
from jobsd.http.parameters import ServiceOf
from runners.ccs.wire import Operation, parse_operation
from scheduler.ledger import Connection, NotFound, jobs, runs
from scheduler.model import RunRow

router = APIRouter(tags=["ccs"])


@router.post(
    "/jobs/{job_id}",
    openapi_extra=documents.OPERATION,
    responses={
        **documents.answers(documents.STATUS, 400, 401, 403),
        204: {"description": "Aborted, or about to be: the work is being ended."},
    },
)
async def operate(
    request: Request,
    service: ServiceOf,
    caller: Operating,
    job_id: Annotated[str, Path(description="JobID to execute, JobRunID to abort.")],
) -> Response:
    """Execute a job now, or abort a job run."""
    operation = await parsed(request, parse_operation, form=True)
    reader = Reader.of(service)
    if operation is Operation.ABORT:
        run_id = guid("JobRunID", job_id)
        await service.read(lambda connection: _job_run(connection, reader, run_id))
        await service.act(service.control.abort(run_id, caller.actor))
        return Response(status_code=204)
    still_serving(service)
    key = guid("JobID", job_id)
    row = await service.read(lambda connection: reader.row(connection, key))
    run = await service.act(service.control.trigger(row.name, caller.actor))
    (status,) = await service.read(lambda connection: reader.statuses(connection, row, [run], messages=False))
    return Answer(status.wire())


@router.get("/jobs/{job_id}/jobruns", responses=documents.answers(documents.STATUSES, 400, 401, 403, 404))
async def latest(
    service: ServiceOf,
    _caller: Reading,
    *,
    job_id: Annotated[str, Path(description="JobID.")],
    count: Annotated[str | None, Query(description="1; 0 for all.")] = None,
    showmessages: Annotated[str | None, Query(description="True lists the assets of each job run.")] = None,
) -> Response:
    """The latest job runs, newest first."""
    key, most = guid("JobID", job_id), number("count", count, 0, 10**9, default=1)
    messages, reader = flag("showmessages", showmessages), Reader.of(service)
    found = await service.read(lambda connection: reader.runs(connection, key, count=most, messages=messages))
    return Answer([status.wire() for status in found])


def _job_run(connection: Connection, reader: Reader, run_id: str) -> RunRow:
    """The run with this GUID, of a job that is shown. Raises NotFound."""
    run = runs.by_guid(connection, run_id)
    if not reader.shows(jobs.named(connection, run.job)):
        raise NotFound(f"there is no job run {run_id}")
    return run
