"""Why an occurrence is excluded, in words: the reason on its row, and what `jobsd next` and the page say of it."""

from __future__ import annotations

from datetime import datetime

from config.faults import quoted
from config.jobs import JobDefinition
from config.schedule_block import OnClosure
from recurrence.closures import Closure
from recurrence.moving import MOST_DAYS
from recurrence.timetable import Judged

_AT_WORK = {
    OnClosure.FINISH: "finishes",
    OnClosure.HOLD: "is held until it is over",
    OnClosure.STOP: "is stopped",
}

MOVED = "; moved to "
"""Stands before the instant in the reason of an occurrence that was moved."""

MOVED_EACH = "; each moved to its next open day"
"""Ends the reason of a row that stands for many of them."""

NOT_MOVED = "not run: what was due at "
"""Begins the reason of a row to which an occurrence would have been moved, had its calendar been so in time."""


def sentence(schedule: str, job: JobDefinition) -> str:
    """A schedule in words (one sentence), and what the calendars of its job do to it."""
    if not job.exclude:
        return schedule
    names = " and ".join(map(quoted, job.exclude))
    what = "moved to the next open day" if job.on_exclude == "next-day" else "skipped"
    said = f"{schedule.removesuffix('.')}, {what} inside the calendar{'s' * (len(job.exclude) > 1)} {names}"
    return f"{said}, where a run that is at work {_AT_WORK[job.on_closure]}."


def why_excluded(one: Judged, *, moves: bool) -> str:
    """Why an excluded occurrence does not run at its fire time, and what became of it where they are moved."""
    assert one.closure is not None  # noqa: S101 - it is excluded
    why = why_closed(one.closure)
    if not moves:
        return why
    if one.moved_to is None:
        return f"{why}; not moved: no day within {MOST_DAYS} days is open at that time"
    return f"{why}{MOVED}{zulu(one.moved_to)}"


def why_not_moved(source: datetime) -> str:
    """Why nothing runs where the occurrence of `source` would have been moved."""
    return f"{NOT_MOVED}{zulu(source)} was not moved when it came due"


def why_closed(closure: Closure) -> str:
    """`calendar "freeze": Christmas Day, closed until 2026-12-27T00:00:00Z`."""
    title = f"{closure.title}, " if closure.title else ""
    return f"calendar {quoted(closure.calendar)}: {title}closed until {zulu(closure.end)}"


def zulu(instant: datetime) -> str:
    """An instant in UTC, in whole seconds."""
    return instant.isoformat(timespec="seconds").replace("+00:00", "Z")
