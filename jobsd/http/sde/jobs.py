"""Jobs: lists of them, single ones, and the one address at which they are initiated and results posted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.responses import Response

from jobsd.http.sde import projects, uploads
from jobsd.http.sde.errors import Answer, Turned, refused_field
from jobsd.http.sde.rights import may_post
from jobsd.http.sde.routes import Address, Call
from jobsd.http.sde.shown import Viewer, shown
from runners.sde.wire import (
    FILE_SEGMENT,
    NOT_FOUND,
    InitiateJob,
    JobFilter,
    Kind,
    Paging,
    PostResult,
    named_id,
    parse_expand,
    parse_job_filter,
    parse_job_request,
    parse_paging,
    unpaged,
)
from scheduler.ledger import Connection, NotFound, sde_connections, sde_jobs
from scheduler.ledger.sde_connections import ConnectionRow
from scheduler.ledger.sde_jobs import SERVICE_USER, Wanted
from scheduler.model import RunRow

REMOTE = "This connection is inaccessible: its jobs are run by a remote agent, which posts their results."


def viewer(call: Call) -> Viewer:
    """Who looks at jobs with this call."""
    configuration = call.service.configuration
    seal = call.state.vault.of(configuration)
    return Viewer(configuration, seal, call.caller.user, parse_expand(call.query), call.service.started_at)


async def listing(call: Call) -> Response:
    """The jobs that the query asks for, newest first; without a kind those of all kinds."""
    project = _project(call)
    wanted = _wanted(parse_job_filter(call.query), call.kind, project)
    paging, looking, url = parse_paging(call.query), viewer(call), call.url

    def read(connection: Connection) -> Response:  # a list may be long: it becomes JSON beside the event loop too
        return Answer(_listed(connection, looking, wanted, paging, url))

    return await call.service.read(read)


def _listed(
    connection: Connection, looking: Viewer, wanted: Wanted, paging: Paging | None, url: str
) -> dict[str, Any]:
    attachment = wanted.kind is not None
    if paging is None:
        return unpaged(shown(connection, looking, sde_jobs.page(connection, wanted), attachment=attachment))
    window = paging.window(sde_jobs.count(connection, wanted))
    found = sde_jobs.page(connection, wanted, limit=window.limit, offset=window.offset)
    return window.envelope(shown(connection, looking, found, attachment=attachment), url)


def _wanted(given: JobFilter, kind: Kind | None, project: int | None) -> Wanted:
    return Wanted(
        kind=kind,
        project=project,
        connection=given.connection,
        automatic=given.automatic,
        ready=given.ready,
        succeeded=given.succeeded,
        user=given.user,
    )


async def single(call: Call) -> Response:
    """One job."""
    key, project, kind, looking = call.id, _project(call), call.of_kind, viewer(call)

    def read(connection: Connection) -> dict[str, Any]:
        return shown(connection, looking, [sde_jobs.get(connection, key, kind=kind, project=project)])[0]

    return Answer(await call.service.read(read))


async def _created(call: Call, run_no: int, *, user: bool = True, opened: bool = False) -> Response:
    """A job as the answer to its creation; `opened`: as it was then, whatever it has come to since."""
    looking = viewer(call)

    def read(connection: Connection) -> dict[str, Any]:
        job = sde_jobs.get(connection, run_no)
        return shown(connection, looking, [job.at_first() if opened else job])[0]

    found = await call.service.read(read)
    return Answer({name: value for name, value in found.items() if user or name != "user"}, status_code=201)


async def post(call: Call) -> Response:
    """Initiate a job (`ready` false), or keep the result of one that ran elsewhere."""
    project = _project(call)
    body = await call.data()
    row = await _connection(call, named_id(body, "connection"), project)
    asked = parse_job_request(body, exists=lambda key: row is not None and row.connection_id == key)
    assert row is not None  # noqa: S101 - the request names it
    if isinstance(asked, InitiateJob):
        return await _initiated(call, row, asked)
    return await _recorded(call, row, asked)


async def _initiated(call: Call, row: ConnectionRow, asked: InitiateJob) -> Response:
    if row.inaccessible:
        raise refused_field("connection", REMOTE)
    call.still_serving()
    also = _keeping(automatic=asked.automatic, user=SERVICE_USER, triggered_by=call.caller.email)
    run = await call.service.act(call.service.control.queue(row.guid, call.caller.actor, also=also))
    return await _created(call, run.run_no, user=call.kind is Kind.LDAP, opened=True)


async def _recorded(call: Call, row: ConnectionRow, asked: PostResult) -> Response:
    email = call.caller.email
    also = _keeping(automatic=asked.automatic, user=email, triggered_by=email)
    control, actor = call.service.control, call.caller.actor
    run = await call.service.act(
        control.record(row.guid, actor, succeeded=asked.succeeded, reason=asked.result_message, also=also)
    )
    return await _created(call, run.run_no)


def _keeping(*, automatic: bool, user: str, triggered_by: str) -> Callable[[Connection, RunRow], None]:
    def also(connection: Connection, run: RunRow) -> None:
        sde_jobs.add(connection, run.run_no, automatic=automatic, user=user, triggered_by=triggered_by)

    return also


async def _connection(call: Call, key: int | None, project: int | None) -> ConnectionRow | None:
    """The connection of this kind, and of this project, with this id."""
    if key is None:
        return None
    kind = call.of_kind

    def read(connection: Connection) -> ConnectionRow | None:
        try:
            row = sde_connections.get(connection, key, kind)
        except NotFound:
            return None
        return row if project in {None, row.project} else None

    return await call.service.read(read)


def _project(call: Call) -> int | None:
    """The project in the address; None where it has none. Raises Turned (404) where there is none such."""
    if not call.project:
        return None
    if not projects.exists(call.service.configuration, call.project_id):
        raise Turned(NOT_FOUND)
    return call.project_id


def _may_post(call: Call) -> bool:
    return may_post(call.caller.user, call.kind)


async def import_file(call: Call) -> Response:
    """Take a report file in, and queue its import."""
    return await _created(call, await uploads.import_file(call), opened=True)


def _may_import(call: Call) -> bool:
    return may_post(call.caller.user, uploads.KIND)


_OLDER = frozenset({Kind.ALM, Kind.ANALYSIS})

ADDRESSES = (
    Address("jobs", "Job List", {"GET": listing}),
    Address(f"jobs/{FILE_SEGMENT}", "File Import", {"POST": import_file}, right=_may_import),
    Address("jobs/{kind}", "Job List", {"GET": listing, "POST": post}, right=_may_post),
    Address("jobs/{kind}/{key}", "Job Instance", {"GET": single}, right=_may_post),
    Address("projects/{project}/jobs/{kind}", "Job List", {"GET": listing, "POST": post}, _OLDER, _may_post),
    Address("projects/{project}/jobs/{kind}/{key}", "Job Instance", {"GET": single}, _OLDER, _may_post),
)
