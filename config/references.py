"""Shapes that name something else of the same file, and what they look it up in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from config.faults import listed, near_miss, quoted
from config.nodes import key_text, scalar
from config.reading import BAD, Reading, Schema, Shape
from config.shapes import Choice

_GUID = re.compile("[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@dataclass
class Names:
    """What the file defines, by what it is called in a message; blocks with faults of their own included."""

    places: dict[str, str] = field(default_factory=dict)
    known: dict[str, dict[str, Any]] = field(default_factory=dict)

    def define(self, what: str, place: str, names: Mapping[str, Any]) -> None:
        """`names` of the kind `what` are defined under `place`."""
        self.places[what] = place
        self.known.setdefault(what, {}).update(names)

    def asset(self, name: str) -> Any:
        """The asset of this id or GUID, None if there is none; a GUID's case does not matter."""
        assets = self.known.get("asset", {})
        if name in assets or not _GUID.fullmatch(name):
            return assets.get(name)
        return next((asset for guid, asset in assets.items() if guid.lower() == name.lower()), None)


class FileReading(Reading):
    """The reading of a whole file: it knows the file's names."""

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self.names = Names()
        self.weekday_codec = "dotnet"


@dataclass(frozen=True)
class Ref(Shape):
    """The name of a `what` of this file."""

    what: str
    allowed: str = "its name"

    @property
    def noun(self) -> str:  # type: ignore[override]
        """By what it names."""
        return f"the name of {_with_article(self.what)}"

    def read(self, node: Node, path: str, reading: Reading) -> Any:
        """The name, or BAD."""
        name = scalar(node) if isinstance(node, ScalarNode) else None
        if not isinstance(name, str) or not isinstance(reading, FileReading):
            return self.refuse(node, path, reading)
        names = reading.names
        if name in names.known.get(self.what, {}):
            return name
        return reading.fault(
            node, path, f"{quoted(name)} is not {_with_article(self.what)} of this file; {self._hint(name, names)}"
        )

    def _hint(self, name: str, names: Names) -> str:
        known = names.known.get(self.what, {})
        place = names.places.get(self.what, "the file")
        if not known:
            return f"define it under {place}"
        return f"write one of {listed(known, most=12)}{near_miss(name, known)}, or define it under {place}"

    def schema(self, *, partial: bool) -> Schema:
        """A string: what it names cannot be said."""
        del partial
        return {"type": "string", "minLength": 1}


@dataclass(frozen=True)
class Tagged(Shape):
    """A mapping whose key `type` chooses its table."""

    tag: str
    tables: Mapping[str, Shape]
    noun: str = "a mapping"

    @property
    def allowed(self) -> str:  # type: ignore[override]
        """The tags."""
        return f"a mapping with {self.tag}: {' or '.join(self.tables)}"

    def read(self, node: Node, path: str, reading: Reading) -> Any:
        """What the chosen table reads, or BAD."""
        if not isinstance(node, MappingNode):
            return self.refuse(node, path, reading)
        tag_node = entry_of(node, self.tag)
        if tag_node is None:
            tags = listed(f"{self.tag}: {tag}" for tag in self.tables)
            return reading.fault(
                node,
                path,
                f"{quoted(self.tag)} is missing; write one of {tags}",
            )
        choice = Choice("a known type", {tag: tag for tag in self.tables})
        tag = choice.read(tag_node, f"{path}.{self.tag}", reading)
        return BAD if tag is BAD else self.tables[tag].read(node, path, reading)

    def schema(self, *, partial: bool) -> Schema:
        """One of the tables."""
        return {"oneOf": [table.schema(partial=partial) for table in self.tables.values()]}


def _with_article(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' or noun.startswith('SDE') else 'a'} {noun}"


def deepest(node: Node, path: str) -> Node:
    """The node that `path` (`a.b[0].c`) leads to inside `node`, or the last one on the way that is there."""
    for step in re.findall(r"[^.\[\]]+", path):
        if isinstance(node, SequenceNode):
            inner = node.value[int(step)] if step.isdigit() and int(step) < len(node.value) else None
        else:
            inner = entry_of(node, step)
        if inner is None:
            break
        node = inner
    return node


def entry_of(node: Node | None, key: str) -> Node | None:
    """The value of `key` in a mapping, or None."""
    if not isinstance(node, MappingNode):
        return None
    return next((value for name, value in node.value if key_text(name) == key), None)
