"""What a `schedule:` block means: a recurrence.Schedule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from yaml.nodes import Node

from config.reading import Bad, Reading
from config.references import entry_of
from config.schedule_block import KINDS, ScheduleBlock
from config.settings import FrequencyTimes, Settings
from recurrence.ccs import ScheduleBlockError, decode_schedule_block
from recurrence.frequencies import Frequencies, frequency_rule
from recurrence.schedule import (
    Daily,
    Interval,
    MonthlyDay,
    MonthlyOrdinal,
    Once,
    Rerun,
    Rule,
    Schedule,
    Weekly,
)
from recurrence.spread import spread_offset

_NOTHING = timedelta(0)
_END_OF_DAY = time(23, 59, 59)
_DUMMY = datetime(2001, 1, 1, tzinfo=UTC)


def frequencies_of(times: FrequencyTimes) -> Frequencies:
    """The settings as recurrence takes them."""
    return Frequencies(
        hourly_minute=times.hourly.minute, daily_at=times.daily.at,
        weekly_on=times.weekly.on, weekly_at=times.weekly.at,
        monthly_day=times.monthly.day, monthly_at=times.monthly.at,
    )  # fmt: skip


def frequency_schedule(frequency: str, job: str, settings: Settings) -> Schedule:
    """The schedule of a job that has nothing but a frequency, by the settings' times, spread and zone.

    Its rule is None with `manually`. Raises ValueError if `frequency` is none.
    """
    rule, at = frequency_rule(frequency, frequencies_of(settings.frequencies))
    offset = spread_offset(job, settings.frequencies.spread)
    return Schedule(rule=rule, at=at, zone=settings.timezone, offset=offset)


def schedule_of(
    block: ScheduleBlock, node: Node, reading: Reading, settings: Settings, *, inherited: bool
) -> Schedule | Bad:
    """The schedule of the job being read, or BAD.

    `inherited`: the job writes no schedule of its own, so that a kind need not be there: it never fires by itself.
    """
    zone = block.timezone or settings.timezone
    if block.ccs is not None:
        return _from_ccs(block, block.ccs, reading, zone, settings.weekday_codec)
    if not block.kinds and not inherited:
        return reading.fault(node, "schedule", f"it has no kind; write exactly one of {', '.join(KINDS)}")
    rule, at = _rule(block, frequencies_of(settings.frequencies))
    start = _wall(block.start, zone)
    until = _until(block.until, zone)
    if start is not None and until is not None and until < start:
        where = entry_of(node, "until") or node
        return reading.fault(
            where, "schedule.until", f"it lies before the start, {start.isoformat()}; write a later one"
        )
    return Schedule(
        rule=rule, zone=zone, start=start, at=block.at or at, until=until,
        gap=block.dst.gap, fold=block.dst.fold, short_month=block.short_month,
        offset=spread_offset(reading.job or "", _spread(block, settings)),
        window=block.window,
        rerun=Rerun(block.rerun.every, block.rerun.period) if block.rerun else None,
    )  # fmt: skip


def _spread(block: ScheduleBlock, settings: Settings) -> timedelta:
    if block.spread is not None:
        return block.spread
    return _NOTHING if block.frequency is None else settings.frequencies.spread


def _rule(block: ScheduleBlock, frequencies: Frequencies) -> tuple[Rule | None, time | None]:
    if block.frequency is not None:
        return frequency_rule(block.frequency, frequencies)
    return _calendar_rule(block) or (Interval(block.interval) if block.interval else block.cron), None


def _calendar_rule(block: ScheduleBlock) -> Rule | None:
    if block.daily is not None:
        return Daily(block.daily.every)
    if block.weekly is not None:
        return Weekly(block.weekly.every, frozenset(block.weekly.on))
    if block.monthly is not None and block.monthly.on is not None:
        return MonthlyOrdinal(block.monthly.every, *block.monthly.on)
    if block.monthly is not None and block.monthly.day is not None:
        return MonthlyDay(block.monthly.every, block.monthly.day)
    return Once() if block.once else None


def _wall(moment: datetime | None, zone: str) -> datetime | None:
    """A moment with an offset becomes wall time in the zone; one without is wall time there already."""
    if moment is None or moment.tzinfo is None:
        return moment
    return moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0)


def _until(until: date | datetime | None, zone: str) -> datetime | None:
    if until is None or isinstance(until, datetime):
        return _wall(until, zone)
    return datetime.combine(until, _END_OF_DAY)


def _from_ccs(block: ScheduleBlock, raw: Mapping[str, Any], reading: Reading, zone: str, codec: str) -> Schedule:
    """A block that was read has no fault left: its decoder has seen it."""
    return replace(
        _decode(raw, zone, codec), until=_until(block.until, zone),
        gap=block.dst.gap, fold=block.dst.fold, short_month=block.short_month,
        offset=spread_offset(reading.job or "", block.spread or _NOTHING),
    )  # fmt: skip


def _decode(raw: Mapping[str, Any], zone: str, codec: str) -> Schedule:
    """The block's schedule; without a StartDate its start is None, for the ledger anchors it."""
    try:
        return decode_schedule_block(raw, zone=zone, weekday_codec=codec)
    except ScheduleBlockError:
        raise
    except ValueError:
        return replace(decode_schedule_block(raw, zone=zone, weekday_codec=codec, created=_DUMMY), start=None)
