"""Reading bodies by what they are: clients label form text as JSON, and JSON as nothing at all."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Callable
from typing import Any, NoReturn, TypeVar
from urllib.parse import parse_qsl

from fastapi import Request
from starlette.requests import ClientDisconnect

from jobsd.http.ccs.errors import Turned
from runners.ccs.wire import WireFault, WireFaults
from runners.ccs.wire.faults import shown

T = TypeVar("T")

MOST_BODY = 8 * 1024 * 1024
"""Bytes of a request's body at the most: about 80,000 assets."""

SMALL = 16 * 1024
"""Bytes that are read at once; more is read beside the event loop."""

BOM = b"\xef\xbb\xbf"
"""What editors of Windows write before UTF-8."""


async def raw_body(request: Request, most: int = MOST_BODY) -> bytes:
    """The body. Raises Turned: 413 beyond `most` bytes, 400 where the client goes before its end."""
    found = bytearray()
    too_much = Turned(413, f"a body has at most {most} bytes")
    length = request.headers.get("content-length", "0")
    if not (length.isascii() and length.isdigit() and len(length) < 20) or int(length) > most:
        raise too_much
    try:
        async for chunk in request.stream():
            found += chunk
            if len(found) > most:
                raise too_much
    except ClientDisconnect:  # nobody reads the answer; left to the server it would be an error with its trace
        raise Turned(400, "the body ended before its length") from None
    return bytes(found)


async def parsed(request: Request, parse: Callable[[object], T], *, form: bool = False) -> T:
    """What `parse` reads in the JSON of the body; `form`: form text will do, as texts by name.

    Raises:
        WireFaults: It is no sound JSON, or `parse` refuses it.
        Turned: It is too long.
    """
    raw = await raw_body(request)

    def read() -> T:
        return parse(json_of(raw, form=form))

    return read() if len(raw) <= SMALL else await asyncio.to_thread(read)


def json_of(raw: bytes, *, form: bool = False) -> Any:
    """A JSON value; blanks and a byte order mark around it are passed over.

    Raises:
        WireFaults: It is none, or one whose meaning is in doubt: a name that stands twice, a number beyond all
            bounds, bytes that are not UTF-8, values nested too deeply.
    """
    data = raw.strip().removeprefix(BOM).strip()
    if not data:
        raise _fault("the body is empty: it must be a JSON object")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise _fault(f"the body must be UTF-8: its byte {error.start} is not") from None
    if form and text[0] not in "{[" and "=" in text:
        return dict(parse_qsl(text, keep_blank_values=True))
    try:
        return json.loads(text, object_pairs_hook=_once, parse_constant=_no_number, parse_float=_finite)
    except RecursionError:
        raise _fault("the body must be JSON that is not nested so deeply") from None
    except ValueError as error:
        raise _fault(f"the body must be JSON: {error}") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"{shown(name)} stands twice in one object")
        found[name] = value
    return found


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number is beyond all bounds")
    return number


def _fault(message: str) -> WireFaults:
    return WireFaults([WireFault("", message)])
