"""Shapes of plain values: text, numbers, words of a list."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from config.faults import listed, near_miss
from config.nodes import key_text, scalar, shown
from config.reading import BAD, Bad, Reading, Refused, Scalar, Schema, Shape

NAME_PATTERN = "[a-z0-9][a-z0-9._-]*"


@dataclass(frozen=True)
class Text(Scalar):
    """A string; `pattern` must match the whole of it."""

    noun: str = "text"
    allowed: str = "text, in quotes if it looks like a number or a word such as true"
    pattern: str = ""
    empty: bool = False
    secret: bool = False

    def parse(self, value: Any) -> str:
        """The string itself."""
        if not isinstance(value, str):
            raise Refused
        if not value and not self.empty:
            raise Refused(f"write {self.allowed}")
        if self.pattern and not re.fullmatch(self.pattern, value):
            raise Refused(f"write {self.allowed}")
        return value

    def schema(self, *, partial: bool) -> Schema:
        """A string with its pattern."""
        del partial
        schema: Schema = {"type": "string"}
        if self.pattern:
            schema["pattern"] = f"^(?:{self.pattern})$"
        elif not self.empty:
            schema["minLength"] = 1
        return schema


NAME = Text(
    noun="a name", allowed="lower-case letters, digits, '.', '_' and '-', beginning with a letter or digit",
    pattern=NAME_PATTERN,
)  # fmt: skip


@dataclass(frozen=True)
class Integer(Scalar):
    """A whole number from `low` to `high`, both inclusive."""

    low: int
    high: int

    @property
    def noun(self) -> str:  # type: ignore[override]
        """By its bounds."""
        return f"a whole number from {self.low} to {self.high}"

    @property
    def allowed(self) -> str:  # type: ignore[override]
        """By its bounds."""
        return self.noun

    def parse(self, value: Any) -> int:
        """The number itself; 1.0 and "1" are refused."""
        if isinstance(value, bool) or not isinstance(value, int) or not self.low <= value <= self.high:
            raise Refused
        return value

    def schema(self, *, partial: bool) -> Schema:
        """An integer with its bounds."""
        del partial
        return {"type": "integer", "minimum": self.low, "maximum": self.high}


@dataclass(frozen=True)
class Flag(Scalar):
    """true or false; the words of YAML 1.1 are refused with the right one named."""

    noun: str = "a truth value"
    allowed: str = "true or false"

    def parse(self, value: Any) -> bool:
        """The flag itself."""
        if isinstance(value, bool):
            return value
        word = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}
        if isinstance(value, str) and value.lower() in word:
            raise Refused(f"write {word[value.lower()]}")
        raise Refused

    def schema(self, *, partial: bool) -> Schema:
        """A boolean."""
        del partial
        return {"type": "boolean"}


@dataclass(frozen=True)
class Choice(Scalar):
    """One of the words in `values`, which map to their meaning."""

    noun: str
    values: Mapping[Any, Any]

    @property
    def allowed(self) -> str:  # type: ignore[override]
        """The words."""
        return f"one of {listed(map(str, self.values))}" if len(self.values) > 1 else f"{next(iter(self.values))}"

    def parse(self, value: Any) -> Any:
        """The meaning of the word; exact, also in case."""
        if type(value) in {str, int} and value in self.values:
            return self.values[value]
        raise Refused(f"write {self.allowed}{near_miss(str(value), [str(word) for word in self.values])}")

    def schema(self, *, partial: bool) -> Schema:
        """An enumeration."""
        del partial
        return {"enum": list(self.values)}

    def written(self, value: Any) -> Any:
        """The word that means `value`."""
        return next(word for word, meaning in self.values.items() if meaning == value)


def words(noun: str, kind: type[StrEnum]) -> Choice:
    """A choice of an enumeration's values."""
    return Choice(noun, {str(member): member for member in kind})


@dataclass(frozen=True)
class Json(Shape):
    """Anything that JSON can say; mappings only, if `mapping`."""

    mapping: bool = False

    @property
    def noun(self) -> str:  # type: ignore[override]
        """By what it takes."""
        return "a mapping" if self.mapping else "a JSON value"

    allowed: str = "key: value lines"

    def read(self, node: Node, path: str, reading: Reading) -> Any:
        """Plain dicts, lists and scalars."""
        if self.mapping and not isinstance(node, MappingNode):
            return self.refuse(node, path, reading)
        return plain(node, path, reading)

    def schema(self, *, partial: bool) -> Schema:
        """Anything, or any object."""
        del partial
        return {"type": "object"} if self.mapping else {}


def plain(node: Node, path: str, reading: Reading) -> Any:
    """The JSON value of a node, or BAD: not-a-number and infinity are none."""
    if isinstance(node, MappingNode):
        entries = {key_text(key): plain(value, path, reading) for key, value in node.value}
        return _whole(entries, list(entries.values()))
    if isinstance(node, SequenceNode):
        items = [plain(item, path, reading) for item in node.value]
        return _whole(items, items)
    value = scalar(node) if isinstance(node, ScalarNode) else None
    if isinstance(value, float) and not math.isfinite(value):
        return reading.fault(node, path, f"{shown(node)} is not a JSON value; write a finite number")
    return value


def _whole(value: Any, parts: Sequence[Any]) -> Any | Bad:
    return BAD if any(part is BAD for part in parts) else value
