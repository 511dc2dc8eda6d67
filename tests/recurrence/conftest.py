"""What the tests of schedules share: words for instants, and an oracle that shares no code with the product."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest

from recurrence import (
    Daily,
    Fold,
    Gap,
    MonthlyDay,
    MonthlyOrdinal,
    Occurrence,
    Once,
    Ordinal,
    ShortMonth,
    Weekly,
)


def instants_of(wall, zone):
    """Every UTC minute around `wall` is tried: the instants at which the clock on the wall shows it."""
    found = []
    naive = wall.replace(tzinfo=UTC)
    start = naive - timedelta(hours=27)
    for shift in range(0, 54 * 60, 15):
        instant = start + timedelta(minutes=shift)
        if instant.astimezone(zone).replace(tzinfo=None) == wall:
            found.append(instant)
    return found


def shifted(wall, zone):
    """A wall time that does not exist, read with the offset in force before the gap: found by walking the day."""
    before = wall.replace(tzinfo=UTC) - timedelta(hours=40)
    offset = before.astimezone(zone).utcoffset()
    return wall.replace(tzinfo=UTC) - offset


def fires_of(wall, schedule):
    """The instants of one wall time under the schedule's policies."""
    zone = ZoneInfo(schedule.zone)
    found = instants_of(wall, zone)
    if not found:
        return [] if schedule.gap is Gap.SKIP else [shifted(wall, zone)]
    if len(found) == 1 or schedule.fold is Fold.BOTH:
        return found
    return [found[0] if schedule.fold is Fold.FIRST else found[-1]]


def matches(day, schedule, anchor):
    """Whether the rule yields `day`, asked of this one day alone."""
    rule = schedule.rule
    months = (day.year - anchor.year) * 12 + day.month - anchor.month
    next_month = (day.replace(day=28) + timedelta(days=4)).replace(day=1)
    length = (next_month - timedelta(days=1)).day
    if isinstance(rule, Once):
        return day == anchor
    if isinstance(rule, Daily):
        return (day - anchor).days % rule.every == 0
    if isinstance(rule, Weekly):
        sunday = anchor - timedelta(days=anchor.isoweekday() % 7)
        return day.weekday() in rule.on and (day - sunday).days // 7 % rule.every == 0
    if isinstance(rule, MonthlyDay):
        wanted = rule.day if schedule.short_month is ShortMonth.SKIP else min(rule.day, length)
        return months % rule.every == 0 and day.day == wanted
    if isinstance(rule, MonthlyOrdinal):
        last = rule.ordinal is Ordinal.LAST
        nth = day.day + 7 > length if last else (day.day - 1) // 7 + 1 == rule.ordinal
        return months % rule.every == 0 and day.weekday() == rule.weekday and nth
    raise AssertionError(rule)


def brute_force(schedule, after, until):
    """The occurrences with after < fire time <= until, by asking every day from the anchor on."""
    anchor = schedule.start.replace(hour=0, minute=0, second=0)
    clock = schedule.at or schedule.start.time()
    found = {}
    day = max(anchor.date(), after.date() - timedelta(days=3))
    while day <= until.date() + timedelta(days=3):
        civil = datetime.combine(day, clock)
        if matches(day, schedule, anchor.date()) and (schedule.until is None or civil <= schedule.until):
            for instant in fires_of(civil, schedule):
                found.setdefault(instant + schedule.offset, civil)
        day += timedelta(days=1)
    return [Occurrence(fire, civil) for fire, civil in sorted(found.items()) if after < fire <= until]


@pytest.fixture(scope="session")
def oracle():
    """The brute-force walk."""
    return SimpleNamespace(occurrences=brute_force)


@pytest.fixture(scope="session")
def iso():
    """Fire times as ISO text with the zone's offset, so that tables read like a clock on the wall."""
    return lambda fires, zone: [fire.astimezone(ZoneInfo(zone)).isoformat() for fire in fires]
