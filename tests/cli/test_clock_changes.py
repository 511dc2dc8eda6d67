"""`jobsd next` on a file with every kind, across both changes of clocks; the times were worked out by hand."""

import json
from datetime import datetime

import pytest

KINDS = """
  - {{name: daily, schedule: {{start: {early}T{at}, daily: {{}}, timezone: {zone}}}, run: &run {{command: {{argv: ["true"]}}}}}}
  - {{name: daily-3, schedule: {{start: {three_before}T{at}, daily: {{every: 3}}, timezone: {zone}}}, run: *run}}
  - {{name: weekly, schedule: {{start: {early}T{at}, weekly: {{on: sunday}}, timezone: {zone}}}, run: *run}}
  - {{name: weekly-2, schedule: {{start: {two_weeks_before}T{at}, weekly: {{every: 2, on: [sunday, monday]}}, timezone: {zone}}}, run: *run}}
  - {{name: monthly-day, schedule: {{start: {early}T{at}, monthly: {{day: {day}}}, timezone: {zone}}}, run: *run}}
  - {{name: monthly-ordinal, schedule: {{start: {early}T{at}, monthly: {{on: {ordinal} sunday}}, timezone: {zone}}}, run: *run}}
  - {{name: once, schedule: {{start: {change}T{at}, once: true, timezone: {zone}}}, run: *run}}
  - {{name: interval, schedule: {{start: {day_before}T{at}, interval: 12h, timezone: {zone}}}, run: *run}}
  - {{name: cron, schedule: {{cron: "{minute} {hour} * * *", timezone: {zone}}}, run: *run}}
  - {{name: frequency, schedule: {{frequency: daily, timezone: {zone}}}, run: *run}}
  - {{name: ccs, schedule: {{timezone: {zone}, ccs: {{RunPeriodically: true, RecurrenceType: 1, StartDate: "{early}T{at}"}}}}, run: *run}}
  - {{name: skip, schedule: {{start: {early}T{at}, daily: {{}}, timezone: {zone}, dst: {{gap: skip}}}}, run: *run}}
  - {{name: last, schedule: {{start: {early}T{at}, daily: {{}}, timezone: {zone}, dst: {{fold: last}}}}, run: *run}}
  - {{name: both, schedule: {{start: {early}T{at}, daily: {{}}, timezone: {zone}, dst: {{fold: both}}}}, run: *run}}
"""

