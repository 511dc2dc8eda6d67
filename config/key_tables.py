"""Tables of keys for docs/configuration.md, made of the models that validate the file."""

from __future__ import annotations

import json
import re

from config import inventory, jobs, runs, schedule_block, settings
from config.containers import ListOf, MapOf, OneOf
from config.file_block import FileBlock
from config.reading import Shape
from config.references import Tagged
from config.shapes import Choice
from config.table import Key, Model, Table, keys_of

_MODULES = (inventory, jobs, runs, schedule_block, settings)
_TABLE = re.compile(r"(<!-- keys of (\w+) -->\n)(?:\|.*\n)*")


def filled(page: str) -> str:
    """The page with the table of keys after each `<!-- keys of MODEL -->` line written anew.

    Raises:
        KeyError: A line names no model.
    """
    models = {name: value for module in _MODULES for name, value in vars(module).items() if _is_model(value)}
    models["FileBlock"] = FileBlock
    return _TABLE.sub(lambda match: match[1] + _table(models[match[2]]), page)


def _is_model(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, Model)


def _table(model: type[Model]) -> str:
    rows = [
        f"| `{key.name}` | {_value(key.shape)} | {_default(key)} | {key.description} |"
        for key in keys_of(model).values()
    ]
    return "\n".join(["| key | value | default | meaning |", "| --- | --- | --- | --- |", *rows, ""])


def _default(key: Key) -> str:
    if key.required:
        return "required"
    written = None if key.default is None else key.shape.written(key.default)
    return "" if written in (None, "", [], {}) else f"`{json.dumps(written, ensure_ascii=False)}`"


def _value(shape: Shape) -> str:
    if isinstance(shape, ListOf):
        return f"{'one or a list' if shape.single else 'list'}: {_value(shape.item)}"
    if isinstance(shape, MapOf):
        return f"names: {_value(shape.value)}"
    if isinstance(shape, Choice):
        return " · ".join(f"`{word}`" for word in shape.values)
    blocks: dict[type[Shape], str] = {Table: "block", OneOf: "one block", Tagged: "block by `type`"}
    kind = next((word for kind, word in blocks.items() if isinstance(shape, kind)), None)
    return kind or shape.noun.removeprefix("a ").removeprefix("an ")
