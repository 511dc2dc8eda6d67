"""What the faces may use of the daemon, and the bridge to the scheduling loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from config.definitions import Configuration
from scheduler.control import Control
from scheduler.dispatcher import Dispatcher
from scheduler.ledger import Connection, Ledger

T = TypeVar("T")

BEGIN_S = 1.5
"""Seconds in which the scheduling loop must take an act up; else nothing is done."""

FINISH_S = 10.0
"""Seconds in which an act that was taken up must be done."""

STALE_S = 10.0
"""The scheduling loop is taken for stuck when it has not moved for so many seconds."""


class Unanswered(Exception):
    """The scheduling loop did not answer in time; the text says whether the act may still be done."""


@dataclass(frozen=True)
class Service:
    """What the faces may use; built by the daemon.

    Attributes:
        dispatcher: For reading only: what is in force, the clock, the signs of life.
        control: Its coroutines belong to the scheduling loop: pass them to `act`.
        loop: The scheduling loop.
        folder: The state folder.
        stale_s: Seconds without a move after which the scheduling loop is taken for stuck.
    """

    ledger: Ledger
    dispatcher: Dispatcher
    control: Control
    loop: asyncio.AbstractEventLoop
    folder: Path
    started_at: datetime
    stale_s: float = STALE_S
    _under_way: set[asyncio.Task[Any]] = field(default_factory=set, init=False, repr=False, compare=False)

    @property
    def configuration(self) -> Configuration:
        """The configuration in force. Raises Unanswered before the first one is."""
        if self.dispatcher.configuration is None:
            raise Unanswered("the daemon is starting: no configuration is in force yet")
        return self.dispatcher.configuration

    def now(self) -> datetime:
        """The daemon's present instant, aware UTC."""
        return self.dispatcher.clock.now()

    async def read(self, operation: Callable[[Connection], T]) -> T:
        """Run a reading operation beside this event loop. Raises LedgerUnavailable and what it raises."""
        return await self.ledger.aread(operation)

    async def act(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run `coroutine` on the scheduling loop; returns or raises what it does.

        Raises:
            Unanswered: The loop did not take it up in time (it never will be), or did not finish it in time
                (it may still be done).
        """
        future: Future[T] = Future()
        try:
            self.loop.call_soon_threadsafe(self._begin, coroutine, future)
        except RuntimeError:
            future.cancel()
        answer = asyncio.wrap_future(future)
        await asyncio.wait({answer}, timeout=BEGIN_S)
        if not answer.done() and not future.cancel():
            await asyncio.wait({answer}, timeout=FINISH_S)
            if not answer.done():
                raise Unanswered("the act was begun and is not confirmed: look before you ask again")
        if future.cancelled():
            coroutine.close()
            raise Unanswered("the scheduling loop does not answer: nothing was done")
        return await answer

    def _begin(self, coroutine: Coroutine[Any, Any, T], future: Future[T]) -> None:
        """In the scheduling loop: take the act up, unless whoever asked has given up."""
        if not future.set_running_or_notify_cancel():
            return
        task = self.loop.create_task(coroutine)
        self._under_way.add(task)
        task.add_done_callback(lambda done: self._answer(done, future))

    def _answer(self, done: asyncio.Task[T], future: Future[T]) -> None:
        self._under_way.discard(done)
        if done.cancelled():
            future.set_exception(Unanswered("the daemon stops: the act may not be done"))
        elif (error := done.exception()) is not None:
            future.set_exception(error)
        else:
            future.set_result(done.result())
