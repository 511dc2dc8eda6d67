"""Spans of closed time as calendars yield them, before they are put together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from config.inventory import DateSpan, WeekSpan
from recurrence.schedule import Fold, Gap
from recurrence.walltime import instants, offset_of, transition

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Closed from `start` (aware UTC, inclusive) to `end` (exclusive); `title` is empty where it has none."""

    start: datetime
    end: datetime
    title: str = ""


class Source(Protocol):
    """One part of a calendar."""

    @property
    def digest(self) -> str:
        """Text in which two parts differ that close different times."""

    def spans(self, zone: ZoneInfo, first: date, last: date) -> Iterable[Span]:
        """Every span that reaches into the civil days from `first` to `last`, in no order; others may be among."""


def span_of(zone: ZoneInfo, begin: datetime, end: datetime, title: str = "", *, fold: Fold = Fold.FIRST) -> Span:
    """The span between two wall times (naive, `end` exclusive). `fold` is which of two the end means.

    Where clocks leave `begin` out it is when they change; `end` is read with the offset before that.
    """
    wall = begin.replace(tzinfo=UTC, fold=0)
    start = instants(zone, wall, Gap.SHIFT, Fold.FIRST)[0]
    if not instants(zone, wall, Gap.SKIP, Fold.FIRST):
        start = transition(zone, wall - offset_of(zone, wall.replace(fold=1)), start)
    return Span(start, instants(zone, end.replace(tzinfo=UTC, fold=0), Gap.SHIFT, fold)[0], title)


def days_of(zone: ZoneInfo, first: date, last: date, title: str = "") -> Span:
    """The span of whole civil days, both inclusive."""
    return span_of(zone, datetime.combine(first, time()), datetime.combine(last + DAY, time()), title)


@dataclass(frozen=True, slots=True)
class Dates:
    """`dates:`."""

    days: tuple[DateSpan, ...]

    @property
    def digest(self) -> str:
        """The days."""
        return ",".join(f"{one.first}/{one.last}" for one in self.days)

    def spans(self, zone: ZoneInfo, first: date, last: date) -> Iterator[Span]:
        """Those that touch the days asked for."""
        return (days_of(zone, one.first, one.last) for one in self.days if one.first <= last and first <= one.last)


@dataclass(frozen=True, slots=True)
class Weekly:
    """`weekly:`."""

    weeks: tuple[WeekSpan, ...]

    @property
    def digest(self) -> str:
        """Weekdays and times."""
        return ",".join(f"{sorted(one.on)} {one.begin}-{one.end}" for one in self.weeks)

    def spans(self, zone: ZoneInfo, first: date, last: date) -> Iterator[Span]:
        """Each of the days asked for, and the day before, which may go into the next."""
        for number in range(-1, (last - first).days + 1):
            day = first + number * DAY
            for one in self.weeks:
                if day.weekday() in one.on:
                    yield self._span(zone, one, day)

    def _span(self, zone: ZoneInfo, one: WeekSpan, day: date) -> Span:
        begin = datetime.combine(day, one.begin)
        if one.end is None:
            return span_of(zone, begin, datetime.combine(day + DAY, time()))
        end = datetime.combine(day if one.end > one.begin else day + DAY, one.end)
        return span_of(zone, begin, end, fold=Fold.LAST)
