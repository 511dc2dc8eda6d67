"""Every zone of the data, 2020 to 2035: no stall, and every occurrence's date exactly once."""

import itertools
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones
from zoneinfo._zoneinfo import ZoneInfo as ReadableZone

import pytest

from recurrence import Daily, Gap, Hourly, Schedule, fire_times, next_fire_time, occurrences
from recurrence.walltime import LOOK_AHEAD

FIRST, LAST = date(2020, 1, 1), date(2035, 12, 31)
DATES = [FIRST + timedelta(days=day) for day in range((LAST - FIRST).days + 1)]
AFTER, UNTIL = datetime(2019, 12, 30, tzinfo=UTC), datetime(2036, 1, 3, tzinfo=UTC)


@cache
def clock_of(name):
    """A zone's offset on every day of the sweep: zones that agree on all of them change on the same days."""
    zone, instant, shown = ZoneInfo(name), datetime(2019, 12, 1, tzinfo=UTC), []
    while instant < datetime(2036, 2, 1, tzinfo=UTC):
        shown.append(instant.astimezone(zone).utcoffset())
        instant += timedelta(hours=24)
    return tuple(shown)


@cache
def groups():
    """Each set of zones with the same clock under the first of their names."""
    found = {}
    for name in sorted(available_timezones()):
        found.setdefault(clock_of(name), []).append(name)
    return {names[0]: names for names in found.values()}


def by_letter():
    """The sweep in parts, so that it runs side by side."""
    return [pytest.param(part, id=str(part)) for part in range(8)]


@pytest.mark.parametrize("part", by_letter())
def test_every_date_occurs_exactly_once_in_every_zone(part):
    """Daily at 00:30 and 02:30: each civil date once, in order, and the fire times strictly increase."""
    for name in list(groups())[part::8]:
        for clock in (time(0, 30), time(2, 30)):
            schedule = Schedule(
                rule=Daily(1),
                zone=name,
                start=datetime.combine(FIRST, clock),
                until=datetime.combine(LAST, clock),
            )
            fires, dates = [], []
            for one in occurrences(schedule, after=AFTER, until=UNTIL):
                fires.append(one.fire_time)
                dates.append(one.civil.date())
            assert dates == DATES, name
            zone = ZoneInfo(name)
            moved = [fire for fire in fires if fire.astimezone(zone).time() != clock]
            assert len(moved) <= 32, name  # at most two gaps a year
            assert all(a < b for a, b in itertools.pairwise(fires)), name


def test_no_zone_stalls():
    """Asked on from its own answers a year at a time, no zone of any name stands still or goes back."""
    for name in sorted(available_timezones()):
        for rule in (Daily(1), Hourly(7)):
            schedule = Schedule(rule=rule, zone=name, start=datetime(2020, 1, 1, 2, 30), gap=Gap.SKIP)
            for year in range(2020, 2036):
                after = datetime(year, 3, 1, tzinfo=UTC)
                found = next_fire_time(schedule, after)
                assert after < found <= after + timedelta(days=2), name


def test_hourly_never_stands_still_in_any_zone():
    """Over ten days around each change of clocks of 2026 an hourly job never waits longer than two hours."""
    for name in groups():
        schedule = Schedule(rule=Hourly(7), zone=name)
        for month in (2, 3, 4, 9, 10, 11):
            after = datetime(2026, month, 1, tzinfo=UTC)
            fires = [after, *fire_times(schedule, after, after + timedelta(days=9))]
            assert max(b - a for a, b in itertools.pairwise(fires)) <= timedelta(hours=2), name


def test_no_offset_changes_and_changes_back_within_the_look_ahead():
    """The zone data keeps what the fast path counts on: equal offsets three days apart mean no change between."""
    for name in available_timezones():
        zone = ReadableZone(name)
        changes, offset = [], zone._tti_before.utcoff if zone._tti_before else None
        for instant, info in zip(zone._trans_utc, zone._ttinfos, strict=False):
            if info.utcoff != offset:
                changes.append((instant, offset, info.utcoff))
                offset = info.utcoff
        for (one, before, _), (two, _, after) in itertools.pairwise(changes):
            assert before != after or timedelta(seconds=two - one) > LOOK_AHEAD, (name, one)
