"""Each kind of rule by itself, and where every search ends."""

from datetime import UTC, datetime, time, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim

from recurrence import (
    Cron,
    Daily,
    Gap,
    Hourly,
    Interval,
    MonthlyDay,
    MonthlyOrdinal,
    Once,
    Ordinal,
    Schedule,
    ShortMonth,
    Weekday,
    Weekly,
    count_occurrences,
    fire_times,
    latest_occurrence,
    next_fire_time,
    next_occurrence,
    occurrences,
)


def at(text):
    """A wall time or an instant from ISO text."""
    return datetime.fromisoformat(text)


FRIDAYS = frozenset({Weekday.FRIDAY})
KINDS = [
    # rule, start, other fields, the first fire times (UTC) from long before the start
    (Daily(3), "2026-01-30T22:00", {}, ["2026-01-30T22:00Z", "2026-02-02T22:00Z", "2026-02-05T22:00Z"]),
    (Weekly(1, FRIDAYS), "2026-01-02T22:00", {}, ["2026-01-02T22:00Z", "2026-01-09T22:00Z"]),
    # Weeks begin on Sunday: from a Wednesday, Sunday is four days on in week 1, so in week 2 of every second one
    (Weekly(2, frozenset({Weekday.SUNDAY})), "2026-01-07T22:00", {}, ["2026-01-18T22:00Z", "2026-02-01T22:00Z"]),
    (Weekly(2, frozenset({Weekday.SATURDAY})), "2026-01-07T22:00", {}, ["2026-01-10T22:00Z", "2026-01-24T22:00Z"]),
    (Weekly(2, frozenset({Weekday.SUNDAY, Weekday.MONDAY, Weekday.SATURDAY})), "2026-01-05T22:00", {},
     ["2026-01-05T22:00Z", "2026-01-10T22:00Z", "2026-01-18T22:00Z", "2026-01-19T22:00Z", "2026-01-24T22:00Z"]),
    (MonthlyDay(1, 31), "2026-01-31T09:00", {},
     ["2026-01-31T09:00Z", "2026-02-28T09:00Z", "2026-03-31T09:00Z", "2026-04-30T09:00Z"]),
    (MonthlyDay(1, 31), "2026-01-31T09:00", {"short_month": ShortMonth.SKIP},
     ["2026-01-31T09:00Z", "2026-03-31T09:00Z", "2026-05-31T09:00Z"]),
    (MonthlyDay(12, 29), "2026-02-01T09:00", {"short_month": ShortMonth.SKIP}, ["2028-02-29T09:00Z", "2032-02-29T09:00Z"]),
    (MonthlyDay(3, 5), "2026-01-10T09:00", {}, ["2026-04-05T09:00Z", "2026-07-05T09:00Z"]),
    (MonthlyDay(1, 29), "2100-02-01T09:00", {}, ["2100-02-28T09:00Z", "2100-03-29T09:00Z"]),
    (MonthlyOrdinal(1, Ordinal.LAST, Weekday.FRIDAY), "2026-01-01T09:00", {},
     ["2026-01-30T09:00Z", "2026-02-27T09:00Z", "2026-03-27T09:00Z"]),
    (MonthlyOrdinal(2, Ordinal.SECOND, Weekday.TUESDAY), "2026-01-20T09:00", {}, ["2026-03-10T09:00Z", "2026-05-12T09:00Z"]),
    (Interval(timedelta(minutes=90)), "2026-01-01T00:00", {}, ["2026-01-01T00:00Z", "2026-01-01T01:30Z"]),
    (Cron("0 12 * * 1-5"), "2026-01-02T12:00", {}, ["2026-01-02T12:00Z", "2026-01-05T12:00Z"]),
    (Hourly(7), "2026-01-01T00:08", {}, ["2026-01-01T01:07Z", "2026-01-01T02:07Z"]),
    # at takes the place of the anchor's time of day; the spread is added to every fire time
    (Daily(1), "2026-01-01T22:00", {"at": time(8, 15)}, ["2026-01-01T08:15Z", "2026-01-02T08:15Z"]),
    (Daily(1), "2026-01-01T23:59", {"offset": timedelta(minutes=5)}, ["2026-01-02T00:04Z", "2026-01-03T00:04Z"]),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "start", "fields", "expected"), KINDS)
