"""Schedules as plain JSON values and back, for the ledger's definition versions and for digests.

`schedule_from_json(schedule_to_json(s)) == s` for every schedule; keys are stable.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Any

from recurrence.schedule import (
    Cron,
    Daily,
    Fold,
    Gap,
    Hourly,
    Interval,
    MonthlyDay,
    MonthlyOrdinal,
    Once,
    Ordinal,
    Rerun,
    Rule,
    Schedule,
    ShortMonth,
    Weekday,
    Weekly,
)


def schedule_to_json(schedule: Schedule) -> dict[str, Any]:
    """`schedule` as JSON values: durations in seconds, wall times as ISO text."""
    rerun = schedule.rerun
    return {
        "rule": None if schedule.rule is None else _rule_to_json(schedule.rule),
        "zone": schedule.zone,
        "start": None if schedule.start is None else schedule.start.isoformat(),
        "at": None if schedule.at is None else schedule.at.isoformat(),
        "until": None if schedule.until is None else schedule.until.isoformat(),
        "gap": schedule.gap.value,
        "fold": schedule.fold.value,
        "short_month": schedule.short_month.value,
        "offset": schedule.offset.total_seconds(),
        "window": None if schedule.window is None else schedule.window.total_seconds(),
        "rerun": None if rerun is None else [rerun.every.total_seconds(), rerun.period.total_seconds()],
        "run_now": schedule.run_now,
    }


def schedule_from_json(body: Mapping[str, Any]) -> Schedule:
    """The schedule that `schedule_to_json` wrote; KeyError or ValueError on anything else."""
    rerun = body["rerun"]
    return Schedule(
        rule=None if body["rule"] is None else _rule_from_json(body["rule"]),
        zone=body["zone"],
        start=None if body["start"] is None else datetime.fromisoformat(body["start"]),
        at=None if body["at"] is None else time.fromisoformat(body["at"]),
        until=None if body["until"] is None else datetime.fromisoformat(body["until"]),
        gap=Gap(body["gap"]),
        fold=Fold(body["fold"]),
        short_month=ShortMonth(body["short_month"]),
        offset=timedelta(seconds=body["offset"]),
        window=None if body["window"] is None else timedelta(seconds=body["window"]),
        rerun=None if rerun is None else Rerun(timedelta(seconds=rerun[0]), timedelta(seconds=rerun[1])),
        run_now=body["run_now"],
    )


def _rule_to_json(rule: Rule) -> list[Any]:
    match rule:
        case Daily(every):
            return ["daily", every]
        case Weekly(every, on):
            return ["weekly", every, sorted(int(day) for day in on)]
        case MonthlyDay(every, day):
            return ["monthly_day", every, day]
        case MonthlyOrdinal(every, ordinal, weekday):
            return ["monthly_ordinal", every, int(ordinal), int(weekday)]
        case Once():
            return ["once"]
        case Interval(step):
            return ["interval", step.total_seconds()]
        case Cron(text):
            return ["cron", text]
        case Hourly(minute):
            return ["hourly", minute]


def _rule_from_json(body: list[Any]) -> Rule:
    match body:
        case ["daily", every]:
            return Daily(every)
        case ["weekly", every, on]:
            return Weekly(every, frozenset(Weekday(day) for day in on))
        case ["monthly_day", every, day]:
            return MonthlyDay(every, day)
        case ["monthly_ordinal", every, ordinal, weekday]:
            return MonthlyOrdinal(every, Ordinal(ordinal), Weekday(weekday))
        case ["once"]:
            return Once()
        case ["interval", step]:
            return Interval(timedelta(seconds=step))
        case ["cron", text]:
            return Cron(text)
        case ["hourly", minute]:
            return Hourly(minute)
        case _:
            raise ValueError(f"{body!r} is not a recurrence rule")
