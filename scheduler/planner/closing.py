"""What a closure of its calendars does to a run that is active when it begins, or would start inside. Pure.

Source: docs/calendars.md. Only runs of occurrences obey calendars: what an operator asked for does not.
"""

from __future__ import annotations

from datetime import datetime

from config.calendars.words import why_closed
from config.definitions import JobDefinition, OnClosure
from recurrence.closures import ALWAYS_OPEN, Closure, Closures
from runners.api import StopReason
from scheduler.model import Kind, RunRow


def closures_of(job: JobDefinition | None, run: RunRow) -> Closures:
    """The closures that `run` obeys."""
    return ALWAYS_OPEN if job is None or run.kind is not Kind.FIRE else job.closures


def closed_to(job: JobDefinition, run: RunRow, now: datetime) -> Closure | None:
    """The closure in which `run` may not begin an attempt at `now`; None where it may."""
    if job.on_closure is OnClosure.FINISH:
        return None
    return closures_of(job, run).at(now)


def reached(job: JobDefinition, run: RunRow, now: datetime) -> Closure | None:
    """The closure that began while `run` was running and stops it now; None if none does.

    An attempt that an operator began inside of it goes on: he has seen to it that it may.
    """
    closure = closed_to(job, run, now)
    begun = run.rerun_at or run.started_at
    return closure if closure is not None and (begun is None or closure.start > begun) else None


def stop_of(closure: Closure) -> tuple[StopReason, str]:
    """What a running attempt is asked to stop for, and the reason."""
    return StopReason.CLOSURE, why_closed(closure)


def waiting_since(job: JobDefinition, run: RunRow, now: datetime) -> datetime:
    """From when the grace of the pending `run` counts: a closure that holds it up does not use it up."""
    since = run.fire_time
    if job.on_closure is not OnClosure.HOLD:
        return since
    closures = closures_of(job, run)
    while (closure := closures.following(since, now)) is not None:
        since = min(closure.end, now)
    return since


def held_until(job: JobDefinition | None, run: RunRow, now: datetime) -> datetime | None:
    """When a run that was stopped for a closure is taken up again; None where it is not held.

    `now` where nothing is closed any more: calendars are judged by the definition in force.
    """
    if job is None or job.on_closure is OnClosure.STOP:
        return None
    closure = closed_to(job, run, now)
    return now if closure is None else closure.end
