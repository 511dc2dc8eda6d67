"""A connection's params as the text that its command reads on standard input.

What no reader could mistake is written; anything else is refused by the name of its key. The readers are Python's
`configparser` with and without interpolation, and its older form in sde.py (Python 2: ` ;` begins a comment, `rem`
is one, `%(` is always a reference and has no escape).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Literal

Form = Literal["none", "ini", "ini-escaped", "json"]

_KEY = re.compile(r"[^\s=:#;\[][^\s=:]*")
_CONTROL = re.compile(r"[\0-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
_HALF = re.compile(r"[\ud800-\udfff]")
_TAKEN = frozenset({"rem", "__name__"})
_SHOWN = 60


class BadParamsError(Exception):
    """A param that cannot be handed over; the text names its key, never its value."""


def stdin_text(params: Mapping[str, Any], form: Form) -> bytes:
    """`params` for standard input, in UTF-8; nothing with `none`.

    An INI has the section `global`, one key for each param: texts as they are, true and false, numbers, objects
    and lists as JSON; null is left out. `ini` writes a percent sign as it is, as sde.py and every reader without
    interpolation read it; `ini-escaped` doubles it, for readers with interpolation. JSON is one object.

    Raises:
        BadParamsError: A key or value that would not be read back as it is.
    """
    match form:
        case "none":
            return b""
        case "json":
            return f"{_as_json('', dict(params))}\n".encode()
        case _:
            return _ini(params, escaped=form == "ini-escaped").encode()


def _ini(params: Mapping[str, Any], *, escaped: bool) -> str:
    lines, seen = ["[global]"], set()
    for key, value in params.items():
        _check_key(key)
        if key.lower() in seen:
            raise BadParamsError(f"the param {_shown(key)} is there twice, apart from capitals; {_OTHERWISE}")
        seen.add(key.lower())
        if value is not None:
            lines.append(f"{key} = {_value(key, value, escaped=escaped)}".rstrip(" "))
    return "\n".join(lines) + "\n"


_OTHERWISE = "an INI cannot hold that, write stdin: json where the command reads it"


def _check_key(key: str) -> None:
    sound = _KEY.fullmatch(key) and not _CONTROL.search(key) and not _HALF.search(key)
    if not sound or key.lower() in _TAKEN:
        raise BadParamsError(f"the param {_shown(key)} cannot be a key of an INI")


def _value(key: str, value: Any, *, escaped: bool) -> str:
    if not isinstance(value, str):
        # What an INI might mistake stands within texts of the JSON only, where it has another spelling.
        text = _as_json(key, value).replace("%", "\\u0025").replace(";", "\\u003b")
        return _once(key, text, escaped=escaped)
    first, *more = value.split("\n")
    lines = [_once(key, first, escaped=escaped)]
    for line in more:
        if not line or line[0] in "#;":
            raise BadParamsError(
                f"the param {_shown(key)} has an empty line, or one that is a comment; {_OTHERWISE}"
            )
        lines.append(_once(key, line, escaped=escaped))
    return "\n\t".join(lines)


def _once(key: str, line: str, *, escaped: bool) -> str:
    """One line of a value."""
    if _CONTROL.search(line) or _HALF.search(line):
        what = "a control character, or half of one"
    elif line != line.strip():
        what = "a line with a space at its beginning or end"
    elif re.search(r"\s;", line):
        what = "a semicolon after a space, which begins a comment"
    elif line == '""':
        what = "two quotes, which stand for nothing"
    elif not escaped and ("%(" in line or "%%" in line):
        raise BadParamsError(
            f"the param {_shown(key)} has %( or %%, which some readers of an INI replace; "
            "write stdin: ini-escaped or json, as the command reads it"
        )
    else:
        return line.replace("%", "%%") if escaped else line
    raise BadParamsError(f"the param {_shown(key)} has {what}; {_OTHERWISE}")


def _as_json(key: str, value: Any) -> str:
    try:
        return json.dumps(value, allow_nan=False)
    except (ValueError, TypeError, RecursionError):
        about = f"the param {_shown(key)} has" if key else "the params have"
        raise BadParamsError(f"{about} something that is no JSON") from None


def _shown(key: str) -> str:
    text = repr(key)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
