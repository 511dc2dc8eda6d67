"""What a schedule says: frozen values, checked when they are made.

Source of the rules: docs/recurrence.md. Nothing here reads a clock; an unanchored schedule (no `start`) is
given its anchor by whoever knows when the job was first loaded (`Schedule.anchored`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from enum import IntEnum, StrEnum
from zoneinfo import ZoneInfo


class Weekday(IntEnum):
    """A day of the week, numbered as `date.weekday()` numbers it."""

    MONDAY = 0
    TUESDAY = 1
    WEDNESDAY = 2
    THURSDAY = 3
    FRIDAY = 4
    SATURDAY = 5
    SUNDAY = 6


class Ordinal(IntEnum):
    """Which of the month's weekdays."""

    FIRST = 1
    SECOND = 2
    THIRD = 3
    FOURTH = 4
    LAST = 5


class Gap(StrEnum):
    """What happens to a wall time that does not exist (clocks go forward)."""

    SHIFT = "shift"
    SKIP = "skip"


class Fold(StrEnum):
    """Which instant a wall time that exists twice (clocks go back) means."""

    FIRST = "first"
    LAST = "last"
    BOTH = "both"


class ShortMonth(StrEnum):
    """What a month without the wanted day does."""

    LAST_DAY = "last-day"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class Daily:
    """Every `every` days (1 or more), counted from the anchor's date."""

    every: int = 1


@dataclass(frozen=True, slots=True)
class Weekly:
    """On the days of `on`, in every `every`-th week; weeks begin on Sunday, the anchor's is week 0."""

    every: int
    on: frozenset[Weekday]


@dataclass(frozen=True, slots=True)
class MonthlyDay:
    """On day `day` (1 to 31) of every `every`-th month, counted from the anchor's month."""

    every: int
    day: int


@dataclass(frozen=True, slots=True)
class MonthlyOrdinal:
    """On the first, second, third, fourth or last `weekday` of every `every`-th month."""

    every: int
    ordinal: Ordinal
    weekday: Weekday


@dataclass(frozen=True, slots=True)
class Once:
    """At the anchor, and never again."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Every `every` (whole seconds, above zero) of elapsed time from the anchor; no DST rule applies."""

    every: timedelta


@dataclass(frozen=True, slots=True)
class Cron:
    """Five-field cron text with cronsim's rules, its own DST rule included."""

    text: str


@dataclass(frozen=True, slots=True)
class Hourly:
    """At every instant whose local minute is `minute` (0 to 59): both hours of a fold fire."""

    minute: int


Rule = Daily | Weekly | MonthlyDay | MonthlyOrdinal | Once | Interval | Cron | Hourly


@dataclass(frozen=True, slots=True)
class Rerun:
    """Rerun what is left every `every`, while k·every < `period`; whole days keep the wall time."""

    every: timedelta
    period: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When a job fires, how long a run may work, and when what is left is rerun.

    Attributes:
        rule: The recurrence; None never fires by itself.
        zone: IANA name of the zone in which wall times are read.
        start: The anchor, a naive wall time in `zone`; None until `anchored`.
        at: Time of day that replaces the anchor's.
        until: Last wall time at which an occurrence may lie, inclusive, naive.
        gap: Policy for wall times that do not exist.
        fold: Policy for wall times that exist twice.
        short_month: Policy of `MonthlyDay` for months with fewer days.
        offset: Added to every fire time (the job's own share of `spread`), whole seconds.
        window: How long a run may work from its fire time; None is without limit.
        rerun: The subschedule of incomplete runs; None is off.
        run_now: The job also runs once when it is first recorded; never an occurrence.
    """

    rule: Rule | None
    zone: str = "UTC"
    start: datetime | None = None
    at: time | None = None
    until: datetime | None = None
    gap: Gap = Gap.SHIFT
    fold: Fold = Fold.FIRST
    short_month: ShortMonth = ShortMonth.LAST_DAY
    offset: timedelta = timedelta(0)
    window: timedelta | None = None
    rerun: Rerun | None = None
    run_now: bool = False

    def anchored(self, instant: datetime) -> Schedule:
        """This schedule with a start: unchanged if it has one, else `instant` (aware) as wall time in the zone."""
        if self.start is not None:
            return self
        wall = instant.astimezone(ZoneInfo(self.zone)).replace(tzinfo=None, microsecond=0, fold=0)
        return replace(self, start=wall)


@dataclass(frozen=True, slots=True, order=True)
class Occurrence:
    """A fire time (aware UTC) and the civil wall time (naive, in the schedule's zone) it came from.

    `civil` is the wall time that the recurrence yields: 02:30 even where a gap moves the fire time to 03:30.
    For an interval, hourly or cron rule it is the fire time's wall time.
    """

    fire_time: datetime
    civil: datetime
