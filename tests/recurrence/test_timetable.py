"""A schedule under its calendars, against a walk that tries every day for every excluded occurrence."""

from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from recurrence import (
    Cron,
    Daily,
    Fold,
    Gap,
    Interval,
    MonthlyDay,
    Once,
    Schedule,
    Weekday,
    Weekly,
    occurrences,
)
from recurrence.closures import ALWAYS_OPEN, Closure
from recurrence.timetable import Timetable, excluded

DAY, HOUR, INSTANT = timedelta(days=1), timedelta(hours=1), timedelta(microseconds=1)
BEGIN = datetime(2026, 1, 5, tzinfo=UTC)


class Closed:
    """Closures from a list of spans (start, end)."""

    digest = "some"

    def __init__(self, spans):
        merged = []
        for start, end in sorted(spans):
            if merged and start <= merged[-1][1]:
                merged[-1][1] = max(end, merged[-1][1])
            else:
                merged.append([start, end])
        self.all = [Closure("c", "", start, end) for start, end in merged]
        self.starts = [one.start for one in self.all]

    def at(self, instant):
        """As the protocol says."""
        index = bisect_right(self.starts, instant) - 1
        return self.all[index] if index >= 0 and instant < self.all[index].end else None

    def following(self, after, until):
        """As the protocol says."""
        return next((one for one in self.all if after < one.start <= until), None)


def moved(schedule, closures, source):
    """Where an excluded occurrence is moved: every day tried, one after the other."""
    zone = ZoneInfo(schedule.zone)
    for days in range(1, 367):
        civil = source.civil + days * DAY
        passes = [civil.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)]
        there = [p for p in passes if p.astimezone(zone).replace(tzinfo=None) == civil]
        if not there:
            if schedule.gap is Gap.SKIP:
                continue
            there = passes[:1]
        found = (there[-1] if schedule.fold is Fold.LAST else there[0]) + schedule.offset
        if found > source.fire_time and closures.at(found) is None:
            return found
    return None


def expected(schedule, closures, until):
    """All that gets a row up to `until`: (fire time, fires, moved to, moved from), from the schedule's beginning."""
    rows, landed = {}, {}
    for one in occurrences(schedule, after=BEGIN - 400 * DAY, until=until):
        if closures.at(one.fire_time) is None:
            rows[one.fire_time] = [one.fire_time, True, None, None]
            continue
        target = moved(schedule, closures, one)
        rows[one.fire_time] = [one.fire_time, False, target, None]
        if target is not None:
            landed[target] = min(one.fire_time, landed.get(target, one.fire_time))
    for target, source in landed.items():
        if target <= until:
            rows.setdefault(target, [target, True, None, None])[3] = source
    return [tuple(rows[instant]) for instant in sorted(rows)]


def told(table, after, until):
    """The same, as the timetable tells it."""
    return [(one.fire_time, one.fires, one.moved_to, one.moved_from) for one in table.judged(after, until)]


RULES = st.sampled_from(
    [
        (Daily(), "02:30"),
        (Daily(3), "10:00"),
        (Weekly(1, frozenset({Weekday.FRIDAY})), "10:00"),
        (Weekly(1, frozenset({Weekday.SATURDAY, Weekday.SUNDAY})), "02:30"),
        (MonthlyDay(1, 31), "23:30"),
        (Interval(7 * HOUR), "00:00"),
        (Interval(30 * timedelta(minutes=1)), "00:00"),
        (Cron("15 */5 * * *"), None),
        (Once(), "12:00"),
    ]
)
ZONES = st.sampled_from(["UTC", "America/New_York", "Australia/Lord_Howe"])


@st.composite
def schedules(draw):
    """Schedules of every kind, in zones whose clocks change in the span."""
    rule, at = draw(RULES)
    start = BEGIN.replace(tzinfo=None) + draw(st.integers(0, 70)) * DAY
    if at is not None:
        hour, minute = map(int, at.split(":"))
        start = start.replace(hour=hour, minute=minute)
    policies = (
        {} if isinstance(rule, Cron) else {"gap": draw(st.sampled_from(Gap)), "fold": draw(st.sampled_from(Fold))}
    )
    offset = draw(st.sampled_from([timedelta(0), 17 * timedelta(minutes=1)]))
    return Schedule(rule=rule, zone=draw(ZONES), start=start, offset=offset, **policies)


@st.composite
def closed(draw):
    """Closures: single spans of hours or weeks, and perhaps a stretch of every day or week."""
    hours = st.integers(0, 120 * 24)
    spans = [
        (BEGIN + first * HOUR, BEGIN + (first + length) * HOUR)
        for first, length in draw(st.lists(st.tuples(hours, st.sampled_from([1, 24, 80, 500])), max_size=4))
    ]
    every = draw(st.sampled_from([0, 1, 7]))
    if every:
        first, length = draw(st.integers(0, 23)), draw(st.sampled_from([2, 9, 30 if every == 7 else 9]))
        spans += [(BEGIN + n * DAY + first * HOUR, BEGIN + n * DAY + (first + length) * HOUR)
                  for n in range(0, 130, every)]  # fmt: skip
    return Closed(spans)


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(schedules(), closed(), st.lists(st.integers(0, 120 * 1440), min_size=2, max_size=5))
@example(
    Schedule(rule=Daily(), start=datetime(2026, 1, 1, 2, 30)), Closed([(BEGIN, BEGIN + 600 * DAY)]), [0, 100000]
)
def test_what_is_told_is_what_a_walk_finds(schedule, closures, minutes) -> None:
    """Whatever the span, it has the rows of a walk over every day; spans side by side have each row once."""
    table = Timetable(schedule, closures, moves=True)
    cuts = [BEGIN + minute * timedelta(minutes=1) for minute in sorted(minutes)]
    rows = expected(schedule, closures, cuts[-1])
    found = [row for low, high in pairwise(cuts) for row in told(table, low, high)]
    assert found == [row for row in rows if cuts[0] < row[0] <= cuts[-1]]
    following = table.next(cuts[0])
    later = [row for row in expected(schedule, closures, cuts[0] + 60 * DAY) if row[0] > cuts[0]]
    if later:
        assert following is not None
        assert following.fire_time == later[0][0]
    fires = [row for row in rows if cuts[0] < row[0] and row[1]]
    latest = table.latest(cuts[0], cuts[-1])
    assert (latest and (latest.fire_time, latest.moved_from)) == ((fires[-1][0], fires[-1][3]) if fires else None)
    stretches = list(table.stretches(cuts[0], cuts[-1]))
    assert sum(table.count_open(low, high) for low, high, shut in stretches if shut is None) == len(fires)
    assert [high for _, high, _ in stretches[:-1]] == [low for low, _, _ in stretches[1:]]


