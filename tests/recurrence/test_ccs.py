"""The CCS Schedule block: what each mode means, and the exact text of every refusal."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from recurrence import Daily, MonthlyDay, MonthlyOrdinal, Once, Ordinal, Rerun, Schedule, Weekday, Weekly
from recurrence.ccs import ScheduleBlockError, decode_schedule_block
from recurrence.ccs_fields import Fault

CREATED = datetime(2026, 1, 2, 3, 4, 5, 600_000, tzinfo=UTC)
START = "2026-03-01T02:30:00"
WALL = datetime(2026, 3, 1, 2, 30)
PERIODIC = {"RunNow": False, "RunPeriodically": True, "StartDate": START}
ALL_ZERO = {
    "EndJobRunConfigured": False, "EndJobRunTimeInterval": "00:00:00", "SubScheduleRepeatDays": 0,
    "SubScheduleRepeatPeriodDays": 0, "MonthlyDay": 0, "MonthlyDayOfTheWeek": 0, "MonthlyIsByOrdinalDay": False,
    "MonthlyOrdinalDay": 0, "MonthlyRecurEvery": 0, "RecurrenceType": 0, "RepeatDays": 50, "RepeatMinutes": 0,
    "RunEveryNDays": True, "RunNow": True, "RunOnce": True, "RunPeriodically": False,
    "StartDate": "2019-01-04T02:14:27.5120788-08:00", "WeeklyDay": 0, "WeeklyRecurEvery": 0,
}  # fmt: skip


def decode(block, **options):
    """The block's schedule in New York, created on a known day."""
    return decode_schedule_block(block, **{"zone": "America/New_York", "created": CREATED, **options})


def schedule(**fields):
    """A schedule in New York."""
    return Schedule(**{"zone": "America/New_York", "start": WALL, **fields})


MEANINGS = [
    ({}, Schedule(rule=None, zone="America/New_York", run_now=True)),
    ({"RunNow": False}, Schedule(rule=None, zone="America/New_York")),
    (ALL_ZERO, Schedule(rule=None, zone="America/New_York", run_now=True)),
    ({"RunNow": "False", "RunOnce": "true", "StartDate": START}, schedule(rule=Once())),
    ({"RunNow": True, "RunOnce": True, "StartDate": "nonsense"}, Schedule(rule=None, zone="America/New_York", run_now=True)),
    (PERIODIC | {"RecurrenceType": 1, "RepeatDays": 9}, schedule(rule=Daily(1))),
    (PERIODIC | {"RecurrenceType": 0, "RunEveryNDays": True, "RepeatDays": 9}, schedule(rule=Daily(9))),
    (PERIODIC | {"RunEveryNDays": "True", "RepeatDays": 9}, schedule(rule=Daily(9))),
    (PERIODIC | {"RunNow": True, "RecurrenceType": 1}, schedule(rule=Daily(1), run_now=True)),
    (PERIODIC | {"RunNow": True, "RunOnce": True, "RecurrenceType": 1}, schedule(rule=Daily(1), run_now=True)),
    (PERIODIC | {"RecurrenceType": 2, "WeeklyDay": 0}, schedule(rule=Weekly(1, frozenset({Weekday.SUNDAY})))),
    (PERIODIC | {"RecurrenceType": 2, "WeeklyDay": 6, "WeeklyRecurEvery": 2},
     schedule(rule=Weekly(2, frozenset({Weekday.SATURDAY})))),
    (PERIODIC | {"RecurrenceType": 3, "MonthlyDay": 31, "MonthlyRecurEvery": 3}, schedule(rule=MonthlyDay(3, 31))),
    (PERIODIC | {"RecurrenceType": 3, "MonthlyIsByOrdinalDay": True, "MonthlyOrdinalDay": 5, "MonthlyDayOfTheWeek": 5},
     schedule(rule=MonthlyOrdinal(1, Ordinal.LAST, Weekday.FRIDAY))),
    (PERIODIC | {"RecurrenceType": 1, "MonthlyDay": 99, "WeeklyDay": -1, "EndJobRunTimeInterval": "junk"},
     schedule(rule=Daily(1))),
    (PERIODIC | {"RecurrenceType": 1, "EndJobRunConfigured": "true", "EndJobRunTimeInterval": "04:00"},
     schedule(rule=Daily(1), window=timedelta(hours=4))),
    (PERIODIC | {"RecurrenceType": 1, "EndJobRunConfigured": True, "EndJobRunTimeInterval": "1.02:03:04.5000000"},
     schedule(rule=Daily(1), window=timedelta(days=1, hours=2, minutes=3, seconds=4, milliseconds=500))),
    (PERIODIC | {"RecurrenceType": 1, "SubScheduleRepeatDays": 1, "SubScheduleRepeatPeriodDays": 3},
     schedule(rule=Daily(1), rerun=Rerun(timedelta(days=1), timedelta(days=3)))),
    (PERIODIC | {"RecurrenceType": 1, "SubScheduleRepeatDays": 1}, schedule(rule=Daily(1))),
    (PERIODIC | {"RecurrenceType": 1, "StartDate": None}, schedule(rule=Daily(1), start=datetime(2026, 1, 1, 22, 4, 5))),
    (PERIODIC | {"RecurrenceType": 1, "StartDate": "0001-01-01T00:00:00"},
     schedule(rule=Daily(1), start=datetime(2026, 1, 1, 22, 4, 5))),
]  # fmt: skip


