"""The YAML's JSON Schema, made of the models that validate it."""

from __future__ import annotations

from config.file_block import JOB, FileBlock
from config.reading import Schema
from config.table import Table, or_null


def json_schema() -> Schema:
    """JSON Schema 2020-12 of the file: every key with its description and its default.

    What it cannot say (names that must exist, bounds of durations, keys that exclude each other by their values)
    only `load` refuses. A job that may inherit from `defaults:` is not asked for keys that could stand there.
    """
    part = JOB.schema(partial=True)
    inherited = {key: value for key, value in part["properties"].items() if key != "name"}
    schema = Table(FileBlock).schema(partial=False)
    properties = schema["properties"]
    properties["defaults"] = {
        **or_null({**part, "properties": inherited}),
        "description": properties["defaults"]["description"],
    }
    properties["jobs"] = {"type": ["array", "null"], "description": properties["jobs"]["description"]}
    has_defaults = {"required": ["defaults"], "properties": {"defaults": {"type": "object", "minProperties": 1}}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "jobsd configuration",
        **schema,
        "if": has_defaults,
        "then": {"properties": {"jobs": {"items": {"$ref": "#/$defs/heir"}}}},
        "else": {"properties": {"jobs": {"items": {"$ref": "#/$defs/job"}}}},
        "$defs": {"job": JOB.schema(partial=False), "heir": {**part, "required": ["name"]}},
    }
