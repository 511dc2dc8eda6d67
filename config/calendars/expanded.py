"""Calendars put together: the closures of jobs that exclude them, told a year at a time, as they are asked for."""

from __future__ import annotations

import contextlib
import hashlib
import json
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from config.calendars.spans import Source, Span
from recurrence.closures import Closure, Closures

LONGEST = 10
"""Years after which a closure is taken to end, though the calendars say nothing of the kind."""

_FIRST, _LAST = 2, 9997
_INSTANT = timedelta(microseconds=1)
_MARGIN = timedelta(days=2)
_AHEAD = timedelta(days=366)


@dataclass(frozen=True)
class NamedCalendar:
    """A calendar with its sources; `spans` of a zone and year are kept, for all jobs that exclude it."""

    name: str
    sources: tuple[Source, ...]
    _known: dict[tuple[str, int], tuple[Span, ...]] = field(default_factory=dict, repr=False, compare=False)

    def spans(self, zone: ZoneInfo, year: int) -> tuple[Span, ...]:
        """Every span that reaches into the year (of UTC), in order."""
        found = self._known.get((zone.key, year))
        if found is None:
            low, high = _begin(year), _begin(year + 1)
            first, last = (low - _MARGIN).date(), (high + _MARGIN).date()
            every = {span for source in self.sources for span in source.spans(zone, first, last)}
            found = tuple(
                sorted(span for span in every if span.start < span.end and span.start < high and span.end > low)
            )
            self._known[(zone.key, year)] = found
        return found


@dataclass(frozen=True, slots=True)
class _Year:
    """The closures that reach into a year, and their starts."""

    closures: tuple[Closure, ...]
    starts: tuple[datetime, ...]


class _Named(NamedTuple):
    """A span, and the calendar that it is of."""

    start: datetime
    calendar: str
    title: str
    end: datetime


class Expanded:
    """`recurrence.closures.Closures` of one or more calendars in one zone."""

    def __init__(self, zone: str, calendars: Sequence[NamedCalendar]) -> None:
        self._zone = ZoneInfo(zone)
        self._calendars = tuple(calendars)
        self._years: dict[int, _Year] = {}
        says = [[one.name, [[type(part).__name__, part.digest] for part in one.sources]] for one in calendars]
        self.digest = hashlib.sha256(json.dumps([zone, says]).encode()).hexdigest()

    def at(self, instant: datetime) -> Closure | None:
        """The closure that contains `instant`, or None."""
        year = self._year(instant.astimezone(UTC).year)
        index = bisect_right(year.starts, instant) - 1
        if index < 0:
            return None
        found = year.closures[index]
        return found if instant < found.end else None

    def following(self, after: datetime, until: datetime) -> Closure | None:
        """The first closure whose start lies in (after, until], or None."""
        for number in range(max(after.astimezone(UTC).year, _FIRST), until.astimezone(UTC).year + 1):
            year = self._year(number)
            index = bisect_right(year.starts, after)
            if index < len(year.starts):
                return year.closures[index] if year.starts[index] <= until else None
        return None

    def tell(self, after: datetime, until: datetime) -> None:
        """Have told what is closed in the years of these instants, aware: to ask for it takes no time then."""
        for number in range(after.astimezone(UTC).year, until.astimezone(UTC).year + 1):
            self._year(number)

    def idle(self, after: datetime, until: datetime) -> Iterator[str]:
        """The names of those of its calendars that close nothing between these instants, aware."""
        years = range(max(after.astimezone(UTC).year, _FIRST), min(until.astimezone(UTC).year, _LAST) + 1)
        for one in self._calendars:
            spans = (span for year in years for span in one.spans(self._zone, year))
            if not any(span.start < until and after < span.end for span in spans):
                yield one.name

    def _year(self, number: int) -> _Year:
        found = self._years.get(number)
        if found is None:
            closures = tuple(self._told(number)) if _FIRST <= number <= _LAST else ()
            found = self._years[number] = _Year(closures, tuple(one.start for one in closures))
        return found

    def _told(self, year: int) -> Iterator[Closure]:
        """The year's closures in order; what begins before it or ends after it is told whole."""
        low, high = _begin(year), _begin(year + 1)
        for start, calendar, title, end in _merged(self._spans(year)):
            begin, name, named = start, calendar, title
            if begin <= low:
                begin, name, named = self._earliest(begin, name, named)
            yield Closure(name, named, begin, end if end < high else self._latest(year, end))

    def _spans(self, year: int) -> list[_Named]:
        """The spans of all calendars by their start; of those at one instant the first-named calendar's first."""
        if not _FIRST <= year <= _LAST:
            return []
        found = [
            (span.start, order, span.end, one.name, span.title)
            for order, one in enumerate(self._calendars)
            for span in one.spans(self._zone, year)
        ]
        return [_Named(start, name, title, end) for start, _, end, name, title in sorted(found)]

    def _earliest(self, start: datetime, name: str, title: str) -> tuple[datetime, str, str]:
        """Where a closure that reaches `start` from the year before begins, and what closes there."""
        oldest = start.year - LONGEST
        year = (start - _INSTANT).year
        while year > oldest:
            # By their ends, backwards: each that reaches the start found so far moves it back.
            for one in sorted(self._spans(year), key=lambda span: span.end, reverse=True):
                if one.end < start:
                    break
                if one.start < start:
                    start, name, title = one.start, one.calendar, one.title
            if start > _begin(year):
                break
            year = (start - _INSTANT).year
        return start, name, title

    def _latest(self, told: int, end: datetime) -> datetime:
        """Where a closure of the year `told` ends that reaches `end`, in the year after it or later."""
        while end.year <= told + LONGEST:
            year = end.year
            for one in self._spans(year):
                if one.start > end:
                    break
                end = max(end, one.end)
            if end.year == year:
                break
        return end


def foretell(every: Iterable[Closures], now: datetime) -> None:
    """Have told what these close until a year from `now`, aware: of a large iCalendar file that takes seconds."""
    for one in {id(closures): closures for closures in every}.values():
        if isinstance(one, Expanded):
            with contextlib.suppress(Exception):  # whatever one raises concerns its own jobs, when it is asked
                one.tell(now, now + _AHEAD)


def _merged(spans: list[_Named]) -> Iterator[_Named]:
    """Spans in order of their start, those that overlap or touch as one with the name of the first."""
    whole: _Named | None = None
    for span in spans:
        if whole is None or span.start > whole.end:
            if whole is not None:
                yield whole
            whole = span
        elif span.end > whole.end:
            whole = whole._replace(end=span.end)
    if whole is not None:
        yield whole


def _begin(year: int) -> datetime:
    return datetime(year, 1, 1, tzinfo=UTC)
