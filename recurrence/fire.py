"""Fire times and occurrences of a schedule, by arithmetic and without state."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from recurrence.plans import clamp, plan_of
from recurrence.schedule import Occurrence
from recurrence.ticking import TickPlan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from recurrence.schedule import Schedule

_SECOND = timedelta(seconds=1)


def next_fire_time(schedule: Schedule, after: datetime) -> datetime | None:
    """The first fire time strictly after `after` (aware), in UTC; None when it never fires again.

    Raises:
        ValueError: `after` is naive, or the schedule has no start and needs one.
    """
    found = _next(schedule, _utc(after, "after"))
    return None if found is None else found[0] + schedule.offset


def next_occurrence(schedule: Schedule, *, after: datetime) -> Occurrence | None:
    """The first occurrence whose fire time is strictly after `after`; None when it never fires again.

    Raises:
        ValueError: as `next_fire_time`.
    """
    found = _next(schedule, _utc(after, "after"))
    return None if found is None else _occurrence(schedule, *found)


def fire_times(schedule: Schedule, after: datetime, until: datetime) -> Iterator[datetime]:
    """The fire times t with `after` < t <= `until` (both aware), in UTC, strictly increasing.

    Raises:
        ValueError: as `next_fire_time`; at the call, not at the first step.
    """
    pairs, last = _walk(schedule, after, until)
    return _fire_times(pairs, last, schedule.offset)


def occurrences(schedule: Schedule, *, after: datetime, until: datetime) -> Iterator[Occurrence]:
    """The occurrences with `after` < fire time <= `until` (both aware), strictly increasing.

    Raises:
        ValueError: as `next_fire_time`; at the call, not at the first step.
    """
    pairs, last = _walk(schedule, after, until)
    return (_occurrence(schedule, fire, mark) for fire, mark in _until(pairs, last))


def latest_occurrence(schedule: Schedule, *, after: datetime, until: datetime) -> Occurrence | None:
    """The last occurrence with `after` < fire time <= `until` (both aware), or None.

    Found by halving the span, so that a second's interval over a year costs some 25 questions.

    Raises:
        ValueError: as `next_fire_time`.
    """
    low, high = _utc(after, "after"), _utc(until, "until")
    best = _next(schedule, low, high)
    if best is None:
        return None
    # Fire times are whole seconds: none lies between the second of `best` and the next one.
    low, high = best[0] + schedule.offset, high.replace(microsecond=0)
    while low < high:
        middle = low + timedelta(seconds=int((high - low).total_seconds()) // 2)
        found = _next(schedule, middle, high)
        if found is None:
            high = middle
        else:
            best, low = found, found[0] + schedule.offset
    return _occurrence(schedule, *best)


def count_occurrences(schedule: Schedule, *, after: datetime, until: datetime) -> int:
    """How many occurrences have `after` < fire time <= `until` (both aware); an interval is not walked.

    Raises:
        ValueError: as `next_fire_time`.
    """
    plan = plan_of(schedule)
    if isinstance(plan, TickPlan):
        low, high = clamp(_utc(after, "after")), _utc(until, "until")
        counted = 0 if low is None or high <= low else plan.count(low - schedule.offset, high - schedule.offset)
        if counted is not None:
            return counted
    return sum(1 for _ in fire_times(schedule, after, until))


def _utc(instant: datetime, name: str) -> datetime:
    """`instant` in UTC.

    Raises:
        ValueError: it is naive.
    """
    if instant.tzinfo is UTC:
        return instant
    if instant.utcoffset() is None:
        raise ValueError(f"{name} must be an instant with an offset, not {instant.isoformat()}")
    return instant.astimezone(UTC)


def _next(schedule: Schedule, after: datetime, until: datetime | None = None) -> tuple[datetime, datetime] | None:
    """The first base instant and mark after `after`, if its fire time is not after `until`."""
    plan = plan_of(schedule)
    since = clamp(after)
    if since is None:
        return None
    found = next(plan.walk(since - schedule.offset), None)
    if found is None or (until is not None and found[0] + schedule.offset > until):
        return None
    return found


def _walk(
    schedule: Schedule, after: datetime, until: datetime
) -> tuple[Iterator[tuple[datetime, datetime]], datetime]:
    """The base instants after `after`, and the last base instant that counts."""
    low, high = _utc(after, "after"), _utc(until, "until")
    plan = plan_of(schedule)
    since = clamp(low)
    pairs = iter(()) if since is None else plan.walk(since - schedule.offset)
    return pairs, max(high, low) - schedule.offset


def _until(pairs: Iterator[tuple[datetime, datetime]], last: datetime) -> Iterator[tuple[datetime, datetime]]:
    for pair in pairs:
        if pair[0] > last:
            return
        yield pair


def _fire_times(
    pairs: Iterator[tuple[datetime, datetime]], last: datetime, offset: timedelta
) -> Iterator[datetime]:
    for fire, _ in pairs:
        if fire > last:
            return
        yield fire + offset if offset else fire


def _occurrence(schedule: Schedule, fire: datetime, mark: datetime) -> Occurrence:
    return Occurrence(fire_time=fire + schedule.offset, civil=plan_of(schedule).civil(mark))
