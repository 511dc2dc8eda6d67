"""The one writer: whatever waits goes into one transaction, as durable as a commit each and far cheaper.

Each operation runs in a savepoint of its own, so one that fails takes no other down. Its answer is given after
the commit: an operation that has answered is on the disk.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import sqlalchemy as sa

from runners import points
from scheduler.ledger.errors import LedgerUnavailable

T = TypeVar("T")
Operation = Callable[[sa.Connection], T]
MOST = 500
"""Operations in one transaction at the most, so that the first does not wait for ever."""


@dataclass(slots=True)
class _Request(Generic[T]):
    operation: Operation[T]
    loop: asyncio.AbstractEventLoop
    answer: asyncio.Future[T]
    result: T | None = None
    error: BaseException | None = None

    def settle(self, error: BaseException | None) -> None:
        failed = error or self.error
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self.loop.call_soon_threadsafe(self._resolve, failed)

    def _resolve(self, error: BaseException | None) -> None:
        if self.answer.done():
            return
        if error is not None:
            self.answer.set_exception(error)
        else:
            self.answer.set_result(self.result)  # type: ignore[arg-type]


class Writer:
    """A thread that owns the ledger's only writing connection."""

    def __init__(self, engine: sa.Engine, committed: Callable[[list[Any]], None]) -> None:
        self._engine = engine
        self._committed = committed
        self._closed = False
        self._queue: queue.SimpleQueue[_Request[Any] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="ledger-writer", daemon=True)
        self._thread.start()

    async def write(self, operation: Operation[T]) -> T:
        """Run `operation` in the next transaction; returns its result once that is committed.

        Raises:
            LedgerUnavailable: The transaction could not be stored; nothing of it is there.
            Exception: What `operation` raised; nothing of it is there either.
        """
        if self._closed:
            raise LedgerUnavailable("the ledger is closed")
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()
        self._queue.put(_Request(operation, loop, answer))
        return await answer

    def close(self) -> None:
        """Finish what waits, then end the thread; what comes later is refused."""
        self._closed = True
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (request := self._queue.get()) is not None:
            batch = [request]
            last = False
            while len(batch) < MOST and not self._queue.empty():
                following = self._queue.get()
                if following is None:
                    last = True
                    break
                batch.append(following)
            self._commit(batch)
            if last:
                return

    def _commit(self, batch: list[_Request[Any]]) -> None:
        events: list[Any] = []
        failure: BaseException | None = None
        try:
            with self._engine.connect() as connection, connection.begin():
                for request in batch:
                    self._perform(connection, request, events)
                points.passing("commit.before")
        except sa.exc.SQLAlchemyError as error:
            failure = LedgerUnavailable(str(getattr(error, "orig", None) or error))
            failure.__cause__ = error
        if failure is None:
            points.passing("commit.after")
        if failure is None and events:
            with contextlib.suppress(Exception):  # a listener's fault (a closed log) must not end the only writer
                self._committed(events)
        for request in batch:
            request.settle(failure)

    @staticmethod
    def _perform(connection: sa.Connection, request: _Request[Any], events: list[Any]) -> None:
        connection.info["events"] = []
        try:
            with connection.begin_nested():
                request.result = request.operation(connection)
        except (sa.exc.IntegrityError, sa.exc.ProgrammingError, sa.exc.DataError) as error:
            request.error = error
        except sa.exc.DatabaseError:
            raise  # the ledger itself: the whole transaction goes
        except Exception as error:  # noqa: BLE001 - it belongs to whoever asked, and is raised there
            request.error = error
        else:
            events += connection.info["events"]
