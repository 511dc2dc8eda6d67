"""The `schedule:` block as it is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal

from cronsim import CronSimError
from pydantic import Field
from yaml.nodes import MappingNode, Node, ScalarNode

from config.containers import ListOf
from config.faults import listed
from config.nodes import is_null, key_text, scalar, shown
from config.reading import BAD, Reading, Refused, Scalar, Schema, Shape, below
from config.references import FileReading, Ref, entry_of
from config.scalars import MOMENT, SPREAD, TIME, UNTIL, Duration
from config.shapes import Choice, Integer, Json, words
from config.table import Complaint, Model, Named, Table
from config.values import format_duration
from config.weekdays import WEEKDAYS, OrdinalDay
from config.zone import ZONE
from recurrence.ccs import FIELDS, ScheduleBlockError, decode_schedule_block
from recurrence.frequencies import FREQUENCIES
from recurrence.schedule import Cron, Fold, Gap, Ordinal, ShortMonth, Weekday

KINDS = ("daily", "weekly", "monthly", "once", "interval", "cron", "frequency", "ccs")
IN_CCS = ("start", "at", "window", "rerun")
NOT_WITH_CRON = ("at", "dst")
_EVERY = Integer(1, 1000)
_ANY_INSTANT = datetime(2001, 1, 1, tzinfo=UTC)


class DailyBlock(Model):
    """`daily:`; bare it is every day."""

    every: Annotated[int, _EVERY] = Field(default=1, description="Every so many days.")


class WeeklyBlock(Model):
    """`weekly:`."""

    every: Annotated[int, _EVERY] = Field(default=1, description="Every so many weeks; weeks begin on Sunday.")
    on: Annotated[tuple[Weekday, ...], WEEKDAYS] = Field(description="A weekday, or several.")


class MonthlyBlock(Model):
    """`monthly:` by day or by ordinal weekday."""

    every: Annotated[int, _EVERY] = Field(default=1, description="Every so many months.")
    day: Annotated[int | None, Integer(1, 31)] = Field(default=None, description="Day of the month.")
    on: Annotated[tuple[Ordinal, Weekday] | None, OrdinalDay()] = Field(
        default=None, description="An ordinal weekday, such as last friday."
    )

    def complaints(self) -> Iterator[Complaint]:
        """One of the two."""
        if (self.day is None) == (self.on is None):
            how = "neither is written" if self.day is None else "both are written"
            yield (
                None,
                ("day", "on"),
                f"{how} of day and on; write exactly one, such as day: 31 or on: last friday",
            )


class RerunBlock(Model):
    """`rerun:`: every so often, for so long."""

    every: Annotated[timedelta, Duration()] = Field(
        description="Between two reruns; whole days keep the wall time."
    )
    period: Annotated[timedelta, Duration(), Named("for")] = Field(
        description="Reruns come due before this much time after the run."
    )


class DstBlock(Model):
    """`dst:`: what happens when clocks change."""

    gap: Annotated[Gap, words("a policy", Gap)] = Field(
        default=Gap.SHIFT, description="A wall time that does not exist: shift it past the gap, or skip it."
    )
    fold: Annotated[Fold, words("a policy", Fold)] = Field(
        default=Fold.FIRST, description="A wall time that exists twice: first, last or both."
    )


@dataclass(frozen=True)
class _Bare(Shape):
    """A table that may be left empty, or be `true`."""

    table: Table
    noun: str = "a mapping"
    allowed: str = "{every: 3}, or nothing for every one"
    bare: bool = True

    def read(self, node: Node, path: str, reading: Reading) -> Any:
        """The model, with its defaults where it is bare."""
        if isinstance(node, ScalarNode) and (is_null(node) or scalar(node) is True):
            return self.table.model()
        return self.table.read(node, path, reading)

    def schema(self, *, partial: bool) -> Schema:
        """The table, true, or null."""
        return {"anyOf": [self.table.schema(partial=partial), {"const": True}]}


@dataclass(frozen=True)
class _CronText(Scalar):
    noun: str = "cron text"
    allowed: str = 'five fields, "minute hour day month weekday", such as "30 2 * * MON-FRI"'

    def parse(self, value: Any) -> Cron:
        """The rule."""
        if not isinstance(value, str):
            raise Refused
        try:
            return Cron(value)
        except (ValueError, AssertionError, CronSimError, TypeError, IndexError, RecursionError):
            raise Refused(f"write {self.allowed}") from None

    def schema(self, *, partial: bool) -> Schema:
        """Five words."""
        del partial
        return {"type": "string", "pattern": r"^\s*\S+(?:\s+\S+){4}\s*$"}


@dataclass(frozen=True)
class _CcsBlock(Shape):
    """A Schedule block of the CCS API; its faults are told at its fields."""

    noun: str = "a mapping"
    allowed: str = "the fields of a CCS Schedule block, such as RunPeriodically: true"

    def read(self, node: Node, path: str, reading: Reading) -> Any:
        """The block as plain values, or BAD."""
        block = Json(mapping=True).read(node, path, reading)
        if block is BAD or not isinstance(reading, FileReading):
            return block
        try:
            decode_schedule_block(block, zone="UTC", weekday_codec=reading.weekday_codec, created=_ANY_INSTANT)
        except ScheduleBlockError as error:
            for fault in error.faults:
                at_fault = entry_of(node, fault.field)
                where, found = (
                    (path, fault.field) if at_fault is None else (below(path, fault.field), shown(at_fault))
                )
                reading.fault(at_fault or node, where, f"{found} {fault.message}")
            return BAD
        if block.get("RunNow") is None:
            why = "RunNow is missing, and its documented default is true: the job also runs once when first loaded"
            reading.warn(node, path, f"{why}; write RunNow: true or false")
        return block

    def schema(self, *, partial: bool) -> Schema:
        """An object with the documented fields."""
        del partial
        return {"type": "object", "propertyNames": {"enum": list(FIELDS)}}


@dataclass(frozen=True)
class _True(Scalar):
    noun: str = "true"
    allowed: str = "true, or leave the key out"

    def parse(self, value: Any) -> bool:
        """Only the word itself."""
        if value is not True:
            raise Refused
        return True

    def schema(self, *, partial: bool) -> Schema:
        """Only the word itself."""
        del partial
        return {"enum": [True]}


class OnClosure(StrEnum):
    """What a run does that reaches a closure of its calendars."""

    FINISH = "finish"
    HOLD = "hold"
    STOP = "stop"


class ScheduleBlock(Model):
    """`schedule:` as written; config.schedules says what it means."""

    NOUN: ClassVar[str] = "a schedule"

    start: Annotated[datetime | None, MOMENT] = Field(
        default=None,
        description="Anchor of the recurrence; with an offset or Z it is an instant. Default: first load.",
    )
    daily: Annotated[DailyBlock | None, _Bare(Table(DailyBlock, whole=True))] = Field(
        default=None, description="Every so many days."
    )
    weekly: Annotated[WeeklyBlock | None, Table(WeeklyBlock, whole=True)] = Field(
        default=None, description="On weekdays of every so many weeks."
    )
    monthly: Annotated[MonthlyBlock | None, Table(MonthlyBlock, whole=True)] = Field(
        default=None, description="On a day or an ordinal weekday of every so many months."
    )
    once: Annotated[bool | None, _True()] = Field(default=None, description="Once, at the anchor.")
    interval: Annotated[timedelta | None, Duration()] = Field(
        default=None, description="Every so much elapsed time from the anchor; no DST rule applies."
    )
    cron: Annotated[Cron | None, _CronText()] = Field(
        default=None, description="Five-field cron text with its own DST rule; not with at or dst."
    )
    frequency: Annotated[str | None, Choice("a frequency", {name: name for name in FREQUENCIES})] = Field(
        default=None, description="A frequency of SD Elements, at the times of settings.frequencies."
    )
    ccs: Annotated[Mapping[str, Any] | None, _CcsBlock()] = Field(
        default=None, description="A Schedule block of the CCS API, verbatim; not with start, at, window or rerun."
    )
    at: Annotated[time | None, TIME] = Field(
        default=None, description="Time of day; default: the anchor's, or the frequency's."
    )
    timezone: Annotated[str | None, ZONE] = Field(
        default=None, description="Zone of all wall times; default: settings.timezone."
    )
    window: Annotated[timedelta | None, Duration()] = Field(
        default=None, description="How long a run may work from its fire time. Default: no limit."
    )
    rerun: RerunBlock | None = Field(default=None, description="When what a run left over is tried again.")
    until: Annotated[date | datetime | None, UNTIL] = Field(
        default=None, description="Last wall time, inclusive; a date means through its end. Default: for ever."
    )
    dst: DstBlock = Field(default_factory=DstBlock, description="What happens when clocks change.")
    short_month: Annotated[ShortMonth, words("a policy", ShortMonth)] = Field(
        default=ShortMonth.LAST_DAY,
        description="monthly by day, in a month without that day: its last day, or none.",
    )
    spread: Annotated[timedelta | None, SPREAD] = Field(
        default=None,
        description="Each job is moved later by a fixed amount of its own below this. "
        "Default: none; of a frequency, settings.frequencies.spread.",
    )
    exclude: Annotated[tuple[str, ...], ListOf(Ref("calendar"), distinct=True)] = Field(
        default=(), description="Calendars in which the job does not fire."
    )
    on_exclude: Literal["skip", "next-day"] = Field(
        default="skip", description="What an excluded occurrence becomes: skipped, or moved to the next free day."
    )
    on_closure: Annotated[OnClosure, words("a policy", OnClosure)] = Field(
        default=OnClosure.FINISH,
        description="What a run does that reaches a closure of `exclude`: it finishes, is held until the end "
        "of the closure, or stops and keeps what is left.",
    )

    @property
    def kinds(self) -> tuple[str, ...]:
        """Which kinds are written."""
        return tuple(kind for kind in KINDS if getattr(self, kind) is not None)

    def complaints(self) -> Iterator[Complaint]:
        """One kind, and nothing beside it that it says itself or cannot use."""
        for kind in self.kinds[1:]:
            yield kind, (), f"it stands beside {self.kinds[0]}; write exactly one of {listed(KINDS)}"
        written = self.model_fields_set
        for key in IN_CCS if self.ccs is not None else ():
            if key in written:
                yield key, (), "not allowed beside ccs, which says it itself; leave it out"
        for key in NOT_WITH_CRON if self.cron is not None else ():
            if key in written:
                yield key, (), "not allowed beside cron, which has its own time of day and DST rule; leave it out"
        if self.frequency == "hourly" and self.at is not None:
            yield (
                "at",
                ("at", "frequency"),
                "not allowed beside frequency: hourly; set settings.frequencies.hourly.minute instead",
            )
        if self.window and self.rerun and self.window > self.rerun.every:
            every = format_duration(self.rerun.every)
            yield (
                "window",
                ("window", "rerun"),
                f"{format_duration(self.window)} is longer than rerun.every; write {every} or less",
            )


class _ScheduleTable(Table):
    """Its keys merge, but a job's own kind replaces the inherited kind and what that kind cannot stand beside."""

    def __init__(self) -> None:
        super().__init__(ScheduleBlock)

    def merge(self, base: Node, over: Node) -> Node:
        """Without what the job's own kind excludes."""
        if not isinstance(base, MappingNode) or not isinstance(over, MappingNode):
            return over
        own = {key_text(key) for key, _ in over.value} & set(KINDS)
        dropped: set[str] = set(KINDS) if own else set()
        dropped |= set(IN_CCS) if "ccs" in own else set()
        dropped |= set(NOT_WITH_CRON) if "cron" in own else set()
        kept = [entry for entry in base.value if key_text(entry[0]) not in dropped - own]
        return super().merge(MappingNode(base.tag, kept, base.start_mark, base.end_mark), over)

    def schema(self, *, partial: bool) -> Schema:
        """At most one kind while parts may be inherited, else exactly one."""
        schema = super().schema(partial=partial)
        kinds = [_written(kind) for kind in KINDS]
        if partial:
            kinds.append({"not": {"anyOf": kinds.copy()}})
        beside = {"ccs": IN_CCS, "cron": NOT_WITH_CRON}
        refused = [
            {"not": {"allOf": [_written(kind), _written(key)]}} for kind, keys in beside.items() for key in keys
        ]
        return {**schema, "oneOf": kinds, "allOf": refused}


def _written(key: str) -> Schema:
    """That a key is there; null counts only where leaving it empty has a meaning."""
    schema: Schema = {"required": [key]}
    return schema if key == "daily" else {**schema, "properties": {key: {"not": {"type": "null"}}}}


SCHEDULE = _ScheduleTable()
