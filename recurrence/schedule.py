"""What a schedule says: frozen values, checked when they are made.

Source of the rules: docs/recurrence.md. Nothing here reads a clock; an unanchored schedule (no `start`) is
given its anchor by whoever knows when the job was first loaded (`Schedule.anchored`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta

from recurrence.rules import (
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
    Rule,
    ShortMonth,
    Weekday,
    Weekly,
)
from recurrence.zones import load_zone

__all__ = [
    "Cron",
    "Daily",
    "Fold",
    "Gap",
    "Hourly",
    "Interval",
    "MonthlyDay",
    "MonthlyOrdinal",
    "Occurrence",
    "Once",
    "Ordinal",
    "Rerun",
    "Rule",
    "Schedule",
    "ShortMonth",
    "Weekday",
    "Weekly",
]

_ZERO = timedelta(0)


@dataclass(frozen=True, slots=True)
class Rerun:
    """Rerun what is left every `every`, while k·every < `period`; whole days keep the wall time."""

    every: timedelta
    period: timedelta

    def __post_init__(self) -> None:
        if self.every <= _ZERO or self.period <= _ZERO:
            raise ValueError("a rerun's every and period must be above zero")


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When a job fires, how long a run may work, and when what is left is rerun.

    Attributes:
        rule: The recurrence; None never fires by itself.
        zone: IANA name of the zone in which wall times are read.
        start: The anchor, a naive wall time in `zone`; None until `anchored`.
        at: Time of day that replaces the anchor's.
        until: Last wall time at which an occurrence may lie, inclusive, naive.
        gap: Policy for wall times that do not exist.
        fold: Policy for wall times that exist twice.
        short_month: Policy of `MonthlyDay` for months with fewer days.
        offset: Added to every fire time (the job's own share of `spread`), whole seconds.
        window: How long a run may work from its fire time; None is without limit.
        rerun: The subschedule of incomplete runs; None is off.
        run_now: The job also runs once when it is first recorded; never an occurrence.
    """

    rule: Rule | None
    zone: str = "UTC"
    start: datetime | None = None
    at: time | None = None
    until: datetime | None = None
    gap: Gap = Gap.SHIFT
    fold: Fold = Fold.FIRST
    short_month: ShortMonth = ShortMonth.LAST_DAY
    offset: timedelta = timedelta(0)
    window: timedelta | None = None
    rerun: Rerun | None = None
    run_now: bool = False

    def __post_init__(self) -> None:
        """Refuse what no schedule can mean.

        Raises:
            ValueError: the zone is unknown, a wall time is not naive or has fractions of a second, a span is
                out of range, or a field stands beside a rule that has no use for it.
        """
        load_zone(self.zone)
        self._check_times()
        self._check_spans()
        if isinstance(self.rule, Cron) and (self.at, self.gap, self.fold) != (None, Gap.SHIFT, Fold.FIRST):
            raise ValueError("cron text has its own time of day and DST rule: at and dst do not apply")

    def _check_times(self) -> None:
        for name, value in (("start", self.start), ("at", self.at), ("until", self.until)):
            if value is not None and value.tzinfo is not None:
                raise ValueError(f"{name} must be a wall time without an offset, not {value.isoformat()}")
        if self.start is not None and self.start.year == 1:
            raise ValueError(f"start must be in the year 2 or later, not {self.start.isoformat()}")
        for name, value in (("start", self.start), ("at", self.at)):
            if value is not None and value.microsecond:
                raise ValueError(f"{name} must be in whole seconds, not {value.isoformat()}")

    def _check_spans(self) -> None:
        if self.offset < _ZERO or self.offset.microseconds:
            raise ValueError(f"offset must be whole seconds, zero or more, not {self.offset}")
        if self.window is None:
            return
        if self.window <= _ZERO:
            raise ValueError(f"window must be above zero, not {self.window}")
        if self.rerun is not None and self.window > self.rerun.every:
            raise ValueError(f"window ({self.window}) is longer than the rerun's every ({self.rerun.every})")

    @property
    def anchor(self) -> datetime | None:
        """The anchor with `at` in place of its time of day; None while there is no start."""
        if self.start is None or self.at is None:
            return self.start
        return datetime.combine(self.start.date(), self.at)

    @property
    def needs_anchor(self) -> bool:
        """Whether fire times cannot be told without a start.

        Hourly, cron text and no rule never need one; a calendar rule that takes every period and has an `at` does
        not either: there a start is only a lower bound.
        """
        match self.rule:
            case None | Hourly() | Cron():
                return False
            case Once() | Interval():
                return True
            case Daily(every) | Weekly(every) | MonthlyDay(every) | MonthlyOrdinal(every):
                return every != 1 or self.at is None

    def anchored(self, instant: datetime) -> Schedule:
        """This schedule with a start: unchanged if it has one, else `instant` (aware) as wall time in the zone."""
        if self.start is not None:
            return self
        wall = instant.astimezone(load_zone(self.zone)).replace(tzinfo=None, microsecond=0, fold=0)
        return replace(self, start=wall)


@dataclass(frozen=True, slots=True, order=True)
class Occurrence:
    """A fire time (aware UTC) and the civil wall time (naive, in the schedule's zone) it came from.

    `civil` is the wall time that the recurrence yields: 02:30 even where a gap moves the fire time to 03:30.
    For an interval, hourly or cron rule it is the fire time's wall time.
    """

    fire_time: datetime
    civil: datetime
