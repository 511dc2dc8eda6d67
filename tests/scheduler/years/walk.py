"""When jobs fire, found by walking: every day of the span, every minute where a rule counts minutes. Nothing of jobsd.

What clocks show is asked of zoneinfo at every quarter of an hour; wall times are turned into instants by trying the
offsets that were seen around them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
SPAN = timedelta(minutes=15)
"""Clocks change at quarters of an hour of UTC, in every zone since 1972."""


@dataclass(frozen=True)
class When:
    """A schedule in the walk's own words. `on` holds weekdays, Monday 0; `nth` is 1 to 4, or 5 for the last."""

    kind: str
    zone: str
    start: datetime
    every: Any = 1
    at: time | None = None
    until: datetime | None = None
    on: frozenset[int] = frozenset()
    day: int = 0
    nth: int = 0
    short: str = "last-day"
    gap: str = "shift"
    fold: str = "first"
    offset: timedelta = timedelta(0)
    minute: int = 0
    cron: str = ""
    closed: frozenset[date] = frozenset()
    closed_weekdays: frozenset[int] = frozenset()
    next_day: bool = False

    @property
    def at_time(self) -> time:
        """The time of day of its occurrences."""
        return self.at or self.start.time()


class Clocks:
    """What the clocks of a zone show from `first` to `last` (dates)."""

    def __init__(self, zone: str, first: date, last: date) -> None:
        self.zone = ZoneInfo(zone)
        self.begin = datetime.combine(first - 9 * DAY, time(), UTC)
        self.end = datetime.combine(last + 9 * DAY, time(), UTC)
        count = int((self.end - self.begin) / SPAN)
        shown = ((self.begin + n * SPAN).astimezone(self.zone).utcoffset() for n in range(count))
        self.offsets = [offset or timedelta(0) for offset in shown]

    def offset(self, instant: datetime) -> timedelta:
        """How far the clock is ahead of UTC."""
        return self.offsets[int((instant - self.begin) / SPAN)]

    def wall(self, instant: datetime) -> datetime:
        """What the clock shows."""
        return (instant + self.offset(instant)).replace(tzinfo=None)

    def around(self, wall: datetime) -> list[timedelta]:
        """The offsets of the two days about a wall time, in their order."""
        near = wall.replace(tzinfo=UTC)
        low, high = int((near - DAY - self.begin) / SPAN), int((near + DAY - self.begin) / SPAN)
        return list(dict.fromkeys(self.offsets[low:high]))

    def instants(self, wall: datetime) -> list[datetime]:
        """Every instant at which the clock shows `wall`, in order; none in a gap."""
        tries = (wall.replace(tzinfo=UTC) - offset for offset in self.around(wall))
        return sorted(t for t in tries if self.wall(t) == wall)

    def fires(self, wall: datetime, gap: str, fold: str) -> list[datetime]:
        """The fire times of an occurrence at `wall`."""
        found = self.instants(wall)
        if not found:
            before = self.around(wall)[0]
            return [] if gap == "skip" else [wall.replace(tzinfo=UTC) - before]
        return {"first": found[:1], "last": found[-1:], "both": found}[fold]

    def after_gap(self, wall: datetime) -> datetime:
        """The first instant at which the clock shows `wall` or more."""
        instant = wall.replace(tzinfo=UTC) - max(self.around(wall))
        while self.wall(instant) < wall:
            instant += MINUTE
        return instant


@lru_cache(maxsize=64)
def clocks(zone: str, first: date, last: date) -> Clocks:
    """Those of a zone."""
    return Clocks(zone, first, last)


def matches(when: When, day: date) -> bool:
    """Whether a schedule that goes by dates has an occurrence on `day`."""
    start = when.start.date()
    months = (day.year - start.year) * 12 + day.month - start.month
    match when.kind:
        case "once":
            return day == start
        case "daily":
            return (day - start).days % when.every == 0
        case "weekly":
            sundays = [d - timedelta(days=(d.weekday() + 1) % 7) for d in (start, day)]
            return day.weekday() in when.on and (sundays[1] - sundays[0]).days // 7 % when.every == 0
        case "monthly":
            if months % when.every:
                return False
            is_last = (day + DAY).month != day.month
            return day.day == when.day or (when.short == "last-day" and is_last and day.day < when.day)
        case "ordinal":
            if months % when.every or day.weekday() not in when.on:
                return False
            return (day.day - 1) // 7 + 1 == when.nth or (
                when.nth == 5 and (day + timedelta(days=7)).month != day.month
            )
    raise ValueError(when.kind)


def _field(text: str, low: int, high: int) -> set[int]:
    """The numbers that a field of cron text names."""
    found: set[int] = set()
    for part in text.split(","):
        span, _, step = part.partition("/")
        begin, _, end = (f"{low}-{high}" if span == "*" else span).partition("-")
        found |= set(range(int(begin), int(end or begin) + 1, int(step or 1)))
    return found


