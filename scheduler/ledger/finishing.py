"""The end of an attempt: what is left is counted and the run moved, in one transaction."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa

from config.definitions import JobDefinition, Retry
from runners.api import Outcome, StopReason
from scheduler import cycle
from scheduler.ending import Circumstances, conclude, interrupted
from scheduler.ledger import assets, attempts, jobs
from scheduler.ledger.rows import storable
from scheduler.model import CLOCK_ACTOR, RunRow
from scheduler.planner.active import cycle_end
from scheduler.planner.closing import closures_of, held_until
from scheduler.traits import traits_of


def finish(
    connection: sa.Connection,
    token: str,
    outcome: Outcome,
    *,
    definition: Callable[[str], JobDefinition | None],
    stop: StopReason | None,
    at: datetime,
) -> RunRow:
    """End the attempt with this token as `outcome` says; `stop` is what it was asked to stop for, if it was.

    `definition` gives the one in force now by the job's present name, None if there is none any more.
    Raises Fenced, StaleMove.
    """
    run, _ = attempts.by_token(connection, token)
    facts = _circumstances(connection, run, definition(run.job), stop, at)
    ending = conclude(run, replace(outcome, reason=storable(outcome.reason)), facts, at)
    return attempts.end(connection, token, ending, at=at, actor=CLOCK_ACTOR)


def close_dead(connection: sa.Connection, token: str, *, job: JobDefinition | None, at: datetime) -> RunRow:
    """Close an attempt at which nobody works any more: to be continued, or lost where it may not be repeated.

    An operator's abort that its work did not live to answer is answered here, unless the work goes on elsewhere.
    """
    run, _ = attempts.by_token(connection, token)
    elsewhere = job is not None and traits_of(job.run).ended_elsewhere
    ending = interrupted(
        run,
        repeatable=repeatable(job, run),
        elsewhere=elsewhere,
        held_until=_held_until(run, job, at) if run.stop_reason == StopReason.CLOSURE else None,
        now=at,
    )
    return attempts.end(connection, token, ending, at=at, actor=CLOCK_ACTOR)


def repeatable(job: JobDefinition | None, run: RunRow) -> bool:
    """Whether an interrupted attempt may be made again without asking anybody."""
    if job is None:
        return run.has_assets
    return job.idempotent or traits_of(job.run).repeatable


def _circumstances(
    connection: sa.Connection, run: RunRow, job: JobDefinition | None, stop: StopReason | None, at: datetime
) -> Circumstances:
    counts = assets.tally(connection, run.run_no)
    asked = _stop(run, stop)
    total = sum(counts.values())
    return Circumstances(
        left=total - sum(counts[state] for state in assets.COVERED),
        total=total,
        retry=Retry() if job is None else job.retry,
        rerun_at=_next_rerun(connection, run, job),
        repeatable=repeatable(job, run),
        elsewhere=job is not None and traits_of(job.run).ended_elsewhere,
        stop=asked,
        stop_note=run.stop_note or "",
        held_until=_held_until(run, job, at) if asked is StopReason.CLOSURE else None,
    )


def _stop(run: RunRow, stop: StopReason | None) -> StopReason | None:
    """Why the stop was asked for: an abort on record counts first, a closure more than the daemon's own stop."""
    if run.stop_reason == StopReason.CANCEL:
        return StopReason.CANCEL
    if run.stop_reason == StopReason.CLOSURE and stop in (None, StopReason.SHUTDOWN):
        return StopReason.CLOSURE
    return stop


def _next_rerun(connection: sa.Connection, run: RunRow, job: JobDefinition | None) -> datetime | None:
    """The rerun that will come. Where recurrence or calendars raise, the run's own: the attempt must end."""
    end = None
    if job is not None:
        with contextlib.suppress(Exception):  # the planner tells it (trigger_failed)
            end = cycle_end(job, jobs.named(connection, job.name), run)
    with contextlib.suppress(Exception):  # likewise
        return cycle.next_rerun(run, before=end, closures=closures_of(job, run))
    return cycle.next_rerun(run, before=end)


def _held_until(run: RunRow, job: JobDefinition | None, at: datetime) -> datetime | None:
    """When a run that was stopped for a closure goes on; now, where its calendars raise."""
    try:
        return held_until(job, run, at)
    except Exception:  # noqa: BLE001 - likewise: it waits until its calendars can be asked
        return at
