"""Asking an SDE server through its silence and its throttling, until a stop or a deadline."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, TypeVar
from weakref import WeakValueDictionary

from runners import patience
from runners.api import Clock, Execution, Stop
from runners.patience import StopAsked, unless
from runners.sde.client import Client
from runners.sde.errors import Throttled, Unanswered
from runners.web import Unreachable

T = TypeVar("T")

LEFT_ALONE = timedelta(days=1)
"""The longest pause that a server may ask for."""


class Silent(Exception):
    """The server has given no usable answer for too long."""


class DeadlinePassedError(Exception):
    """The time for it is over."""


class Claims:
    """What executions must not do at the same time, or must heed together; of all executions of a daemon."""

    def __init__(self) -> None:
        self._quiet: dict[str, tuple[datetime, datetime]] = {}
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def leave_alone(self, host: str, pause: timedelta, now: datetime) -> None:
        """The host wants to be left alone: for no longer than LEFT_ALONE, whatever it says."""
        until = now + min(pause, LEFT_ALONE)
        self._quiet[host] = now, max(until, now + self.quiet(host, now))

    def quiet(self, host: str, now: datetime) -> timedelta:
        """How long it has to be left alone yet; a clock stepped back to before it said so knows nothing of it."""
        since, until = self._quiet.get(host, (now, now))
        return until - now if since <= now < until else timedelta(0)

    @asynccontextmanager
    async def turn(self, place: str, stop: Stop) -> AsyncIterator[None]:
        """One at a time begins something at `place`, or looks for it there. Raises StopAsked while others do.

        What another execution begins is then either not begun yet or remembered by it.
        """
        lock = self._turns.setdefault(place, asyncio.Lock())
        took = False

        async def take() -> None:
            nonlocal took
            await lock.acquire()
            took = True

        try:
            await unless(stop, take())
            yield
        finally:
            if took:
                lock.release()


async def rest(clock: Clock, stop: Stop, pause: timedelta, until: datetime | None = None) -> None:
    """Wait for `pause`, no longer than `until`.

    Raises:
        StopAsked: Before, or while it waits.
        DeadlinePassedError: It is `until` already.
    """
    if until is not None:
        if clock.now() >= until:
            raise DeadlinePassedError
        pause = min(pause, until - clock.now())
    if stop.requested:
        raise StopAsked(stop.reason)
    await unless(stop, clock.sleep(pause))


class _Patience(patience.Patience):
    """A stop ends the waiting: nothing can be ended at an SDE server, so nothing has to be waited for."""

    until: datetime | None = None
    left_alone: ClassVar[timedelta] = LEFT_ALONE

    def after(self, error: Exception, now: datetime) -> timedelta | None:
        """What its Retry-After said."""
        del now
        return error.after if isinstance(error, Throttled | Unanswered) else None

    def silent(self, words: str) -> Exception:
        """Silent."""
        return Silent(words)

    async def rest(self, pause: timedelta) -> None:
        """Raises StopAsked, DeadlinePassedError."""
        await rest(self._clock, self._stop, pause, self.until)


class _Throttling(_Patience):
    passing: ClassVar[tuple[type[Exception], ...]] = (Throttled,)


class _Silence(_Patience):
    passing: ClassVar[tuple[type[Exception], ...]] = (Throttled, Unreachable)


@dataclass(frozen=True, slots=True)
class Asking:
    """The requests of one execution to one server; what one is told of throttling, all of them heed."""

    execution: Execution
    server: str
    client: Client
    claims: Claims
    poll: timedelta

    async def throttled(self, ask: Callable[[], Awaitable[T]]) -> T:
        """What `ask` gives, repeated while the server is throttling, as it is then certain that nothing was done.

        Raises:
            StopAsked: While it was waited for.
            Silent: It throttles for too long.
            Exception: What `ask` raises else.
        """
        return await self._with(_Throttling, ask)

    async def patiently(self, ask: Callable[[], Awaitable[T]], *, until: datetime | None = None) -> T:
        """The same, repeated also while there is no usable answer: for what may be asked again.

        Raises:
            DeadlinePassedError: There is none at `until`, too.
        """
        return await self._with(_Silence, ask, until)

    async def _with(
        self, kind: type[_Patience], ask: Callable[[], Awaitable[T]], until: datetime | None = None
    ) -> T:
        run = self.execution
        waiting = kind(self.server, run.clock, run.report, run.stop, most=self.poll)
        waiting.until = until
        return await waiting.answer(lambda: self._heeding(ask, waiting))

    async def _heeding(self, ask: Callable[[], Awaitable[T]], waiting: _Patience) -> T:
        claims, host, clock = self.claims, self.client.host, self.execution.clock
        while pause := claims.quiet(host, clock.now()):
            await waiting.rest(pause)
        try:
            return await ask()
        except Throttled as error:
            if error.after is not None:
                claims.leave_alone(host, error.after, clock.now())
            raise