@pytest.mark.parametrize(("block", "expected"), MEANINGS)
def test_block_means(block, expected):
    """A field counts in its mode only, RunNow is a flag and wins over RunOnce, booleans may be text.

    Rule: run-now
    """
    assert decode(block) == expected


@pytest.mark.parametrize(
    ("text", "wall"),
    [
        ("2026-03-01T02:30:00", "2026-03-01T02:30"),
        ("2026-03-01T02:30:00.5", "2026-03-01T02:30"),
        ("2026-03-01T02:30:00.9999999", "2026-03-01T02:30"),
        ("2026-03-01T02:30:00Z", "2026-02-28T21:30"),
        ("2026-03-01T02:30:00.5120788-08:00", "2026-03-01T05:30"),
        ("2026-03-01T02:30:00+05:30", "2026-02-28T16:00"),
        ("2026-11-01T06:30:00Z", "2026-11-01T01:30"),
    ],
)
def test_start_date_is_wall_time_in_the_zone(text, wall):
    """With an offset or Z it is an instant, converted; its fraction is dropped."""
    found = decode(PERIODIC | {"RecurrenceType": 1, "StartDate": text})
    assert found.start == datetime.fromisoformat(wall)


def test_windows_zone_is_mapped():
    """A Windows name stands for its IANA zone."""
    assert decode({}, zone="Pacific Standard Time").zone == "America/Los_Angeles"


@pytest.mark.parametrize(
    ("value", "days"),
    [(1, {Weekday.SUNDAY}), (64, {Weekday.SATURDAY}), (34, {Weekday.MONDAY, Weekday.FRIDAY}), (127, set(Weekday))],
)
def test_flags_codec_sums_weekdays(value, days):
    """With the flags codec a number is a sum of days, Sunday 1 to Saturday 64."""
    block = PERIODIC | {"RecurrenceType": 2, "WeeklyDay": value}
    assert decode(block, weekday_codec="flags").rule == Weekly(1, frozenset(days))


DOTNET = "0 Sunday, 1 Monday, 2 Tuesday, 3 Wednesday, 4 Thursday, 5 Friday or 6 Saturday"
FLAGS = "1 Sunday, 2 Monday, 4 Tuesday, 8 Wednesday, 16 Thursday, 32 Friday, 64 Saturday, or a sum of these"
COUNT = "a whole number from 1 to 1000000"
SPAN = "must be [d.]hh:mm[:ss[.fffffff]] with hours 0 to 23"
NO_DAYS = "a whole number of days from 0 to 1000000, 0 for no rerun"
DAILY = PERIODIC | {"RecurrenceType": 1}
LIMITED = DAILY | {"EndJobRunConfigured": True}
DATE = "must be YYYY-MM-DDThh:mm:ss, with or without a fraction and an offset or Z"

