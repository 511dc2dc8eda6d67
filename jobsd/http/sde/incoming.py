"""Report files on their way: from the connection to the disk, and from there to whose they are."""

from __future__ import annotations

import asyncio
import os
import shutil
import uuid
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog
from starlette.requests import Request

from jobsd.http.sde.bodies import too_large
from jobsd.http.sde.errors import Turned, detail
from jobsd.http.sde.parts import Parts
from runners.sde.wire import FILE_FIELD, UploadedFile, base_name

FOLDER = "uploads"
"""In the state folder: one folder for each connection that was made for a file, by its id."""

INCOMING = ".incoming"
"""In it: what has not arrived whole."""

STALLED_S = 120.0
"""A client that sends nothing for so many seconds is given up."""

MOST_NAME = 255
"""Bytes of a file's name at the most."""

_FLUSH = 512 * 1024
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Form:
    """A form that has arrived.

    Attributes:
        texts: Its parts that are texts, by name.
        file: Its file; None where it has none.
        path: Where that is; gone when the form is, unless it was moved.
    """

    texts: dict[str, str]
    file: UploadedFile | None
    path: Path

    def keep(self, uploads: Path, connection_id: int) -> None:
        """Put the file where its connection's are. Raises OSError."""
        assert self.file is not None  # noqa: S101 - nothing is kept of a form without one
        folder = uploads / str(connection_id)
        folder.mkdir(mode=0o700, exist_ok=True)
        self.path.rename(folder / stored_name(self.file.name))
        _sync(folder)
        _sync(uploads)


class _Sink:
    """The file of a form; what arrives is gathered, and written beside the event loop."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: int | None = None
        self._chunks: list[bytes] = []
        self._gathered = 0
        self._anew = False
        self.name: str | None = None
        self.size = 0

    def begin(self, name: str) -> None:
        """A file begins; one before it in the same form is forgotten."""
        self.name, self.size, self._anew = name, 0, True
        self._chunks, self._gathered = [], 0

    def data(self, chunk: bytes) -> None:
        """More of it."""
        self._chunks.append(chunk)
        self._gathered += len(chunk)
        self.size += len(chunk)

    @property
    def full(self) -> bool:
        """Whether enough was gathered to be written."""
        return self._gathered >= _FLUSH

    def write(self) -> None:
        """Write what was gathered. Raises OSError."""
        if self._anew:
            self._empty()
        chunks, self._chunks, self._gathered = self._chunks, [], 0
        for chunk in chunks:
            left = memoryview(chunk)
            while left:
                left = left[os.write(self._opened(), left) :]

    def finish(self) -> None:
        """All of it is on the disk, to stay. Raises OSError."""
        self.write()
        if self._file is not None:
            os.fsync(self._file)

    def close(self) -> None:
        """Nothing more is written; what was not moved goes."""
        if self._file is not None:
            os.close(self._file)
            self.path.unlink(missing_ok=True)

    def _empty(self) -> None:
        os.lseek(self._opened(), 0, os.SEEK_SET)
        os.ftruncate(self._opened(), 0)
        self._anew = False

    def _opened(self) -> int:
        if self._file is None:
            self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        return self._file


@asynccontextmanager
async def arrived(request: Request, uploads: Path, most: int) -> AsyncIterator[Form]:
    """The multipart form in a request, of at most that many bytes.

    Raises:
        Turned: 413, it is longer; 400, it is no sound form; 408, the client stalls; 507, it cannot be kept.
        ClientDisconnect: The client went.
    """
    check_length(request, most)
    if _is_empty(request):
        yield Form({}, None, uploads)
        return
    sink = _Sink(uploads / INCOMING / uuid.uuid4().hex)
    parts = Parts(request.headers.get("content-type", ""), FILE_FIELD, sink.begin, sink.data)
    try:
        try:
            await asyncio.to_thread(_make, uploads)
            await _take_in(request, parts, sink, most)
        except OSError as error:
            raise no_room(error) from error
        file = None if sink.name is None else UploadedFile(sink.name, sink.size)
        yield Form(parts.texts, file, sink.path)
    finally:
        sink.close()


async def _take_in(request: Request, parts: Parts, sink: _Sink, most: int) -> None:
    size, stream = 0, request.stream()
    while (chunk := await _next(stream)) is not None:
        size += len(chunk)
        if size > most:
            raise too_large(most)
        parts.feed(chunk)
        if sink.full:
            await asyncio.to_thread(sink.write)
    if size:  # nothing at all is a form without parts
        parts.finish()
    await asyncio.to_thread(sink.finish)


async def _next(stream: AsyncIterator[bytes]) -> bytes | None:
    try:
        async with asyncio.timeout(STALLED_S):
            return await anext(stream, None)
    except TimeoutError:
        raise Turned(detail(408, f"Nothing was sent for {STALLED_S:.0f} seconds.")) from None


def _is_empty(request: Request) -> bool:
    return "transfer-encoding" not in request.headers and int(request.headers.get("content-length", "0")) == 0


def check_length(request: Request, most: int) -> None:
    """Raise Turned (413) for a body that says it is too long."""
    length = request.headers.get("content-length", "0")
    if not (length.isascii() and length.isdigit() and len(length) < 20) or int(length) > most:
        raise too_large(most)


def no_room(error: OSError) -> Turned:
    """What is answered, and told, where the file cannot be put down."""
    reason = error.strerror or str(error)
    _log.error("upload_not_kept", reason=reason)
    return Turned(detail(507, f"The file cannot be kept: {reason}."))


def stored_name(name: str) -> str:
    """A file's name as it is kept: without folders, cut before its ending where it is too long for the disk."""
    bare = base_name(name)
    stem, ending = os.path.splitext(bare)  # noqa: PTH122 - pathlib sees no ending in "report."
    tail = _cut(ending, MOST_NAME)
    return _cut(stem, MOST_NAME - len(tail.encode())) + tail


def _cut(text: str, most: int) -> str:
    return text.encode()[:most].decode("utf-8", "ignore")


def clear(uploads: Path, known: Collection[int]) -> int:
    """Remove what a daemon left that was killed: all but the folders of these connections. How much it was."""
    if not uploads.is_dir():
        return 0
    kept = {str(connection_id) for connection_id in known}
    left = [path for path in uploads.iterdir() if path.name not in kept | {INCOMING}]
    left += (uploads / INCOMING).iterdir() if (uploads / INCOMING).is_dir() else ()
    for path in left:
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    return len(left)


def _make(uploads: Path) -> None:
    for folder in (uploads, uploads / INCOMING):
        folder.mkdir(mode=0o700, exist_ok=True)


def _sync(folder: Path) -> None:
    """What stands in a folder, is on the disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
