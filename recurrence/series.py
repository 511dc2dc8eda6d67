"""The dates of the calendar rules, by arithmetic: where a series stands at any wall time, and how it goes on.

Every series yields wall times labelled UTC (see `recurrence.walltime`), strictly increasing, none before the
anchor; it ends with the year 9999, either by itself or by OverflowError.
"""

from __future__ import annotations

from bisect import bisect_left
from datetime import MAXYEAR, UTC, datetime, timedelta
from itertools import cycle, repeat
from math import gcd
from typing import TYPE_CHECKING, Protocol

from recurrence.rules import MonthlyDay, Ordinal, ShortMonth, Weekday
from recurrence.walltime import progression

if TYPE_CHECKING:
    from collections.abc import Iterator

    from recurrence.rules import MonthlyOrdinal, Weekly

_MONTH_DAYS = (0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
# The Gregorian calendar repeats after 400 years, weekdays included.
_CALENDAR_MONTHS = 400 * 12


class Series(Protocol):
    """The wall times of one calendar rule."""

    def starting(self, lower: datetime) -> Iterator[datetime]:
        """The wall times at or after `lower`, ascending."""


class OnceSeries:
    """The anchor alone."""

    __slots__ = ("_anchor",)

    def __init__(self, anchor: datetime) -> None:
        self._anchor = anchor

    def starting(self, lower: datetime) -> Iterator[datetime]:
        """The anchor, if it is not before `lower`."""
        return iter((self._anchor,) if self._anchor >= lower else ())


class DailySeries:
    """Every N days from the anchor; N weeks on one weekday is the same with 7·N."""

    __slots__ = ("_anchor", "_days", "_step")

    def __init__(self, anchor: datetime, days: int) -> None:
        self._anchor = anchor
        self._days = days
        self._step = timedelta(days=days)

    def starting(self, lower: datetime) -> Iterator[datetime]:
        """The wall times at or after `lower`."""
        first = self._anchor
        if lower > first:
            # Rounded up: -((a - b) // N) is ceil((b - a) / N), and timedelta.days already rounds down.
            first += -((first - lower).days // self._days) * self._step
        return progression(first, repeat(self._step))


class WeeklySeries:
    """Several weekdays of every N-th week; weeks begin on Sunday, the anchor's is week 0."""

    __slots__ = ("_anchor", "_days", "_offsets", "_steps", "_sunday")

    def __init__(self, anchor: datetime, rule: Weekly) -> None:
        self._anchor = anchor
        self._sunday = anchor - timedelta(days=(anchor.weekday() + 1) % 7)
        self._days = 7 * rule.every
        self._offsets = sorted((day + 1) % 7 for day in rule.on)
        following = [*self._offsets[1:], self._offsets[0] + self._days]
        self._steps = [timedelta(days=b - a) for a, b in zip(self._offsets, following, strict=True)]

    def starting(self, lower: datetime) -> Iterator[datetime]:
        """The wall times at or after `lower`."""
        days = -(self._sunday - max(lower, self._anchor)).days
        block, day = divmod(days, self._days)
        index = bisect_left(self._offsets, day)
        if index == len(self._offsets):
            block, index = block + 1, 0
        first = self._sunday + timedelta(days=block * self._days + self._offsets[index])
        steps = cycle(self._steps[index:] + self._steps[:index])
        return progression(first, steps)


class MonthlySeries:
    """One day of every N-th month, by its number or as an ordinal weekday."""

    __slots__ = ("_anchor", "_day", "_every", "_last", "_month", "_ordinal", "_skip", "_weekday")

    def __init__(self, anchor: datetime, rule: MonthlyDay | MonthlyOrdinal, short: ShortMonth) -> None:
        self._anchor = anchor
        self._every = rule.every
        self._month = anchor.year * 12 + anchor.month - 1
        self._skip = short is ShortMonth.SKIP
        self._day, self._ordinal, self._weekday = 0, Ordinal.FIRST, Weekday.MONDAY
        if isinstance(rule, MonthlyDay):
            self._day = rule.day
        else:
            self._ordinal, self._weekday = rule.ordinal, rule.weekday

    def starting(self, lower: datetime) -> Iterator[datetime]:
        """The wall times at or after `lower`; ends early when no month of the series has the day."""
        lower = max(lower, self._anchor)
        behind = lower.year * 12 + lower.month - 1 - self._month
        month = self._month + -(-behind // self._every) * self._every
        clock = self._anchor.hour, self._anchor.minute, self._anchor.second
        patience = dry = _CALENDAR_MONTHS // gcd(_CALENDAR_MONTHS, self._every)
        while dry:
            year, month0 = divmod(month, 12)
            if year > MAXYEAR:
                return
            month += self._every
            day = self._day_in(year, month0 + 1)
            if day:
                wall = datetime(year, month0 + 1, day, *clock, tzinfo=UTC)
                if wall >= lower:
                    yield wall
                dry = patience
            else:
                dry -= 1

    def _day_in(self, year: int, month: int) -> int:
        """The day of the month, 0 when that month has none."""
        length = _MONTH_DAYS[month]
        if month == 2 and year % 4 == 0 and (year % 100 != 0 or year % 400 == 0):
            length = 29
        if self._day:
            if self._day <= length:
                return self._day
            return 0 if self._skip else length
        if self._ordinal is Ordinal.LAST:
            last = datetime(year, month, length, tzinfo=UTC).weekday()
            return length - (last - self._weekday) % 7
        first = datetime(year, month, 1, tzinfo=UTC).weekday()
        return 1 + (self._weekday - first) % 7 + 7 * (self._ordinal - 1)