REFUSALS = [
    ({"RunNow": "yes"}, 'RunNow = "yes": must be true or false'),
    ({"RunNow": 1}, "RunNow = 1: must be true or false"),
    ({"RunOnce": "maybe"}, 'RunOnce = "maybe": must be true or false'),
    ({"RunPeriodically": 0}, "RunPeriodically = 0: must be true or false"),
    ({"Runnow": True}, "Runnow = true: is no field of a Schedule block: did you mean RunNow?"),
    ({"Zebra": None}, "Zebra is no field of a Schedule block"),
    ({"RunNow": False, "RunOnce": True}, "StartDate is missing: must be set when RunOnce is true"),
    ({"RunNow": False, "RunOnce": True, "StartDate": "0001-01-01T00:00:00Z"},
     'StartDate = "0001-01-01T00:00:00Z": must be set when RunOnce is true'),
    (DAILY | {"RunOnce": True}, "RunOnce = true: must be false when RunPeriodically is true"),
    (DAILY | {"StartDate": "2026-02-30T00:00:00"}, f'StartDate = "2026-02-30T00:00:00": {DATE}'),
    (DAILY | {"StartDate": "tomorrow"}, f'StartDate = "tomorrow": {DATE}'),
    (DAILY | {"StartDate": "2026-03-01T00:00:00.12345678"}, f'StartDate = "2026-03-01T00:00:00.12345678": {DATE}'),
    (DAILY | {"StartDate": 5}, f"StartDate = 5: {DATE}"),
    (DAILY | {"StartDate": "2026-03-01T00:00:00+99:00"}, f'StartDate = "2026-03-01T00:00:00+99:00": {DATE}'),
    (DAILY | {"StartDate": "9999-12-31T23:59:59-12:00"},
     'StartDate = "9999-12-31T23:59:59-12:00": must lie within the years 1 to 9999'),
    (PERIODIC, "RecurrenceType is missing: must be 1, 2 or 3 when RunPeriodically is true and RunEveryNDays is not"),
    (PERIODIC | {"RecurrenceType": 0},
     "RecurrenceType = 0: must be 1, 2 or 3 when RunPeriodically is true and RunEveryNDays is not"),
    (PERIODIC | {"RecurrenceType": 4}, "RecurrenceType = 4: must be 0 none, 1 daily, 2 weekly or 3 monthly"),
    (PERIODIC | {"RecurrenceType": "3"}, 'RecurrenceType = "3": must be 0 none, 1 daily, 2 weekly or 3 monthly'),
    (PERIODIC | {"RecurrenceType": True}, "RecurrenceType = true: must be 0 none, 1 daily, 2 weekly or 3 monthly"),
    (PERIODIC | {"RecurrenceType": 2, "RunEveryNDays": True, "RepeatDays": 1, "WeeklyDay": 1},
     "RecurrenceType = 2: must be 0 or 1 when RunEveryNDays is true"),
    (PERIODIC | {"RecurrenceType": 3, "RunEveryNDays": True, "RepeatDays": 1},
     "RecurrenceType = 3: must be 0 or 1 when RunEveryNDays is true"),
    (DAILY | {"RunEveryNDays": True}, f"RepeatDays is missing: must be {COUNT}"),
    (DAILY | {"RunEveryNDays": True, "RepeatDays": 0}, f"RepeatDays = 0: must be {COUNT}"),
    (DAILY | {"RunEveryNDays": True, "RepeatDays": 1.5}, f"RepeatDays = 1.5: must be {COUNT}"),
    (DAILY | {"RunEveryNDays": "often"}, 'RunEveryNDays = "often": must be true or false'),
    (DAILY | {"RepeatMinutes": 15}, "RepeatMinutes = 15: must be 0: its meaning is not documented"),
    (PERIODIC | {"RecurrenceType": 2}, f"WeeklyDay is missing: must be {DOTNET}"),
    (PERIODIC | {"RecurrenceType": 2, "WeeklyDay": 7}, f"WeeklyDay = 7: must be {DOTNET}"),
    (PERIODIC | {"RecurrenceType": 2, "WeeklyDay": 1, "WeeklyRecurEvery": 0},
     f"WeeklyRecurEvery = 0: must be {COUNT}"),
    (PERIODIC | {"RecurrenceType": 3}, "MonthlyDay is missing: must be a whole number from 1 to 31"),
    (PERIODIC | {"RecurrenceType": 3, "MonthlyDay": 0}, "MonthlyDay = 0: must be a whole number from 1 to 31"),
    (PERIODIC | {"RecurrenceType": 3, "MonthlyDay": 32}, "MonthlyDay = 32: must be a whole number from 1 to 31"),
    (PERIODIC | {"RecurrenceType": 3, "MonthlyDay": 1, "MonthlyRecurEvery": 0},
     f"MonthlyRecurEvery = 0: must be {COUNT}"),
    (PERIODIC | {"RecurrenceType": 3, "MonthlyIsByOrdinalDay": True, "MonthlyDayOfTheWeek": 1},
     "MonthlyOrdinalDay is missing: must be 1 first, 2 second, 3 third, 4 fourth or 5 last"),
    (PERIODIC | {"RecurrenceType": 3, "MonthlyIsByOrdinalDay": True, "MonthlyDayOfTheWeek": 1, "MonthlyOrdinalDay": 6},
     "MonthlyOrdinalDay = 6: must be 1 first, 2 second, 3 third, 4 fourth or 5 last"),
    (PERIODIC | {"RecurrenceType": 3, "MonthlyIsByOrdinalDay": True, "MonthlyOrdinalDay": 1},
     f"MonthlyDayOfTheWeek is missing: must be {DOTNET}"),
    (PERIODIC | {"RecurrenceType": 3, "MonthlyIsByOrdinalDay": "?", "MonthlyDay": 1},
     'MonthlyIsByOrdinalDay = "?": must be true or false'),
    (DAILY | {"SubScheduleRepeatDays": -1}, f"SubScheduleRepeatDays = -1: must be {NO_DAYS}"),
    (DAILY | {"SubScheduleRepeatPeriodDays": "3"}, f'SubScheduleRepeatPeriodDays = "3": must be {NO_DAYS}'),
    (DAILY | {"EndJobRunConfigured": "on"}, 'EndJobRunConfigured = "on": must be true or false'),
    (LIMITED, f"EndJobRunTimeInterval is missing: {SPAN}"),
    (LIMITED | {"EndJobRunTimeInterval": "24:00:00"},
     f'EndJobRunTimeInterval = "24:00:00": {SPAN} (.NET reads more as days: write 1.00:00:00 for 24 hours)'),
    (LIMITED | {"EndJobRunTimeInterval": "4"},
     f'EndJobRunTimeInterval = "4": {SPAN} (.NET reads a bare number as days: write 1.00:00:00 for one day)'),
    (LIMITED | {"EndJobRunTimeInterval": 4},
     f"EndJobRunTimeInterval = 4: {SPAN} (.NET reads a bare number as days: write 1.00:00:00 for one day)"),
    (LIMITED | {"EndJobRunTimeInterval": "04:60"}, f'EndJobRunTimeInterval = "04:60": {SPAN}, minutes and seconds 0 to 59'),
    (LIMITED | {"EndJobRunTimeInterval": "-04:00"}, f'EndJobRunTimeInterval = "-04:00": {SPAN}'),
    (LIMITED | {"EndJobRunTimeInterval": "00:00:00"},
     'EndJobRunTimeInterval = "00:00:00": must be above zero when EndJobRunConfigured is true'),
    (LIMITED | {"EndJobRunTimeInterval": "1.00:00:01", "SubScheduleRepeatDays": 1, "SubScheduleRepeatPeriodDays": 2},
     'EndJobRunTimeInterval = "1.00:00:01": must not be longer than SubScheduleRepeatDays (1 day)'),
]  # fmt: skip


