"""Bodies as bytes: the JSON of a request, the words of a refusal."""

from __future__ import annotations

import json
import re
from html import unescape

from runners.sde.wire.refusals import Refusal, WireError, bad_json

_WORDS = 300
_READ = 64 * 1024
_SAYING = ("detail", "error", "message")


class BadJsonError(WireError):
    """A body that is no JSON."""

    @property
    def answer(self) -> Refusal:
        """400, with the place."""
        return bad_json(str(self))


def parse_json(raw: bytes) -> object:
    """The JSON value of a request's body; an empty body is an empty object.

    Raises:
        BadJsonError: It is no JSON, not in UTF-8, or too deep.
    """
    if not raw:
        return {}
    try:
        return json.loads(raw.decode(), parse_constant=_no_number)
    except RecursionError:
        raise BadJsonError("too deeply nested") from None
    except ValueError as error:
        raise BadJsonError(str(error)) from None


def said(body: bytes) -> str:
    """What the body of a refusal says, on one line, shortened: its detail, error or message, its faults by field,
    the title of a page, or its text; empty where it says nothing to people.
    """
    text = body[:_READ].decode("utf-8", "replace").strip()
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        page = re.search(r"<title[^>]*>([^<]*)", text, re.IGNORECASE)
        value = unescape(page[1]) if page else "" if text.startswith(("<", "{", "[")) else text
    try:
        return _line(_words(value))
    except RecursionError:
        return ""


def _words(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return " ".join(one for one in value if isinstance(one, str))
    if not isinstance(value, dict):
        return ""
    for name in _SAYING:
        if (found := value.get(name)) and (words := _words(found)):
            return words
    faults = ((name, _words(inner)) for name, inner in value.items())
    return "; ".join(f"{name}: {words}" for name, words in faults if words)


def _line(text: str) -> str:
    line = re.sub(r"[\s\0-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+", " ", text).strip()
    return line if len(line) <= _WORDS else line[: _WORDS - 1].strip() + "…"


def _no_number(name: str) -> object:
    raise ValueError(f"Out of range float values are not JSON compliant: {name!r}")
