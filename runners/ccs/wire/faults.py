"""What is wrong with a message, field by field."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

_SHOWN = 60
_TOLD = 20


@dataclass(frozen=True, slots=True)
class WireFault:
    """One fault.

    Attributes:
        field: The field as the pages name it, with the way to it inside JobDetails, such as `JobName`,
            `AssetsResolutionInfo[0].Id`, `Schedule.RepeatDays`; empty where the message as a whole is meant.
        message: What is allowed, with the value where that helps; one line.
    """

    field: str
    message: str

    def __str__(self) -> str:
        return f"{self.field}: {self.message}" if self.field else self.message


class WireFaults(ValueError):
    """A message that is refused; `faults` holds all its faults, at least one, in the message's own order."""

    def __init__(self, faults: Iterable[WireFault]) -> None:
        self.faults: tuple[WireFault, ...] = tuple(faults)
        super().__init__("; ".join(map(str, self.faults)))

    def body(self) -> dict[str, Any]:
        """The answer of a 400: `Message` for people, `Errors` with every fault."""
        told = "; ".join(map(str, self.faults[:_TOLD]))
        more = len(self.faults) - _TOLD
        return {
            "Message": f"{told}; … ({more} more)" if more > 0 else told,
            "Errors": [{"Field": fault.field, "Message": fault.message} for fault in self.faults],
        }


def shown(value: object) -> str:
    """`value` on one line, short, and fit for UTF-8 whatever came."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, int) and not -(10**_SHOWN) < value < 10**_SHOWN:
        return "a number of many digits"
    text = clean(value) if isinstance(value, str) else value
    return json.dumps(text, ensure_ascii=False, default=str)


def clean(text: str) -> str:
    """`text` shortened, without halves of characters and without control characters."""
    short = text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
    return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in short)
