"""Report files: found by a pattern, read as they are sent, moved away without overwriting anything."""

from __future__ import annotations

import asyncio
import errno
import glob
import hashlib
import itertools
import os
import shutil
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from runners.api import Stop
from runners.patience import StopAsked
from runners.sde.wire import base_name

PIECE = 1024 * 1024
"""Bytes that are read, and in memory, at a time."""


class UnfitError(Exception):
    """The file cannot be sent; the text says why."""


class MissingError(UnfitError):
    """There is no file of that name."""

    def __init__(self) -> None:
        super().__init__("it is not there any more")


class ChangedError(UnfitError):
    """The file changed while it was read: somebody still writes it."""

    def __init__(self) -> None:
        super().__init__("it changed while it was read: put files there under another name, and rename them then")


@dataclass(frozen=True, slots=True)
class Identity:
    """What tells one state of a file from another without reading it."""

    device: int
    inode: int
    size: int
    changed_ns: int

    @classmethod
    def of(cls, found: os.stat_result) -> Identity:
        """Of a file as it is."""
        return cls(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)


@dataclass(slots=True)
class Source:
    """A file that is open for being sent; a `runners.multipart.FilePart`.

    Attributes:
        path: Where it was.
        name: As the server is to have it.
        digest: SHA-256 of its bytes.
        whole: Whether all of it has been given to be sent: until then the server has not got it.
    """

    path: Path
    name: str
    identity: Identity
    descriptor: int
    stop: Stop
    digest: str = ""
    whole: bool = field(default=False)

    @property
    def size(self) -> int:
        """In bytes, as it was when it was opened."""
        return self.identity.size

    async def pieces(self) -> AsyncIterator[bytes]:
        """Its bytes; the last are given only if the file is what it was.

        Raises:
            ChangedError: It is not.
            StopAsked: Before the last are given.
        """
        self.whole, last, digest = False, b"", hashlib.sha256()
        async for piece in self._read():
            digest.update(piece)
            if last:
                yield last
            last = piece
        if digest.hexdigest() != self.digest or self._identity() != self.identity:
            raise ChangedError
        self.whole = True
        yield last

    async def take_digest(self) -> None:
        """Read it once, for `digest`. Raises as `pieces`."""
        digest = hashlib.sha256()
        async for piece in self._read():
            await asyncio.to_thread(digest.update, piece)
        if self._identity() != self.identity:
            raise ChangedError
        self.digest = digest.hexdigest()

    def is_still_at_its_path(self) -> bool:
        """Whether the path leads to this file, as it was sent."""
        try:
            return Identity.of(self.path.stat()) == self.identity
        except OSError:
            return False

    async def _read(self) -> AsyncIterator[bytes]:
        offset = 0
        while offset < self.size:
            if self.stop.requested:
                raise StopAsked(self.stop.reason)
            length = min(PIECE, self.size - offset)
            try:
                piece = await asyncio.to_thread(os.pread, self.descriptor, length, offset)
            except OSError as error:
                raise UnfitError(f"it cannot be read: {error.strerror}") from None
            if not piece:
                raise ChangedError
            offset += len(piece)
            yield piece

    def _identity(self) -> Identity:
        return Identity.of(os.fstat(self.descriptor))


@asynccontextmanager
async def opened(path: Path, stop: Stop, digests: dict[Identity, str]) -> AsyncIterator[Source]:
    """The file, with its digest; `digests` are those of files that were read before, and grow.

    Raises:
        UnfitError: It cannot be sent.
        StopAsked: While it is read.
    """
    descriptor = await asyncio.to_thread(_open, path)
    try:
        identity = Identity.of(os.fstat(descriptor))
        name = base_name(path.name)
        if not name:
            raise UnfitError("its name has nothing that can be sent")
        if not identity.size:
            raise UnfitError("it is empty")
        source = Source(path, name, identity, descriptor, stop, digests.get(identity, ""))
        if not source.digest:
            await source.take_digest()
            digests[identity] = source.digest
        yield source
    finally:
        os.close(descriptor)


def matching(folder: Path, pattern: str) -> list[str]:
    """The names of the files that match, from `folder`, or absolute as the pattern; the oldest first."""
    found: dict[str, int] = {}
    for name in glob.glob(pattern, root_dir=folder, recursive=True):  # noqa: PTH207 - Path's has no absolute patterns
        try:
            state = (folder / name).stat()
        except OSError:
            continue
        if stat.S_ISREG(state.st_mode):
            found[os.path.normpath(name)] = state.st_mtime_ns
    return sorted(found, key=lambda name: (found[name], name))


def move(path: Path, folder: Path) -> Path:
    """Move a file into `folder`, which is made; where its name is taken there, under a name with a number.

    Raises:
        OSError: It cannot be moved.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if path.is_symlink():
        raise OSError(errno.EINVAL, "it is a symbolic link")
    for number in itertools.count():
        target = folder / (path.name if not number else f"{path.stem}.{number}{path.suffix}")
        try:
            _place(path, target)
        except FileExistsError:
            continue
        path.unlink()
        return target
    raise AssertionError  # there is always another number


def _place(path: Path, target: Path) -> None:
    """The file also at `target`, where nothing was. Raises FileExistsError."""
    try:
        os.link(path, target)
    except FileExistsError:
        raise
    except OSError:  # another file system, or one without links
        with path.open("rb") as source, target.open("xb") as copy:
            try:
                shutil.copyfileobj(source, copy, PIECE)
                copy.flush()
                os.fsync(copy.fileno())
            except OSError:
                target.unlink()
                raise
        shutil.copystat(path, target)


def _open(path: Path) -> int:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        if "\\udc" in path.name:
            raise UnfitError("its name is not UTF-8: rename it") from None
        raise MissingError from None
    except OSError as error:
        raise UnfitError(f"it cannot be read: {error.strerror}") from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise UnfitError("it is no file")
    return descriptor