# Each span is of four days, Friday to Monday; the clocks change on its Sunday. `daily` names the four, the third is
# what every other calendar kind gives on that Sunday.
TABLE = {
    "New York, forward 02:00 -> 03:00": {
        "zone": "America/New_York", "at": "02:30:00", "early": "2026-02-01", "change": "2026-03-08",
        "three_before": "2026-03-05", "two_weeks_before": "2026-02-22", "day_before": "2026-03-07", "ordinal": "second",
        "span": ("2026-03-06T00:00:00-05:00", "2026-03-09T23:59:59-04:00"),
        "daily": ["2026-03-06T02:30:00-05:00", "2026-03-07T02:30:00-05:00", "2026-03-08T03:30:00-04:00", "2026-03-09T02:30:00-04:00"],
        "interval": ["2026-03-07T02:30:00-05:00", "2026-03-07T14:30:00-05:00", "2026-03-08T03:30:00-04:00", "2026-03-08T15:30:00-04:00",
                     "2026-03-09T03:30:00-04:00", "2026-03-09T15:30:00-04:00"],
        "cron": ["2026-03-06T02:30:00-05:00", "2026-03-07T02:30:00-05:00", "2026-03-08T03:00:00-04:00", "2026-03-09T02:30:00-04:00"],
        "frequency": ["2026-03-06T01:26:00-05:00", "2026-03-07T01:26:00-05:00", "2026-03-08T01:26:00-05:00", "2026-03-09T01:26:00-04:00"],
        "skip": ["2026-03-06T02:30:00-05:00", "2026-03-07T02:30:00-05:00", "2026-03-09T02:30:00-04:00"],
    },
    "New York, back 02:00 -> 01:00": {
        "zone": "America/New_York", "at": "01:30:00", "early": "2026-10-01", "change": "2026-11-01",
        "three_before": "2026-10-29", "two_weeks_before": "2026-10-18", "day_before": "2026-10-31", "ordinal": "first",
        "span": ("2026-10-30T00:00:00-04:00", "2026-11-02T23:59:59-05:00"),
        "daily": ["2026-10-30T01:30:00-04:00", "2026-10-31T01:30:00-04:00", "2026-11-01T01:30:00-04:00", "2026-11-02T01:30:00-05:00"],
        "interval": ["2026-10-31T01:30:00-04:00", "2026-10-31T13:30:00-04:00", "2026-11-01T01:30:00-04:00", "2026-11-01T12:30:00-05:00",
                     "2026-11-02T00:30:00-05:00", "2026-11-02T12:30:00-05:00"],
        "frequency": ["2026-10-30T01:26:00-04:00", "2026-10-31T01:26:00-04:00", "2026-11-01T01:26:00-04:00", "2026-11-02T01:26:00-05:00"],
        "last": ["2026-10-30T01:30:00-04:00", "2026-10-31T01:30:00-04:00", "2026-11-01T01:30:00-05:00", "2026-11-02T01:30:00-05:00"],
        "both": ["2026-10-30T01:30:00-04:00", "2026-10-31T01:30:00-04:00", "2026-11-01T01:30:00-04:00", "2026-11-01T01:30:00-05:00",
                 "2026-11-02T01:30:00-05:00"],
    },
    "Sydney, forward 02:00 -> 03:00": {
        "zone": "Australia/Sydney", "at": "02:30:00", "early": "2026-09-01", "change": "2026-10-04",
        "three_before": "2026-10-01", "two_weeks_before": "2026-09-20", "day_before": "2026-10-03", "ordinal": "first",
        "span": ("2026-10-02T00:00:00+10:00", "2026-10-05T23:59:59+11:00"),
        "daily": ["2026-10-02T02:30:00+10:00", "2026-10-03T02:30:00+10:00", "2026-10-04T03:30:00+11:00", "2026-10-05T02:30:00+11:00"],
        "interval": ["2026-10-03T02:30:00+10:00", "2026-10-03T14:30:00+10:00", "2026-10-04T03:30:00+11:00", "2026-10-04T15:30:00+11:00",
                     "2026-10-05T03:30:00+11:00", "2026-10-05T15:30:00+11:00"],
        "cron": ["2026-10-02T02:30:00+10:00", "2026-10-03T02:30:00+10:00", "2026-10-04T03:00:00+11:00", "2026-10-05T02:30:00+11:00"],
        "frequency": ["2026-10-02T01:26:00+10:00", "2026-10-03T01:26:00+10:00", "2026-10-04T01:26:00+10:00", "2026-10-05T01:26:00+11:00"],
        "skip": ["2026-10-02T02:30:00+10:00", "2026-10-03T02:30:00+10:00", "2026-10-05T02:30:00+11:00"],
    },
    "Sydney, back 03:00 -> 02:00": {
        "zone": "Australia/Sydney", "at": "02:30:00", "early": "2026-03-01", "change": "2026-04-05",
        "three_before": "2026-04-02", "two_weeks_before": "2026-03-22", "day_before": "2026-04-04", "ordinal": "first",
        "span": ("2026-04-03T00:00:00+11:00", "2026-04-06T23:59:59+10:00"),
        "daily": ["2026-04-03T02:30:00+11:00", "2026-04-04T02:30:00+11:00", "2026-04-05T02:30:00+11:00", "2026-04-06T02:30:00+10:00"],
        "interval": ["2026-04-04T02:30:00+11:00", "2026-04-04T14:30:00+11:00", "2026-04-05T02:30:00+11:00", "2026-04-05T13:30:00+10:00",
                     "2026-04-06T01:30:00+10:00", "2026-04-06T13:30:00+10:00"],
        "frequency": ["2026-04-03T01:26:00+11:00", "2026-04-04T01:26:00+11:00", "2026-04-05T01:26:00+11:00", "2026-04-06T01:26:00+10:00"],
        "last": ["2026-04-03T02:30:00+11:00", "2026-04-04T02:30:00+11:00", "2026-04-05T02:30:00+10:00", "2026-04-06T02:30:00+10:00"],
        "both": ["2026-04-03T02:30:00+11:00", "2026-04-04T02:30:00+11:00", "2026-04-05T02:30:00+11:00", "2026-04-05T02:30:00+10:00",
                 "2026-04-06T02:30:00+10:00"],
    },
    "Lord Howe, forward 02:00 -> 02:30": {
        "zone": "Australia/Lord_Howe", "at": "02:15:00", "early": "2026-09-01", "change": "2026-10-04",
        "three_before": "2026-10-01", "two_weeks_before": "2026-09-20", "day_before": "2026-10-03", "ordinal": "first",
        "span": ("2026-10-02T00:00:00+10:30", "2026-10-05T23:59:59+11:00"),
        "daily": ["2026-10-02T02:15:00+10:30", "2026-10-03T02:15:00+10:30", "2026-10-04T02:45:00+11:00", "2026-10-05T02:15:00+11:00"],
        "interval": ["2026-10-03T02:15:00+10:30", "2026-10-03T14:15:00+10:30", "2026-10-04T02:45:00+11:00", "2026-10-04T14:45:00+11:00",
                     "2026-10-05T02:45:00+11:00", "2026-10-05T14:45:00+11:00"],
        "cron": ["2026-10-02T02:15:00+10:30", "2026-10-03T02:15:00+10:30", "2026-10-04T02:30:00+11:00", "2026-10-05T02:15:00+11:00"],
        "frequency": ["2026-10-02T01:26:00+10:30", "2026-10-03T01:26:00+10:30", "2026-10-04T01:26:00+10:30", "2026-10-05T01:26:00+11:00"],
        "skip": ["2026-10-02T02:15:00+10:30", "2026-10-03T02:15:00+10:30", "2026-10-05T02:15:00+11:00"],
    },
    "Lord Howe, back 02:00 -> 01:30": {
        "zone": "Australia/Lord_Howe", "at": "01:45:00", "early": "2026-03-01", "change": "2026-04-05",
        "three_before": "2026-04-02", "two_weeks_before": "2026-03-22", "day_before": "2026-04-04", "ordinal": "first",
        "span": ("2026-04-03T00:00:00+11:00", "2026-04-06T23:59:59+10:30"),
        "daily": ["2026-04-03T01:45:00+11:00", "2026-04-04T01:45:00+11:00", "2026-04-05T01:45:00+11:00", "2026-04-06T01:45:00+10:30"],
        "interval": ["2026-04-04T01:45:00+11:00", "2026-04-04T13:45:00+11:00", "2026-04-05T01:45:00+11:00", "2026-04-05T13:15:00+10:30",
                     "2026-04-06T01:15:00+10:30", "2026-04-06T13:15:00+10:30"],
        "frequency": ["2026-04-03T01:26:00+11:00", "2026-04-04T01:26:00+11:00", "2026-04-05T01:26:00+11:00", "2026-04-06T01:26:00+10:30"],
        "last": ["2026-04-03T01:45:00+11:00", "2026-04-04T01:45:00+11:00", "2026-04-05T01:45:00+10:30", "2026-04-06T01:45:00+10:30"],
        "both": ["2026-04-03T01:45:00+11:00", "2026-04-04T01:45:00+11:00", "2026-04-05T01:45:00+11:00", "2026-04-05T01:45:00+10:30",
                 "2026-04-06T01:45:00+10:30"],
    },
}  # fmt: skip


