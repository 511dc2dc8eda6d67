"""Where excluded occurrences are moved: the same wall time on the next day on which that is open."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from recurrence.fire import occurrences
from recurrence.plans import clamp
from recurrence.rules import Fold
from recurrence.schedule import Occurrence
from recurrence.walltime import DAY, instants, offset_at
from recurrence.zones import load_zone

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import time
    from zoneinfo import ZoneInfo

    from recurrence.closures import Closures
    from recurrence.schedule import Schedule

MOST_DAYS = 366
"""An occurrence is moved by so many days at the most."""

FARTHEST = (MOST_DAYS + 2) * DAY
"""In elapsed time, with room for what clocks may be moved."""

# A wall time comes again a day later, two where a day is left out of the calendar: after three empty days on end
# none can have been closed all the way.
_PATIENCE = 3


class Targets:
    """Finds where occurrences are moved; ask in order of time, for what is known of a day is used again."""

    def __init__(self, schedule: Schedule, closures: Closures) -> None:
        self._schedule = schedule
        self._closures = closures
        self._zone = load_zone(schedule.zone)
        self._fold = Fold.FIRST if schedule.fold is Fold.BOTH else schedule.fold
        self._closed: dict[time, tuple[date, date]] = {}

    def of(self, source: Occurrence) -> Occurrence | None:
        """Where the excluded `source` is moved; None if no day is open for it within `MOST_DAYS`."""
        clock, day = source.civil.time(), source.civil.date()
        first, last = self._closed.get(clock, (day, day))
        days = (last - day).days + 1 if first <= day <= last else 1
        try:
            while days <= MOST_DAYS:
                civil = source.civil + days * DAY
                found, skipped = self._looked(civil, source.fire_time)
                if found is not None:
                    self._closed[clock] = day, (civil - DAY).date()
                    return Occurrence(found, civil)
                days += skipped
        except OverflowError:  # the end of the year 9999
            return None
        self._closed[clock] = day, day + MOST_DAYS * DAY
        return None

    def _looked(self, civil: datetime, after: datetime) -> tuple[datetime | None, int]:
        """The fire time of `civil` if it is open, and else how many days on to look again."""
        wall = civil.replace(tzinfo=UTC, fold=0)
        found = instants(self._zone, wall, self._schedule.gap, self._fold)
        if not found:
            return None, 1
        instant = found[0] + self._schedule.offset
        closure = self._closures.at(instant)
        if closure is not None:
            return None, max(1, (closure.end - instant - DAY) // DAY)
        return (instant if instant > after else None), 1


def sources(schedule: Schedule, closures: Closures, after: datetime, until: datetime) -> Iterator[Occurrence]:
    """The occurrences up to `after` that may be moved into (after, until]; some come twice, nearly in order.

    What is moved there was closed at its wall time on each day between: the search ends where nothing was closed.
    """
    low = clamp(after.astimezone(UTC))
    if low is None:
        return
    if until - low >= DAY:
        yield from occurrences(schedule, after=_closed_since(closures, low), until=low)
        return
    for begin, end in reversed(list(_slices(load_zone(schedule.zone), closures, low, until))):
        yield from occurrences(schedule, after=begin, until=min(end, low))


def _touches(closures: Closures, after: datetime, until: datetime) -> bool:
    """Whether anything is closed in [after, until]."""
    return closures.at(after) is not None or closures.following(after, until) is not None


def _closed_since(closures: Closures, instant: datetime) -> datetime:
    """An instant before which nothing is moved beyond `instant`."""
    begin, empty = instant, 0
    while empty < _PATIENCE and instant - begin < FARTHEST:
        closure = closures.at(begin)
        if closure is not None:
            begin, empty = max(min(closure.start, begin - DAY), instant - FARTHEST), 0
        else:
            begin -= DAY
            empty = 0 if _touches(closures, begin, begin + DAY) else empty + 1
    return begin


def _slices(
    zone: ZoneInfo, closures: Closures, after: datetime, until: datetime
) -> Iterator[tuple[datetime, datetime]]:
    """The times of day of (after, until], shorter than a day, on each day before while they are closed."""
    there, empty = _offsets(zone, after, until), 0
    for days in range(1, MOST_DAYS + 1):
        low, high = after - days * DAY, until - days * DAY
        here = _offsets(zone, low, high)
        low, high = low + min(there) - max(here), high + max(there) - min(here)
        if _touches(closures, low, high):
            empty = 0
            yield low, high
        else:
            empty += 1
            if empty == _PATIENCE:
                return


def _offsets(zone: ZoneInfo, after: datetime, until: datetime) -> list[timedelta]:
    """The offsets by which wall times around that span of up to a day may be read: they change once at most."""
    return [offset_at(zone, after - DAY), offset_at(zone, until + DAY)]
