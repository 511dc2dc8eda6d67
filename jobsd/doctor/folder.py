"""The ledger and the folder it lies in."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from jobsd.doctor import mounts
from jobsd.doctor.finding import Finding, fail, ok, warning
from jobsd.doctor.patient import Patient, ancestors
from jobsd.state import UnsupportedLedger
from scheduler.ledger import LedgerTooNew, LedgerUnavailable
from scheduler.ledger.looking import holder, schema_of

AREA = "ledger"
MIB = 1024 * 1024
LITTLE, TOO_LITTLE = 1024 * MIB, 64 * MIB
FEW, TOO_FEW = 10_000, 1_000
MAKE_ROOM = "make room: delete what is not needed, or move the state folder"
OWN = "run this as the daemon's user; give that user the folder {}, or name another (settings.ledger)"
OTHERS = "stop the daemon that has it, or look at the folder of the one you mean (--state-dir)"


def examine(patient: Patient) -> Iterator[Finding]:
    """Whether it can be written, how much room there is, what kind of disk, which schema, who has it."""
    try:
        path = patient.ledger()
    except UnsupportedLedger as error:
        yield fail(AREA, "", str(error), "name a SQLite file, or nothing")
        return
    folder = path.parent
    there = next((f for f in ancestors(folder) if f.is_dir()), Path("/"))
    yield _writable(folder, there)
    yield from _disk(folder, there)
    if folder.is_dir():
        yield _schema(path)
        yield _lock(folder)


def _writable(folder: Path, there: Path) -> Finding:
    """By writing: rights alone do not tell of a full disk or one that is mounted for reading."""
    try:
        with tempfile.TemporaryFile(dir=there) as file:
            file.write(b"\0" * 4096)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        found = "it cannot be written" if folder == there else f"it cannot be made in {there}"
        return fail(AREA, str(folder), f"{found}: {error.strerror}", MAKE_ROOM if full else OWN.format(folder))
    return ok(AREA, str(folder), "it can be written" if folder == there else "not there yet; it can be made")


def _disk(folder: Path, there: Path) -> Iterator[Finding]:
    name = str(folder)
    kind = mounts.kind_of(there)
    if kind in mounts.FAR:
        found = f"it lies on {kind}, shared over a network: the ledger would be damaged"
        yield fail(AREA, name, found, "keep it on a local disk")
    elif kind in mounts.PASSING:
        found = f"it lies in memory ({kind}): all history is gone at the next start of this host"
        yield warning(AREA, name, found, "keep it on a disk")
    else:
        yield ok(AREA, name, f"on a local file system ({kind})")
    room = mounts.room_in(there)
    yield _room(name, f"{room.free_bytes // MIB:,} MiB free", room.free_bytes, LITTLE, TOO_LITTLE)
    if room.free_inodes is not None:
        yield _room(name, f"{room.free_inodes:,} inodes free", room.free_inodes, FEW, TOO_FEW)


def _room(name: str, found: str, left: int, little: int, too_little: int) -> Finding:
    if left < too_little:
        return fail(AREA, name, found, MAKE_ROOM)
    return warning(AREA, name, found, MAKE_ROOM) if left < little else ok(AREA, name, found)


def _schema(path: Path) -> Finding:
    name = str(path)
    try:
        found, head = schema_of(path)
    except LedgerTooNew as error:
        return fail(AREA, name, str(error), "install the newer jobsd again, or restore the copy of before")
    except LedgerUnavailable as error:
        return fail(AREA, name, str(error), "name the ledger's file in settings.ledger, or restore a copy of it")
    if found is None:
        return ok(AREA, name, "not there yet; it is made at the first start")
    if found != head:
        return ok(AREA, name, f"schema {found}; the next start copies it and brings it to {head}")
    return ok(AREA, name, f"schema {found}, this program's own")


def _lock(folder: Path) -> Finding:
    try:
        pid = holder(folder)
    except OSError as error:
        return warning(AREA, str(folder), f"whether a daemon has it cannot be seen: {error.strerror}", OTHERS)
    if pid is None:
        return ok(AREA, str(folder), "no daemon has it")
    return ok(AREA, str(folder), f"a daemon has it{f' (pid {pid})' if pid else ''}")
