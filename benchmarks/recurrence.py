"""Next fire times and iteration against the peers, as ratios of one run.

Rounds are interleaved (ours, peer, ours, peer …) and every figure is the median of the rounds' ratios, so that a
busy machine slows both sides alike. Exits 1 when a required floor is missed.
"""

from __future__ import annotations

import random
import statistics
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

# This file has the name of the package that it measures: its folder must not be searched for it.
# ruff: noqa: E402
sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != Path(__file__).resolve().parent]

from apscheduler.triggers.calendarinterval import CalendarIntervalTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger
from croniter import croniter
from cronsim import CronSim
from dateutil.rrule import DAILY, FR, MO, MONTHLY, SU, WEEKLY, rrule

from recurrence import (
    Cron,
    Daily,
    Hourly,
    Interval,
    MonthlyDay,
    MonthlyOrdinal,
    Ordinal,
    Schedule,
    Weekday,
    Weekly,
    fire_times,
    next_fire_time,
)
from recurrence.trigger import ScheduleTrigger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from apscheduler.triggers.base import BaseTrigger

    from recurrence import Rule

ZONE = ZoneInfo("America/New_York")
START = datetime(2020, 1, 1, 2, 30)  # noqa: DTZ001 - a wall time
START_AWARE = START.replace(tzinfo=ZONE)
YEAR = timedelta(days=365.25)
FAR = datetime(9999, 1, 1, tzinfo=UTC)
SUCCESSIVE = 10_000
NEXT_FLOOR, TRIGGER_FLOOR, ITERATE_FLOOR, DISTANCE_CEILING = 75.0, 2.5, 2.0, 1.25


@dataclass(frozen=True)
class Kind:
    """One kind of recurrence, and how each peer says it (None: it cannot)."""

    name: str
    rule: Rule
    dateutil: rrule | None = None
    croniter: str | None = None
    cronsim: str | None = None
    cron_trigger: BaseTrigger | None = None
    other_trigger: BaseTrigger | None = None

    @property
    def schedule(self) -> Schedule:
        """Ours."""
        return Schedule(rule=self.rule, zone=ZONE.key, start=None if isinstance(self.rule, Cron) else START)


def _cron_trigger(**fields: object) -> CronTrigger:
    return CronTrigger(**fields, start_date=START_AWARE, timezone=ZONE)


def _calendar_trigger(**fields: int) -> CalendarIntervalTrigger:
    return CalendarIntervalTrigger(**fields, hour=2, minute=30, start_date=START.date(), timezone=ZONE)


CALENDAR = [
    Kind(
        "daily", Daily(1),
        rrule(DAILY, dtstart=START), "30 2 * * *", "30 2 * * *",
        _cron_trigger(hour=2, minute=30), _calendar_trigger(days=1),
    ),
    Kind(
        "weekly Mon, Fri", Weekly(1, frozenset({Weekday.MONDAY, Weekday.FRIDAY})),
        rrule(WEEKLY, dtstart=START, byweekday=(MO, FR), wkst=SU), "30 2 * * 1,5", "30 2 * * 1,5",
        _cron_trigger(day_of_week="mon,fri", hour=2, minute=30), None,
    ),
    Kind(
        "monthly, day 15", MonthlyDay(1, 15),
        rrule(MONTHLY, dtstart=START, bymonthday=15), "30 2 15 * *", "30 2 15 * *",
        _cron_trigger(day=15, hour=2, minute=30), _calendar_trigger(months=1),
    ),
    Kind(
        "monthly, last Fri", MonthlyOrdinal(1, Ordinal.LAST, Weekday.FRIDAY),
        rrule(MONTHLY, dtstart=START, byweekday=FR(-1)), "30 2 * * L5", "30 2 * * 5L",
        _cron_trigger(day="last fri", hour=2, minute=30), None,
    ),
]  # fmt: skip
OTHERS = [
    Kind(
        "hourly, minute 7", Hourly(7),
        croniter="7 * * * *", cronsim="7 * * * *", cron_trigger=_cron_trigger(minute=7),
    ),
    Kind(
        "cron text", Cron("30 2 * * 1-5"),
        croniter="30 2 * * 1-5", cronsim="30 2 * * 1-5",
        cron_trigger=_cron_trigger(day_of_week="mon-fri", hour=2, minute=30),
    ),
    Kind(
        "every 15 minutes", Interval(timedelta(minutes=15)),
        other_trigger=IntervalTrigger(minutes=15, start_date=START_AWARE, timezone=ZONE),
    ),
]  # fmt: skip


