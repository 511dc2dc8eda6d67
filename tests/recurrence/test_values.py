"""What schedules refuse, and the small values around them: zones, spread, frequencies, reruns, the trigger."""

import re
from datetime import UTC, datetime, time, timedelta
from zoneinfo import available_timezones

import pytest
from apscheduler.triggers.base import BaseTrigger

from recurrence import (
    Cron,
    Daily,
    Fold,
    Frequencies,
    Gap,
    Hourly,
    Interval,
    MonthlyDay,
    MonthlyOrdinal,
    Occurrence,
    Ordinal,
    Rerun,
    Schedule,
    Weekday,
    Weekly,
    frequency_rule,
    next_fire_time,
    next_occurrence,
    rerun_times,
    resolve_zone,
    spread_offset,
)
from recurrence.trigger import ScheduleTrigger

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def at(text):
    """A wall time or an instant from ISO text."""
    return datetime.fromisoformat(text)


REFUSED = [
    (lambda: Daily(0), "every must be 1 to 1000000, not 0"),
    (lambda: Weekly(1, frozenset()), "on must name at least one weekday"),
    (lambda: Weekly(0, frozenset(Weekday)), "every must be 1 to 1000000, not 0"),
    (lambda: MonthlyDay(1, 32), "day must be 1 to 31, not 32"),
    (lambda: MonthlyDay(1_000_001, 1), "every must be 1 to 1000000, not 1000001"),
    (lambda: MonthlyOrdinal(0, Ordinal.LAST, Weekday.FRIDAY), "every must be 1 to 1000000, not 0"),
    (lambda: Interval(timedelta(0)), "every must be a whole number of seconds above zero, not 0:00:00"),
    (lambda: Interval(timedelta(seconds=1.5)), "every must be a whole number of seconds above zero, not 0:00:01.500000"),
    (lambda: Hourly(60), "minute must be 0 to 59, not 60"),
    (lambda: Cron("* * * *"), "cron text has five fields (minute hour day month weekday), not 4"),
    (lambda: Cron("0 * * * * *"), "cron text has five fields (minute hour day month weekday), not 6"),
    (lambda: Cron("61 * * * *"), "cron text '61 * * * *': Bad minute"),
    (lambda: Rerun(timedelta(0), DAY), "a rerun's every and period must be above zero"),
    (lambda: Schedule(rule=Daily(), start=at("2026-01-01T00:00Z")),
     "start must be a wall time without an offset, not 2026-01-01T00:00:00+00:00"),
    (lambda: Schedule(rule=Daily(), start=at("2026-01-01T00:00:00.5")),
     "start must be in whole seconds, not 2026-01-01T00:00:00.500000"),
    (lambda: Schedule(rule=Daily(), start=at("0001-01-01T00:00")), "start must be in the year 2 or later, not 0001-01-01T00:00:00"),
    (lambda: Schedule(rule=Daily(), at=time(1, tzinfo=UTC)), "at must be a wall time without an offset, not 01:00:00+00:00"),
    (lambda: Schedule(rule=Daily(), until=at("2026-01-01T00:00Z")),
     "until must be a wall time without an offset, not 2026-01-01T00:00:00+00:00"),
    (lambda: Schedule(rule=Daily(), offset=-HOUR), "offset must be whole seconds, zero or more, not -1 day, 23:00:00"),
    (lambda: Schedule(rule=Daily(), window=timedelta(0)), "window must be above zero, not 0:00:00"),
    (lambda: Schedule(rule=Daily(), window=2 * HOUR, rerun=Rerun(HOUR, DAY)),
     "window (2:00:00) is longer than the rerun's every (1:00:00)"),
    (lambda: Schedule(rule=Cron("0 0 * * *"), at=time(1)),
     "cron text has its own time of day and DST rule: at and dst do not apply"),
    (lambda: Schedule(rule=Cron("0 0 * * *"), fold=Fold.BOTH),
     "cron text has its own time of day and DST rule: at and dst do not apply"),
    (lambda: Schedule(rule=Daily(), zone="Mars/Base"), "'Mars/Base' is no known time zone (IANA or Windows name)"),
    (lambda: Schedule(rule=Daily(), zone="Pacific Standard Time"),
     "'Pacific Standard Time' is not the IANA name of a time zone: use America/Los_Angeles"),
    (lambda: spread_offset("a", -HOUR), "a spread must not be negative, not -1 day, 23:00:00"),
    (lambda: frequency_rule("yearly"), "'yearly' is no frequency: hourly, daily, weekly, monthly, manually"),
    (lambda: resolve_zone("+05:30"), "'+05:30' is a fixed offset, not a time zone: name a zone, such as Asia/Kolkata"),
    (lambda: resolve_zone("UTC-8"), "'UTC-8' is a fixed offset, not a time zone: name a zone, such as America/Los_Angeles"),
    (lambda: resolve_zone("+01:23"), "'+01:23' is a fixed offset, not a time zone: name a zone, such as Europe/Berlin"),
    (lambda: resolve_zone("Europe/Berln"), "'Europe/Berln' is no known time zone (IANA or Windows name): did you mean Europe/Berlin?"),
    (lambda: resolve_zone("Pacific Standard Tim"),
     "'Pacific Standard Tim' is no known time zone (IANA or Windows name): did you mean Pacific Standard Time?"),
    (lambda: resolve_zone(""), "'' is no known time zone (IANA or Windows name)"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "text"), REFUSED)
def test_refused_with_a_reason(make, text):
    """A value that means nothing cannot be made, and the message says what is allowed."""
    with pytest.raises(ValueError, match=f"^{re.escape(text)}$"):
        make()


