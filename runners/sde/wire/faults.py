"""What is wrong with a message, field by field."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from runners.sde.wire.refusals import Refusal, WireError
from runners.sde.wire.texts import storable

NON_FIELD = "non_field_errors"
"""Where faults stand that belong to no field."""

_SHOWN = 60
_TOLD = 20


@dataclass(frozen=True, slots=True)
class WireFault:
    """One fault.

    Attributes:
        path: The way to the field, such as `("connection",)`, `("system", "id")`; empty where the message as a
            whole is meant. In a list of an answer it begins with the place, such as `("results[3]", "id")`.
        message: A text of the framework in a request, plain words in an answer; one line.
    """

    path: tuple[str, ...]
    message: str

    @property
    def field(self) -> str:
        """The way in one text, with dots."""
        return ".".join(self.path)

    def __str__(self) -> str:
        return f"{self.field}: {self.message}" if self.path else self.message


class WireFaults(WireError):
    """A message that is refused; `faults` holds all its faults, at least one."""

    def __init__(self, faults: Iterable[WireFault]) -> None:
        self.faults: tuple[WireFault, ...] = tuple(faults)
        told = "; ".join(map(str, self.faults[:_TOLD]))
        more = len(self.faults) - _TOLD
        super().__init__(f"{told}; … ({more} more)" if more > 0 else told)

    @property
    def answer(self) -> Refusal:
        """400; each field with the list of its faults, the fields of an object inside it."""
        return Refusal(400, self._body())

    def _body(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for fault in self.faults:
            level = found
            for name in fault.path[:-1]:
                inner = level.setdefault(name, {})
                if not isinstance(inner, dict):
                    inner = level[name] = {NON_FIELD: inner}
                level = inner
            last = level.setdefault(fault.path[-1] if fault.path else NON_FIELD, [])
            (last if isinstance(last, list) else last.setdefault(NON_FIELD, [])).append(fault.message)
        return found


def shown(value: object) -> str:
    """`value` on one line, short, and fit for UTF-8 whatever came."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, int) and not -(10**_SHOWN) < value < 10**_SHOWN:
        return "a number of many digits"
    if isinstance(value, str):
        short = value if len(value) <= _SHOWN else value[: _SHOWN - 1] + "…"
        value = "".join(char if char.isprintable() else " " for char in storable(short))
    return json.dumps(value, ensure_ascii=False)
