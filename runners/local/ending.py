"""Why a process is to end before it does so by itself, and who asks for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from enum import StrEnum
from typing import Any

from runners.api import Clock, Stop


class Cause(StrEnum):
    """What ended a process that did not end by itself."""

    STOP = "stop"  # the scheduler asked
    TIMEOUT = "timeout"  # its own time was over
    PHASE = "phase"  # the time for collecting was over
    OUTPUT = "output"  # it printed more than may be kept


class Ending:
    """A one-way switch for the processes of one piece of work; the first cause stands.

    What ends a work ends its parts; what ends a part ends nothing else.
    """

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self._parts: set[Ending] = set()
        self.cause: Cause | None = None

    def request(self, cause: Cause) -> None:
        """End what runs, and start nothing more."""
        if self.cause is None:
            self.cause = cause
            self._event.set()
            for part in self._parts:
                part.request(cause)

    async def wait(self) -> None:
        """Return once an end is asked for."""
        await self._event.wait()

    @contextmanager
    def part(self) -> Iterator[Ending]:
        """The switch of a part of this work, for the time of the block."""
        part = Ending()
        if self.cause is not None:
            part.request(self.cause)
        self._parts.add(part)
        try:
            yield part
        finally:
            self._parts.discard(part)


@asynccontextmanager
async def meanwhile(wait: Coroutine[Any, Any, object], then: Callable[[], None]) -> AsyncIterator[None]:
    """While the block runs, wait for `wait` beside it and call `then` once it is over."""

    def over(watcher: asyncio.Future[object]) -> None:
        if not watcher.cancelled() and watcher.exception() is None:
            then()

    watcher: asyncio.Future[object] = asyncio.ensure_future(wait)
    watcher.add_done_callback(over)
    try:
        yield
    finally:
        watcher.cancel()
        await asyncio.wait({watcher})
        if not watcher.cancelled():
            watcher.result()


@asynccontextmanager
async def stoppable(stop: Stop) -> AsyncIterator[Ending]:
    """The switch of a whole execution, which the scheduler's stop turns."""
    ending = Ending()
    if stop.requested:
        ending.request(Cause.STOP)
    async with meanwhile(stop.wait(), lambda: ending.request(Cause.STOP)):
        yield ending


@asynccontextmanager
async def limited(clock: Clock, limit: timedelta | None, then: Callable[[], None]) -> AsyncIterator[None]:
    """While the block runs, call `then` once `limit` of the clock's time has passed; None never does."""
    if limit is None:
        yield
        return
    async with meanwhile(clock.sleep(limit), then):
        yield
