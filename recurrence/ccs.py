"""The Schedule block of the CCS job API, decoded into a schedule.

The vendor's page names the fields; of its value lists only "3 is monthly" is left. The other values, and every
rule for fields that contradict each other, are ours (docs/recurrence.md).
"""

from __future__ import annotations

from datetime import timedelta
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from recurrence.ccs_fields import Fault, Fields
from recurrence.explain import span
from recurrence.rules import MOST, Daily, MonthlyDay, MonthlyOrdinal, Once, Ordinal, Rule, Weekday, Weekly
from recurrence.schedule import Rerun, Schedule
from recurrence.zones import load_zone, resolve_zone

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

FIELDS = (
    "EndJobRunConfigured",
    "EndJobRunTimeInterval",
    "SubScheduleRepeatDays",
    "SubScheduleRepeatPeriodDays",
    "MonthlyDay",
    "MonthlyDayOfTheWeek",
    "MonthlyIsByOrdinalDay",
    "MonthlyOrdinalDay",
    "MonthlyRecurEvery",
    "RecurrenceType",
    "RepeatDays",
    "RepeatMinutes",
    "RunEveryNDays",
    "RunNow",
    "RunOnce",
    "RunPeriodically",
    "StartDate",
    "WeeklyDay",
    "WeeklyRecurEvery",
)
WEEKDAY_CODECS = ("dotnet", "flags")
_COUNT = f"a whole number from 1 to {MOST}"
_SUNDAY_FIRST = (Weekday.SUNDAY, *(day for day in Weekday if day is not Weekday.SUNDAY))


class ScheduleBlockError(ValueError):
    """A block that cannot be decoded.

    Attributes:
        faults: Everything that is wrong with it, in the order of the block's own table of fields.
    """

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("; ".join(str(fault) for fault in faults))
        self.faults = faults


def decode_schedule_block(
    block: Mapping[str, Any], *, zone: str, weekday_codec: str = "dotnet", created: datetime | None = None
) -> Schedule:
    """The schedule that a CCS Schedule block means.

    Args:
        block: The block as JSON gives it. A field is read only when its mode is active; null is missing.
        zone: IANA or Windows name of the zone of the job.
        weekday_codec: How weekdays are numbered: `dotnet` (0 Sunday to 6 Saturday) or `flags` (1 Sunday, 2 Monday
            to 64 Saturday, summed for several days).
        created: When the job was created, aware: the anchor of a recurrence whose StartDate is not set.

    Raises:
        ScheduleBlockError: the block is at fault; all its faults at once.
        ValueError: the zone or the codec is unknown, or there is neither a StartDate nor `created` to recur from.
    """
    if weekday_codec not in WEEKDAY_CODECS:
        raise ValueError(f"weekday_codec must be {' or '.join(WEEKDAY_CODECS)}, not {weekday_codec!r}")
    iana = resolve_zone(zone)
    fields = Fields(block)
    _refuse_unknown(fields, block)
    run_now = fields.flag("RunNow", default=True)
    once, periodic = fields.flag("RunOnce"), fields.flag("RunPeriodically")
    once = once and not run_now
    if once and periodic:
        fields.refuse("RunOnce", "must be false when RunPeriodically is true")
    rule: Rule | None = Once() if once else None
    if periodic:
        rule = _Recurrence(fields, flags=weekday_codec == "flags").rule()
    start = _start(fields, iana, once=once) if once or periodic else None
    rerun = _rerun(fields)
    window = _window(fields, rerun)
    if fields.faults:
        order = {name: place for place, name in enumerate(FIELDS)}
        raise ScheduleBlockError(tuple(sorted(fields.faults, key=lambda fault: order.get(fault.field, -1))))
    schedule = Schedule(rule=rule, zone=iana, start=start, window=window, rerun=rerun, run_now=run_now)
    if not periodic or start is not None:
        return schedule
    if created is None:
        raise ValueError("the block has no StartDate, and nothing says when the job was created")
    if created.utcoffset() is None:
        raise ValueError(f"created must be an instant with an offset, not {created.isoformat()}")
    return schedule.anchored(created)


def _refuse_unknown(fields: Fields, block: Mapping[str, Any]) -> None:
    for name in block:
        if name not in FIELDS:
            near = get_close_matches(str(name), FIELDS, n=1)
            hint = f": did you mean {near[0]}?" if near else ""
            fields.faults.append(Fault(str(name), block[name], f"is no field of a Schedule block{hint}"))