def test_first_fire_times(rule, start, fields, expected):
    """What a rule yields first; nothing before its anchor, and the anchor itself if it matches."""
    schedule, after, fires = Schedule(rule=rule, start=at(start), **fields), at("2001-01-01T00:00Z"), []
    for _ in expected:
        after = next_fire_time(schedule, after)
        fires.append(after)
    assert fires == [at(text) for text in expected]


ENDS = [
    (Daily(1), {"until": "2026-01-03T02:30"}, 3),
    (Daily(1), {"until": "2026-01-03T02:29:59"}, 2),
    (Daily(1), {"until": "2025-12-31T00:00"}, 0),
    (Once(), {}, 1),
    (Interval(timedelta(hours=12)), {"until": "2026-01-02T02:30"}, 3),
    (Hourly(30), {"until": "2026-01-01T04:30"}, 3),
    (Cron("30 2 * * *"), {"until": "2026-01-02T02:30"}, 2),
]


@pytest.mark.parametrize(("rule", "fields", "count"), ENDS)
def test_until_is_inclusive(rule, fields, count):
    """An occurrence at `until` still fires, one after it does not, for every kind."""
    until = at(fields["until"]) if fields else None
    schedule = Schedule(rule=rule, start=at("2026-01-01T02:30"), until=until)
    after, end = at("2025-01-01T00:00Z"), at("2027-01-01T00:00Z")
    assert len(list(fire_times(schedule, after, end))) == count
    assert count_occurrences(schedule, after=after, until=end) == count
    assert next_fire_time(schedule, end) is None


def test_until_in_a_fold_is_compared_on_the_wall():
    """Until 01:45 on the day clocks go back: 01:50 of the first pass is too late, 01:40 of the second is not.

    Rule: until
    """
    schedule = Schedule(
        rule=Interval(timedelta(minutes=10)),
        zone="America/New_York",
        start=at("2026-11-01T01:20"),
        until=at("2026-11-01T01:45"),
    )
    span = {"after": at("2026-11-01T00:00Z"), "until": at("2026-11-02T00:00Z")}
    walls = [one.civil.strftime("%H:%M") for one in occurrences(schedule, **span)]
    assert walls == ["01:20", "01:30", "01:40", "01:00", "01:10", "01:20", "01:30", "01:40"]
    assert count_occurrences(schedule, **span) == len(walls)


def test_until_in_a_gap_ends_where_the_gap_begins():
    """Until 02:30 on the day 02:00 becomes 03:00: 01:50 is the last of every ten minutes."""
    schedule = Schedule(
        rule=Interval(timedelta(minutes=10)),
        zone="America/New_York",
        start=at("2026-03-08T01:30"),
        until=at("2026-03-08T02:30"),
    )
    found = latest_occurrence(schedule, after=at("2026-03-01T00:00Z"), until=at("2026-04-01T00:00Z"))
    assert found.civil == at("2026-03-08T01:50")


NEVER = [
    Schedule(rule=None),
    Schedule(rule=MonthlyDay(12, 31), start=datetime(2026, 2, 1), short_month=ShortMonth.SKIP),
    Schedule(rule=MonthlyDay(24, 29), start=datetime(2027, 2, 1), short_month=ShortMonth.SKIP),
    Schedule(
        rule=MonthlyOrdinal(12, Ordinal.SECOND, Weekday.SUNDAY),
        zone="America/New_York",
        start=datetime(2026, 3, 1, 2, 30),
        gap=Gap.SKIP,
    ),
    Schedule(rule=Cron("*/10 2 * 3 0#2"), zone="America/New_York"),
    Schedule(rule=Daily(1_000_000), start=datetime(9000, 1, 1)),
    Schedule(rule=Weekly(1_000_000, FRIDAYS), start=datetime(2026, 1, 3)),
]


@pytest.mark.parametrize("schedule", NEVER, ids=lambda schedule: type(schedule.rule).__name__)
@pytest.mark.timeout(10)
def test_a_schedule_that_never_fires_again_says_none(schedule):
    """Always in a gap, always a short month, beyond the calendar: the search ends."""
    after = at("9100-01-01T00:00Z") if schedule.rule == Daily(1_000_000) else at("2026-03-01T00:00Z")
    assert next_fire_time(schedule, after) is None
    assert latest_occurrence(schedule, after=after, until=at("9500-01-01T00:00Z")) is None


