"""`/v1/runs`: lists, one run, its attempts, assets, events and results, and the acts on it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse

from jobsd import views
from jobsd.http.errors import RESPONSES
from jobsd.http.parameters import CallerOf, Instant, Limit, RunKey, ServiceOf
from jobsd.http.reading import Reader
from jobsd.http.results import Results
from jobsd.views.results import RunResults
from jobsd.views.shapes import AssetView, AttemptView, EventView, RunDetail, RunView
from runners.api import Verdict
from scheduler.ledger import Connection, attempts, queries
from scheduler.ledger.results import ResultFilter
from scheduler.lifecycle import State

router = APIRouter(prefix="/v1/runs", tags=["runs"], responses=RESPONSES)


@router.get("")
async def list_runs(
    service: ServiceOf,
    *,
    job: str | None = None,
    state: Annotated[list[State] | None, Query(description="Only runs in this state; repeat it for more.")] = None,
    since: Annotated[Instant | None, Query(description="Only fire times at or after this.")] = None,
    before: Annotated[str | None, Query(description="Only runs older than this one: the next page.")] = None,
    limit: Limit = 100,
) -> list[RunView]:
    """Runs, newest fire time first."""
    reader = Reader.of(service)
    return await service.read(
        lambda c: reader.list_runs(c, job=job, states=state or (), since=since, before=before, limit=limit)
    )


@router.get("/{key}")
async def show_run(service: ServiceOf, key: RunKey) -> RunDetail:
    """One run with its attempts and its journal."""
    reader = Reader.of(service)
    return await service.read(lambda c: reader.run(c, key))


@router.get("/{key}/attempts")
async def list_attempts(service: ServiceOf, key: RunKey) -> list[AttemptView]:
    """The run's attempts, first to last."""

    def operation(connection: Connection) -> list[AttemptView]:
        run = queries.find_run(connection, key)
        return [views.attempt_view(attempt) for attempt in attempts.of_run(connection, run.run_no)]

    return await service.read(operation)


@router.get("/{key}/assets")
async def list_assets(service: ServiceOf, key: RunKey) -> list[AssetView]:
    """The run's assets with the results of their checks."""
    reader = Reader.of(service)
    return await service.read(lambda c: reader.assets(c, key))


@router.get("/{key}/events")
async def list_events(service: ServiceOf, key: RunKey) -> list[EventView]:
    """The run's journal, oldest first."""

    def operation(connection: Connection) -> list[EventView]:
        run = queries.find_run(connection, key)
        return [views.event_view(event) for event in queries.events_of_run(connection, run.run_no)]

    return await service.read(operation)


def _which(
    standard: Annotated[
        list[str] | None, Query(description="Only this standard's results; repeat it for more.")
    ] = None,
    asset: Annotated[list[str] | None, Query(description="Only this asset's results; repeat it for more.")] = None,
    result: Annotated[
        list[Verdict] | None, Query(description="Only results that say this; repeat it for more.")
    ] = None,
) -> ResultFilter:
    """Which results are wanted; assets that have none at all are in every answer."""
    return ResultFilter(
        standards=frozenset(standard or ()), assets=frozenset(asset or ()), verdicts=frozenset(result or ())
    )


Which = Annotated[ResultFilter, Depends(_which)]


@router.get("/{key}/results", response_class=StreamingResponse, responses={200: {"model": RunResults}})
async def read_results(service: ServiceOf, key: RunKey, which: Which) -> StreamingResponse:
    """The results of the run's checks with their sums; an asset without results has an entry of its own."""
    run = await service.read(lambda c: queries.find_run(c, key))
    return StreamingResponse(Results(service, run, which).json(), media_type="application/json")


@router.get(
    "/{key}/results.csv",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
)
async def results(
    service: ServiceOf,
    key: RunKey,
    which: Which,
    *,
    mark: Annotated[
        bool, Query(description="Whether it begins with a byte order mark, as spreadsheets want.")
    ] = False,
) -> StreamingResponse:
    """The results of the run's checks, one line each; an asset without results has one line of its own."""
    run = await service.read(lambda c: queries.find_run(c, key))
    name = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in run.job)
    disposition = f'attachment; filename="{name}-{run.run_id[:8]}.csv"'
    return StreamingResponse(
        Results(service, run, which).csv(mark=mark),
        media_type="text/csv",
        headers={"Content-Disposition": disposition},
    )


@router.post("/{key}/abort")
async def abort(service: ServiceOf, caller: CallerOf, key: RunKey) -> RunView:
    """Cancel the run: a waiting one at once, a running one as soon as its work has ended. 409 if it has ended."""
    run = await service.read(lambda c: queries.find_run(c, key))
    after = await service.act(service.control.abort(run.run_id, caller.actor))
    reader = Reader.of(service)
    return (await service.read(lambda c: reader.runs(c, [after])))[0]


@router.post("/{key}/rerun")
async def rerun(service: ServiceOf, caller: CallerOf, key: RunKey) -> RunView:
    """Attempt now what is left: of an incomplete run itself, of a final one in a new run, which is the answer."""
    run = await service.read(lambda c: queries.find_run(c, key))
    after = await service.act(service.control.rerun(run.run_id, caller.actor))
    reader = Reader.of(service)
    return (await service.read(lambda c: reader.runs(c, [after])))[0]
