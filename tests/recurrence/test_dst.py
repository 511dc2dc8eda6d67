"""Both changes of clocks in the zones that do it differently."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from recurrence import (
    Cron,
    Daily,
    Fold,
    Gap,
    Hourly,
    Interval,
    Schedule,
    fire_times,
    next_fire_time,
    next_occurrence,
    occurrences,
)

# zone, anchor, policies, from, to, fire times. The spans open just before a real transition.
TABLE = [
    # New York: 2026-03-08 02:00 EST -> 03:00 EDT
    ("America/New_York", "2026-03-01T02:30", {}, "2026-03-07T00:00Z", "2026-03-09T23:00Z",
     ["2026-03-07T02:30:00-05:00", "2026-03-08T03:30:00-04:00", "2026-03-09T02:30:00-04:00"]),
    ("America/New_York", "2026-03-01T02:30", {"gap": Gap.SKIP}, "2026-03-07T00:00Z", "2026-03-09T23:00Z",
     ["2026-03-07T02:30:00-05:00", "2026-03-09T02:30:00-04:00"]),
    ("America/New_York", "2026-03-01T02:00", {}, "2026-03-07T23:00Z", "2026-03-08T23:00Z",
     ["2026-03-08T03:00:00-04:00"]),
    ("America/New_York", "2026-03-01T03:00", {"gap": Gap.SKIP}, "2026-03-07T23:00Z", "2026-03-08T23:00Z",
     ["2026-03-08T03:00:00-04:00"]),
    # New York: 2026-11-01 02:00 EDT -> 01:00 EST
    ("America/New_York", "2026-03-01T01:30", {}, "2026-10-31T23:00Z", "2026-11-02T23:00Z",
     ["2026-11-01T01:30:00-04:00", "2026-11-02T01:30:00-05:00"]),
    ("America/New_York", "2026-03-01T01:30", {"fold": Fold.LAST}, "2026-10-31T23:00Z", "2026-11-02T23:00Z",
     ["2026-11-01T01:30:00-05:00", "2026-11-02T01:30:00-05:00"]),
    ("America/New_York", "2026-03-01T01:30", {"fold": Fold.BOTH}, "2026-10-31T23:00Z", "2026-11-02T23:00Z",
     ["2026-11-01T01:30:00-04:00", "2026-11-01T01:30:00-05:00", "2026-11-02T01:30:00-05:00"]),
    ("America/New_York", "2026-03-01T02:00", {"fold": Fold.BOTH}, "2026-10-31T23:00Z", "2026-11-01T23:00Z",
     ["2026-11-01T02:00:00-05:00"]),
    # Sydney: 2026-10-04 02:00 -> 03:00, 2026-04-05 03:00 -> 02:00
    ("Australia/Sydney", "2026-01-01T02:30", {}, "2026-10-02T20:00Z", "2026-10-04T20:00Z",
     ["2026-10-04T03:30:00+11:00", "2026-10-05T02:30:00+11:00"]),
    ("Australia/Sydney", "2026-01-01T02:30", {"fold": Fold.BOTH}, "2026-04-03T20:00Z", "2026-04-05T20:00Z",
     ["2026-04-05T02:30:00+11:00", "2026-04-05T02:30:00+10:00", "2026-04-06T02:30:00+10:00"]),
    # Lord Howe, half an hour: 2026-10-04 02:00 -> 02:30, 2026-04-05 02:00 -> 01:30
    ("Australia/Lord_Howe", "2026-01-01T02:15", {}, "2026-10-02T20:00Z", "2026-10-04T20:00Z",
     ["2026-10-04T02:45:00+11:00", "2026-10-05T02:15:00+11:00"]),
    ("Australia/Lord_Howe", "2026-01-01T02:15", {"gap": Gap.SKIP}, "2026-10-02T20:00Z", "2026-10-04T20:00Z",
     ["2026-10-05T02:15:00+11:00"]),
    ("Australia/Lord_Howe", "2026-01-01T01:45", {"fold": Fold.BOTH}, "2026-04-03T20:00Z", "2026-04-05T20:00Z",
     ["2026-04-05T01:45:00+11:00", "2026-04-05T01:45:00+10:30", "2026-04-06T01:45:00+10:30"]),
    # Apia has no 2011-12-30: shifted, it lands on the next day's occurrence, and the two are one
    ("Pacific/Apia", "2011-12-01T10:00", {}, "2011-12-29T00:00Z", "2012-01-01T00:00Z",
     ["2011-12-29T10:00:00-10:00", "2011-12-31T10:00:00+14:00", "2012-01-01T10:00:00+14:00"]),
    ("Pacific/Apia", "2011-12-01T10:00", {"gap": Gap.SKIP}, "2011-12-29T00:00Z", "2011-12-31T00:00Z",
     ["2011-12-29T10:00:00-10:00", "2011-12-31T10:00:00+14:00"]),
    # Sao Paulo changes at midnight: 2018-11-04 00:00 -> 01:00, 2018-02-18 00:00 -> 2018-02-17 23:00
    ("America/Sao_Paulo", "2018-01-01T00:00", {}, "2018-11-03T12:00Z", "2018-11-05T12:00Z",
     ["2018-11-04T01:00:00-02:00", "2018-11-05T00:00:00-02:00"]),
    ("America/Sao_Paulo", "2018-01-01T23:30", {"fold": Fold.BOTH}, "2018-02-17T12:00Z", "2018-02-18T12:00Z",
     ["2018-02-17T23:30:00-02:00", "2018-02-17T23:30:00-03:00"]),
    # London: 2026-03-29 01:00 -> 02:00, 2026-10-25 02:00 -> 01:00
    ("Europe/London", "2026-01-01T01:30", {}, "2026-03-28T12:00Z", "2026-03-30T12:00Z",
     ["2026-03-29T02:30:00+01:00", "2026-03-30T01:30:00+01:00"]),
    ("Europe/London", "2026-01-01T01:30", {"fold": Fold.LAST}, "2026-10-24T12:00Z", "2026-10-26T12:00Z",
     ["2026-10-25T01:30:00+00:00", "2026-10-26T01:30:00+00:00"]),
]  # fmt: skip


def at(text):
    """An instant from ISO text."""
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(("zone", "start", "policies", "after", "until", "expected"), TABLE)
def test_daily_over_a_change_of_clocks(zone, start, policies, after, until, expected, iso):
    """A daily time in a gap or a fold fires as the policy says."""
    schedule = Schedule(rule=Daily(1), zone=zone, start=at(start), **policies)
    assert iso(fire_times(schedule, at(after), at(until)), zone) == expected


def test_civil_time_stays_what_the_recurrence_yields():
    """02:30 in a gap fires at 03:30 and is still the occurrence of 02:30: reruns count from it."""
    schedule = Schedule(rule=Daily(1), zone="America/New_York", start=at("2026-03-01T02:30"))
    found = next_occurrence(schedule, after=at("2026-03-08T00:00Z"))
    assert found.civil == at("2026-03-08T02:30")
    assert found.fire_time == at("2026-03-08T07:30Z")


def test_two_occurrences_on_one_instant_keep_the_first_civil_time():
    """Apia's missing day and the day after it are one occurrence, from wherever one asks."""
    schedule = Schedule(rule=Daily(1), zone="Pacific/Apia", start=at("2011-12-01T10:00"))
    found = list(occurrences(schedule, after=at("2011-12-30T00:00Z"), until=at("2011-12-31T00:00Z")))
    assert [one.civil for one in found] == [at("2011-12-30T10:00")]
    assert next_occurrence(schedule, after=at("2011-12-30T19:59:59Z")) == found[0]


