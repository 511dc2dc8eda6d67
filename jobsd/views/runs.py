"""Runs, attempts, assets and events as JSON shapes. Pure: rows in, shapes out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from config.definitions import JobDefinition
from jobsd.views.deliveries import delivery_view
from jobsd.views.shapes import (
    AssetCounts,
    AssetView,
    AttemptView,
    EventView,
    ResultCounts,
    ResultView,
    RunDetail,
    RunView,
)
from runners.api import AssetRef, AssetState, CheckResult, Verdict
from scheduler import cycle
from scheduler.ledger.assets import AssetRow
from scheduler.ledger.deliveries import Delivery
from scheduler.ledger.queries import EventRow
from scheduler.lifecycle import FINAL, STATUS
from scheduler.model import AttemptRow, JobRow, RunRow
from scheduler.planner.active import cycle_end
from scheduler.planner.closing import closures_of

Tally = Mapping[AssetState, int]
"""How many assets are in each state; states without assets may be missing."""


def local_time(instant: datetime, zone: str) -> str:
    """`instant` as wall time in `zone`, ISO 8601 with the offset."""
    return instant.astimezone(ZoneInfo(zone)).isoformat()


def asset_counts(tally: Tally) -> AssetCounts:
    """The counts of a tally."""
    counts = {state.value: tally.get(state, 0) for state in AssetState}
    return AssetCounts(total=sum(counts.values()), **counts)


def result_counts(tally: Mapping[Verdict, int]) -> ResultCounts:
    """The counts of check results."""
    counts = {verdict.value: tally.get(verdict, 0) for verdict in Verdict if verdict is not Verdict.PASS}
    return ResultCounts(passed=tally.get(Verdict.PASS, 0), **counts)


def run_view(run: RunRow, tally: Tally) -> RunView:
    """A run; `tally` counts its assets."""
    return RunView(
        run_id=run.run_id,
        run_no=run.run_no,
        job=run.job,
        kind=run.kind.value,
        fire_time=run.fire_time,
        local=local_time(run.fire_time, run.zone),
        timezone=run.zone,
        state=run.state.value,
        status=STATUS[run.state].value,
        reason=run.reason,
        attempts=run.attempts,
        window_end=run.window_end,
        started_at=run.started_at,
        ended_at=run.ended_at,
        assets=asset_counts(tally),
        occurrences=run.occurrences,
        last_fire_time=run.last_fire_time,
        parent_run=run.parent_run,
        moved_from=run.moved_from,
        stop_requested_at=run.stop_requested_at,
        stop_reason=run.stop_reason,
    )


def run_detail(
    run: RunRow,
    tally: Tally,
    attempts: Iterable[AttemptRow],
    events: Iterable[EventRow],
    deliveries: Iterable[Delivery],
    *,
    next_rerun_at: datetime | None,
    memory: Mapping[str, str],
) -> RunDetail:
    """A run with its attempts, its journal and its deliveries."""
    return RunDetail(
        **run_view(run, tally).model_dump(),
        attempt_list=[attempt_view(attempt) for attempt in attempts],
        events=[event_view(event) for event in events],
        deliveries=[delivery_view(delivery) for delivery in deliveries],
        next_rerun_at=next_rerun_at,
        memory=dict(memory),
    )


def next_rerun_at(run: RunRow, job: JobRow, definition: JobDefinition | None, now: datetime) -> datetime | None:
    """When what `run` leaves would be rerun next; None if it has ended, or its cycle ends before that."""
    if run.state in FINAL or definition is None:
        return None
    closures = closures_of(definition, run)
    return cycle.next_rerun(run, after=now, before=cycle_end(definition, job, run), closures=closures)


def attempt_view(attempt: AttemptRow) -> AttemptView:
    """An attempt."""
    return AttemptView(
        number=attempt.number,
        cause=attempt.cause.value,
        started_at=attempt.started_at,
        ended_at=attempt.ended_at,
        ended=attempt.ended,
        reason=attempt.reason,
        exit_code=attempt.exit_code,
    )


def asset_views(rows: Iterable[AssetRow], results: Iterable[tuple[AssetRef, CheckResult]]) -> list[AssetView]:
    """The assets of a run, each with its results."""
    found: dict[AssetRef, list[ResultView]] = {}
    for asset, result in results:
        found.setdefault(asset, []).append(
            ResultView(
                standard=result.standard, check=result.check, result=result.result.value, message=result.message
            )
        )
    return [
        AssetView(
            asset_id=row.asset.id,
            asset_type=row.asset.type,
            state=row.state.value,
            reason=row.reason,
            attempt=row.attempt,
            starts=row.starts,
            started_at=row.started_at,
            ended_at=row.ended_at,
            results=found.get(row.asset, []),
        )
        for row in rows
    ]


def event_view(event: EventRow) -> EventView:
    """A line of the journal."""
    return EventView(
        event_id=event.event_id,
        at=event.at,
        name=event.name,
        job=event.job,
        run_id=event.run_id,
        attempt=event.attempt,
        from_state=event.from_state,
        to_state=event.to_state,
        reason=event.reason,
        actor=event.actor.name,
        by=event.actor.by.value,
        origin=event.actor.origin,
    )
