"""A look at a ledger from outside, beside the daemon that may have it: nothing is locked, written or made."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

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


def _revision(path: Path) -> str:
    # Without a journal beside it nobody has it open: then not even the files that readers share may be made.
    mode = "mode=ro" if path.with_name(f"{path.name}-wal").exists() else "immutable=1"
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?{mode}", uri=True, timeout=1)) as connection:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.Error as error:
        raise LedgerUnavailable(f"it cannot be read as a ledger: {error}") from None
    if row is None:
        raise LedgerUnavailable("it cannot be read as a ledger: it names no schema")
    return str(row[0])