@pytest.mark.parametrize("name", TABLE)
def test_every_kind_prints_the_right_times_across_a_change_of_clocks(name, jobsd, jobs_yaml):
    """In local time and in UTC, all kinds at once."""
    case = TABLE[name]
    daily, change = case["daily"], case["daily"][2]
    hour, minute, _ = case["at"].split(":")
    path = jobs_yaml(KINDS.format(**case, day=int(case["change"][-2:]), hour=int(hour), minute=int(minute)))
    after, until = case["span"]
    rows = json.loads(jobsd("next", "-c", path, "--after", after, "--until", until, "--json").stdout)
    found = {}
    for row in rows:
        assert datetime.fromisoformat(row["fire_time"]) == datetime.fromisoformat(row["local"])
        assert row["fire_time"].endswith("Z")
        found.setdefault(row["job"], []).append(row["local"])
    assert found == {
        "daily": daily, "ccs": daily, "daily-3": [change], "weekly": [change], "weekly-2": [change, daily[3]],
        "monthly-day": [change], "monthly-ordinal": [change], "once": [change], "interval": case["interval"],
        "cron": case.get("cron", daily), "frequency": case["frequency"], "skip": case.get("skip", daily),
        "last": case.get("last", daily), "both": case.get("both", daily),
    }  # fmt: skip
    assert [row["fire_time"] for row in rows] == sorted(row["fire_time"] for row in rows)


HOURS = [
    ("America/New_York", "2026-03-08T00:30:00-05:00", "2026-03-08T04:30:00-04:00",
     ["2026-03-08T01:07:00-05:00", "2026-03-08T03:07:00-04:00", "2026-03-08T04:07:00-04:00"]),
    ("America/New_York", "2026-11-01T00:30:00-04:00", "2026-11-01T02:30:00-05:00",
     ["2026-11-01T01:07:00-04:00", "2026-11-01T01:07:00-05:00", "2026-11-01T02:07:00-05:00"]),
    ("Australia/Sydney", "2026-10-04T00:30:00+10:00", "2026-10-04T04:30:00+11:00",
     ["2026-10-04T01:07:00+10:00", "2026-10-04T03:07:00+11:00", "2026-10-04T04:07:00+11:00"]),
    ("Australia/Sydney", "2026-04-05T01:30:00+11:00", "2026-04-05T03:30:00+10:00",
     ["2026-04-05T02:07:00+11:00", "2026-04-05T02:07:00+10:00", "2026-04-05T03:07:00+10:00"]),
    ("Australia/Lord_Howe", "2026-10-04T00:30:00+10:30", "2026-10-04T04:00:00+11:00",
     ["2026-10-04T01:07:00+10:30", "2026-10-04T03:07:00+11:00"]),
    ("Australia/Lord_Howe", "2026-04-05T00:30:00+11:00", "2026-04-05T03:00:00+10:30",
     ["2026-04-05T01:07:00+11:00", "2026-04-05T02:07:00+10:30"]),
]  # fmt: skip


@pytest.mark.parametrize(("zone", "after", "until", "expected"), HOURS)
def test_the_hourly_frequency_follows_the_local_minute(zone, after, until, expected, jobsd, jobs_yaml):
    """Both hours of a fold fire, none in a gap; the half hour of Lord Howe moves minute 7 by half an hour."""
    path = jobs_yaml(
        f"  - {{name: x, schedule: {{frequency: hourly, timezone: {zone}}}, run: {{command: {{argv: ['true']}}}}}}\n"
    )
    rows = json.loads(jobsd("next", "-c", path, "--after", after, "--until", until, "--json").stdout)
    assert [row["local"] for row in rows] == expected