BETWEEN = [
    # Asked inside the hour after a gap, before the moved fire time; at it; and between the passes of a fold
    ("2026-03-01T02:30", {}, "2026-03-08T07:00Z", "2026-03-08T03:30:00-04:00"),
    ("2026-03-01T02:30", {}, "2026-03-08T07:29:59.9Z", "2026-03-08T03:30:00-04:00"),
    ("2026-03-01T02:30", {}, "2026-03-08T07:30Z", "2026-03-09T02:30:00-04:00"),
    ("2026-03-01T01:30", {"fold": Fold.LAST}, "2026-11-01T05:45Z", "2026-11-01T01:30:00-05:00"),
    ("2026-03-01T01:30", {"fold": Fold.BOTH}, "2026-11-01T05:30Z", "2026-11-01T01:30:00-05:00"),
    ("2026-03-01T01:30", {}, "2026-11-01T06:15Z", "2026-11-02T01:30:00-05:00"),
]


@pytest.mark.parametrize(("start", "policies", "after", "expected"), BETWEEN)
def test_asked_in_the_middle_of_a_change(start, policies, after, expected, iso):
    """The answer is the same whenever one asks before the fire time, also when the clock on the wall is past it."""
    schedule = Schedule(rule=Daily(1), zone="America/New_York", start=at(start), **policies)
    assert iso([next_fire_time(schedule, at(after))], "America/New_York") == [expected]


def test_an_iteration_changes_its_offset_on_the_day_of_the_change():
    """A daily noon over a year: each fire time is noon on the wall."""
    zone = ZoneInfo("America/New_York")
    schedule = Schedule(rule=Daily(1), zone=zone.key, start=at("2026-01-01T12:00"))
    fires = list(fire_times(schedule, at("2026-01-01T00:00Z"), at("2027-01-01T00:00Z")))
    assert len(fires) == 365
    assert {fire.astimezone(zone).time() for fire in fires} == {at("2026-01-01T12:00").time()}


