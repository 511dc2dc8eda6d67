"""The shape of a model: a mapping whose keys are the model's fields.

One class says everything: its fields' types, bounds, defaults and descriptions are what validates a file, what
`jobsd schema` prints and what docs/configuration.md is checked against.
"""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import cache
from typing import Any, ClassVar, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from yaml.nodes import MappingNode, Node

from config.containers import ListOf, MapOf, merged
from config.faults import listed, near_miss, quoted
from config.nodes import is_blank, is_null, key_text
from config.reading import BAD, Reading, Schema, Shape, below
from config.scalars import Duration
from config.secrets import SECRET, Secret
from config.shapes import NAME, Choice, Flag, Text, words

Complaint = tuple[str | None, tuple[str, ...], str]
"""The key at fault (None: the whole), the attributes whose values were looked at, and what is wrong."""


class Model(BaseModel):
    """A frozen block of the YAML; unknown keys are faults."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    NOUN: ClassVar[str] = "a mapping"

    ADDRESSES: ClassVar[frozenset[str]] = frozenset()
    """Fields whose URLs are secrets: nothing but their origin leaves the configuration."""

    def complaints(self) -> Iterator[Complaint]:
        """What is wrong between keys; one that looks at a key with a fault of its own is not heard."""
        yield from ()


@dataclass(frozen=True)
class Named:
    """The key of the YAML, where it is a word of Python or differs from the attribute."""

    key: str


@dataclass(frozen=True)
class Internal:
    """A field that is no key of the YAML."""


@dataclass(frozen=True)
class Key:
    """One key of a table."""

    name: str
    attribute: str
    shape: Shape
    required: bool
    default: Any
    description: str


@dataclass(frozen=True)
class Table(Shape):
    """A mapping that is read into `model`; `whole`: a job replaces an inherited one instead of merging."""

    model: type[Model]
    whole: bool = False

    @property
    def noun(self) -> str:  # type: ignore[override]
        """As the model says."""
        return self.model.NOUN

    @property
    def allowed(self) -> str:  # type: ignore[override]
        """The keys that are required, or all."""
        needed = [key.name for key in self.keys.values() if key.required]
        return f"a mapping with {listed(needed or self.keys)}"

    @property
    def keys(self) -> Mapping[str, Key]:
        """By name in the YAML."""
        return keys_of(self.model)

    def read(self, node: Node, path: str, reading: Reading) -> Any:
        """The model, or BAD."""
        found = self.values(node, path, reading)
        if found is None:
            return BAD
        whole = BAD not in found.values()
        model = self.built(found)
        if model is None:
            return None if reading.partial and whole else BAD
        return model if self._heard(model, found, node, path, reading) and whole else BAD

    def _heard(self, model: Model, found: Mapping[str, Any], node: Node, path: str, reading: Reading) -> bool:
        """Record the model's complaints; whether there were none.

        Beside an unknown key none is heard, for that key may be what it is about; in `defaults:` only those that
        no job can mend by what it adds.
        """
        if not found.keys() <= self.keys.keys():
            return False
        wrong = {self.keys[name].attribute for name, value in found.items() if value is BAD}
        places = {key_text(key): value for key, value in node.value}
        whole = True
        for name, looked_at, message in model.complaints():
            if wrong.isdisjoint(looked_at) and not (looked_at and reading.partial):
                reading.fault(places.get(name, node), below(path, name) if name else path, message)
                whole = False
        return whole

    def built(self, found: Mapping[str, Any]) -> Any:
        """The model of what was read, with defaults for what had faults; None if a required key is among these."""
        known = {self.keys[name].attribute: value for name, value in found.items() if name in self.keys}
        good = {name: value for name, value in known.items() if value is not BAD}
        if any(key.required and key.attribute not in good for key in self.keys.values()):
            return None
        return self.model(**good)

    def values(self, node: Node, path: str, reading: Reading) -> dict[str, Any] | None:
        """The keys that are written, read, BAD for those with faults; None if it is no mapping."""
        if not isinstance(node, MappingNode):
            self.refuse(node, path, reading)
            return None
        found: dict[str, Any] = {}
        missing = {key.name for key in self.keys.values() if key.required}
        for key_node, value_node in node.value:
            name = key_text(key_node) or ""
            key = self.keys.get(name)
            if key is None:
                hint = near_miss(name, self.keys)
                message = f"{quoted(name)} is not a key; write one of {listed(self.keys)}{hint}"
                found[name] = reading.fault(key_node, path, message)
                continue
            if is_null(value_node) and not is_blank(value_node):
                continue
            missing.discard(name)
            found[name] = read_value(key, value_node, below(path, name), reading)
        if not reading.partial:
            for name in (name for name in self.keys if name in missing):
                message = f"{quoted(name)} is missing; write {self.keys[name].shape.allowed}"
                found[name] = reading.fault(node, path, message)
        return found

    def schema(self, *, partial: bool) -> Schema:
        """An object; a key that has a default may also be null, which means that default."""
        properties = {}
        for key in self.keys.values():
            schema = key.shape.schema(partial=partial)
            if not key.required:
                schema = or_null(schema)
                if key.default is not None:
                    schema["default"] = key.shape.written(key.default)
            properties[key.name] = {**schema, "description": key.description}
        schema = {"type": "object", "properties": properties, "additionalProperties": False}
        required = [key.name for key in self.keys.values() if key.required]
        return {**schema, "required": required} if required and not partial else schema

    def merge(self, base: Node, over: Node) -> Node:
        """Key by key, unless it is one whole."""
        if self.whole:
            return over
        return merged(base, over, lambda name: self.keys[name].shape if name in self.keys else None)

    def written(self, value: Any) -> Any:
        """The keys that differ from their defaults."""
        if not isinstance(value, self.model):
            return value
        pairs = ((key, getattr(value, key.attribute)) for key in self.keys.values())
        return {key.name: key.shape.written(item) for key, item in pairs if item != key.default}


def read_value(key: Key, node: Node, path: str, reading: Reading) -> Any:
    """The value of a key; one that is left empty is refused, for it is more often forgotten than meant."""
    if is_blank(node) and not key.shape.bare:
        default = "" if key.required else ", or null for the default"
        return reading.fault(node, path, f"nothing is written here; write {key.shape.allowed}{default}")
    return key.shape.read(node, path, reading)


def or_null(schema: Schema) -> Schema:
    """The schema, or null."""
    if "oneOf" in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    if isinstance(schema.get("type"), str):
        return {**schema, "type": [schema["type"], "null"]}
    if "enum" in schema:
        return {**schema, "enum": [*schema["enum"], None]}
    if "anyOf" in schema:
        return {**schema, "anyOf": [*schema["anyOf"], {"type": "null"}]}
    return schema


@cache
def keys_of(model: type[Model]) -> Mapping[str, Key]:
    """The keys of a model by their name in the YAML."""
    keys: dict[str, Key] = {}
    for attribute, info in model.model_fields.items():
        if any(isinstance(mark, Internal) for mark in info.metadata):
            continue
        name = next((mark.key for mark in info.metadata if isinstance(mark, Named)), attribute)
        shape = next((mark for mark in info.metadata if isinstance(mark, Shape)), None)
        keys[name] = Key(
            name, attribute, shape or shape_of(info.annotation), info.is_required(), _default(info),
            info.description or "",
        )  # fmt: skip
    return keys


def _default(info: FieldInfo) -> Any:
    value = info.get_default(call_default_factory=True, validated_data={})
    return None if value is PydanticUndefined else value


def shape_of(annotation: Any) -> Shape:
    """The shape of a type without a shape of its own in `Annotated`."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        (kind,) = [argument for argument in arguments if argument is not type(None)]
        return shape_of(kind)
    if origin is Literal:
        return Choice("allowed here", {value: value for value in arguments})
    if origin is tuple:
        return ListOf(shape_of(arguments[0]))
    if origin is not None and issubclass(origin, Mapping):
        return MapOf(NAME, shape_of(arguments[1]))
    return _shape_of_class(annotation)


def _shape_of_class(kind: type) -> Shape:
    if issubclass(kind, Model):
        return Table(kind)
    if issubclass(kind, StrEnum):
        return words("allowed here", kind)
    known: dict[type, Shape] = {str: Text(), bool: Flag(), timedelta: Duration(), Secret: SECRET}
    return known[kind]
