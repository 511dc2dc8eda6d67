"""What holds for every schedule: against a brute-force walk, against dateutil, and against itself."""

import itertools
from datetime import UTC, date, datetime, time, timedelta

from dateutil import rrule as du
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

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
from recurrence.trigger import ScheduleTrigger

FEW = settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
ZONES = [
    "UTC",
    "America/New_York",
    "Australia/Sydney",
    "Australia/Lord_Howe",
    "Europe/London",
    "America/Sao_Paulo",
    "Asia/Kathmandu",
    "Africa/Casablanca",
    "Asia/Gaza",
    "America/Havana",
    "Africa/Cairo",
    "Pacific/Apia",
]
# Where the clocks change, and where they do not; half of all times lie where a gap or a fold can be.
clocks = st.one_of(
    st.builds(time, st.integers(0, 3), st.sampled_from([0, 15, 30, 59])),
    st.builds(time, st.integers(0, 23), st.integers(0, 59), st.integers(0, 59)),
)
weekdays = st.sampled_from(Weekday)
counts = st.integers(1, 15)
calendar_rules = st.one_of(
    st.builds(Daily, counts),
    st.builds(Weekly, st.integers(1, 5), st.frozensets(weekdays, min_size=1)),
    st.builds(MonthlyDay, counts, st.integers(1, 31)),
    st.builds(MonthlyOrdinal, counts, st.sampled_from(Ordinal), weekdays),
    st.builds(Once),
)
instant_rules = st.one_of(
    st.builds(Hourly, st.integers(0, 59)),
    st.builds(lambda minutes: Interval(timedelta(minutes=minutes)), st.integers(7, 3000)),
    st.sampled_from(
        [
            Cron(text)
            for text in ("*/20 * * * *", "30 1,2 * * *", "15 0 * * 0", "0 2 1 * *", "*/15 2 * * *", "*/30 1 * * *")
        ]
    ),
)


def scattered(low, high):
    """Whole numbers all over the range: by themselves hypothesis's are nearly all small."""
    return st.integers(0, 2**32 - 1).map(lambda n: low + n * 2_654_435_761 % 2**32 % (high - low + 1))


@st.composite
def schedules(draw, rules=calendar_rules):
    """A schedule with every field that moves its fire times."""
    rule = draw(rules)
    start = datetime.combine(date(2009, 1, 1) + timedelta(days=draw(scattered(0, 7600))), draw(clocks))
    cron = isinstance(rule, Cron)
    until = draw(st.one_of(st.none(), st.none(), scattered(0, 60 * 24 * 1200)))
    return Schedule(
        rule=rule,
        zone=draw(st.sampled_from(ZONES)),
        start=start,
        at=None if cron else draw(st.none() | clocks),
        until=None if until is None else start + timedelta(minutes=until),
        gap=Gap.SHIFT if cron else draw(st.sampled_from(Gap)),
        fold=Fold.FIRST if cron else draw(st.sampled_from(Fold)),
        short_month=draw(st.sampled_from(ShortMonth)),
        offset=timedelta(seconds=draw(st.sampled_from([0, 0, 1, 754, 7200]))),
    )


@st.composite
def spans(draw, schedule, days):
    """(schedule, after, until): a span of up to so many days, from before the schedule's start to years after."""
    chosen = draw(schedule)
    begin = draw(st.sampled_from([1, 30, 1200])) * 86400
    after = chosen.start.replace(tzinfo=UTC) + timedelta(seconds=draw(scattered(-3 * 86400, begin)))
    return chosen, after, after + timedelta(seconds=draw(scattered(0, days * 86400)))


any_span = st.one_of(spans(schedules(), 500), spans(schedules(instant_rules), 12))


@FEW
@given(spans(schedules(), 400))
def test_calendar_rules_agree_with_a_day_by_day_walk(oracle, span):
    """Every kind, under every policy, in every zone: the same occurrences as asking day after day."""
    schedule, after, until = span
    assert list(occurrences(schedule, after=after, until=until)) == oracle.occurrences(schedule, after, until)


