"""The dates of the calendar rules, by arithmetic: where a series stands at any wall time, and how it goes on.

Every series yields wall times labelled UTC (see `recurrence.walltime`), strictly increasing, none before the
anchor; it ends with the year 9999, either by itself or by OverflowError.
"""

from __future__ import annotations

from bisect import bisect_left
from datetime import MAXYEAR, UTC, date, datetime, timedelta
from itertools import cycle, repeat
from math import gcd
from typing import TYPE_CHECKING, Protocol

from recurrence.rules import MonthlyOrdinal, Ordinal, ShortMonth
from recurrence.walltime import progression

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from recurrence.rules import MonthlyDay, Weekly

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

    __slots__ = ("_anchor", "_clock", "_day_in", "_every", "_month", "_patience")

    def __init__(self, anchor: datetime, rule: MonthlyDay | MonthlyOrdinal, short: ShortMonth) -> None:
        self._anchor = anchor
        self._clock = anchor.hour, anchor.minute, anchor.second
        self._every = rule.every
        self._month = anchor.year * 12 + anchor.month - 1
        self._patience = _CALENDAR_MONTHS // gcd(_CALENDAR_MONTHS, rule.every)
        self._day_in = _day_finder(rule, short)

    def starting(self, lower: datetime) -> Iterator[datetime]:
        """The wall times at or after `lower`; ends early when no month of the series has the day."""
        lower = max(lower, self._anchor)
        day_in, every, (hour, minute, second) = self._day_in, self._every, self._clock
        behind = lower.year * 12 + lower.month - 1 - self._month
        month = self._month + -(-behind // every) * every
        dry = self._patience
        while dry:
            year, month0 = divmod(month, 12)
            if year > MAXYEAR:
                return
            month += every
            day = day_in(year, month0 + 1)
            if day:
                # By position: keywords double the cost of the call.
                wall = datetime(year, month0 + 1, day, hour, minute, second, 0, UTC)
                if wall >= lower:
                    yield wall
                dry = self._patience
            else:
                dry -= 1


def _day_finder(rule: MonthlyDay | MonthlyOrdinal, short: ShortMonth) -> Callable[[int, int], int]:
    """A function of year and month: the rule's day in it, 0 for none."""
    if isinstance(rule, MonthlyOrdinal):
        weekday, ordinal = int(rule.weekday), rule.ordinal
        if ordinal is Ordinal.LAST:
            return lambda year, month: _last(weekday, year, month)
        # The first such weekday lies in 1 to 7: counted from the weekday of the month's day 1.
        base = 7 * (ordinal - 1) + 1
        return lambda year, month: base + (weekday - date(year, month, 1).weekday()) % 7
    wanted = rule.day
    if wanted <= 28:
        return lambda _year, _month: wanted
    if short is ShortMonth.SKIP:
        return lambda year, month: wanted if wanted <= _length(year, month) else 0
    return lambda year, month: min(wanted, _length(year, month))


def _last(weekday: int, year: int, month: int) -> int:
    length = _length(year, month)
    return length - (date(year, month, length).weekday() - weekday) % 7


def _length(year: int, month: int) -> int:
    """Days in the month."""
    if month == 2 and year % 4 == 0 and (year % 100 != 0 or year % 400 == 0):
        return 29
    return _MONTH_DAYS[month]
