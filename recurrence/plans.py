"""A schedule made ready for asking: the same answers for every kind, without state between questions.

A plan yields base instants, which are fire times before the schedule's offset (its share of `spread`), each with a
mark from which the civil time is told when somebody asks for it.
"""

from __future__ import annotations

from datetime import MAXYEAR, UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

from recurrence.cron import CronTimes
from recurrence.rules import Cron, Daily, Hourly, Interval, MonthlyDay, MonthlyOrdinal, Once, Weekly
from recurrence.series import DailySeries, MonthlySeries, OnceSeries, WeeklySeries
from recurrence.ticking import IntervalTicks, ProbedTicks, TickPlan, hourly_after
from recurrence.walltime import DAY, LOOK_AHEAD, QUIET, instants, offset_of
from recurrence.zones import load_zone

if TYPE_CHECKING:
    from collections.abc import Iterator
    from zoneinfo import ZoneInfo

    from recurrence.schedule import Schedule
    from recurrence.series import Series

# A Sunday, so that the week of an unanchored schedule begins inside the calendar.
_FIRST_ANCHOR = datetime(1, 1, 7, tzinfo=UTC)
# A year inside the calendar's ends, so that no offset, spread or step back leads out of it.
_EARLIEST = datetime(2, 1, 1, tzinfo=UTC)
_LATEST = datetime(MAXYEAR, 12, 20, tzinfo=UTC)


class Plan(Protocol):
    """Answers for one schedule."""

    def walk(self, after: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Base instants strictly after `after`, strictly increasing, each with its mark.

        `after` lies between the years 1 and 9999, not at their very ends.
        """

    def civil(self, mark: datetime) -> datetime:
        """The civil time (naive, in the schedule's zone) of a mark."""


class NeverPlan:
    """A schedule that never fires by itself."""

    def walk(self, after: datetime) -> Iterator[tuple[datetime, datetime]]:  # noqa: ARG002 - part of Plan
        """Nothing."""
        return iter(())

    def civil(self, mark: datetime) -> datetime:
        """The mark itself; nobody has one."""
        return mark


class CalendarPlan:
    """Wall times of a series, read in a zone under the schedule's DST policies. The mark is the wall time."""

    __slots__ = ("_fold", "_gap", "_series", "_until", "_zone")

    def __init__(self, schedule: Schedule, zone: ZoneInfo, series: Series) -> None:
        self._zone = zone
        self._series = series
        self._gap = schedule.gap
        self._fold = schedule.fold
        self._until = schedule.until.replace(tzinfo=UTC) if schedule.until else datetime.max.replace(tzinfo=UTC)

    def walk(self, after: datetime) -> Iterator[tuple[datetime, datetime]]:
        """As `Plan.walk`; of several occurrences on one instant, the first."""
        zone, until, last = self._zone, self._until, after
        # The offset of any wall time that fires near `after` differs from the one read here by 24 hours at most.
        offset = offset_of(zone, after)
        quiet_end = _EARLIEST
        try:
            for wall in self._series.starting(after + offset - DAY):
                if wall > until:
                    return
                if wall >= quiet_end:
                    offset = offset_of(zone, wall)
                    if offset != offset_of(zone, wall + LOOK_AHEAD):
                        for fire in instants(zone, wall, self._gap, self._fold):
                            if fire > last:
                                last = fire
                                yield fire, wall
                        continue
                    quiet_end = wall + QUIET
                fire = wall - offset
                if fire > last:
                    last = fire
                    yield fire, wall
        except OverflowError:  # the end of the year 9999
            return

    def civil(self, mark: datetime) -> datetime:
        """The wall time of a mark."""
        return mark.replace(tzinfo=None)


def _series(schedule: Schedule) -> Series:
    anchor = schedule.anchor
    if anchor is None:
        wall = datetime.combine(_FIRST_ANCHOR, schedule.at) if schedule.at else _FIRST_ANCHOR
        anchor = wall
    anchor = anchor.replace(tzinfo=UTC, fold=0)
    match schedule.rule:
        case Daily(every):
            return DailySeries(anchor, every)
        case Weekly(every, on) as rule:
            if len(on) > 1:
                return WeeklySeries(anchor, rule)
            (day,) = on
            # Weeks begin on Sunday: the day of the anchor's own week, or N weeks on if that is past.
            wait = (day + 1) % 7 - (anchor.weekday() + 1) % 7
            return DailySeries(anchor + timedelta(days=wait if wait >= 0 else wait + 7 * every), 7 * every)
        case MonthlyDay() | MonthlyOrdinal() as rule:
            return MonthlySeries(anchor, rule, schedule.short_month)
        case _:
            return OnceSeries(anchor)


@lru_cache(maxsize=4096)
def plan_of(schedule: Schedule) -> Plan:
    """The plan of `schedule`.

    Raises:
        ValueError: the schedule has no start and its rule needs one.
    """
    if schedule.start is None and schedule.needs_anchor:
        raise ValueError("the schedule has no start: anchor it first (Schedule.anchored)")
    zone = load_zone(schedule.zone)
    try:
        return _plan(schedule, zone)
    except OverflowError:  # its first occurrence lies beyond the year 9999
        return NeverPlan()


def _plan(schedule: Schedule, zone: ZoneInfo) -> Plan:
    match schedule.rule:
        case None:
            return NeverPlan()
        case Interval(every):
            return TickPlan(schedule, zone, IntervalTicks(schedule, zone, every))
        case Hourly(minute):
            return TickPlan(schedule, zone, ProbedTicks(lambda after: hourly_after(zone, minute, after)))
        case Cron(text):
            return TickPlan(schedule, zone, ProbedTicks(CronTimes(zone, text).after))
        case Daily() | Weekly() | MonthlyDay() | MonthlyOrdinal() | Once():
            return CalendarPlan(schedule, zone, _series(schedule))


def clamp(instant: datetime) -> datetime | None:
    """`instant` moved inside what plans can walk; None where nothing is looked for any more (end of 9999)."""
    if _EARLIEST <= instant < _LATEST:
        return instant
    return None if instant >= _LATEST else _EARLIEST
