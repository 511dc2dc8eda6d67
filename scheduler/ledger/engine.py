"""Opening a ledger: SQLite's settings, the lock of its directory, migrations.

SQLite: WAL, synchronous=FULL (what is committed survives power loss), BEGIN IMMEDIATE for the writer, because a
deferred transaction under SQLAlchemy loses concurrent updates without an error.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from scheduler.ledger.errors import LedgerLocked, LedgerTooNew, LedgerUnavailable

BUSY_TIMEOUT_MS = 5_000
_MIGRATIONS = Path(__file__).parent / "migrations"


def sqlite_engine(path: Path, *, writer: bool) -> sa.Engine:
    """An engine over the file at `path`; a writer begins IMMEDIATE, a reader is read-only and makes no file."""
    mode = "rwc" if writer else "rw"
    url = sa.URL.create("sqlite", database=f"file:{quote(str(path))}", query={"mode": mode, "uri": "true"})
    engine = sa.create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000})

    def connected(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # SQLAlchemy's begin event below says BEGIN; sqlite3 must not
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            f"busy_timeout={BUSY_TIMEOUT_MS}",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        if not writer:
            cursor.execute("PRAGMA query_only=ON")
        cursor.close()

    def begun(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writer else "BEGIN")

    sa.event.listen(engine, "connect", connected)
    sa.event.listen(engine, "begin", begun)
    return engine


class DirectoryLock:
    """A daemon's lock on its state directory; the kernel releases it when the process ends, however it ends."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "lock"
        self._handle = self._path.open("a+")
        if not self._taken():
            self._handle.seek(0)
            holder = self._handle.read().strip() or "unknown"
            self._handle.close()
            raise LedgerLocked(
                f"{folder} is in use by another daemon (pid {holder}): "
                "stop that one, or give this one a state directory of its own"
            ) from None
        self._handle.truncate(0)
        self._handle.write(str(os.getpid()))
        self._handle.flush()

    def _taken(self) -> bool:
        """Whether we have it. A child that a killed daemon was just starting holds it until it runs: wait."""
        for pause in (0.05, 0.1, 0.2, 0.4, 0.8, 0.0):
            try:
                fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                time.sleep(pause)
            else:
                return True
        return False

    def release(self) -> None:
        """Let it go."""
        self._handle.close()


def upgrade(engine: sa.Engine, path: Path) -> None:
    """Bring the file at `path` to this program's schema; a ledger that exists is copied first.

    Raises:
        LedgerTooNew: The file was written by a newer program; it is left as it is.
        LedgerUnavailable: It cannot be read or written.
    """
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    script = ScriptDirectory.from_config(config)
    try:
        with engine.connect() as connection:
            current = MigrationContext.configure(connection).get_current_revision()
        if current == script.get_current_head():
            return
        if current is not None:
            if current not in {revision.revision for revision in script.walk_revisions()}:
                raise LedgerTooNew(
                    f"{path} has schema {current}, which this program does not know: "
                    "install the newer jobsd again, or restore the copy made before its upgrade"
                )
            _copy(path, path.with_name(f"{path.name}.before-{script.get_current_head()}"))
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except sa.exc.SQLAlchemyError as error:
        raise LedgerUnavailable(f"{path}: {error}") from error


def _copy(path: Path, copy: Path) -> None:
    """Copy the ledger; half a copy is none. Raises LedgerUnavailable."""
    try:
        copy.unlink(missing_ok=True)
        copy.touch(mode=0o600)
        with closing(sqlite3.connect(path)) as whole, closing(sqlite3.connect(copy)) as target:
            whole.backup(target)  # with what a daemon that was killed left in the journal beside it
    except (OSError, sqlite3.Error) as error:
        with suppress(OSError):
            copy.unlink(missing_ok=True)
        raise LedgerUnavailable(
            f"{path} cannot be copied to {copy.name} before it is upgraded: {error}: free the disk"
        ) from error
