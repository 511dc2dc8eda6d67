"""A form with a file in it, sent bit by bit: however large the file is, a piece of it is in memory."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Protocol


class FilePart(Protocol):
    """A file that is sent."""

    @property
    def name(self) -> str:
        """Its name, as the server is to have it."""

    @property
    def size(self) -> int:
        """Its length in bytes."""

    def pieces(self) -> AsyncIterator[bytes]:
        """Its bytes, `size` of them, from the first on at each call. What it raises ends the request."""


@dataclass(frozen=True, slots=True)
class Form:
    """Texts and a file, as multipart/form-data; a `runners.web.Body`."""

    content_type: str
    length: int
    _head: bytes
    _tail: bytes
    _file: FilePart

    def __init__(self, texts: Mapping[str, str], field: str, file: FilePart) -> None:
        """`field` is the name of the file's part."""
        boundary = secrets.token_hex(16)
        parts = [_part(boundary, name) + b"\r\n" + text.encode() + b"\r\n" for name, text in texts.items()]
        file_head = _part(boundary, field, f'; filename="{_quoted(file.name)}"')
        head = b"".join((*parts, file_head, b"Content-Type: application/octet-stream\r\n\r\n"))
        tail = f"\r\n--{boundary}--\r\n".encode()
        for name, value in {
            "content_type": f"multipart/form-data; boundary={boundary}",
            "length": len(head) + file.size + len(tail),
            "_head": head,
            "_tail": tail,
            "_file": file,
        }.items():
            object.__setattr__(self, name, value)

    async def pieces(self) -> AsyncIterator[bytes]:
        """All of it."""
        yield self._head
        async for piece in self._file.pieces():
            yield piece
        yield self._tail


def _part(boundary: str, name: str, more: str = "") -> bytes:
    return f'--{boundary}\r\nContent-Disposition: form-data; name="{_quoted(name)}"{more}\r\n'.encode()


def _quoted(text: str) -> str:
    """As browsers write names: line ends and quotes would end the header."""
    return text.replace("\r", "%0D").replace("\n", "%0A").replace('"', "%22")
