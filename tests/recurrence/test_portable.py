"""Schedules survive the ledger: to JSON and back, every kind and every field."""

import json
from dataclasses import fields
from datetime import datetime, time, timedelta

import pytest

from recurrence import (
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
    Schedule,
    ShortMonth,
    Weekday,
    Weekly,
)
from recurrence.portable import schedule_from_json, schedule_to_json

RULES = [
    None,
    Daily(3),
    Weekly(2, frozenset({Weekday.MONDAY, Weekday.SUNDAY})),
    MonthlyDay(3, 31),
    MonthlyOrdinal(1, Ordinal.LAST, Weekday.FRIDAY),
    Once(),
    Interval(timedelta(seconds=90)),
    Cron("*/5 * * * *"),
    Hourly(7),
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: type(rule).__name__)
def test_every_kind_comes_back_as_it_was(rule):
    """What is written as JSON text is read back as an equal schedule."""
    full = {} if isinstance(rule, Cron) else {"at": time(4, 26), "gap": Gap.SKIP, "fold": Fold.LAST}
    schedule = Schedule(
        rule=rule,
        zone="America/New_York",
        start=datetime(2026, 1, 2, 22, 0, 1),
        until=datetime(2027, 1, 1, 23, 59, 59, 999999),
        short_month=ShortMonth.SKIP,
        offset=timedelta(seconds=77),
        window=timedelta(hours=4),
        rerun=Rerun(timedelta(days=1), timedelta(days=3)),
        run_now=True,
        **full,
    )
    text = json.dumps(schedule_to_json(schedule))
    assert schedule_from_json(json.loads(text)) == schedule


def test_no_field_is_forgotten():
    """A field added to Schedule must be written too."""
    written = schedule_to_json(Schedule(rule=None))
    assert set(written) == {field.name for field in fields(Schedule)}
