"""Importing a report file: a form of several parts, one of them the file."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from html import unescape
from typing import Any

from runners.sde.wire import texts
from runners.sde.wire.fields import Exists, Fields
from runners.sde.wire.ids import is_id

FILE_FIELD = "report_file"
"""The part that is the file; its name is sent with it."""


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """The file of a form: its name as it was sent, its length in bytes."""

    name: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FileImport:
    """What is asked for with a file.

    Attributes:
        file_name: Without any folder.
        system: Its id, such as `fortify_file_upload`.
        project: Its id.
        params: Options of the connection; empty where none were sent.
    """

    file_name: str
    system: str
    project: int
    params: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def wire(self) -> dict[str, str]:
        """The parts beside the file, as texts."""
        parts = {"system": self.system, "project": str(self.project)}
        return {**parts, "params": json.dumps(dict(self.params))} if self.params else parts


def parse_file_import(
    parts: Mapping[str, str],
    file: UploadedFile | None,
    *,
    systems: Collection[str] | None = None,
    projects: Exists | None = None,
) -> FileImport:
    """The parts of the form that are texts, and the file; parts not known are ignored.

    `systems` are the ids that there are, `projects` says whether a project has an id.

    Raises:
        WireFaults: All its faults at once, in the framework's words.
    """
    fields = Fields(parts)
    name = _file_name(fields, file)
    system = _system(fields, parts, systems)
    project = fields.key("project", projects)
    params = _params(fields, parts)
    fields.settle()
    return FileImport(file_name=name, system=system, project=project or 0, params=params)


def base_name(name: str) -> str:
    """A file's name as it may be kept: without folders and control characters; empty where nothing is left."""
    last = unescape(name).replace("\\", "/").rsplit("/", 1)[-1]
    kept = "".join(char for char in texts.storable(last) if char.isprintable()).strip()
    return "" if kept in {".", ".."} else kept


def _file_name(fields: Fields, file: UploadedFile | None) -> str:
    if file is None:
        fields.refuse(FILE_FIELD, texts.NOT_A_FILE if fields.has(FILE_FIELD) else texts.NO_FILE)
        return ""
    name = base_name(file.name)
    if not name:
        fields.refuse(FILE_FIELD, texts.NO_FILE_NAME)
    elif not file.size:
        fields.refuse(FILE_FIELD, texts.EMPTY_FILE)
    return name


def _system(fields: Fields, parts: Mapping[str, Any], known: Collection[str] | None) -> str:
    """The id that stands in a part by itself: its faults are the part's."""
    value = parts.get("system")
    if value is None or value == "":
        fields.refuse("system", texts.NULL if fields.has("system") else texts.REQUIRED)
    elif not isinstance(value, str) or not is_id(value) or (known is not None and value not in known):
        fields.refuse("system", texts.no_object(value))
    else:
        return value
    return ""


def _params(fields: Fields, parts: Mapping[str, str]) -> dict[str, Any]:
    """Params are JSON in a text; an empty text is none."""
    text = parts.get("params")
    if not text or not isinstance(text, str):
        return {}
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        fields.refuse("params", texts.NOT_JSON)
        return {}
    inner = Fields({"params": value}, faults=fields.faults)
    return inner.params(required=False) or {}
