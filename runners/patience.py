"""Waiting for a server: between two looks, through its silence, and never past a stop."""

from __future__ import annotations

import asyncio
import contextlib
import random
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any, ClassVar, TypeVar

from runners.api import Clock, Report, Stop, StopReason

T = TypeVar("T")

FIRST = timedelta(seconds=2)
"""The first pause between two looks."""

SILENCE = timedelta(hours=4)
"""A server that answers nothing usable for so long is given up; an upgrade takes less."""

STOPPING = timedelta(minutes=5)
"""The same once a stop is asked for: the window is over, and whoever asked waits."""

GRACE_S = 2.0
"""Seconds in which an answer that is under way may still come when the daemon stops."""

_GROWTH = 1.5
_JITTER = 0.2
_HURRIED = timedelta(seconds=10)


class StopAsked(Exception):
    """The execution is asked to stop, for `reason`."""

    def __init__(self, reason: StopReason | None) -> None:
        super().__init__(reason)
        self.reason = reason


async def unless(stop: Stop, work: Coroutine[Any, Any, T]) -> T:
    """What `work` gives; it is cancelled when the stop is asked for first. Raises StopAsked."""
    task, asked = asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({task, asked}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise StopAsked(stop.reason)
        return task.result()
    finally:
        await _cancel(task, asked)


async def unless_shutdown(stop: Stop, work: Coroutine[Any, Any, T]) -> T:
    """What `work` gives, whatever stop is asked for; a shutdown leaves it GRACE_S. Raises StopAsked."""
    task, asked = asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({task, asked}, return_when=asyncio.FIRST_COMPLETED)
        if stop.reason is StopReason.SHUTDOWN:
            await asyncio.wait({task}, timeout=GRACE_S)
            if not task.done():
                raise StopAsked(stop.reason)
        return await task
    finally:
        await _cancel(task, asked)


async def _cancel(*tasks: asyncio.Future[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


class Pace:
    """Pauses that grow up to `most`, each a little shorter by chance, so that many runs do not ask at once."""

    def __init__(self, most: timedelta) -> None:
        self._most = most
        self._next = min(FIRST, most)

    def __call__(self) -> timedelta:
        """The next pause."""
        pause = self._next
        self._next = min(pause * _GROWTH, self._most)
        return pause * (1 - _JITTER * random.random())  # noqa: S311 - no secret depends on it


class Patience(ABC):
    """Asks until there is an answer: a server that is away, ill or busy is waited out.

    Its silence is warned of once, and so is its end.

    Attributes:
        passing: What is waited out.
        left_alone: The longest pause that a server may ask for.
    """

    passing: ClassVar[tuple[type[Exception], ...]]
    left_alone: ClassVar[timedelta] = timedelta(minutes=15)

    def __init__(self, server: str, clock: Clock, report: Report, stop: Stop, *, most: timedelta) -> None:
        """`most` is the longest pause between two requests."""
        self._server = server
        self._clock = clock
        self._report = report
        self._stop = stop
        self._most = most
        self._since: datetime | None = None

    @abstractmethod
    def after(self, error: Exception, now: datetime) -> timedelta | None:
        """How long the server wants to be left alone; None where it does not say."""

    @abstractmethod
    def silent(self, words: str) -> Exception:
        """What is raised where it has been silent for too long."""

    async def answer(self, ask: Callable[[], Awaitable[T]]) -> T:
        """What `ask` gives once it raises nothing that passes.

        Raises:
            Exception: What `silent` gives, or anything else that `ask` raises.
        """
        pace = Pace(self._most)
        asked_at = self._clock.now()
        while True:
            try:
                answer = await ask()
            except self.passing as error:
                self._tell_silence(error)
                now = self._clock.now()
                if now - asked_at >= (STOPPING if self._stop.requested else SILENCE):
                    raise self.silent(f"no usable answer since {asked_at:%Y-%m-%dT%H:%M:%SZ}: {error}") from error
                wanted = self.after(error, now) or timedelta(0)
                await self.rest(max(pace(), min(wanted, self.left_alone)))
            else:
                self._tell_answer()
                return answer

    async def rest(self, pause: timedelta) -> None:
        """A stop cuts a pause short; after it there are only short ones."""
        if self._stop.requested:
            await self._clock.sleep(min(pause, _HURRIED))
            return
        with contextlib.suppress(StopAsked):
            await unless(self._stop, self._clock.sleep(pause))

    def _tell_silence(self, error: Exception) -> None:
        if self._since is None:
            self._since = self._clock.now()
            self._report.warn("counterpart_silent", server=self._server, reason=str(error))

    def _tell_answer(self) -> None:
        if self._since is not None:
            silent_s = round((self._clock.now() - self._since).total_seconds(), 1)
            self._report.warn("counterpart_answers", server=self._server, silent_s=silent_s)
            self._since = None
