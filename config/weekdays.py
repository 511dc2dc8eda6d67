"""Weekdays and ordinal weekdays as the YAML writes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from config.containers import ListOf
from config.faults import near_miss
from config.reading import Refused, Scalar, Schema
from config.shapes import Choice
from recurrence.schedule import Ordinal, Weekday

_SUNDAY_FIRST = (Weekday.SUNDAY, *(day for day in Weekday if day is not Weekday.SUNDAY))
WEEKDAY = Choice("a weekday", {day.name.lower(): day for day in _SUNDAY_FIRST})
WEEKDAYS = ListOf(WEEKDAY, least=1, single=True, distinct=True)


@dataclass(frozen=True)
class OrdinalDay(Scalar):
    """`last friday`: which of the month's weekdays."""

    noun: str = "an ordinal weekday"
    allowed: str = "first, second, third, fourth or last with a weekday, such as last friday"

    def parse(self, value: Any) -> tuple[Ordinal, Weekday]:
        """The ordinal and the weekday."""
        parts = value.split(" ") if isinstance(value, str) else []
        if len(parts) != 2:
            raise Refused
        meanings = {str(day): weekday for day, weekday in WEEKDAY.values.items()}
        ordinals = {ordinal.name.lower(): ordinal for ordinal in Ordinal}
        if parts[0] not in ordinals or parts[1] not in meanings:
            every = [f"{ordinal} {day}" for ordinal in ordinals for day in meanings]
            raise Refused(f"write {self.allowed}{near_miss(str(value), every)}")
        return ordinals[parts[0]], meanings[parts[1]]

    def schema(self, *, partial: bool) -> Schema:
        """A string with a pattern."""
        del partial
        ordinals = "|".join(ordinal.name.lower() for ordinal in Ordinal)
        return {"type": "string", "pattern": f"^(?:{ordinals}) (?:{'|'.join(map(str, WEEKDAY.values))})$"}
