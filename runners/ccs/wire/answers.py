"""What a server answers beyond what is documented: the jobs of a search, the words of a refusal."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from runners.ccs.wire.fields import Fields

_DEEP = 6
_WORDS = 300
_SAYING = ("Message", "message", "error_description", "ExceptionMessage", "error", "title")


def parse_found_jobs(answer: object, name: str) -> tuple[str, ...]:
    """The GUIDs, in lower case, of the jobs of that name in the answer of a search by name.

    The shape of that answer is not documented: every object with a JobID counts, wherever it stands, unless its
    JobName is another one; names are compared without regard to case.
    """
    found = (guid for job in _objects(answer, _DEEP) if (guid := _guid(job)) and _named(job, name))
    return tuple(dict.fromkeys(found))


def said(body: bytes) -> str:
    """What the body of an error says, on one line, shortened; empty where it says nothing to people."""
    text = body[: 64 * 1024].decode("utf-8", "replace").strip()
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = "" if text.startswith(("<", "{", "[")) else text
    if isinstance(value, dict):
        value = next((value[name] for name in _SAYING if isinstance(value.get(name), str)), "")
    line = re.sub(r"[\s\0-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+", " ", value if isinstance(value, str) else "")
    return line.strip() if len(line) <= _WORDS else line[: _WORDS - 1].strip() + "…"


def _objects(value: Any, deep: int) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, Mapping):
        yield value
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    for item in inner if deep else ():
        yield from _objects(item, deep - 1)


def _guid(job: Mapping[str, Any]) -> str | None:
    return Fields(job).guid("JobID")


def _named(job: Mapping[str, Any], name: str) -> bool:
    """Whether it has that name, beside its id or in its details, or none at all."""
    details = job.get("JobDetails")
    for place in (job, details if isinstance(details, Mapping) else {}):
        if isinstance(found := place.get("JobName"), str):
            return found.casefold() == name.casefold()
    return True
