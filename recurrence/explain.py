"""A schedule in words."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import TYPE_CHECKING

from cronsim import CronSim

from recurrence.rules import (
    Cron,
    Daily,
    Fold,
    Gap,
    Hourly,
    Interval,
    MonthlyDay,
    MonthlyOrdinal,
    Once,
    ShortMonth,
    Weekday,
    Weekly,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date, timedelta

    from recurrence.schedule import Schedule

_ANY_INSTANT = datetime(2000, 1, 1, tzinfo=UTC)
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July",
    "August", "September", "October", "November", "December",
)  # fmt: skip
_UNITS = (("week", 604_800), ("day", 86_400), ("hour", 3600), ("minute", 60), ("second", 1))


def explain(schedule: Schedule) -> str:
    """One plain English sentence: when it fires, from and until when, and what becomes of each run."""
    if schedule.rule is None and schedule.run_now:
        return _sentence(["Once, when it is first recorded", *_run(schedule)])
    return _sentence([_when(schedule), *_limits(schedule), *_policies(schedule), *_run(schedule)])


def _sentence(parts: list[str]) -> str:
    return ", ".join(parts) + "."


def _when(schedule: Schedule) -> str:
    match schedule.rule:
        case None:
            return "Never by itself"
        case Once():
            anchor = schedule.anchor
            return f"Once, {_moment(anchor) if anchor else 'at its start'} ({schedule.zone})"
        case Interval(every):
            return f"Every {span(every, every=True)} of elapsed time ({schedule.zone})"
        case Hourly(minute):
            return f"Every hour at minute {minute} ({schedule.zone})"
        case Cron(text):
            return f"{_cron(text)} ({schedule.zone}, cron text {text!r})"
        case rule:
            return f"{_calendar(rule, schedule)} {_time_of_day(schedule)} ({schedule.zone})"


def _calendar(rule: Daily | Weekly | MonthlyDay | MonthlyOrdinal, schedule: Schedule) -> str:
    match rule:
        case Daily(every):
            return _period(every, "day")
        case Weekly(every, on):
            return f"{_period(every, 'week')} on {_days(on)}"
        case MonthlyOrdinal(every, ordinal, weekday):
            return f"{_period(every, 'month')} on the {ordinal.name.lower()} {weekday.name.capitalize()}"
        case MonthlyDay(every, day):
            short = ""
            if day > 28:
                skip = schedule.short_month is ShortMonth.SKIP
                short = ", not in shorter months," if skip else " or the last day of a shorter month"
            return f"{_period(every, 'month')} on day {day}{short}"


def _period(every: int, unit: str) -> str:
    return f"Every {unit}" if every == 1 else f"Every {every} {unit}s"


def _days(on: frozenset[Weekday]) -> str:
    return _and([day.name.capitalize() for day in sorted(on, key=lambda day: (day + 1) % 7)])


def _and(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _time_of_day(schedule: Schedule) -> str:
    anchor = schedule.anchor
    at = schedule.at if anchor is None else anchor.time()
    return f"at {_clock(at)}" if at else "at its start's time of day"


def _clock(at: time) -> str:
    return at.strftime("%H:%M:%S" if at.second else "%H:%M")


def _date(day: date) -> str:
    # Not by strftime: its names follow the locale.
    return f"{Weekday(day.weekday()).name.capitalize()} {day.day} {_MONTHS[day.month - 1]} {day.year}"


def _moment(wall: datetime) -> str:
    return f"on {_date(wall)} at {_clock(wall.time())}"


def _cron(text: str) -> str:
    words = CronSim(text, _ANY_INSTANT).explain()
    return words[:1].upper() + words[1:]


def _limits(schedule: Schedule) -> Iterator[str]:
    start, until = schedule.anchor, schedule.until
    if start is not None and schedule.rule is not None and not isinstance(schedule.rule, Once):
        told = isinstance(schedule.rule, Daily | Weekly | MonthlyDay | MonthlyOrdinal)
        yield f"from {_date(start)}" if told else f"from {_date(start)} at {_clock(start.time())}"
    if until is not None:
        whole_day = until.time() >= time(23, 59)
        yield f"until {_date(until)}" if whole_day else f"until {_date(until)} at {_clock(until.time())}"


def _policies(schedule: Schedule) -> Iterator[str]:
    if schedule.gap is Gap.SKIP:
        yield "left out where clocks go forward over it"
    if schedule.fold is Fold.LAST:
        yield "the second time where clocks go back over it"
    elif schedule.fold is Fold.BOTH:
        yield "both times where clocks go back over it"
    if schedule.offset:
        yield f"moved by {span(schedule.offset)} for this job"


def _run(schedule: Schedule) -> Iterator[str]:
    if schedule.run_now and schedule.rule is not None:
        yield "and once when it is first recorded"
    if schedule.window is not None:
        yield f"each run for up to {span(schedule.window)}"
    if schedule.rerun is not None:
        every, period = schedule.rerun.every, schedule.rerun.period
        yield f"what is left rerun every {span(every, every=True)} for {span(period)}"


def span(length: timedelta, *, every: bool = False) -> str:
    """A length of time in words, such as "1 hour 30 minutes"; after "every", "hour" rather than "1 hour"."""
    seconds = int(length.total_seconds())
    words = []
    for unit, size in _UNITS:
        # Weeks only where nothing is left over: "10 days" is plainer than "1 week 3 days".
        if unit == "week" and seconds % size:
            continue
        count, seconds = divmod(seconds, size)
        if count:
            words.append(f"{count} {unit}" if count == 1 else f"{count} {unit}s")
    if every and len(words) == 1:
        return words[0].removeprefix("1 ")
    return " ".join(words) or "less than a second"
