"""Reading the fields of a request as the framework does: what it takes for a value, its words for each fault."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from runners.sde.wire import texts
from runners.sde.wire.faults import NON_FIELD, WireFault, WireFaults
from runners.sde.wire.ids import is_number

TRUE = frozenset({"t", "T", "y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON", "1", 1})
FALSE = frozenset({"f", "F", "n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF", "0", 0})
"""Texts and numbers that are taken for true and false, beside these themselves."""

_DECIMALS = re.compile(r"\.0*\s*$")
_LONGEST_NUMBER = 1000
_DEEPEST = 50  # params within params; what is much deeper could be read and not be sent

_MISSING: Any = object()

Exists = Callable[[int], bool]


class Fields:
    """The fields of one object; those that nobody asks for are ignored. Readers give None where they note a fault.

    Attributes:
        partial: Whether fields may be missing, those of inner objects too: a PATCH.
        faults: Shared by all objects of one message.
    """

    def __init__(
        self,
        body: Mapping[str, Any],
        path: tuple[str, ...] = (),
        faults: list[WireFault] | None = None,
        *,
        partial: bool = False,
    ) -> None:
        self._body = body
        self._path = path
        self.partial = partial
        self.faults: list[WireFault] = [] if faults is None else faults

    @classmethod
    def of_message(cls, body: object, *, partial: bool = False) -> Fields:
        """Those of a whole message. Raises WireFaults where it is no object."""
        if isinstance(body, Mapping):
            return cls(body, partial=partial)
        raise WireFaults([WireFault((), texts.NO_DATA if body is None else texts.not_an_object(body))])

    def has(self, name: str) -> bool:
        """Whether it was sent, be it as null."""
        return name in self._body

    def refuse(self, name: str, message: str) -> None:
        """Note a fault of a field."""
        self.faults.append(WireFault((*self._path, name), message))

    def settle(self) -> None:
        """Raises WireFaults if any fault was noted."""
        if self.faults:
            raise WireFaults(self.faults)

    def flag(self, name: str, *, required: bool = True) -> bool | None:
        """A boolean, or what is taken for one."""
        value = self._given(name, required=required)
        if value is _MISSING:
            return None
        if isinstance(value, bool):
            return value
        if isinstance(value, str | int | float):
            if value in TRUE:
                return True
            if value in FALSE:
                return False
        self.refuse(name, texts.NOT_A_BOOLEAN)
        return None

    def key(self, name: str, exists: Exists | None = None, *, required: bool = True) -> int | None:
        """A number that is an id; `exists` says whether anything has it."""
        value = self._given(name, required=required)
        if value == "" and isinstance(value, str):
            self.refuse(name, texts.NULL)
            return None
        if value is _MISSING:
            return None
        if isinstance(value, str) and len(value) > _LONGEST_NUMBER:
            self.refuse(name, texts.TOO_LONG_A_NUMBER)
            return None
        key = as_integer(value)
        if key is None:
            self.refuse(name, texts.NOT_AN_INTEGER)
        elif not is_number(key) or (exists is not None and not exists(key)):
            self.refuse(name, texts.no_object(key))
        else:
            return key
        return None

    def text(self, name: str, *, required: bool = True, blank: bool = False) -> str | None:
        """A text without blanks around it; a number is written as one."""
        value = self._given(name, required=required)
        if value is _MISSING:
            return None
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            self.refuse(name, texts.NOT_A_STRING)
            return None
        text = str(value).strip()
        if fault := unfit_text(text):
            self.refuse(name, fault)
        elif not text and not blank:
            self.refuse(name, texts.BLANK)
        else:
            return text
        return None

    def choice(self, name: str, allowed: Collection[str], *, required: bool = True) -> str | None:
        """One of the words allowed, exactly."""
        value = self._given(name, required=required)
        if value is _MISSING:
            return None
        if isinstance(value, str) and value in allowed:
            return value
        self.refuse(name, texts.not_a_choice(value))
        return None

    def params(self, name: str = "params", *, required: bool = True) -> dict[str, Any] | None:
        """An object whose values are anything that can be stored and sent."""
        value = self._given(name, required=required)
        if value is _MISSING:
            return None
        if not isinstance(value, Mapping):
            self.refuse(name, texts.not_a_dictionary(value))
            return None
        found = {key: fault for key, inner in value.items() if (fault := _unfit(key) or _unfit(inner))}
        for key, fault in found.items():
            self.faults.append(WireFault((*self._path, name, texts.storable(key)), fault))
        return None if found else dict(value)

    def within(self, name: str, *, required: bool = True, word: str | None = None) -> Fields | None:
        """The fields of an object; with `word` a text alone is read as an object with that one field."""
        value = self._given(name, required=required)
        if value is _MISSING:
            return None
        if word is not None and isinstance(value, str):
            value = {word: value}
        if not isinstance(value, Mapping):
            self.faults.append(WireFault((*self._path, name, NON_FIELD), texts.not_an_object(value)))
            return None
        return Fields(value, (*self._path, name), self.faults, partial=self.partial)

    def _given(self, name: str, *, required: bool) -> Any:
        """The value; _MISSING where there is none, told if there has to be one."""
        value = self._body.get(name, _MISSING)
        if value is None:
            self.refuse(name, texts.NULL)
            return _MISSING
        if value is _MISSING and required and not self.partial:
            self.refuse(name, texts.REQUIRED)
        return value


def as_integer(value: object) -> int | None:
    """The whole number that the framework takes it for, also `"12"` and 12.0; None for anything else."""
    try:
        return int(_DECIMALS.sub("", str(value)))
    except (ValueError, RecursionError):
        return None


def _unfit(value: object) -> str | None:
    """What is wrong with a value anywhere in params; None where they can be stored and sent."""
    level: list[object] = [value]
    for _ in range(_DEEPEST):
        for one in level:
            if fault := _unfit_alone(one):
                return fault
        level = [inner for one in level for inner in _inside(one)]
        if not level:
            return None
    return texts.NOT_JSON


def _unfit_alone(value: object) -> str | None:
    if isinstance(value, str):
        return unfit_text(value)
    return texts.NOT_JSON if isinstance(value, float) and not math.isfinite(value) else None


def _inside(value: object) -> Iterator[object]:
    if isinstance(value, Mapping):
        yield from value.keys()
        yield from value.values()
    elif isinstance(value, list):
        yield from value


def unfit_text(text: str) -> str | None:
    """What is wrong with a text that no ledger takes; None where nothing is."""
    if "\0" in text:
        return texts.NULL_CHARACTERS
    half = next((char for char in text if "\ud800" <= char <= "\udfff"), None)
    return None if half is None else texts.half_character(half)