def seconds_per_call(function: Callable[[Any], object], questions: Sequence[object], repeats: int) -> float:
    """Mean cost of one call."""
    begin = perf_counter()
    for _ in range(repeats):
        for question in questions:
            function(question)
    return (perf_counter() - begin) / repeats / len(questions)


def seconds_to_drain(steps: Iterable[object]) -> float:
    """Cost of all steps."""
    begin = perf_counter()
    for _ in steps:
        pass
    return perf_counter() - begin


def drawn(count: int, first: float, last: float, rng: random.Random) -> list[datetime]:
    """Instants spread evenly from `first` to `last` years after the start, one at random in each stratum."""
    share = (last - first) / count
    return [START_AWARE.astimezone(UTC) + YEAR * (first + share * (i + rng.random())) for i in range(count)]


def next_peers(kind: Kind) -> Iterator[tuple[str, Callable[[datetime], object]]]:
    """The peers' way to the next fire time after an instant, each as fast as it lets one ask."""
    if kind.dateutil is not None:
        rule = kind.dateutil
        yield "dateutil", lambda after: rule.after(after.replace(tzinfo=None))
    if kind.croniter is not None:
        text = kind.croniter
        yield "croniter", lambda after: croniter(text, after.astimezone(ZONE)).get_next(datetime)
    if kind.cronsim is not None:
        simulated = kind.cronsim
        yield "cronsim", lambda after: next(CronSim(simulated, after.astimezone(ZONE)))
    if isinstance(kind.other_trigger, IntervalTrigger):
        trigger = kind.other_trigger
        yield type(trigger).__name__, lambda after: trigger.get_next_fire_time(None, after)


def walked(trigger: BaseTrigger) -> Iterator[datetime]:
    """The fire times of a trigger, as APScheduler asks for them."""
    found = trigger.get_next_fire_time(None, START_AWARE)
    while found is not None:
        yield found
        found = trigger.get_next_fire_time(found, found)


def iterate_peers(kind: Kind) -> Iterator[tuple[str, Callable[[], Iterable[object]]]]:
    """The peers' successive fire times."""
    if kind.dateutil is not None:
        rule = kind.dateutil
        yield "dateutil", lambda: iter(rule)
    if kind.croniter is not None:
        text = kind.croniter
        yield "croniter", lambda: croniter(text, START_AWARE, ret_type=datetime)
    if kind.cronsim is not None:
        simulated = kind.cronsim
        yield "cronsim", lambda: CronSim(simulated, START_AWARE)
    for trigger in (kind.cron_trigger, kind.other_trigger):
        if trigger is not None:
            yield type(trigger).__name__, lambda trigger=trigger: walked(trigger)


class Report:
    """Prints figures and remembers the floors that were missed."""

    def __init__(self) -> None:
        self.missed = 0

    def line(self, kind: str, peer: str, ratio: float, note: str, floor: float | None = None) -> None:
        """A ratio of rates: ours to the peer's."""
        verdict = ""
        if floor is not None:
            missed = ratio < floor
            self.missed += missed
            verdict = f"  floor {floor:g}: {'MISSED' if missed else 'ok'}"
        print(f"  {kind:<18} {peer:<24} {ratio:>9.2f} x  {note}{verdict}")

    def ceiling(self, kind: str, ratio: float, ceiling: float) -> None:
        """A ratio of costs that must stay low."""
        missed = ratio > ceiling
        self.missed += missed
        print(f"  {kind:<18} {ratio:>9.2f}  at most {ceiling:g}: {'MISSED' if missed else 'ok'}")


