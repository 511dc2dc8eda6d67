"""A look at a ledger from outside, beside the daemon that may have it: nothing is locked, written or made."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from alembic.script import ScriptDirectory

from scheduler.ledger.errors import LedgerTooNew, LedgerUnavailable

_LOCKS = Path("/proc/locks")
_MIGRATIONS = Path(__file__).parent / "migrations"


def schema_of(path: Path) -> tuple[str | None, str]:
    """The schema of the file at `path` (None: there is no ledger yet), and this program's.

    Raises:
        LedgerTooNew: This program does not know the file's schema.
        LedgerUnavailable: It cannot be read, or is no ledger.
    """
    script = ScriptDirectory(str(_MIGRATIONS))
    head = script.get_current_head() or ""
    if not path.exists() or not path.stat().st_size:
        return None, head
    found = _revision(path)
    if found not in {revision.revision for revision in script.walk_revisions()}:
        raise LedgerTooNew(f"it has schema {found}, which this program (schema {head}) does not know")
    return found, head


def holder(folder: Path) -> int | None:
    """The process id of the daemon that has the ledger in `folder`; None if nobody has.

    0 if somebody has it who cannot be seen from here. Raises OSError where the lock may not be looked at.
    """
    try:
        inode = (folder / "lock").stat()
    except FileNotFoundError:
        return None
    mark = f"{os.major(inode.st_dev):02x}:{os.minor(inode.st_dev):02x}:{inode.st_ino}"
    for line in _LOCKS.read_text().splitlines():
        words = line.split()
        if mark in words and "FLOCK" in words:
            return max(int(words[words.index(mark) - 1]), 0)
    return None


def sealed_params(path: Path) -> list[str]:
    """The params of connectors and connections of the SDE API in the file at `path`, as they are kept: encrypted.

    Raises:
        LedgerUnavailable: It cannot be read, or is no ledger.
    """
    if not path.exists() or not path.stat().st_size:
        return []
    tables = {str(name) for (name,) in _rows(path, "SELECT name FROM sqlite_master WHERE type = 'table'")}
    return [
        str(params)
        for table in ("sde_connectors", "sde_connections")
        if table in tables
        for (params,) in _rows(path, f"SELECT params FROM {table} WHERE params IS NOT NULL")  # noqa: S608 - our names
    ]


def _revision(path: Path) -> str:
    rows = _rows(path, "SELECT version_num FROM alembic_version")
    if not rows:
        raise LedgerUnavailable("it cannot be read as a ledger: it names no schema")
    return str(rows[0][0])


def _rows(path: Path, query: str) -> list[tuple[Any, ...]]:
    # Without a journal beside it nobody has it open: then not even the files that readers share may be made.
    mode = "mode=ro" if path.with_name(f"{path.name}-wal").exists() else "immutable=1"
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?{mode}", uri=True, timeout=1)) as connection:
            return connection.execute(query).fetchall()
    except sqlite3.Error as error:
        raise LedgerUnavailable(f"it cannot be read as a ledger: {error}") from None