def test_nothing_is_asked_where_nothing_is_closed() -> None:
    """Without calendars each occurrence fires; without moving, an excluded one is only that."""
    schedule = Schedule(rule=Daily(), start=datetime(2026, 1, 1, 10))
    until = BEGIN + 3 * DAY
    assert [one.fires for one in Timetable(schedule).judged(BEGIN, until)] == [True] * 3
    shut = Closed([(BEGIN + DAY, BEGIN + 2 * DAY)])
    table = Timetable(schedule, shut)
    assert [one.fires for one in table.judged(BEGIN, until)] == [True, False, True]
    assert [one.moved_to for one in excluded(schedule, shut, moves=False, after=BEGIN, until=until)] == [None]
    assert (ALWAYS_OPEN.at(BEGIN), ALWAYS_OPEN.following(BEGIN, until)) == (None, None)


def test_an_occurrence_is_moved_by_a_year_at_the_most() -> None:
    """The 366th day after it is the last that is tried; beyond, it is skipped only."""
    schedule = Schedule(rule=Once(), start=datetime(2026, 3, 1, 10))
    start = datetime(2026, 3, 1, tzinfo=UTC)
    for days, target in ((366, start + 366 * DAY + 10 * HOUR), (367, None)):
        table = Timetable(schedule, Closed([(start, start + days * DAY)]), moves=True)
        (one, *rest) = table.judged(start, start + 800 * DAY)
        assert (one.moved_to, [other.fire_time for other in rest]) == (target, [target] if target else [])
        following = table.next(one.fire_time)
        assert (following and following.fire_time) == target


def test_the_next_that_fires_is_found_behind_long_closures() -> None:
    """A second's interval behind a closure of months costs a few questions; what is never open is given up."""
    schedule = Schedule(rule=Interval(timedelta(seconds=1)), start=datetime(2026, 1, 1))
    table = Timetable(schedule, Closed([(BEGIN, BEGIN + 200 * DAY)]), moves=True)
    found = table.next_open(BEGIN)
    assert found is not None
    assert found.fire_time == BEGIN + 200 * DAY
    nightly = Schedule(rule=Daily(), start=datetime(2026, 1, 1, 3))
    shut = Closed([(BEGIN + n * DAY, BEGIN + n * DAY + 6 * HOUR) for n in range(-10, 1000)])
    assert Timetable(nightly, shut).next_open(BEGIN) is None


def test_many_occurrences_in_a_long_closure_are_told_one_by_one() -> None:
    """Of a minute's interval inside a month that is closed, the next row is found from the times of day alone."""
    schedule = Schedule(rule=Interval(timedelta(minutes=1)), start=datetime(2026, 1, 1))
    table = Timetable(schedule, Closed([(BEGIN, BEGIN + 30 * DAY)]), moves=True)
    after = BEGIN + 30 * DAY
    some = list(islice(table.judged(after, after + 3 * timedelta(minutes=1)), 5))
    assert [(one.own, one.moved_from) for one in some] == [
        (True, BEGIN + n * timedelta(minutes=1)) for n in (1, 2, 3)
    ]


def test_a_day_on_which_the_wall_time_is_skipped_hides_nothing() -> None:
    """Closed on Saturday, no 02:30 on Sunday: on Monday it runs, asked from anywhere between."""
    schedule = Schedule(
        rule=Weekly(1, frozenset({Weekday.SATURDAY})), zone="America/New_York", start=datetime(2026, 1, 3, 2, 30),
        gap=Gap.SKIP,
    )  # fmt: skip
    closed_at = datetime(2026, 3, 7, 5, tzinfo=UTC)
    table = Timetable(schedule, Closed([(closed_at, closed_at + 6 * HOUR)]), moves=True)
    target = datetime(2026, 3, 9, 6, 30, tzinfo=UTC)
    for after in (closed_at, closed_at + 20 * HOUR, target - HOUR, target - INSTANT):
        rows = list(table.judged(after, target))
        assert (rows[-1].fire_time, rows[-1].own) == (target, False)
        assert rows[-1].moved_from == closed_at + timedelta(hours=2, minutes=30)


@pytest.mark.parametrize("moves", [False, True])
def test_bounds_are_instants(moves) -> None:
    """A naive bound is refused, as by the recurrence alone."""
    table = Timetable(Schedule(rule=Daily(), start=datetime(2026, 1, 1, 10)), Closed([]), moves)
    with pytest.raises((ValueError, TypeError)):
        list(table.judged(datetime(2026, 1, 1), BEGIN))
