"""Shapes of the texts in config.values, and of words that name a zone, a URL, a GUID, a listener."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from yaml.nodes import Node

from config import values
from config.reading import BAD, Reading, Refused, Scalar, Schema
from config.shapes import Text
from config.values import format_duration

_LONGEST = timedelta(days=36525)
HOW_LONG = "90s, 15m, 4h, 1d, 1w, 1h30m or ISO 8601 such as PT15M"


@dataclass(frozen=True)
class Duration(Scalar):
    """A duration from `low` to `high`, both inclusive, whole seconds."""

    low: timedelta = timedelta(seconds=1)
    high: timedelta = _LONGEST
    noun: str = "a duration"
    allowed: str = HOW_LONG

    def parse(self, value: Any) -> timedelta:
        """The duration; a bare number is refused with what it may have meant."""
        if isinstance(value, int) and not isinstance(value, bool):
            n = abs(value) or 1
            raise Refused(f"a number needs its unit: write {n}s, {n}m, {n}h or {n}d")
        if not isinstance(value, str):
            raise Refused
        try:
            duration = values.parse_duration(value)
        except ValueError:
            raise Refused(f"write {HOW_LONG}") from None
        if not self.low <= duration <= self.high:
            span = f"{format_duration(self.low)} to {format_duration(self.high)}"
            raise Refused(f"write a duration from {span}", instead="is too short or too long")
        return duration

    def schema(self, *, partial: bool) -> Schema:
        """A string with a pattern; its bounds cannot be said."""
        del partial
        return {"type": "string", "pattern": f"^(?:{values.DURATION_PATTERN})$"}

    def written(self, value: Any) -> Any:
        """As a short duration."""
        return format_duration(value) if isinstance(value, timedelta) else value


SPREAD = Duration(low=timedelta(0), high=timedelta(days=7))


@dataclass(frozen=True)
class Rate(Scalar):
    """A rate above zero, read as a number per second."""

    noun: str = "a rate"
    allowed: str = "20/s, 100/m or 5/h"

    def parse(self, value: Any) -> float:
        """Per second."""
        if not isinstance(value, str):
            raise Refused
        try:
            return values.parse_rate(value)
        except ValueError:
            raise Refused from None

    def schema(self, *, partial: bool) -> Schema:
        """A string with a pattern."""
        del partial
        return {"type": "string", "pattern": f"^(?:{values.RATE_PATTERN})$"}

    def written(self, value: Any) -> Any:
        """Per second."""
        return f"{value:g}/s"


@dataclass(frozen=True)
class Size(Scalar):
    """A size from `low` to `high` bytes, both inclusive."""

    low: int
    high: int = 1 << 40
    noun: str = "a size"

    @property
    def allowed(self) -> str:  # type: ignore[override]
        """By its bounds."""
        low, high = values.format_size(self.low), values.format_size(self.high)
        return f"64MiB, 10MB or a number of bytes, from {low} to {high}"

    def parse(self, value: Any) -> int:
        """In bytes."""
        size = value
        if isinstance(value, str):
            try:
                size = values.parse_size(value)
            except ValueError:
                raise Refused from None
        if isinstance(size, bool) or not isinstance(size, int) or not self.low <= size <= self.high:
            raise Refused
        return size

    def schema(self, *, partial: bool) -> Schema:
        """A number of bytes, or a string with its unit."""
        del partial
        text = {"type": "string", "pattern": f"^(?:{values.SIZE_PATTERN})$"}
        return {"anyOf": [{"type": "integer", "minimum": self.low, "maximum": self.high}, text]}

    def written(self, value: Any) -> Any:
        """With its unit."""
        return values.format_size(value)


@dataclass(frozen=True)
class Parsed(Scalar):
    """A text that one of the parsers of config.values reads."""

    noun: str
    allowed: str
    pattern: str
    parser: Any

    def parse(self, value: Any) -> Any:
        """The parser's answer."""
        if not isinstance(value, str):
            raise Refused
        try:
            return self.parser(value)
        except ValueError:
            raise Refused from None

    def schema(self, *, partial: bool) -> Schema:
        """A string with a pattern."""
        del partial
        return {"type": "string", "pattern": f"^(?:{self.pattern})$"}

    def written(self, value: Any) -> Any:
        """ISO 8601."""
        return value.isoformat() if isinstance(value, date) else str(value)[:5]


TIME = Parsed("a time of day", '"HH:MM" or "HH:MM:SS", from "00:00" to "23:59:59"', values.TIME_PATTERN,
              values.parse_time)  # fmt: skip
DATE = Parsed("a date", "YYYY-MM-DD, from 1900 to 2999", values.DATE_PATTERN, values.parse_date)
MOMENT = Parsed("a date and time", "YYYY-MM-DDTHH:MM[:SS] from 1900 to 2999, with an offset or Z if no wall time",
                values.MOMENT_PATTERN, values.parse_moment)  # fmt: skip


def _date_or_moment(text: str) -> Any:
    return values.parse_date(text) if re.fullmatch(values.DATE_PATTERN, text) else values.parse_moment(text)


UNTIL = Parsed("a date or a date and time", "YYYY-MM-DD or YYYY-MM-DDTHH:MM[:SS], from 1900 to 2999",
               f"{values.DATE_PATTERN}|{values.MOMENT_PATTERN}", _date_or_moment)  # fmt: skip

GUID = Text("a GUID", "32 hexadecimal digits as 8-4-4-4-12",
            "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")  # fmt: skip
URL = Text("an http or https URL", "https://HOST[:PORT][/PATH]", r"https?://[^\s/?#@]+(?:[/?#]\S*)?", secret=True)
EMAIL = Text("an e-mail address", "name@host", r"[^\s@]+@[^\s@]+")
LISTEN = Text("HOST:PORT", "127.0.0.1:8642, [::1]:8642 or 0.0.0.0:8642, with a port from 0 to 65535",
              r"(?:\[[0-9a-fA-F:.]+\]|[^\s:\[\]/@]+):(?:[0-9]{1,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}"
              r"|655[0-2][0-9]|6553[0-5])")  # fmt: skip


class _Ledger(Text):
    """The URL of a ledger; a password in it is warned of."""

    def read(self, node: Node, path: str, reading: Reading) -> Any:
        """The URL as written, or BAD."""
        url = super().read(node, path, reading)
        if url is not BAD and re.match(r"[a-z]+://[^/@]*:[^/@]+@", url):
            reading.warn(node, path, "a password stands in the address; leave it out and write it in $PGPASSFILE")
        return url


LEDGER = _Ledger("a ledger's URL", "sqlite:///PATH or postgresql://USER@HOST/DATABASE",
              r"sqlite:///\S+|postgres(?:ql)?://\S+", secret=True)  # fmt: skip