HOURLY = [
    ("America/New_York", 7, "2026-11-01T05:00Z", 3,
     ["2026-11-01T01:07:00-04:00", "2026-11-01T01:07:00-05:00", "2026-11-01T02:07:00-05:00"]),
    ("America/New_York", 7, "2026-03-08T06:00Z", 2, ["2026-03-08T01:07:00-05:00", "2026-03-08T03:07:00-04:00"]),
    ("Asia/Kolkata", 7, "2026-03-08T06:00Z", 1, ["2026-03-08T12:07:00+05:30"]),
    ("Asia/Kathmandu", 0, "2026-03-08T06:00Z", 2, ["2026-03-08T12:00:00+05:45", "2026-03-08T13:00:00+05:45"]),
    # Half an hour back: the minutes 30 to 59 of the hour pass twice, the minutes before it once
    ("Australia/Lord_Howe", 45, "2026-04-04T14:00Z", 3,
     ["2026-04-05T01:45:00+11:00", "2026-04-05T01:45:00+10:30", "2026-04-05T02:45:00+10:30"]),
    ("Australia/Lord_Howe", 7, "2026-04-04T13:00Z", 3,
     ["2026-04-05T00:07:00+11:00", "2026-04-05T01:07:00+11:00", "2026-04-05T02:07:00+10:30"]),
    # Half an hour forward: 02:07 does not exist
    ("Australia/Lord_Howe", 7, "2026-10-03T14:30Z", 2, ["2026-10-04T01:07:00+10:30", "2026-10-04T03:07:00+11:00"]),
    ("Australia/Lord_Howe", 45, "2026-10-03T15:00Z", 2, ["2026-10-04T01:45:00+10:30", "2026-10-04T02:45:00+11:00"]),
]  # fmt: skip


@pytest.mark.parametrize(("zone", "minute", "after", "count", "expected"), HOURLY)
def test_hourly_fires_at_every_such_minute_of_the_wall_clock(zone, minute, after, count, expected, iso):
    """Both hours of a fold fire, a minute in a gap does not, offsets of 30 and 45 minutes count."""
    schedule, fires = Schedule(rule=Hourly(minute), zone=zone), [at(after)]
    for _ in range(count):
        fires.append(next_fire_time(schedule, fires[-1]))
    assert iso(fires[1:], zone) == expected


def test_interval_knows_no_change_of_clocks(iso):
    """Six hours stay six hours of elapsed time."""
    schedule = Schedule(rule=Interval(timedelta(hours=6)), zone="America/New_York", start=at("2026-03-08T00:00"))
    fires = fire_times(schedule, at("2026-03-08T00:00Z"), at("2026-03-08T23:00Z"))
    assert iso(fires, "America/New_York") == [
        "2026-03-08T00:00:00-05:00",
        "2026-03-08T07:00:00-04:00",
        "2026-03-08T13:00:00-04:00",
        "2026-03-08T19:00:00-04:00",
    ]


CRON = [
    # A time of day: at the gap's end, and once in a fold
    ("30 2 * * *", "2026-03-08T00:00Z", ["2026-03-08T03:00:00-04:00", "2026-03-09T02:30:00-04:00"]),
    ("15,45 2 * * *", "2026-03-08T00:00Z", ["2026-03-08T03:00:00-04:00", "2026-03-09T02:15:00-04:00"]),
    ("30 1 * * *", "2026-11-01T00:00Z", ["2026-11-01T01:30:00-04:00", "2026-11-02T01:30:00-05:00"]),
    ("30 1 * * *", "2026-11-01T05:45Z", ["2026-11-02T01:30:00-05:00"]),
    # What follows the clock on the wall: not in a gap, twice in a fold
    ("30 * * * *", "2026-03-08T06:00Z", ["2026-03-08T01:30:00-05:00", "2026-03-08T03:30:00-04:00"]),
    ("*/30 2 * * *", "2026-03-08T00:00Z", ["2026-03-09T02:00:00-04:00"]),
    ("30 * * * *", "2026-11-01T05:00Z", ["2026-11-01T01:30:00-04:00", "2026-11-01T01:30:00-05:00", "2026-11-01T02:30:00-05:00"]),
    ("*/30 1 * * *", "2026-11-01T05:10Z", ["2026-11-01T01:30:00-04:00", "2026-11-01T01:00:00-05:00", "2026-11-01T01:30:00-05:00", "2026-11-02T01:00:00-05:00"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "after", "expected"), CRON)
def test_cron_text_follows_cronsims_rule(text, after, expected, iso):
    """Cron text has its own DST rule, and the answer does not depend on where one begins to ask."""
    schedule, fires = Schedule(rule=Cron(text), zone="America/New_York"), [at(after)]
    for _ in expected:
        fires.append(next_fire_time(schedule, fires[-1]))
    assert iso(fires[1:], "America/New_York") == expected


def test_answers_are_aware_and_in_utc():
    """A fire time is UTC, in whichever zone the question was asked."""
    schedule = Schedule(rule=Daily(1), zone="Asia/Tokyo", start=at("2026-01-01T09:00"))
    assert next_fire_time(schedule, at("2026-01-05T00:00+09:00")).tzinfo is UTC
