"""Rules that speak of instants: elapsed intervals, every hour at a local minute, cron text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import repeat
from typing import TYPE_CHECKING, Protocol

from recurrence.rules import Fold, Gap
from recurrence.walltime import instants, offset_at, progression, transition

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from zoneinfo import ZoneInfo

    from recurrence.schedule import Schedule

_SECOND = timedelta(seconds=1)
_HOUR = timedelta(hours=1)
_FOREVER = datetime.max.replace(tzinfo=UTC)


class Ticks(Protocol):
    """The instants of a rule, without `start` and `until`."""

    def since(self, after: datetime) -> Iterator[datetime]:
        """The instants strictly after `after`, strictly increasing."""


class IntervalTicks:
    """Every N seconds of elapsed time from the anchor."""

    __slots__ = ("_every", "_first")

    def __init__(self, schedule: Schedule, zone: ZoneInfo, every: timedelta) -> None:
        self._first = _start_of(schedule, zone)
        self._every = every

    def since(self, after: datetime) -> Iterator[datetime]:
        """The instants strictly after `after`."""
        return progression(self._first + self.index(after) * self._every, repeat(self._every))

    def index(self, after: datetime) -> int:
        """How many of the instants are at or before `after`."""
        return max((after - self._first) // self._every + 1, 0)


class ProbedTicks:
    """Instants found one by one by a function that says the first after an instant, or None."""

    __slots__ = ("_next_after",)

    def __init__(self, next_after: Callable[[datetime], datetime | None]) -> None:
        self._next_after = next_after

    def since(self, after: datetime) -> Iterator[datetime]:
        """The instants strictly after `after`."""
        found = self._next_after(after)
        while found is not None:
            yield found
            found = self._next_after(found)


class TickPlan:
    """Instants of a rule from the schedule's start to its `until`. The mark is the instant itself."""

    __slots__ = ("_spans", "_ticks", "_zone")

    def __init__(self, schedule: Schedule, zone: ZoneInfo, ticks: Ticks) -> None:
        self._zone = zone
        self._ticks = ticks
        start = _start_of(schedule, zone) if schedule.start is not None else datetime.min.replace(tzinfo=UTC)
        self._spans = [(max(first, start), end) for first, end in _spans(schedule, zone) if end > start]

    def walk(self, after: datetime) -> Iterator[tuple[datetime, datetime]]:
        """As `Plan.walk`."""
        try:
            for first, end in self._spans:
                if after >= end:
                    continue
                for fire in self._ticks.since(max(after, first - _SECOND) if first > after else after):
                    if fire >= end:
                        break
                    yield fire, fire
        except OverflowError:  # the end of the year 9999
            return

    def civil(self, mark: datetime) -> datetime:
        """The wall time at a mark, without its fold."""
        return mark.astimezone(self._zone).replace(tzinfo=None, fold=0)

    def count(self, after: datetime, until: datetime) -> int | None:
        """How many instants lie in (after, until], where arithmetic tells; else None."""
        if not isinstance(self._ticks, IntervalTicks):
            return None
        total = 0
        for first, end in self._spans:
            low = max(after, first - _SECOND) if first > after else after
            high = min(until, end - _SECOND)
            total += max(self._ticks.index(high) - self._ticks.index(low), 0)
        return total


def _start_of(schedule: Schedule, zone: ZoneInfo) -> datetime:
    """The instant of the anchor: in a gap shifted, in a fold the first."""
    anchor = schedule.anchor
    if anchor is None:
        raise ValueError("the schedule has no start: anchor it first (Schedule.anchored)")
    return instants(zone, anchor.replace(tzinfo=UTC, fold=0), Gap.SHIFT, Fold.FIRST)[0]


def _spans(schedule: Schedule, zone: ZoneInfo) -> list[tuple[datetime, datetime]]:
    """The instants whose wall time is not after `until`, as spans from (inclusive) to (exclusive).

    They are two when clocks go back over `until`: what lies before it passes twice.
    """
    begin = datetime.min.replace(tzinfo=UTC)
    if schedule.until is None:
        return [(begin, _FOREVER)]
    until = schedule.until.replace(tzinfo=UTC, microsecond=0, fold=0)
    both = instants(zone, until, Gap.SHIFT, Fold.BOTH)
    if len(both) == 2:
        first, last = both
        return [(begin, first + _SECOND), (transition(zone, first, last), last + _SECOND)]
    (end,) = both
    if end.astimezone(zone).replace(tzinfo=UTC, fold=0) > until:  # in a gap: up to where it begins
        return [(begin, transition(zone, end - timedelta(days=1), end))]
    return [(begin, end + _SECOND)]


def hourly_after(zone: ZoneInfo, minute: int, after: datetime) -> datetime:
    """The first instant strictly after `after` whose wall time in `zone` is on minute `minute` of an hour."""
    since = after.replace(microsecond=0)
    offset = offset_at(zone, since)
    while True:
        wall = since + offset
        behind = timedelta(minutes=wall.minute - minute, seconds=wall.second)
        found = since - behind if behind < timedelta(0) else since - behind + _HOUR
        if offset_at(zone, found) == offset:
            return found
        # The offset changes before that: begin again from the change, with the new offset.
        change = transition(zone, since, found)
        since, offset = change - _SECOND, offset_at(zone, change)
