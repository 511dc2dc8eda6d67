"""When a run is to be looked at again, and which of its reruns is due. Pure.

Source: docs/recurrence.md "Rerun subschedule", "Run window".
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from recurrence import rerun_times as times_after
from recurrence.closures import ALWAYS_OPEN, Closures
from recurrence.schedule import Occurrence, Schedule
from scheduler.lifecycle import State
from scheduler.model import RunRow


def rerun_times(
    run: RunRow, *, after: datetime | None = None, before: datetime | None = None
) -> Iterator[datetime]:
    """The rerun times of `run` strictly after `after`, in order; none at or after `before`, its next fire time."""
    cycle = run.cycle
    if cycle.rerun is None:
        return
    schedule = Schedule(
        rule=None, zone=run.zone, gap=cycle.gap, fold=cycle.fold, offset=cycle.offset, rerun=cycle.rerun
    )
    for instant in times_after(schedule, Occurrence(run.fire_time, run.civil), after=after):
        if before is not None and instant >= before:
            return
        yield instant


def next_rerun(
    run: RunRow,
    *,
    after: datetime | None = None,
    before: datetime | None = None,
    closures: Closures = ALWAYS_OPEN,
) -> datetime | None:
    """The first rerun time not yet used up (and strictly after `after`, where given); None if there is none.

    One inside a closure is dropped.
    """
    due = rerun_times(run, after=_floor(run, after), before=before)
    return next((instant for instant in due if closures.at(instant) is None), None)


def due_rerun(
    run: RunRow,
    now: datetime,
    *,
    after: datetime | None = None,
    before: datetime | None = None,
    closures: Closures = ALWAYS_OPEN,
) -> datetime | None:
    """The latest unused rerun time up to `now` whose window is still open; None if there is none.

    One inside a closure is dropped.
    """
    if run.cycle.rerun is None:
        return None
    recent = now - 3 * run.cycle.rerun.every  # the latest is sought; one of them may have been skipped in a gap
    latest = None
    for instant in rerun_times(run, after=max(_floor(run, after), recent), before=before):
        if instant > now:
            break
        if closures.at(instant) is None:
            latest = instant
    if latest is not None and run.cycle.window is not None and latest + run.cycle.window <= now:
        return None
    return latest


def _floor(run: RunRow, after: datetime | None) -> datetime:
    """Rerun times up to here are used up: by the first attempt, however late it started, or by a rerun."""
    return max(t for t in (run.fire_time, run.started_at, run.rerun_at, after) if t is not None)


def wake_at(run: RunRow) -> datetime | None:
    """When `run` must be looked at if nothing else happens: the first instant at which a rule of time applies."""
    match run.state:
        case State.PENDING:
            return run.opened_at
        case State.RUNNING:
            return None if run.stop_requested_at else _first(run.window_end, next_rerun(run))
        case State.RETRYING:
            return run.stop_requested_at or _first(run.retry_at, run.window_end, next_rerun(run))
        case State.INCOMPLETE:
            return next_rerun(run) or run.opened_at
        case _:
            return None


def _first(*instants: datetime | None) -> datetime | None:
    return min((instant for instant in instants if instant is not None), default=None)
