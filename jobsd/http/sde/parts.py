"""A form with a file in it, taken in as it arrives: the file goes to the disk, never to memory."""

from __future__ import annotations

import base64
import binascii
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import Message
from typing import Any

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser

from jobsd.http.sde.errors import Turned, detail
from jobsd.http.sde.media import MediaType
from runners.sde.wire import base_name

MOST_PARTS = 1000
"""Parts of a form at the most, as in the framework."""

MOST_TEXT = 2_621_440
"""Bytes of all parts that are texts, names included, at the most, as in the framework."""

_BOUNDARY = re.compile(r"[ -~]{0,200}[!-~]")
_SILENT = logging.getLogger("jobsd.multipart")  # the parser tells the log of every fault of a client
_SILENT.disabled = True

Begin = Callable[[str], None]
Data = Callable[[bytes], None]


@dataclass(slots=True)
class _Part:
    """The part that is being read."""

    headers: dict[str, str] = field(default_factory=dict)
    name: str | None = None
    into_file: bool = False
    base64: bool = False
    text: bytearray | None = None
    rest: bytes = b""


class Parts:
    """Reads a form piece by piece; of parts of one name the last counts.

    Attributes:
        texts: The parts that are texts, by name.
    """

    def __init__(self, content_type: str, file_field: str, begin: Begin, data: Data) -> None:
        """`begin` is called with the name of each file in `file_field`, and `data` with what is in it.

        Raises Turned (400) where the boundary is missing, or is none.
        """
        boundary = MediaType.parse(content_type).parameters.get("boundary")
        if not boundary or not _BOUNDARY.fullmatch(boundary):
            raise broken(f"Invalid boundary in multipart: {boundary}")
        self._file_field, self._begin, self._data = file_field, begin, data
        self._part, self._count, self._size = _Part(), 0, 0
        self._header, self._value = bytearray(), bytearray()
        self._complete = False
        self.texts: dict[str, str] = {}
        self._parser = MultipartParser(boundary, {
            "on_part_begin": self._on_part_begin, "on_header_field": self._on_header_field,
            "on_header_value": self._on_header_value, "on_header_end": self._on_header_end,
            "on_headers_finished": self._on_headers_finished, "on_part_data": self._on_part_data,
            "on_part_end": self._on_part_end, "on_end": self._on_end,
        })  # fmt: skip
        self._parser.logger = _SILENT

    def feed(self, chunk: bytes) -> None:
        """Read on. Raises Turned (400)."""
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise broken(str(error)) from None

    def finish(self) -> None:
        """The body is at its end. Raises Turned (400) if the form is not."""
        if not self._complete:
            raise broken("The form ends before its last boundary")

    def _on_part_begin(self) -> None:
        self._count += 1
        if self._count > MOST_PARTS:
            raise Turned(detail(400, f"A form has at most {MOST_PARTS} parts."))
        self._part = _Part()

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header_end(self) -> None:
        name, value = self._header.decode("utf-8", "replace").lower(), self._value.decode("utf-8", "replace")
        self._part.headers[name] = value
        self._header.clear()
        self._value.clear()

    def _on_headers_finished(self) -> None:
        part = self._part
        part.name, file_name = _disposition(part.headers.get("content-disposition", ""))
        part.base64 = part.headers.get("content-transfer-encoding", "").strip() == "base64"
        if file_name and part.name == self._file_field and base_name(file_name):
            part.into_file = True
            self._begin(file_name)
        elif not file_name and part.name is not None:
            part.text = bytearray()
            self._counted(len(part.name) + 2)

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        part = self._part
        if part.text is not None:
            self._counted(end - start)
            part.text += data[start:end]
        elif part.into_file:
            self._data(self._decoded(data[start:end]) if part.base64 else data[start:end])

    def _on_part_end(self) -> None:
        part = self._part
        if part.rest:
            raise broken("Could not decode base64 data.")
        if part.text is not None and part.name is not None:
            self.texts[part.name] = _text(bytes(part.text), encoded=part.base64)

    def _on_end(self) -> None:
        self._complete = True

    def _counted(self, size: int) -> None:
        self._size += size
        if self._size > MOST_TEXT:
            raise Turned(detail(400, f"The fields of a form have at most {MOST_TEXT} bytes."))

    def _decoded(self, data: bytes) -> bytes:
        """Base64 by whole groups of four; what is left over waits for more."""
        bare = self._part.rest + b"".join(data.split())
        whole = len(bare) // 4 * 4
        self._part.rest = bare[whole:]
        try:
            return base64.b64decode(bare[:whole])
        except binascii.Error:
            raise broken("Could not decode base64 data.") from None


def broken(why: str) -> Turned:
    """400, in the framework's words."""
    return Turned(detail(400, f"Multipart form parse error - {why}"))


def _text(raw: bytes, *, encoded: bool) -> str:
    if encoded:
        try:
            raw = base64.b64decode(raw)
        except binascii.Error:
            return raw.decode("utf-8", "replace")
    return raw.decode("utf-8", "replace")


def _disposition(header: str) -> tuple[str | None, str | None]:
    """Name and file name of a part; None for what it does not say."""
    message = Message()
    message["content-disposition"] = "".join(char for char in header if char.isprintable())
    name: Any = message.get_param("name", header="content-disposition")
    plain = name[2] if isinstance(name, tuple) else name
    return None if plain is None else plain.strip(), message.get_filename()
