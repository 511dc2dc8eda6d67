"""Reading the fields of a CCS Schedule block: types, ranges, and every fault remembered."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_DATE = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d{1,7})?(?:([Zz])|([+-])(\d\d):([0-5]\d))?", re.ASCII)
_TIME_SPAN = re.compile(r"(?:(\d{1,7})\.)?(\d{1,2}):(\d\d)(?::(\d\d)(?:\.(\d{1,7}))?)?", re.ASCII)
_BARE_NUMBER = re.compile(r"\d+", re.ASCII)
_TIME_SPAN_FORM = "must be [d.]hh:mm[:ss[.fffffff]] with hours 0 to 23"


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one field of a block.

    Attributes:
        field: The field's name, as CCS writes it.
        value: Its value; None where it is missing.
        message: What is allowed instead; that it is missing, where it is.
    """

    field: str
    value: object
    message: str

    def __str__(self) -> str:
        if self.value is None:
            return f"{self.field} {self.message}"
        return f"{self.field} = {json.dumps(self.value, default=str)}: {self.message}"


class Fields:
    """The fields of one block; null is read as missing. Readers give a default where they note a fault."""

    def __init__(self, block: Mapping[str, Any]) -> None:
        self._block = block
        self.faults: list[Fault] = []

    def value(self, name: str) -> Any:
        """The value as it came; None where it is missing."""
        return self._block.get(name)

    def refuse(self, name: str, message: str) -> None:
        """Note a fault of a field."""
        value = self.value(name)
        self.faults.append(Fault(name, value, f"is missing: {message}" if value is None else message))

    def flag(self, name: str, *, default: bool = False) -> bool:
        """A boolean, or the text "true" or "false" in any case."""
        value = self.value(name)
        if value is None:
            return default
        if isinstance(value, bool):
            return value
        if isinstance(value, str) and value.strip().lower() in ("true", "false"):
            return value.strip().lower() == "true"
        self.refuse(name, "must be true or false")
        return default

    def number(self, name: str, low: int, high: int, allowed: str, *, default: int | None = None) -> int:
        """A whole number from `low` to `high`, both inclusive; `low` where it is refused."""
        value = self.value(name)
        if value is None and default is not None:
            return default
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return value
        self.refuse(name, f"must be {allowed}")
        return low

    def time_span(self, name: str) -> timedelta | None:
        """A .NET TimeSpan above zero; None where it is refused."""
        value = self.value(name)
        text = value.strip() if isinstance(value, str) else ""
        match = _TIME_SPAN.fullmatch(text)
        if match is None:
            bare = isinstance(value, int | float) or _BARE_NUMBER.fullmatch(text)
            hint = " (.NET reads a bare number as days: write 1.00:00:00 for one day)" if bare else ""
            self.refuse(name, _TIME_SPAN_FORM + hint)
            return None
        days, hours, minutes, seconds = (int(part or 0) for part in match.groups()[:4])
        if hours > 23:
            self.refuse(name, f"{_TIME_SPAN_FORM} (.NET reads more as days: write 1.00:00:00 for 24 hours)")
            return None
        if minutes > 59 or seconds > 59:
            self.refuse(name, f"{_TIME_SPAN_FORM}, minutes and seconds 0 to 59")
            return None
        fraction = int((match[5] or "0").ljust(7, "0")) // 10
        span = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds, microseconds=fraction)
        if not span:
            self.refuse(name, "must be above zero when EndJobRunConfigured is true")
            return None
        return span

    def date(self, name: str) -> datetime | None:
        """A date and time in whole seconds, aware if it came with an offset; None: not set, or refused.

        A fraction of a second is dropped. The year 0001 is .NET's word for "not set".
        """
        value = self.value(name)
        if value is None:
            return None
        try:
            return _date(value)
        except ValueError:
            self.refuse(name, "must be YYYY-MM-DDThh:mm:ss, with or without a fraction and an offset or Z")
            return None


def _date(value: object) -> datetime | None:
    match = _DATE.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError("not a date and time")
    text, zulu, sign, hours, minutes = match.groups()
    wall = datetime.fromisoformat(text)
    if wall.year == 1:
        return None
    if zulu:
        return wall.replace(tzinfo=timezone(timedelta(0)))
    if sign:
        offset = timedelta(hours=int(hours), minutes=int(minutes))
        return wall.replace(tzinfo=timezone(offset if sign == "+" else -offset))
    return wall