@pytest.mark.parametrize(("block", "text"), REFUSALS)
def test_refusal_names_field_value_and_what_is_allowed(block, text):
    """One fault, in these words."""
    with pytest.raises(ScheduleBlockError) as caught:
        decode(block)
    assert str(caught.value) == text


@pytest.mark.parametrize(
    ("block", "text"),
    [
        ({"RecurrenceType": 2, "WeeklyDay": 0}, f"WeeklyDay = 0: must be {FLAGS}"),
        ({"RecurrenceType": 2, "WeeklyDay": 128}, f"WeeklyDay = 128: must be {FLAGS}"),
        (
            {"RecurrenceType": 3, "MonthlyIsByOrdinalDay": True, "MonthlyOrdinalDay": 1, "MonthlyDayOfTheWeek": 3},
            "MonthlyDayOfTheWeek = 3: must be one weekday, not several",
        ),
    ],
)
def test_refusal_of_flags(block, text):
    """The flags codec refuses what is no sum of days, and several days where one is meant."""
    with pytest.raises(ScheduleBlockError) as caught:
        decode(PERIODIC | block, weekday_codec="flags")
    assert str(caught.value) == text


def test_all_faults_come_at_once():
    """Every fault of a block is told, each with its field, value and message, in the order of CCS's table."""
    with pytest.raises(ScheduleBlockError) as caught:
        decode(LIMITED | {"EndJobRunTimeInterval": "x", "RepeatMinutes": 5, "StartDate": "x", "Zebra": 1})
    assert caught.value.faults == (
        Fault("Zebra", 1, "is no field of a Schedule block"),
        Fault("EndJobRunTimeInterval", "x", SPAN),
        Fault("RepeatMinutes", 5, "must be 0: its meaning is not documented"),
        Fault("StartDate", "x", DATE),
    )


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"created": None}, "the block has no StartDate, and nothing says when the job was created"),
        ({"created": CREATED.replace(tzinfo=None)}, "created must be an instant with an offset, not 2026-01-02T03:04:05.600000"),
        ({"weekday_codec": "iso"}, "weekday_codec must be dotnet or flags, not 'iso'"),
        ({"zone": "+05:30"}, "'+05:30' is a fixed offset, not a time zone: name a zone, such as Asia/Kolkata"),
    ],
)  # fmt: skip
def test_what_the_caller_got_wrong(options, text):
    """A recurrence needs something to count from; zone and codec must be known."""
    with pytest.raises(ValueError, match=re.escape(text)) as caught:
        decode({"RunNow": False, "RunPeriodically": True, "RecurrenceType": 1}, **options)
    assert str(caught.value) == text