@pytest.mark.parametrize(
    "rule",
    [
        Daily(1),
        Weekly(1, frozenset(Weekday)),
        MonthlyDay(1, 31),
        Interval(timedelta(1)),
        Cron("0 0 * * *"),
        Hourly(7),
    ],
)
@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "America/Los_Angeles"])
def test_the_ends_of_the_calendar_are_no_fault(rule, zone):
    """Nothing overflows at the years 1 and 9999."""
    schedule = Schedule(rule=rule, zone=zone, start=at("2026-01-01T00:00"), at=None)
    last = datetime.max.replace(tzinfo=UTC)
    assert next_fire_time(schedule, last) is None
    assert next_fire_time(schedule, datetime.min.replace(tzinfo=UTC)).year >= 2025
    assert len(list(fire_times(schedule, at("9999-11-30T00:00Z"), last))) <= 24 * 32


@pytest.mark.parametrize(
    "ask",
    [
        next_fire_time,
        lambda s, t: next_fire_time(s, after=t),
        lambda s, t: next_occurrence(s, after=t),
        lambda s, t: fire_times(s, t, at("2027-01-01T00:00Z")),
        lambda s, t: fire_times(s, at("2026-01-01T00:00Z"), until=t),
        lambda s, t: occurrences(s, after=t, until=at("2027-01-01T00:00Z")),
        lambda s, t: latest_occurrence(s, after=at("2026-01-01T00:00Z"), until=t),
        lambda s, t: count_occurrences(s, after=at("2026-01-01T00:00Z"), until=t),
    ],
)
def test_a_naive_instant_is_refused(ask):
    """Every question needs an instant with an offset, and says so before its first answer."""
    schedule = Schedule(rule=Daily(1), start=at("2026-01-01T00:00"))
    with pytest.raises(ValueError, match="must be an instant with an offset, not 2026-05-01T00:00:00"):
        ask(schedule, at("2026-05-01T00:00"))


@pytest.mark.parametrize(
    ("rule", "needs"),
    [
        (Daily(1), True), (Daily(2), True), (Once(), True), (Interval(timedelta(hours=1)), True),
        (MonthlyDay(1, 1), True), (Hourly(7), False), (Cron("0 0 * * *"), False), (None, False),
    ],
)  # fmt: skip
def test_an_unanchored_schedule_is_refused_where_it_needs_an_anchor(rule, needs):
    """Hourly and cron text know their fire times without a start; what counts from one does not."""
    schedule = Schedule(rule=rule)
    if needs:
        with pytest.raises(ValueError, match="the schedule has no start"):
            next_fire_time(schedule, at("2026-01-01T00:00Z"))
    else:
        next_fire_time(schedule, at("2026-01-01T00:00Z"))


def test_every_day_at_a_time_needs_no_anchor():
    """A rule that takes every period, with a time of day of its own: a start is only a lower bound."""
    schedule = Schedule(rule=Daily(1), at=time(1, 26))
    assert next_fire_time(schedule, at("2026-01-01T00:00Z")) == at("2026-01-01T01:26Z")


def test_latest_of_a_seconds_interval_over_years_is_cheap():
    """Ten years of seconds: the latest is found, and all are counted, without walking them."""
    schedule = Schedule(rule=Interval(timedelta(seconds=1)), start=at("2016-01-01T00:00"))
    span = {"after": at("2016-01-01T00:00Z"), "until": at("2026-01-01T00:00:00.5Z")}
    assert latest_occurrence(schedule, **span).fire_time == at("2026-01-01T00:00Z")
    assert count_occurrences(schedule, **span) == 315_619_200


@pytest.mark.parametrize(
    "text", ["30 1 * * *", "*/20 * * * *", "15 3 * * 0", "0 */6 * * *", "30 2 * * *", "5 0 1 * *"]
)
@pytest.mark.parametrize("zone", ["America/New_York", "Australia/Sydney", "Europe/London"])
def test_cron_text_fires_when_cronsim_says(text, zone):
    """Over both changes of clocks of a year, walked from its beginning, cronsim itself says the same."""
    begin, end = at("2026-02-15T00:00Z"), at("2026-12-01T00:00Z")
    walk = (found.astimezone(UTC) for found in CronSim(text, begin.astimezone(ZoneInfo(zone))))
    theirs = list(takewhile(lambda found: found <= end, walk))
    assert list(fire_times(Schedule(rule=Cron(text), zone=zone), begin, end)) == theirs