def compare_next(report: Report, kind: Kind) -> None:
    """Ours against each peer, and our trigger against CronTrigger."""
    schedule, rng = kind.schedule, random.Random(kind.name)  # noqa: S311 - no secret
    for peer, function in next_peers(kind):
        ratios, ours = [], 0.0
        for _ in range(7):
            instants = drawn(16, 0, 10, rng)
            ours = seconds_per_call(lambda after: next_fire_time(schedule, after), instants, 40)
            ratios.append(seconds_per_call(function, instants, 1) / ours)
        floor = NEXT_FLOOR if peer == "dateutil" else None
        report.line(kind.name, peer, statistics.median(ratios), f"(ours {ours * 1e6:.2f} µs)", floor)
    compare_triggers(report, kind, rng)


def asking(trigger: BaseTrigger) -> Callable[[tuple[datetime | None, datetime]], object]:
    """A call of the trigger with a pair of its arguments."""
    return lambda asked: trigger.get_next_fire_time(*asked)


def compare_triggers(report: Report, kind: Kind, rng: random.Random) -> None:
    """Ours through the trigger interface against APScheduler's own.

    CalendarIntervalTrigger cannot be asked about any instant: it is given fire times, and says those after them.
    """
    trigger = ScheduleTrigger(kind.schedule)
    for theirs in (kind.cron_trigger, kind.other_trigger):
        if theirs is None or isinstance(theirs, IntervalTrigger):
            continue
        from_fire_times, ratios = isinstance(theirs, CalendarIntervalTrigger), []
        for _ in range(15):
            instants = [instant.astimezone(ZONE) for instant in drawn(64, 0, 10, rng)]
            if from_fire_times:
                fires = (trigger.get_next_fire_time(None, instant) for instant in instants)
                instants = [fire.astimezone(ZONE) for fire in fires if fire is not None]
            questions = [(instant if from_fire_times else None, instant) for instant in instants]
            ours = seconds_per_call(asking(trigger), questions, 10)
            ratios.append(seconds_per_call(asking(theirs), questions, 5) / ours)
        floor = TRIGGER_FLOOR if kind in CALENDAR and not from_fire_times else None
        note = "(from fire time to fire time)" if from_fire_times else "(through the trigger interface)"
        report.line(kind.name, type(theirs).__name__, statistics.median(ratios), note, floor)


def compare_iteration(report: Report, kind: Kind) -> None:
    """10,000 successive fire times."""
    schedule = kind.schedule
    for peer, iterate in iterate_peers(kind):
        ratios, ours = [], 0.0
        for _ in range(7 if peer == "dateutil" else 3):
            ours = seconds_to_drain(islice(fire_times(schedule, START_AWARE, FAR), SUCCESSIVE))
            ratios.append(seconds_to_drain(islice(iterate(), SUCCESSIVE)) / ours)
        floor = ITERATE_FLOOR if peer == "dateutil" else None
        note = f"(ours {ours / SUCCESSIVE * 1e6:.2f} µs each)"
        report.line(kind.name, peer, statistics.median(ratios), note, floor)


def compare_distance(report: Report, kind: Kind) -> None:
    """The cost 40 years after the start to that 1 year after it."""
    schedule, rng = kind.schedule, random.Random(kind.name)  # noqa: S311 - no secret
    ratios = []
    for _ in range(25):
        near, far = drawn(64, 1, 2, rng), drawn(64, 40, 41, rng)
        cost = seconds_per_call(lambda after: next_fire_time(schedule, after), near, 10)
        ratios.append(seconds_per_call(lambda after: next_fire_time(schedule, after), far, 10) / cost)
    report.ceiling(kind.name, statistics.median(ratios), DISTANCE_CEILING)


def main() -> int:
    """Run everything; 1 when a floor is missed."""
    report = Report()
    print(f"{START} {ZONE.key}; ratios of rates, ours to the peer's; dateutil on naive datetimes, without DST")
    print("\nnext fire time after an instant drawn evenly from 0 to 10 years after the start")
    for kind in CALENDAR + OTHERS:
        compare_next(report, kind)
    print(f"\n{SUCCESSIVE:,} successive fire times")
    for kind in CALENDAR + OTHERS:
        compare_iteration(report, kind)
    print("\nnext fire time, cost 40 years after the start to cost 1 year after it")
    for kind in CALENDAR:
        compare_distance(report, kind)
    print(f"\n{report.missed} of the required floors missed" if report.missed else "\nall required floors reached")
    return 1 if report.missed else 0


if __name__ == "__main__":
    sys.exit(main())
