"""The daemon's own heartbeat: `settings.heartbeat` is called as long as the daemon does its work, and no longer.

A task of the scheduling loop: where that is blocked nothing is called either. Whoever watches the address tells
when the calls stop; here the log says once that they do, and why.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import structlog

from config.definitions import DaemonHeartbeat
from config.values import origin
from jobsd.notify.heartbeat import LIMIT, call
from runners.web import Unreachable
from scheduler.clock import Clock

SHORTEST = timedelta(seconds=5)
"""A call may take as long as the pause between two of them, but always this long, and never longer than LIMIT."""

_log = structlog.get_logger()


class Heart:
    """Calls until cancelled; all of it belongs to the scheduling loop."""

    def __init__(
        self, clock: Clock, settings: Callable[[], DaemonHeartbeat | None], unready: Callable[[], Sequence[str]]
    ) -> None:
        """`settings` gives what is in force; `unready` why the daemon does not do its work, nothing if it does."""
        self._clock = clock
        self._settings = settings
        self._unready = unready
        self._poke = asyncio.Event()
        self._trouble = ""

    def wake(self) -> None:
        """Call at once: the settings may have changed."""
        self._poke.set()

    async def run(self) -> None:
        """Call, and pause, without an end."""
        while True:
            self._poke.clear()
            settings = self._settings()
            if settings is not None:
                await self._beat(settings)
            await self._pause(None if settings is None else settings.every)

    async def _beat(self, settings: DaemonHeartbeat) -> None:
        reasons = self._unready()
        if reasons:
            self._tell("withheld", settings, "; ".join(reasons))
            return
        within = min(max(settings.every, SHORTEST), LIMIT)
        try:
            answer = await call(settings.url, within)
        except Unreachable as error:
            self._tell("failed", settings, f"no answer: {error}")
        except Exception as error:  # noqa: BLE001 - whatever it is, the next call is made
            self._tell("failed", settings, type(error).__name__)
        else:
            if 200 <= answer.status < 300:
                self._heard(settings)
            else:
                self._tell("failed", settings, f"it answers {answer.status}")

    def _tell(self, trouble: str, settings: DaemonHeartbeat, reason: str) -> None:
        """Once, until a call gets through."""
        if self._trouble == trouble:
            return
        self._trouble, target = trouble, origin(settings.url)
        if trouble == "withheld":
            _log.warning("heartbeat_withheld", target=target, reason=reason)
        else:
            _log.warning("heartbeat_failed", target=target, reason=reason)

    def _heard(self, settings: DaemonHeartbeat) -> None:
        if self._trouble:
            _log.info("heartbeat_again", target=origin(settings.url))
        self._trouble = ""

    async def _pause(self, every: timedelta | None) -> None:
        """For `every`, or until it is woken."""
        waits: set[asyncio.Task[Any]] = {asyncio.create_task(self._poke.wait())}
        if every is not None:
            waits.add(asyncio.create_task(self._slept(every)))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def _slept(self, every: timedelta) -> None:
        await self._clock.sleep(every)
