"""Shapes of lists and of mappings with free keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from config.faults import listed, near_miss, quoted
from config.nodes import key_text, shown
from config.reading import BAD, Reading, Refused, Schema, Shape, below
from config.shapes import Text


@dataclass(frozen=True)
class ListOf(Shape):
    """A list of at least `least` items; a single plain value stands for a list of one if `single`."""

    item: Shape
    least: int = 0
    single: bool = False
    distinct: bool = False
    distinct_key: str = ""

    @property
    def noun(self) -> str:  # type: ignore[override]
        """By its items."""
        return "a list"

    @property
    def allowed(self) -> str:  # type: ignore[override]
        """By its items."""
        return f"a list in which each item is {self.item.noun}"

    def read(self, node: Node, path: str, reading: Reading) -> Any:
        """A tuple of the items, or BAD."""
        if self.single and isinstance(node, ScalarNode):
            item = self.item.read(node, path, reading)
            return BAD if item is BAD else (item,)
        if not isinstance(node, SequenceNode):
            return self.refuse(node, path, reading)
        if len(node.value) < self.least:
            return reading.fault(node, path, f"the list is empty; write at least {self.least} item")
        items = [self.item.read(item, path, reading) for item in node.value]
        before = len(reading.faults)
        if self.distinct:
            self._check_distinct(node, path, items, reading)
        if self.distinct_key:
            self._check_keys(node, path, reading)
        return BAD if len(reading.faults) > before or any(item is BAD for item in items) else tuple(items)

    def _check_keys(self, node: SequenceNode, path: str, reading: Reading) -> None:
        """No two items have one name, without regard to case."""
        seen: set[str] = set()
        for item in node.value:
            entries = item.value if isinstance(item, MappingNode) else []
            for key, value in entries:
                if key_text(key) == self.distinct_key and isinstance(value, ScalarNode):
                    if value.value.casefold() in seen:
                        message = f"{shown(value)} stands here twice; write another {self.distinct_key}"
                        reading.fault(value, below(path, self.distinct_key), message)
                    seen.add(value.value.casefold())

    @staticmethod
    def _check_distinct(node: SequenceNode, path: str, items: list[Any], reading: Reading) -> None:
        seen: set[Any] = set()
        for item, item_node in zip(items, node.value, strict=True):
            if item is BAD:
                continue
            if item in seen:
                reading.fault(item_node, path, f"{_named(item_node)} stands here twice; write it once")
            seen.add(item)

    def schema(self, *, partial: bool) -> Schema:
        """An array, or also one item."""
        array: Schema = {"type": "array", "items": self.item.schema(partial=partial)}
        if self.least:
            array["minItems"] = self.least
        if self.distinct:
            array["uniqueItems"] = True
        return {"anyOf": [self.item.schema(partial=partial), array]} if self.single else array

    def written(self, value: Any) -> Any:
        """The items as written."""
        return [self.item.written(item) for item in value]


@dataclass(frozen=True)
class MapOf(Shape):
    """A mapping of keys of the user's choice to values of one shape."""

    key: Text
    value: Shape
    noun: str = "a mapping"
    allowed: str = "NAME: value lines"

    def read(self, node: Node, path: str, reading: Reading) -> Any:
        """A dict in the file's order, or BAD."""
        if not isinstance(node, MappingNode):
            return self.refuse(node, path, reading)
        found: dict[str, Any] = {}
        whole = True
        for key_node, value_node in node.value:
            key = self.key_of(key_node, path, reading)
            value = self.value.read(value_node, below(path, key_text(key_node) or "?"), reading)
            whole = whole and key is not BAD and value is not BAD
            found[key] = value
        return found if whole else BAD

    def key_of(self, node: Node, path: str, reading: Reading) -> Any:
        """The checked key: its text as written, so `12` is "12"."""
        try:
            return self.key.parse(key_text(node))
        except Refused:
            return reading.fault(node, path, f"{shown(node)} is not {self.key.noun}; write {self.key.allowed}")

    def schema(self, *, partial: bool) -> Schema:
        """An object whose names have a pattern."""
        names = self.key.schema(partial=False)
        del names["type"]
        schema: Schema = {"type": "object", "additionalProperties": self.value.schema(partial=partial)}
        return {**schema, "propertyNames": names} if names else schema

    def merge(self, base: Node, over: Node) -> Node:
        """Key by key."""
        return merged(base, over, lambda _key: self.value)

    def written(self, value: Any) -> Any:
        """The values as written."""
        return {key: self.value.written(item) for key, item in value.items()}


@dataclass(frozen=True)
class OneOf(Shape):
    """A mapping with exactly one of several keys, each with its own shape."""

    choices: Mapping[str, tuple[Shape, str]]
    noun: str = "a mapping"

    @property
    def allowed(self) -> str:  # type: ignore[override]
        """The keys."""
        return f"exactly one of {listed(self.choices)}"

    def read(self, node: Node, path: str, reading: Reading) -> Any:
        """The value of the one key, or BAD."""
        if not isinstance(node, MappingNode):
            return self.refuse(node, path, reading)
        known = []
        for key_node, value_node in node.value:
            key = key_text(key_node) or ""
            if key in self.choices:
                known.append((key_node, key, value_node))
            else:
                hint = near_miss(key, self.choices)
                reading.fault(key_node, path, f"{quoted(key)} is not a key; write {self.allowed}{hint}")
        for key_node, key, _ in known[1:]:
            first = known[0][1]
            reading.fault(key_node, path, f"{quoted(key)} stands beside {quoted(first)}; write {self.allowed}")
        if not node.value:
            return reading.fault(node, path, f"it is empty; write {self.allowed}")
        read = [self.choices[key][0].read(value, below(path, key), reading) for _, key, value in known]
        return read[0] if len(node.value) == 1 and known else BAD

    def schema(self, *, partial: bool) -> Schema:
        """An object of exactly one property."""
        properties = {
            key: {**shape.schema(partial=partial), "description": text}
            for key, (shape, text) in self.choices.items()
        }
        count: Schema = {"minProperties": 1, "maxProperties": 1}
        return {"type": "object", "properties": properties, "additionalProperties": False, **count}

    def merge(self, base: Node, over: Node) -> Node:
        """A job's own key replaces another kind; of the same kind it is merged."""
        if not isinstance(base, MappingNode) or not isinstance(over, MappingNode) or len(over.value) != 1:
            return over
        key = key_text(over.value[0][0])
        same = [entry for entry in base.value if key_text(entry[0]) == key]
        kept = MappingNode(base.tag, same, base.start_mark, base.end_mark)
        return merged(kept, over, lambda name: self.choices[name][0] if name in self.choices else None)


def _named(node: Node) -> str:
    return shown(node) if isinstance(node, ScalarNode) else "this item"


def merged(base: Node, over: Node, shape_of: Any) -> Node:
    """Two mappings as one, at the place of `over`; anything else: `over` alone."""
    if not isinstance(base, MappingNode) or not isinstance(over, MappingNode):
        return over
    inherited = {key_text(key): (key, value) for key, value in base.value}
    entries = []
    for key_node, value_node in over.value:
        key = key_text(key_node)
        _, below_it = inherited.pop(key, (None, None))
        shape = shape_of(key) if below_it is not None else None
        entries.append((key_node, shape.merge(below_it, value_node) if shape else value_node))
    return MappingNode(over.tag, [*entries, *inherited.values()], over.start_mark, over.end_mark)