def test_every_iana_name_stands_for_itself():
    """Each name of the zone data is accepted as it is, and in any case."""
    for name in available_timezones():
        assert resolve_zone(name) == name
        assert resolve_zone(name.upper()) == name


def test_anchored_takes_the_instant_as_wall_time_once():
    """The first anchor stays: wall time in the zone, whole seconds."""
    schedule = Schedule(rule=Daily(), zone="America/New_York")
    first = schedule.anchored(at("2026-11-01T06:30:00.75Z"))
    assert first.start == at("2026-11-01T01:30:00")
    assert first.start.fold == 0
    assert first.anchored(at("2030-01-01T00:00Z")) is first


def test_spread_is_stable_and_inside_its_span():
    """A job's share depends on its name alone, in whole seconds below the span."""
    span = timedelta(minutes=20)
    shares = [spread_offset(f"job-{i}", span) for i in range(500)]
    assert shares == [spread_offset(f"job-{i}", span) for i in range(500)]
    assert all(timedelta(0) <= share < span and not share.microseconds for share in shares)
    assert len(set(shares)) > 250
    assert spread_offset("weekly-linux-compliance", span) == timedelta(seconds=1155)
    assert spread_offset("a", timedelta(0)) == timedelta(0)


def test_frequencies_fire_at_their_wall_times():
    """The deployment chart's times by default, others where they are set; the start is only a lower bound."""
    fires = {}
    for name in ("hourly", "daily", "weekly", "monthly"):
        rule, clock = frequency_rule(name)
        schedule = Schedule(rule=rule, at=clock, start=at("2026-01-07T00:00"))
        fires[name] = next_fire_time(schedule, at("2026-01-01T00:00Z"))
    assert fires == {
        "hourly": at("2026-01-07T00:07Z"),
        "daily": at("2026-01-07T01:26Z"),
        "weekly": at("2026-01-10T04:33Z"),
        "monthly": at("2026-02-01T04:26Z"),
    }
    assert frequency_rule("manually") == (None, None)
    assert frequency_rule("hourly", Frequencies(hourly_minute=9)) == (Hourly(9), None)


RERUNS = [
    # Whole days keep the wall time over a change of clocks
    ("2026-03-06T22:00", {}, DAY, 3 * DAY, ["2026-03-07T22:00:00-05:00", "2026-03-08T22:00:00-04:00"]),
    ("2026-03-06T02:30", {}, DAY, 4 * DAY,
     ["2026-03-07T02:30:00-05:00", "2026-03-08T03:30:00-04:00", "2026-03-09T02:30:00-04:00"]),
    ("2026-03-06T02:30", {"gap": Gap.SKIP}, DAY, 4 * DAY, ["2026-03-07T02:30:00-05:00", "2026-03-09T02:30:00-04:00"]),
    # A run that a gap moved to 03:30 is rerun at 02:30, where it came from
    ("2026-03-08T02:30", {}, DAY, 2 * DAY, ["2026-03-09T02:30:00-04:00"]),
    ("2026-10-31T01:30", {"fold": Fold.BOTH}, DAY, 2 * DAY, ["2026-11-01T01:30:00-04:00"]),
    ("2026-10-31T01:30", {"fold": Fold.LAST}, DAY, 2 * DAY, ["2026-11-01T01:30:00-05:00"]),
    # Anything else is elapsed time
    ("2026-03-07T22:00", {}, 12 * HOUR, DAY, ["2026-03-08T11:00:00-04:00"]),
    ("2026-03-06T22:00", {"offset": timedelta(seconds=30)}, DAY, 2 * DAY, ["2026-03-07T22:00:30-05:00"]),
    ("2026-03-06T22:00", {"offset": timedelta(seconds=30)}, 36 * HOUR, 2 * DAY, ["2026-03-08T11:00:30-04:00"]),
    # k·every < period: a rerun at the period's very end does not happen
    ("2026-03-01T22:00", {}, DAY, DAY, []),
]  # fmt: skip


@pytest.mark.parametrize(("start", "fields", "every", "period", "expected"), RERUNS)
def test_reruns(start, fields, every, period, expected, iso):
    """Rerun k is due k·every after the run's wall time, while k·every is less than the period.

    Rule: rerun-durations
    """
    schedule = Schedule(
        rule=Daily(10), zone="America/New_York", start=at(start), rerun=Rerun(every, period), **fields
    )
    first = next_occurrence(schedule, after=at("2026-01-01T00:00Z"))
    assert iso(rerun_times(schedule, first), "America/New_York") == expected


def test_no_reruns_without_a_subschedule_or_beyond_the_calendar():
    """None without a rerun; the year 9999 ends them without a fault."""
    last = Occurrence(at("9999-12-30T00:00Z"), at("9999-12-30T00:00"))
    assert list(rerun_times(Schedule(rule=Daily()), last)) == []
    assert len(list(rerun_times(Schedule(rule=Daily(), rerun=Rerun(DAY, 9 * DAY)), last))) == 1


def test_the_trigger_is_apschedulers_and_goes_on_from_the_previous_fire_time():
    """First from now, then from the fire time before, past ones too; None when it is over."""
    schedule = Schedule(rule=Daily(), start=at("2026-01-01T12:00"), until=at("2026-01-03T12:00"))
    trigger, now = ScheduleTrigger(schedule), at("2026-01-02T00:00+01:00")
    assert isinstance(trigger, BaseTrigger)
    assert not hasattr(trigger, "__dict__")
    first = trigger.get_next_fire_time(None, now)
    assert first == at("2026-01-02T12:00Z")
    second = trigger.get_next_fire_time(first, at("2026-06-01T00:00Z"))
    assert second == at("2026-01-03T12:00Z")
    assert trigger.get_next_fire_time(second, now) is None
    assert str(trigger) == "schedule[Daily(every=1)]"
