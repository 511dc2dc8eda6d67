"""Cron text: cronsim finds the wall times, its DST rule is applied here to every instant alike.

cronsim's rule (Debian cron's): text whose minute and hour fields both begin with something other than `*` is meant
for a time of day. In a gap it fires where the gap ends, in a fold the first time. Any other text follows the clock
on the wall: not in a gap, both times in a fold. cronsim applies it while it walks, so that its answer depends on
where the walk began; asked for wall times only, and resolved here, an answer depends on nothing but `after`.
"""

from __future__ import annotations

from copy import copy
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cronsim import CronSim

from recurrence.rules import Fold, Gap
from recurrence.walltime import instants, offset_at, offset_of, transition

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

_SECOND = timedelta(seconds=1)
# As cronsim itself: text without a match for so long is taken to have none.
_PATIENCE_YEARS = 50


class CronTimes:
    """The fire times of one cron text in one zone."""

    __slots__ = ("_at_time_of_day", "_parsed", "_zone")

    def __init__(self, zone: ZoneInfo, text: str) -> None:
        self._zone = zone
        self._parsed = CronSim(text, datetime(2000, 1, 1, tzinfo=UTC))
        minute, hour, *_ = text.split()
        self._at_time_of_day = not minute.startswith("*") and not hour.startswith("*")

    def after(self, after: datetime) -> datetime | None:
        """The first fire time strictly after `after`; None when there is none in 50 years."""
        zone = self._zone
        since = after.replace(microsecond=0)
        offset = offset_at(zone, since)
        wall = since + offset
        if not self._at_time_of_day:
            again = instants(zone, wall, Gap.SHIFT, Fold.BOTH)
            if since < again[-1]:  # the first pass of a fold: what is left of it, then the second pass
                back = transition(zone, since, again[-1])
                found = self._wall_after(wall)
                if found is not None and found < back + offset:
                    return found - offset
                wall = back + offset_at(zone, back) - _SECOND
        return self._first_real(wall, since)

    def _first_real(self, wall: datetime, after: datetime) -> datetime | None:
        """The first instant after `after` that comes of a match after `wall`."""
        patience = wall.year + _PATIENCE_YEARS
        while True:
            found = self._wall_after(wall)
            if found is None or found.year > patience:
                return None
            for fire in self._instants(found):
                if fire > after:
                    return fire
            wall = found

    def _instants(self, wall: datetime) -> tuple[datetime, ...]:
        if not self._at_time_of_day:
            return instants(self._zone, wall, Gap.SKIP, Fold.BOTH)
        fires = instants(self._zone, wall, Gap.SKIP, Fold.FIRST)
        if fires:
            return fires
        before, after = offset_of(self._zone, wall), offset_of(self._zone, wall.replace(fold=1))
        return (transition(self._zone, wall - after, wall - before),)

    def _wall_after(self, wall: datetime) -> datetime | None:
        walk = copy(self._parsed)
        walk.dt = wall
        try:
            return next(walk, None)
        except OverflowError:  # the end of the year 9999
            return None