def _cron(when: When, shown: Clocks, first: datetime, last: datetime) -> list[datetime]:
    """Minute by minute; a time of day (no * in minute and hour) is moved out of a gap and fires once in a fold."""
    minutes, hours, days, months, weekdays = when.cron.split()
    m, h = _field(minutes, 0, 59), _field(hours, 0, 23)
    d, mon = _field(days, 1, 31), _field(months, 1, 12)
    w = {n % 7 for n in _field(weekdays, 0, 7)}

    def on(wall: datetime) -> bool:
        return wall.day in d and wall.month in mon and (wall.weekday() + 1) % 7 in w

    found = []
    if not minutes.startswith("*") and not hours.startswith("*"):
        day = first.date() - DAY
        while day <= last.date() + DAY:
            for hour in h if on(datetime.combine(day, time())) else ():
                for minute in m:
                    wall = datetime.combine(day, time(hour, minute))
                    found += shown.instants(wall)[:1] or [shown.after_gap(wall)]
            day += DAY
    else:
        instant = first.replace(second=0, microsecond=0)
        while instant <= last:
            if not any(on(shown.wall(instant) + n * DAY) for n in (-1, 0, 1)):
                instant += DAY
                continue
            for _ in range(24 * 60):
                wall = shown.wall(instant)
                if wall.minute in m and wall.hour in h and on(wall):
                    found.append(instant)
                instant += MINUTE
    return found


def base_times(when: When, first: datetime, last: datetime) -> list[datetime]:
    """The fire times between two instants (both inclusive) if nothing were ever closed, ascending."""
    shown = clocks(when.zone, first.date(), last.date())
    first = max(first, when.start.replace(tzinfo=UTC) - DAY)
    last = last if when.until is None else min(last, when.until.replace(tzinfo=UTC) + 2 * DAY)
    found: list[tuple[datetime, datetime]] = []  # with the wall time that `until` is compared with
    if when.kind == "interval":
        (instant,) = shown.instants(when.start)
        while instant <= last:
            found.append((instant, shown.wall(instant)))
            instant += when.every
    elif when.kind in ("cron", "hourly"):
        text = when if when.kind == "cron" else _as_cron(when)
        found = [(t, shown.wall(t)) for t in _cron(text, shown, first - 2 * DAY, last)]
        found = [(t, wall) for t, wall in found if wall >= when.start]
    elif when.kind != "never":
        day = max(when.start.date(), first.date() - 2 * DAY)
        while day <= last.date() + 2 * DAY:
            if matches(when, day):
                wall = datetime.combine(day, when.at_time)
                found += [(t, wall) for t in shown.fires(wall, when.gap, when.fold)]
            day += DAY
    kept = {t + when.offset for t, wall in found if when.until is None or wall <= when.until}
    return sorted(t for t in kept if first <= t <= last)


def _as_cron(when: When) -> When:
    return When("cron", when.zone, when.start, cron=f"{when.minute} * * * *")


def is_closed(when: When, wall: datetime) -> bool:
    """Whether the calendars close the day of a wall time."""
    return wall.date() in when.closed or wall.weekday() in when.closed_weekdays


@dataclass(frozen=True)
class Due:
    """What comes due at an instant: an occurrence, open or closed, or what was moved here, or both.

    `origins` are the fire times of what was moved here; `own` says whether there is an occurrence beside that.
    """

    at: datetime
    closed: bool = False
    origins: tuple[datetime, ...] = ()
    own: bool = True


def times(when: When, first: datetime, last: datetime) -> list[Due]:
    """All that comes due between two instants, ascending; calendars are asked day by day."""
    shown = clocks(when.zone, first.date(), last.date())
    due: dict[datetime, Due] = {}
    moved: dict[datetime, tuple[datetime, ...]] = {}
    for instant in base_times(when, first, last):
        wall = shown.wall(instant)
        closed = is_closed(when, wall)
        due[instant] = Due(instant, closed)
        to = _moved(when, shown, wall, last) if closed and when.next_day else None
        if to is not None:
            moved[to] = (*moved.get(to, ()), instant)
    for to, origins in moved.items():
        due[to] = Due(to, origins=origins, own=to in due)
    return [due[instant] for instant in sorted(due) if instant <= last]


def _moved(when: When, shown: Clocks, wall: datetime, last: datetime) -> datetime | None:
    """The same time of day on the next open day."""
    wall = datetime.combine(wall.date(), when.at_time)
    while wall <= last.replace(tzinfo=None) + DAY:
        wall += DAY
        if not is_closed(when, wall):
            return shown.fires(wall, when.gap, when.fold)[0] + when.offset
    return None
