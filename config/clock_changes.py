"""On which dates of the coming year a change of the clocks touches a schedule."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from recurrence import fire_times
from recurrence.schedule import Cron, Fold, Gap, Hourly, Interval, Schedule

_YEAR = timedelta(days=366)
_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Change:
    """A change of a zone's clocks: naive wall times just before and after, at one instant."""

    instant: datetime
    before: datetime
    after: datetime


def clock_change_warnings(schedule: Schedule, *, now: datetime) -> Iterator[str]:
    """One line for each wall time of `schedule` (anchored) in a gap or a fold within a year of `now`."""
    if isinstance(schedule.rule, Interval | Hourly | None) or _follows_the_wall(schedule):
        return
    for change in changes(ZoneInfo(schedule.zone), now.astimezone(UTC)):
        low, high = sorted((change.before, change.after))
        # In UTC no wall time is moved: what fires there are the recurrence's own civil times.
        civil = replace(schedule, zone="UTC", offset=timedelta(0))
        walls = fire_times(civil, low.replace(tzinfo=UTC) - _SECOND, high.replace(tzinfo=UTC) - _SECOND)
        for wall in walls:
            yield _sentence(schedule, change, wall.replace(tzinfo=None))


def _follows_the_wall(schedule: Schedule) -> bool:
    """Whether cron text is meant for every so many minutes or hours rather than for a time of day."""
    return isinstance(schedule.rule, Cron) and any(part.startswith("*") for part in schedule.rule.text.split()[:2])


def _sentence(schedule: Schedule, change: Change, wall: datetime) -> str:
    clocks = f"the clock of {schedule.zone} goes from {change.before:%H:%M} to {change.after:%H:%M}"
    day = f"on {wall:%Y-%m-%d} {clocks}:"
    cron = isinstance(schedule.rule, Cron)
    if change.before < change.after:
        if schedule.gap is Gap.SKIP:
            return f"{day} {wall:%H:%M} does not exist, so it does not fire (dst.gap: skip)"
        moved = change.after if cron else wall + (change.after - change.before)
        rule = "cron" if cron else "dst.gap: shift"
        return f"{day} {wall:%H:%M} does not exist, so it fires at {moved:%H:%M} ({rule})"
    zone = ZoneInfo(schedule.zone)
    first, last = (f"{wall.replace(tzinfo=zone, fold=fold):%H:%M %z}" for fold in (0, 1))
    fires = {Fold.FIRST: f"at {first}", Fold.LAST: f"at {last}", Fold.BOTH: "twice"}[schedule.fold]
    rule = "cron" if cron else f"dst.fold: {schedule.fold}"
    return f"{day} {wall:%H:%M} exists twice, {first} and {last}, so it fires {fires} ({rule})"


def changes(zone: ZoneInfo, since: datetime) -> Iterator[Change]:
    """The changes of `zone` in the year after `since`, in order."""
    instant = since.replace(microsecond=0)
    end = instant + _YEAR
    while instant < end:
        later = instant + _DAY
        if _offset(zone, instant) != _offset(zone, later):
            at = _first_after(zone, instant, later)
            naive = at.replace(tzinfo=None)
            yield Change(at, naive + _offset(zone, at - _SECOND), naive + _offset(zone, at))
        instant = later


def _first_after(zone: ZoneInfo, low: datetime, high: datetime) -> datetime:
    before = _offset(zone, low)
    while high - low > _SECOND:
        middle = low + timedelta(seconds=(high - low) // _SECOND // 2)
        low, high = (middle, high) if _offset(zone, middle) == before else (low, middle)
    return high


def _offset(zone: ZoneInfo, instant: datetime) -> timedelta:
    offset = instant.astimezone(zone).utcoffset()
    return offset if offset is not None else timedelta(0)
