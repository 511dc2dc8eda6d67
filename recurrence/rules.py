"""What recurs: one frozen value per kind of rule, and the policies that go with them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum, StrEnum

from cronsim import CronSim, CronSimError


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


# More of any period lies beyond the calendar's end; the bound keeps products inside timedelta.
MOST = 1_000_000
_ANY_INSTANT = datetime(2000, 1, 1, tzinfo=UTC)


def _check_every(every: int) -> None:
    if not 1 <= every <= MOST:
        raise ValueError(f"every must be 1 to {MOST}, not {every}")


@dataclass(frozen=True, slots=True)
class Daily:
    """Every `every` days (1 or more), counted from the anchor's date."""

    every: int = 1

    def __post_init__(self) -> None:
        _check_every(self.every)


@dataclass(frozen=True, slots=True)
class Weekly:
    """On the days of `on`, in every `every`-th week; weeks begin on Sunday, the anchor's is week 0."""

    every: int
    on: frozenset[Weekday]

    def __post_init__(self) -> None:
        _check_every(self.every)
        if not self.on:
            raise ValueError("on must name at least one weekday")


@dataclass(frozen=True, slots=True)
class MonthlyDay:
    """On day `day` (1 to 31) of every `every`-th month, counted from the anchor's month."""

    every: int
    day: int

    def __post_init__(self) -> None:
        _check_every(self.every)
        if not 1 <= self.day <= 31:
            raise ValueError(f"day must be 1 to 31, not {self.day}")


@dataclass(frozen=True, slots=True)
class MonthlyOrdinal:
    """On the first, second, third, fourth or last `weekday` of every `every`-th month."""

    every: int
    ordinal: Ordinal
    weekday: Weekday

    def __post_init__(self) -> None:
        _check_every(self.every)


@dataclass(frozen=True, slots=True)
class Once:
    """At the anchor, and never again."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Every `every` (whole seconds, above zero) of elapsed time from the anchor; no DST rule applies."""

    every: timedelta

    def __post_init__(self) -> None:
        if self.every <= timedelta(0) or self.every.microseconds:
            raise ValueError(f"every must be a whole number of seconds above zero, not {self.every}")


@dataclass(frozen=True, slots=True)
class Cron:
    """Five-field cron text with cronsim's rules, its own DST rule included."""

    text: str

    def __post_init__(self) -> None:
        fields = len(self.text.split())
        if fields != 5:
            raise ValueError(f"cron text has five fields (minute hour day month weekday), not {fields}")
        try:
            CronSim(self.text, _ANY_INSTANT)
        except CronSimError as fault:
            raise ValueError(f"cron text {self.text!r}: {fault}") from None


@dataclass(frozen=True, slots=True)
class Hourly:
    """At every instant whose local minute is `minute` (0 to 59): both hours of a fold fire."""

    minute: int

    def __post_init__(self) -> None:
        if not 0 <= self.minute <= 59:
            raise ValueError(f"minute must be 0 to 59, not {self.minute}")


Rule = Daily | Weekly | MonthlyDay | MonthlyOrdinal | Once | Interval | Cron | Hourly
