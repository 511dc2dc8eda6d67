"""What a body says: JSON, or a form read as the framework reads one. An empty body is an empty object."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from io import BytesIO
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qsl

from python_multipart.exceptions import MultipartParseError
from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from jobsd.http.sde.errors import Turned, detail
from jobsd.http.sde.media import FORM, JSON, MULTIPART, MediaType
from runners.sde.wire import parse_json, unsupported_media_type

MOST_BODY = 2 * 1024 * 1024
"""Bytes of a body at the most; a file import has its own limit."""

MOST_FIELDS = 1000
"""Fields of a form at the most, as in the framework."""

_UNSAID: Mapping[str, Any] = MappingProxyType(
    {"automatic": False, "succeeded": False, "debug_mode": False, "inaccessible": False, "params": {}}
)
"""What a form says by leaving it out: a box that is not ticked is not sent."""

_BOUNDARY = re.compile(r"[ -~]{0,200}[!-~]")


async def raw_body(request: Request, most: int = MOST_BODY) -> bytes:
    """The body as it came. Raises Turned (413) beyond `most` bytes, ClientDisconnect."""
    found = bytearray()
    length = request.headers.get("content-length", "0")
    if not (length.isascii() and length.isdigit() and len(length) < 20) or int(length) > most:
        raise too_large(most)
    async for chunk in request.stream():
        found += chunk
        if len(found) > most:
            raise too_large(most)
    return bytes(found)


def too_large(most: int) -> Turned:
    """413, with the limit in bytes."""
    return Turned(detail(413, f"Request body exceeds the limit of {most} bytes."))


async def data_of(request: Request, most: int = MOST_BODY) -> object:
    """The value of the body: of JSON any; of a form texts by name, `a.b` as b in a.

    Raises:
        BadJsonError: It is no JSON.
        Turned: 413, it is too long; 415, it is of another type; 400, it is no form.
    """
    header = request.headers.get("content-type", "")
    kind = MediaType.parse(header)
    known = next((one for one in (JSON, FORM, MULTIPART) if kind.fits(one)), None)
    raw = await raw_body(request, most)
    if not raw:
        return {}
    if known is None:
        raise Turned(unsupported_media_type(header))
    if known == JSON:
        return parse_json(_in_utf8(raw, kind.charset))
    found = _nested(_form(raw, kind.charset) if known == FORM else await _multipart(raw, header, kind))
    return found if request.method == "PATCH" else {**_UNSAID, **found}


def _in_utf8(raw: bytes, charset: str) -> bytes:
    if charset in {"utf-8", "utf8"}:
        return raw
    try:
        return raw.decode(charset).encode()
    except UnicodeError as error:
        raise Turned(detail(400, f"JSON parse error - {error}")) from None


def _form(raw: bytes, charset: str) -> list[tuple[str, Any]]:
    try:
        pairs = parse_qsl(
            raw.decode("latin-1"),
            keep_blank_values=True,
            encoding=charset,
            errors="replace",
            max_num_fields=MOST_FIELDS,
        )
    except ValueError:
        raise Turned(detail(400, f"A form has at most {MOST_FIELDS} fields.")) from None
    return list(pairs)


async def _multipart(raw: bytes, header: str, kind: MediaType) -> list[tuple[str, Any]]:
    boundary = kind.parameters.get("boundary")
    if not boundary or not _BOUNDARY.fullmatch(boundary):
        raise Turned(detail(400, f"Multipart form parse error - Invalid boundary in multipart: {boundary}"))

    async def stream() -> Any:
        with BytesIO(raw) as source:
            while chunk := source.read(64 * 1024):
                yield chunk

    parser = MultiPartParser(
        Headers({"content-type": header}), stream(), max_files=MOST_FIELDS, max_fields=MOST_FIELDS
    )
    try:
        form = await parser.parse()
    except (MultiPartException, MultipartParseError) as error:
        raise Turned(detail(400, f"Multipart form parse error - {getattr(error, 'message', error)}")) from None
    try:
        return [(name, _part(value)) for name, value in form.multi_items()]
    finally:
        await form.close()


def _part(value: UploadFile | str) -> object:
    """A text, or a list for a file: no field of a form but an upload's is one."""
    return value if isinstance(value, str) else []


def _nested(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Values by name, the last of those repeated; `system.id` stands for an object with an id."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        head, dot, rest = name.partition(".")
        if not dot:
            found[name] = value
        elif isinstance(inner := found.setdefault(head, {}), dict):
            inner[rest] = value
    return found
