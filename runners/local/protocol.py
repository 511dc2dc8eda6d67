"""What an evaluator prints, read strictly."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from runners.api import CheckResult, Verdict

UNREACHABLE = 75
RESULTS_LIMIT = 4 * 1024 * 1024
_NAME_LIMIT = 500
_MESSAGE_LIMIT = 16 * 1024
_VERDICTS = ", ".join(verdict.value for verdict in Verdict)


class ProtocolError(ValueError):
    """The output is not what an evaluator must print; the text says where and what is allowed."""


def results(raw: bytes, standard: str) -> tuple[CheckResult, ...]:
    """The results of one evaluation in their order. Raises ProtocolError."""
    document = _object(_json(raw), "the output", {"results"}, {"results"})
    lines = document["results"]
    if not isinstance(lines, list):
        raise ProtocolError(f"results is not a list but {_kind(lines)}")
    found: dict[str, CheckResult] = {}
    for number, line in enumerate(lines):
        result = _result(line, f"results[{number}]", standard)
        if result.check in found:
            raise ProtocolError(f"results[{number}].check {result.check!r} was there before")
        found[result.check] = result
    return tuple(found.values())


def _json(raw: bytes) -> Any:
    if not raw.strip():
        raise ProtocolError("the output is empty; expected one JSON object")
    try:
        return json.loads(raw.decode())
    except UnicodeDecodeError as error:
        raise ProtocolError(f"the output is not UTF-8 (byte {error.start})") from error
    except json.JSONDecodeError as error:
        raise ProtocolError(f"the output is not JSON: {error}") from error
    except (RecursionError, ValueError) as error:
        raise ProtocolError(f"the output is not JSON that can be read: {error}") from error


def _result(line: Any, where: str, standard: str) -> CheckResult:
    fields = _object(line, where, {"check", "result"}, {"check", "result", "message"})
    try:
        verdict = Verdict(fields["result"])
    except ValueError:
        raise ProtocolError(f"{where}.result is {_shown(fields['result'])}; allowed are {_VERDICTS}") from None
    check = _text(fields["check"], f"{where}.check", _NAME_LIMIT)
    if not check.strip():
        raise ProtocolError(f"{where}.check is empty")
    message = _text(fields.get("message", ""), f"{where}.message", _MESSAGE_LIMIT)
    return CheckResult(standard, check, verdict, message)


def _object(value: Any, where: str, needed: set[str], allowed: set[str]) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ProtocolError(f"{where} is not an object but {_kind(value)}")
    if missing := sorted(needed - value.keys()):
        raise ProtocolError(f"{where} has no {', '.join(missing)}")
    if unknown := sorted(value.keys() - allowed):
        raise ProtocolError(
            f"{where} has the unknown key {_shown(unknown[0])}; allowed: {', '.join(sorted(allowed))}"
        )
    return value


def _text(value: Any, where: str, limit: int) -> str:
    if not isinstance(value, str):
        raise ProtocolError(f"{where} is not a text but {_kind(value)}")
    if len(value) > limit:
        raise ProtocolError(f"{where} has {len(value)} characters; allowed are {limit}")
    # Such characters cannot be stored as text, and one of them would take the other results down with it.
    if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
        raise ProtocolError(f"{where} holds a character that is no text (NUL or half a surrogate pair)")
    return value


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "a text", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"
