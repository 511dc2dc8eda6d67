"""The ledger as the rest of the program uses it: one writer, any number of readers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import sqlalchemy as sa

from scheduler.ledger.engine import DirectoryLock, sqlite_engine, upgrade
from scheduler.ledger.errors import LedgerUnavailable
from scheduler.ledger.events import Event
from scheduler.ledger.writer import Writer

T = TypeVar("T")
Connection = sa.Connection
"""What operations work on: only the ledger's own modules look inside."""

Operation = Callable[[sa.Connection], T]
READERS = 4
"""Threads that read for event loops: their own, so that no other blocking work can hold the scheduler up."""

Listener = Callable[[Sequence[Event]], None]


class Ledger:
    """An open ledger over a SQLite file.

    Operations are functions of a connection (`scheduler.ledger.runs`, `.jobs`, `.attempts`, `.queries` …).
    `write` puts one into the next transaction, `read` runs one on a connection that cannot write.
    """

    def __init__(self, path: Path) -> None:
        """Open the file at `path`, made and upgraded as needed, and lock its folder.

        Raises:
            LedgerLocked: Another daemon has it.
            LedgerTooNew: A newer program wrote it.
            LedgerUnavailable: It cannot be read or written.
        """
        self.path = path
        self._listeners: list[Listener] = []
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock = DirectoryLock(path.parent)
        except OSError as error:
            raise LedgerUnavailable(
                f"{path.parent}: {error.strerror}: name a folder that this user may write "
                "(settings.ledger, or --state-dir)"
            ) from error
        self._engine = sqlite_engine(path, writer=True)
        try:
            upgrade(self._engine, path)
        except BaseException:
            self._engine.dispose()
            self._lock.release()
            raise
        self._readers = sqlite_engine(path, writer=False)
        self._threads = ThreadPoolExecutor(READERS, thread_name_prefix="ledger-reader")
        self._file = _identity(path)
        self._writer = Writer(self._engine, self._publish)

    def listen(self, listener: Listener) -> None:
        """Have `listener` called, in the writer's thread, with the events of every committed transaction."""
        self._listeners.append(listener)

    def check_file(self) -> None:
        """Raise LedgerUnavailable if the file was removed or another put in its place: writes would be lost."""
        try:
            same = _identity(self.path) == self._file
        except OSError:
            same = False
        if not same:
            raise LedgerUnavailable(
                f"{self.path} was removed or replaced: put it back, and start the daemon again"
            )

    async def write(self, operation: Operation[T]) -> T:
        """Run `operation` in the next transaction; its result comes once that is on the disk.

        Raises LedgerUnavailable, and whatever `operation` raises; in both cases nothing of it is stored.
        """
        return await self._writer.write(operation)

    def read(self, operation: Operation[T]) -> T:
        """Run `operation` on a reading connection, in this thread. Raises LedgerUnavailable."""
        try:
            with self._readers.connect() as connection:
                return operation(connection)
        except sa.exc.DBAPIError as error:
            self.check_file()
            raise LedgerUnavailable(str(error.orig)) from error

    async def aread(self, operation: Operation[T]) -> T:
        """Like `read`, beside the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self.read, operation)

    def close(self) -> None:
        """Commit what waits and close."""
        self._writer.close()
        self._threads.shutdown()
        self._engine.dispose()
        self._readers.dispose()
        self._lock.release()

    def _publish(self, events: list[Event]) -> None:
        for listener in self._listeners:
            listener(events)


def _identity(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_dev, status.st_ino