def _start(fields: Fields, zone: str, *, once: bool) -> datetime | None:
    """StartDate as wall time in the zone; None when not set."""
    known = len(fields.faults)
    start = fields.date("StartDate")
    if start is None:
        if once and len(fields.faults) == known:
            fields.refuse("StartDate", "must be set when RunOnce is true")
        return None
    if start.tzinfo is None:
        return start
    try:
        return start.astimezone(load_zone(zone)).replace(tzinfo=None, fold=0)
    except OverflowError:
        fields.refuse("StartDate", "must lie within the years 1 to 9999")
        return None


def _rerun(fields: Fields) -> Rerun | None:
    allowed = f"a whole number of days from 0 to {MOST}, 0 for no rerun"
    every = fields.number("SubScheduleRepeatDays", 0, MOST, allowed, default=0)
    period = fields.number("SubScheduleRepeatPeriodDays", 0, MOST, allowed, default=0)
    return Rerun(timedelta(days=every), timedelta(days=period)) if every and period else None


def _window(fields: Fields, rerun: Rerun | None) -> timedelta | None:
    if not fields.flag("EndJobRunConfigured"):
        return None
    window = fields.time_span("EndJobRunTimeInterval")
    if window is not None and rerun is not None and window > rerun.every:
        fields.refuse(
            "EndJobRunTimeInterval", f"must not be longer than SubScheduleRepeatDays ({span(rerun.every)})"
        )
    return window


class _Recurrence:
    """The rule of a block that runs periodically."""

    def __init__(self, fields: Fields, *, flags: bool) -> None:
        self._fields = fields
        self._flags = flags

    def rule(self) -> Rule | None:
        """The rule; None, or one that is not to be used, where a fault was noted."""
        fields = self._fields
        fields.number("RepeatMinutes", 0, 0, "0: its meaning is not documented", default=0)
        every_n_days = fields.flag("RunEveryNDays")
        known = len(fields.faults)
        kind = fields.number("RecurrenceType", 0, 3, "0 none, 1 daily, 2 weekly or 3 monthly", default=0)
        if len(fields.faults) > known:
            return None
        if every_n_days:
            if kind > 1:
                fields.refuse("RecurrenceType", "must be 0 or 1 when RunEveryNDays is true")
            return Daily(fields.number("RepeatDays", 1, MOST, _COUNT))
        match kind:
            case 1:
                return Daily(1)
            case 2:
                every = fields.number("WeeklyRecurEvery", 1, MOST, _COUNT, default=1)
                return Weekly(every, self._weekdays("WeeklyDay"))
            case 3:
                return self._monthly()
        fields.refuse("RecurrenceType", "must be 1, 2 or 3 when RunPeriodically is true and RunEveryNDays is not")
        return None

    def _monthly(self) -> Rule:
        fields = self._fields
        every = fields.number("MonthlyRecurEvery", 1, MOST, _COUNT, default=1)
        if not fields.flag("MonthlyIsByOrdinalDay"):
            return MonthlyDay(every, fields.number("MonthlyDay", 1, 31, "a whole number from 1 to 31"))
        ordinals = "1 first, 2 second, 3 third, 4 fourth or 5 last"
        ordinal = Ordinal(fields.number("MonthlyOrdinalDay", 1, 5, ordinals))
        days = self._weekdays("MonthlyDayOfTheWeek")
        if len(days) > 1:
            fields.refuse("MonthlyDayOfTheWeek", "must be one weekday, not several")
        return MonthlyOrdinal(every, ordinal, min(days))

    def _weekdays(self, name: str) -> frozenset[Weekday]:
        if not self._flags:
            allowed = "0 Sunday, 1 Monday, 2 Tuesday, 3 Wednesday, 4 Thursday, 5 Friday or 6 Saturday"
            return frozenset({_SUNDAY_FIRST[self._fields.number(name, 0, 6, allowed)]})
        allowed = (
            "1 Sunday, 2 Monday, 4 Tuesday, 8 Wednesday, 16 Thursday, 32 Friday, 64 Saturday, or a sum of these"
        )
        bits = self._fields.number(name, 1, 127, allowed)
        return frozenset(day for place, day in enumerate(_SUNDAY_FIRST) if bits >> place & 1)
