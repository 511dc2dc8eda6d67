"""The shape of a time zone's name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from config.reading import Refused, Scalar, Schema
from recurrence.zones import resolve_zone


@dataclass(frozen=True)
class Zone(Scalar):
    """An IANA or a Windows name; read as the IANA name."""

    noun: str = "a time zone"
    allowed: str = "an IANA name such as Europe/Berlin or a Windows name such as Pacific Standard Time"

    def parse(self, value: Any) -> str:
        """The IANA name."""
        if not isinstance(value, str) or not value:
            raise Refused
        try:
            return resolve_zone(value)
        except ValueError as error:
            _, _, advice = str(error).removeprefix(repr(value)).rpartition(": ")
            known = str(error).rpartition(": ")[1] and advice
            raise Refused(known or f"write {self.allowed}") from None

    def schema(self, *, partial: bool) -> Schema:
        """A string."""
        del partial
        return {"type": "string", "minLength": 1}


ZONE = Zone()
