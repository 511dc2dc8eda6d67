"""Reading the fields of a server's answer: fields not known are ignored, those needed have to be sound."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from runners.sde.wire.faults import WireFault, WireFaults, shown
from runners.sde.wire.ids import GREATEST_ID, is_id, is_number
from runners.sde.wire.moments import parse_moment
from runners.sde.wire.texts import storable


class Answer:
    """The fields of one object; null is read as missing. Readers give None where they note a fault.

    Attributes:
        faults: Shared by all objects of one answer.
    """

    def __init__(
        self, body: Mapping[str, Any], path: tuple[str, ...] = (), faults: list[WireFault] | None = None
    ) -> None:
        self._body = body
        self._path = path
        self.faults: list[WireFault] = [] if faults is None else faults

    @classmethod
    def of_message(cls, answer: object) -> Answer:
        """Those of a whole answer. Raises WireFaults where it is no object."""
        if isinstance(answer, Mapping):
            return cls(answer)
        raise WireFaults([WireFault((), f"the answer must be a JSON object (it is {shown(answer)})")])

    def value(self, name: str) -> Any:
        """The value as it came; None where it is missing."""
        return self._body.get(name)

    def refuse(self, name: str, message: str) -> None:
        """Note a fault of a field: what has to be there; the value is added, unless it may be secret."""
        value = self.value(name)
        tail = f"is missing: it {message}" if value is None else f"{message} (it is {shown(value)})"
        self.faults.append(WireFault((*self._path, name), tail))

    def settle(self) -> None:
        """Raises WireFaults if any fault was noted."""
        if self.faults:
            raise WireFaults(self.faults)

    def key(self, name: str, *, required: bool = False, otherwise: str | None = None) -> int | None:
        """An id that is a number; `otherwise` says what has to be there where it may be something else too."""
        value = self.value(name)
        if is_number(value):
            return int(value)
        if value is not None or required:
            self.refuse(name, otherwise or f"must be a whole number from 1 to {GREATEST_ID}")
        return None

    def word(self, name: str, *, required: bool = False) -> str | None:
        """An id that is a word, or a number, which is written as one."""
        value = self.value(name)
        if is_id(value):
            return str(value)
        if value is not None or required:
            self.refuse(name, "must be an id: letters, digits and _.:@-, beginning with a letter or digit")
        return None

    def flag(self, name: str, *, required: bool = False) -> bool | None:
        """A boolean."""
        value = self.value(name)
        if isinstance(value, bool):
            return value
        if value is not None or required:
            self.refuse(name, "must be true or false")
        return None

    def text(self, name: str, *, required: bool = False) -> str | None:
        """A text; NUL and half characters are replaced."""
        value = self.value(name)
        if isinstance(value, str):
            return storable(value)
        if value is not None or required:
            self.refuse(name, "must be a text")
        return None

    def words(self, name: str) -> str:
        """What is meant for people: a text, anything else as JSON; empty where there is none."""
        value = self.value(name)
        if value is None:
            return ""
        try:
            return storable(value if isinstance(value, str) else json.dumps(value))
        except RecursionError:
            return "…"

    def moment(self, name: str) -> datetime | None:
        """An aware UTC instant."""
        value = self.value(name)
        if value is None:
            return None
        try:
            return parse_moment(value if isinstance(value, str) else "")
        except ValueError:
            self.refuse(name, "must be YYYY-MM-DDThh:mm:ss, with or without a fraction and an offset or Z")
            return None

    def params(self, name: str = "params") -> dict[str, Any] | None:
        """An object with anything in it, which is not repeated in any message."""
        value = self.value(name)
        if isinstance(value, Mapping):
            return dict(value)
        if value is not None:
            self.faults.append(WireFault((*self._path, name), "must be an object"))
        return None

    def within(self, name: str, *, required: bool = False) -> Answer | None:
        """The fields of an object; faults in it are told with the way to them."""
        value = self.value(name)
        if isinstance(value, Mapping):
            return Answer(value, (*self._path, name), self.faults)
        if value is not None or required:
            self.refuse(name, "must be an object")
        return None
