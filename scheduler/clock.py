"""The only place that reads the time.

`now` is read once per wake-up and handed down. A manual clock lets the real daemon be driven through years
without a sleep: it moves only when told to, and wakes whoever sleeps on it.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """What the scheduler needs of a clock; a superset of `runners.api.Clock`."""

    def now(self) -> datetime:
        """The present instant, aware UTC."""

    async def sleep(self, delay: timedelta) -> None:
        """Wait for `delay` of this clock's elapsed time; zero or less only yields."""

    def alarm_time(self, instant: datetime) -> datetime | None:
        """The system time at which this clock will show `instant`; None if that is not known."""

    def passed(self) -> tuple[timedelta, timedelta]:
        """What has passed since some instant, in all and while the machine was awake; no step changes it."""


class SystemClock:
    """The machine's clock: `now` follows its steps, `sleep` counts elapsed time."""

    def now(self) -> datetime:
        """The present instant, aware UTC."""
        return datetime.now(UTC)

    async def sleep(self, delay: timedelta) -> None:
        """Wait for `delay`; zero or less only yields."""
        await asyncio.sleep(max(delay.total_seconds(), 0.0))

    def alarm_time(self, instant: datetime) -> datetime | None:
        """`instant` itself."""
        return instant

    def passed(self) -> tuple[timedelta, timedelta]:
        """Since the machine came up."""
        awake = time.clock_gettime(time.CLOCK_MONOTONIC)
        return timedelta(seconds=time.clock_gettime(time.CLOCK_BOOTTIME)), timedelta(seconds=awake)


class ManualClock:
    """A clock that stands still until it is set; sleepers wake when it passes their time."""

    def __init__(self, start: datetime) -> None:
        self._now = start.astimezone(UTC)
        self._passed = self._asleep = timedelta(0)
        self._sleepers: list[tuple[datetime, int, asyncio.Future[None]]] = []
        self._order = itertools.count()

    def now(self) -> datetime:
        """The instant this clock shows, aware UTC."""
        return self._now

    async def sleep(self, delay: timedelta) -> None:
        """Wait until the clock is moved past `delay` from now; zero or less only yields."""
        if delay <= timedelta(0):
            await asyncio.sleep(0)
            return
        woken = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now + delay, next(self._order), woken))
        await woken

    def alarm_time(self, instant: datetime) -> datetime | None:
        """Unknown: a manual clock is moved by hand."""
        del instant
        return None

    def passed(self) -> tuple[timedelta, timedelta]:
        """What it was moved on by; neither steps nor what it was set back by."""
        return self._passed, self._passed - self._asleep

    @property
    def next_sleeper_at(self) -> datetime | None:
        """When the first sleeper wants to wake; None if nobody sleeps."""
        while self._sleepers and self._sleepers[0][2].done():
            heapq.heappop(self._sleepers)
        return self._sleepers[0][0] if self._sleepers else None

    def set(self, instant: datetime) -> None:
        """Let time pass until `instant`, or set the clock back to it; wakes the sleepers whose time has come."""
        self._passed += max(instant - self._now, timedelta(0))
        self._show(instant)

    def step(self, by: timedelta) -> None:
        """Set it on or back: no time passes, and nobody who sleeps on it wakes earlier or later for that."""
        self._sleepers = [(at + by, number, woken) for at, number, woken in self._sleepers]
        self._show(self._now + by)

    def suspend(self, delay: timedelta) -> None:
        """Let `delay` pass while the machine is suspended."""
        self._asleep += delay
        self.set(self._now + delay)

    def _show(self, instant: datetime) -> None:
        self._now = instant.astimezone(UTC)
        while self._sleepers and self._sleepers[0][0] <= self._now:
            _, _, woken = heapq.heappop(self._sleepers)
            if not woken.done():
                woken.set_result(None)

    def advance(self, delay: timedelta) -> None:
        """Move on by `delay`."""
        self.set(self._now + delay)


def stopwatch() -> float:
    """Seconds of a steady clock with an arbitrary zero: for durations and heartbeats, never for instants."""
    return time.monotonic()
