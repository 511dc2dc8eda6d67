"""Reading the fields of a JSON object: types, bounds, and every fault remembered."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from runners.ccs.wire.faults import WireFault, WireFaults, clean, shown

_GUID = re.compile("[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_NOT_STORABLE = re.compile("[\0\ud800-\udfff]")
_LINE_BREAKING = re.compile("[\0-\x1f\x7f-\x9f\u2028\u2029]")

ENOUGH = 2000
"""Faults after which a list, or the names that are not known, are not gone through any further."""

_HINTS = 50  # looking for the name that was meant takes its time, and a body may have very many


class Fields:
    """The fields of one object; null is read as missing. Readers give None where they note a fault.

    Attributes:
        faults: Shared by all objects of one message.
    """

    def __init__(self, body: Mapping[str, Any], path: str = "", faults: list[WireFault] | None = None) -> None:
        self._body = body
        self._path = path
        self.faults: list[WireFault] = [] if faults is None else faults

    @classmethod
    def of_message(cls, body: object) -> Fields:
        """Those of a whole message. Raises WireFaults where it is no object."""
        if not isinstance(body, Mapping):
            raise WireFaults([WireFault("", f"the body must be a JSON object (it is {shown(body)})")])
        return cls(body)

    def value(self, name: str) -> Any:
        """The value as it came; None where it is missing."""
        return self._body.get(name)

    def refuse(self, name: str, message: str) -> None:
        """Note a fault of a field: what is allowed; the value is added."""
        value = self.value(name)
        tail = f"is missing: {message}" if value is None else f"{message} (it is {shown(value)})"
        self.faults.append(WireFault(self._place(name), tail))

    def refuse_unknown(
        self, known: Collection[str], noun: str, elsewhere: Mapping[str, str] | None = None
    ) -> None:
        """Every field but the known ones; `elsewhere` says of some where they belong."""
        for name in self._body:
            if len(self.faults) > ENOUGH:
                break
            if name in known:
                continue
            short = clean(str(name))
            near = get_close_matches(short, known, n=1) if len(self.faults) < _HINTS else []
            hint = (elsewhere or {}).get(name) or (f"did you mean {near[0]}?" if near else "")
            message = f"is no field of {noun}" + (f": {hint}" if hint else "")
            self.faults.append(WireFault(self._place(short), message))

    def require(self, *names: str, why: str = "it is mandatory") -> None:
        """Refuse those that are missing."""
        for name in names:
            if self.value(name) is None:
                self.refuse(name, why)

    def flag(self, name: str) -> bool | None:
        """A boolean, or the text "true" or "false" in any case."""
        value = self.value(name)
        word = value.strip().lower() if isinstance(value, str) else value
        if word is None or isinstance(word, bool):
            return word
        if word in ("true", "false"):
            return bool(word == "true")
        self.refuse(name, "must be true or false")
        return None

    def number(self, name: str, low: int, high: int) -> int | None:
        """A whole number from `low` to `high`, both inclusive."""
        value = self.value(name)
        if value is None:
            return None
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return value
        self.refuse(name, f"must be a whole number from {low} to {high}")
        return None

    def text(self, name: str, *, empty: bool = False, lines: bool = False) -> str | None:
        """A text; `lines` allows line breaks, `empty` allows none or blanks only."""
        value = self.value(name)
        if value is None:
            return None
        allowed = "must be a text" if lines else "must be a text of one line"
        if not isinstance(value, str):
            self.refuse(name, allowed)
        elif not empty and not value.strip():
            self.refuse(name, f"{allowed} that is not blank")
        elif (_NOT_STORABLE if lines else _LINE_BREAKING).search(value) or _NOT_STORABLE.search(value):
            self.refuse(name, f"{allowed} without {'NUL' if lines else 'control characters'} or half characters")
        else:
            return value
        return None

    def guid(self, name: str) -> str | None:
        """A GUID, in lower case."""
        value = self.value(name)
        if isinstance(value, str) and _GUID.fullmatch(value.strip()):
            return value.strip().lower()
        if value is not None:
            self.refuse(name, "must be a GUID, 32 hexadecimal digits as 8-4-4-4-12")
        return None

    def within(self, name: str, *, unnamed: bool = False) -> Fields | None:
        """The fields of an object; faults in it are told with the way to them, `unnamed` without it."""
        value = self.value(name)
        if isinstance(value, Mapping):
            return Fields(value, "" if unnamed else self._place(name), self.faults)
        if value is not None:
            self.refuse(name, "must be an object")
        return None

    def items(self, name: str, noun: str) -> Iterator[tuple[Fields, str]]:
        """Each item of a list that is not empty: as a field of the fields it is handed out with."""
        value = self.value(name)
        if isinstance(value, list) and value:
            for place in range(len(value)):
                if len(self.faults) > ENOUGH:
                    break
                item = f"{name}[{place}]"
                yield Fields({item: value[place]}, self._path, self.faults), item
        elif value is not None:
            self.refuse(name, f"must be a list with at least one {noun}")

    def settle(self) -> None:
        """Raises WireFaults if any fault was noted."""
        if self.faults:
            raise WireFaults(self.faults)

    def _place(self, name: str) -> str:
        return f"{self._path}.{name}" if self._path else name