@FEW
@given(any_span)
def test_fire_times_strictly_increase_inside_their_span(span):
    """After < t <= until, each later than the one before."""
    schedule, after, until = span
    fires = [after, *fire_times(schedule, after, until)]
    assert all(early < late for early, late in itertools.pairwise(fires))
    assert fires[-1] <= until or len(fires) == 1


@FEW
@given(any_span, st.floats(0, 1))
def test_splitting_a_span_changes_nothing(span, share):
    """The occurrences of two adjoining spans are those of the whole."""
    schedule, after, until = span
    middle = after + (until - after) * share
    first = occurrences(schedule, after=after, until=middle)
    rest = occurrences(schedule, after=middle, until=until)
    assert [*first, *rest] == list(occurrences(schedule, after=after, until=until))


@FEW
@given(any_span)
def test_one_by_one_through_the_trigger_and_all_at_once_agree(span):
    """next_fire_time, next_occurrence, the trigger, occurrences and the count tell one story."""
    schedule, after, until = span
    fires = list(fire_times(schedule, after, until))
    trigger, asked, triggered = ScheduleTrigger(schedule), after, None
    for fire in fires[:40]:
        assert next_fire_time(schedule, after=asked) == fire
        assert next_fire_time(schedule, after=max(asked, fire - timedelta(seconds=1))) == fire
        triggered = trigger.get_next_fire_time(triggered, after)
        assert triggered == fire
        asked = next_occurrence(schedule, after=asked).fire_time
    assert [one.fire_time for one in occurrences(schedule, after=after, until=until)] == fires
    assert count_occurrences(schedule, after=after, until=until) == len(fires)


@FEW
@given(any_span)
def test_latest_occurrence_is_the_last_of_the_walk(span):
    """The latest of a span, found by halving, is the one that a walk ends with."""
    schedule, after, until = span
    walked = list(occurrences(schedule, after=after, until=until))
    assert latest_occurrence(schedule, after=after, until=until) == (walked[-1] if walked else None)


def dateutil_rule(rule, start):
    """The same rule as dateutil says it, on naive datetimes."""
    days = [du.MO, du.TU, du.WE, du.TH, du.FR, du.SA, du.SU]
    match rule:
        case Daily(every):
            return du.rrule(du.DAILY, dtstart=start, interval=every)
        case Weekly(every, on):
            return du.rrule(
                du.WEEKLY, dtstart=start, interval=every, wkst=du.SU, byweekday=[days[day] for day in on]
            )
        case MonthlyDay(every, day):
            return du.rrule(du.MONTHLY, dtstart=start, interval=every, bymonthday=day)
        case MonthlyOrdinal(every, ordinal, weekday):
            nth = -1 if ordinal is Ordinal.LAST else int(ordinal)
            return du.rrule(du.MONTHLY, dtstart=start, interval=every, byweekday=days[weekday](nth))
        case Interval(every):
            return du.rrule(du.SECONDLY, dtstart=start, interval=int(every.total_seconds()))
        case Once():
            return du.rrule(du.DAILY, dtstart=start, count=1)
        case Hourly(minute):
            return du.rrule(du.HOURLY, dtstart=start, byminute=minute, bysecond=0)
    raise AssertionError(rule)


dateutil_kinds = st.one_of(
    calendar_rules,
    st.builds(Hourly, st.integers(0, 59)),
    st.builds(lambda minutes: Interval(timedelta(minutes=minutes)), st.integers(7, 3000)),
)


@FEW
@given(dateutil_kinds, scattered(0, 7600), clocks, scattered(-10, 900), scattered(1, 90))
def test_dateutil_agrees_on_every_kind_it_has(rule, day, clock, skip, length):
    """Without a DST rule in play, every kind yields what dateutil's rrule yields (a short month skipped)."""
    start = datetime.combine(date(2009, 1, 1) + timedelta(days=day), clock)
    schedule = Schedule(rule=rule, start=start, short_month=ShortMonth.SKIP)
    after = start + timedelta(days=skip)
    until = after + timedelta(days=length)
    theirs = [fire for fire in dateutil_rule(rule, start).between(after, until, inc=True) if fire > after]
    ours = fire_times(schedule, after.replace(tzinfo=UTC), until.replace(tzinfo=UTC))
    assert [fire.replace(tzinfo=None) for fire in ours] == theirs
