"""SD Elements' named frequencies: at which wall times each of them fires."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time

from recurrence.rules import Daily, Hourly, MonthlyDay, Rule, Weekday, Weekly

FREQUENCIES = ("hourly", "daily", "weekly", "monthly", "manually")


@dataclass(frozen=True, slots=True)
class Frequencies:
    """The wall times of the frequencies; the defaults are those of SD Elements' deployment chart.

    Attributes:
        hourly_minute: Minute of every hour, 0 to 59.
        daily_at: Time of day, whole seconds.
        weekly_on: Day of the week.
        weekly_at: Time of that day.
        monthly_day: Day of the month, 1 to 31.
        monthly_at: Time of that day.
    """

    hourly_minute: int = 7
    daily_at: time = time(1, 26)
    weekly_on: Weekday = Weekday.SATURDAY
    weekly_at: time = time(4, 33)
    monthly_day: int = 1
    monthly_at: time = time(4, 26)


def frequency_rule(name: str, frequencies: Frequencies | None = None) -> tuple[Rule | None, time | None]:
    """The rule and the time of day of a named frequency; `manually` never fires by itself: (None, None).

    Every rule takes every period, so a schedule's start is only its lower bound.

    Raises:
        ValueError: `name` is no frequency.
    """
    at = frequencies or Frequencies()
    match name:
        case "hourly":
            return Hourly(at.hourly_minute), None
        case "daily":
            return Daily(1), at.daily_at
        case "weekly":
            return Weekly(1, frozenset({at.weekly_on})), at.weekly_at
        case "monthly":
            return MonthlyDay(1, at.monthly_day), at.monthly_at
        case "manually":
            return None, None
        case _:
            raise ValueError(f"{name!r} is no frequency: {', '.join(FREQUENCIES)}")
