"""The courier: sends what the outbox holds, beside the scheduling and never in its way.

A delivery stays pending in the ledger while it is being sent, so one that a crash cuts off is sent again, under
the same id. A try that was made is recorded before the same delivery is tried again, however long the ledger
cannot be written.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog

from config.definitions import JobDefinition
from config.values import format_duration
from runners import points
from scheduler.clock import Clock
from scheduler.ledger import Connection, Event, Ledger, LedgerUnavailable, deliveries, late, notifying
from scheduler.ledger.deliveries import HEARTBEAT, Delivery, Fate, Void, Wait
from scheduler.lifecycle import FINAL

AT_ONCE = 4
"""Deliveries of one lane (see `deliveries.lane`) that are sent at the same time."""

FIRST_DELAY = timedelta(seconds=30)
MOST_DELAY = timedelta(hours=1)
"""After each failed try the next one is twice as far away, from the first delay to this one."""

SPREAD = 0.2
"""Each delay is up to so much shorter or longer, so that what failed together does not come back together."""

PATIENCE = timedelta(days=7)
"""For so long a delivery is tried; then it is refused."""

HEARTBEAT_PATIENCE = timedelta(hours=1)
"""For so long a heartbeat is: who watches it has called somebody by then, and a late call would be believed."""

LEFT_ALONE = timedelta(days=1)
"""The longest pause that a counterpart may ask for."""

LONGEST_S = 120.0
"""Seconds that one try may take."""

STOP_S = 10.0
"""Seconds in which what is being sent may be finished when the daemon stops."""

BEAT_S = 1.0
"""The courier looks at the clock at least so often: a step of the wall clock wakes nobody."""

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Delivered:
    """The counterpart has it. `progress` replaces the body's: what the counterpart calls it."""

    progress: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """The counterpart will never take it; `reason` has its words. `progress`: what is done of it all the same."""

    reason: str
    progress: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Later:
    """Not now: to be tried again, no sooner than `after` from now where that is given, at most LEFT_ALONE.

    `progress` replaces the body's `progress`: what is done already and must not be done twice.
    """

    reason: str
    after: timedelta | None = None
    progress: Mapping[str, Any] | None = None


Result = Delivered | Refused | Later | Void
Note = Callable[[Mapping[str, Any]], Awaitable[None]]
"""Replaces the body's `progress`; on the disk when it returns, whatever becomes of the try."""

Deliver = Callable[[Delivery, Note], Awaitable[Result]]
"""Makes one try. What it raises counts as Later."""


class Courier:
    """Sends what is due; its methods belong to the loop that `run` is in, `wake` may be called from anywhere."""

    def __init__(
        self,
        ledger: Ledger,
        clock: Clock,
        deliver: Deliver,
        definition: Callable[[str], JobDefinition | None],
        *,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """`definition` gives a job's by its name; `chance` numbers from 0 to 1 that spread the delays."""
        self._ledger = ledger
        self._clock = clock
        self._deliver = deliver
        self._definition = definition
        self._chance = chance
        self._poke = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._sending: dict[int, tuple[Delivery, asyncio.Task[None]]] = {}
        self._stopping = False
        ledger.listen(self._heard)

    async def run(self) -> None:
        """Send until cancelled; what is being sent then goes on until `stop`."""
        self._loop = asyncio.get_running_loop()
        while True:
            try:
                await self.turn()
            except Exception as error:  # noqa: BLE001 - a fault of ours here must not be the end of all mail
                _log.error("courier_raised", exc_info=error)
            with contextlib.suppress(TimeoutError):  # Python 3.11's wait_for may swallow that it is cancelled
                async with asyncio.timeout(BEAT_S):
                    await self._poke.wait()

    def wake(self) -> None:
        """Look at the outbox at once."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody sends any more
                self._loop.call_soon_threadsafe(self._poke.set)

    def _heard(self, events: Sequence[Event]) -> None:
        """In the ledger's thread: a run that has ended may have left something to send."""
        if any(e.name == "resend" or (e.run is not None and e.run.state in FINAL) for e in events):
            self.wake()

    async def turn(self) -> None:
        """Begin to send what is due and has room. Never raises for the ledger."""
        self._poke.clear()
        with contextlib.suppress(LedgerUnavailable):  # the dispatcher tells it
            while not self._stopping:
                counts = Counter(deliveries.lane(delivery) for delivery, _ in self._sending.values())
                found = await self._ledger.aread(
                    partial(
                        deliveries.due,
                        now=self._clock.now(),
                        limit=AT_ONCE,
                        without=tuple(self._sending),
                        full=[lane for lane, number in counts.items() if number >= AT_ONCE],
                        busy=[one.channel for one, _ in self._sending.values() if one.channel is not None],
                    )
                )
                before = len(self._sending)
                for delivery in found:
                    if self._has_room(deliveries.lane(delivery)):
                        self._begin(delivery)
                if len(self._sending) == before:
                    return

    def _has_room(self, lane: str) -> bool:
        return sum(deliveries.lane(delivery) == lane for delivery, _ in self._sending.values()) < AT_ONCE

    def _begin(self, delivery: Delivery) -> None:
        task = asyncio.create_task(self._send(delivery), name=f"delivery {delivery.delivery_no}")
        self._sending[delivery.delivery_no] = delivery, task
        task.add_done_callback(lambda _: self._done(delivery))

    def _done(self, delivery: Delivery) -> None:
        del self._sending[delivery.delivery_no]
        self._poke.set()

    async def finish(self) -> None:
        """Wait until nothing is being sent."""
        while self._sending:
            await asyncio.wait([task for _, task in self._sending.values()])
            await asyncio.sleep(0)

    async def stop(self) -> None:
        """Begin what is due at this moment, then nothing more; finish it within STOP_S.

        What is cut off then, or had no room, is sent after the next start.
        """
        await self.turn()
        self._stopping = True
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.finish(), STOP_S)
        tasks = [task for _, task in self._sending.values()]
        for task in tasks:
            task.cancel()
        if tasks:  # with a limit: a library that swallows the cancel must not hold up the daemon's stop
            await asyncio.wait(tasks, timeout=STOP_S)

    async def _send(self, delivery: Delivery) -> None:
        now = self._clock.now()
        try:
            ready = await self._ledger.aread(
                partial(notifying.ready, delivery=delivery, now=now, definition=self._definition)
            )
        except LedgerUnavailable:
            return  # nothing was sent; it is still due
        except Exception as error:  # noqa: BLE001 - of one that cannot be composed; at once it would fail again
            await self._record(delivery, self._raised(delivery, error))
            return
        if isinstance(ready, Wait):
            await self._write(delivery, partial(deliveries.put_off, delivery_no=delivery.delivery_no, wait=ready))
        elif isinstance(ready, Void):
            await self._record(delivery, ready)
        elif delivery.kind == HEARTBEAT and now >= _end(delivery):
            await self._record(delivery, _given_up(delivery, delivery.reason or "the daemon was down"))
        else:
            await self._record(delivery, await self._tried(ready), told=ready.body.get(late.TOLD))

    async def _tried(self, delivery: Delivery) -> Result:
        """What became of one try."""
        try:
            points.passing("delivery.before")
            async with asyncio.timeout(LONGEST_S):
                result = await self._deliver(delivery, partial(self._note, delivery))
            points.passing("delivery.after")
        except TimeoutError:
            result = Later(f"it took longer than {LONGEST_S:.0f} s")
        except LedgerUnavailable as error:
            result = Later(f"the ledger cannot be read: {error}")
        except Exception as error:  # noqa: BLE001 - foreign code; whatever it is, the others go on
            result = self._raised(delivery, error)
        return result

    @staticmethod
    def _raised(delivery: Delivery, error: Exception) -> Later:
        _log.error("courier_raised", job=delivery.job, delivery=delivery.delivery_id, exc_info=error)
        return Later(f"{type(error).__name__}: {error}")

    async def _note(self, delivery: Delivery, progress: Mapping[str, Any]) -> None:
        """Waits while the ledger cannot be written: nothing may be sent of which it does not know."""
        while True:
            try:
                await self._ledger.write(
                    partial(deliveries.note, delivery_no=delivery.delivery_no, progress=progress)
                )
            except LedgerUnavailable:  # the dispatcher tells it
                await asyncio.sleep(BEAT_S)
            else:
                return

    async def _record(self, delivery: Delivery, result: Result, *, told: str | None = None) -> None:
        """`told`: up to when a notice tells, if it is of a kind that says so and arrives."""
        if isinstance(result, Void):
            await self._settle(delivery, Fate.VOID, result.reason)
            return
        if isinstance(result, Later):
            due_at = self._next_try(delivery, self._clock.now(), result.after)
            if due_at is not None:
                await self._put_off(delivery, result, due_at)
                return
            result = _given_up(delivery, result.reason, result.progress)
        if isinstance(result, Refused):
            await self._settle(delivery, Fate.REFUSED, result.reason, progress=result.progress)
            _log.error("delivery_refused", **_told(delivery), reason=result.reason)
            return
        progress = result.progress if told is None else {**(result.progress or {}), late.TOLD: told}
        await self._settle(delivery, Fate.DELIVERED, progress=progress)
        _log.info("delivered", **_told(delivery))

    async def _put_off(self, delivery: Delivery, result: Later, due_at: datetime) -> None:
        await self._settle(delivery, Fate.PENDING, result.reason, progress=result.progress, due_at=due_at)
        if delivery.reason == result.reason:
            return  # it was told at the first try that failed so
        due = due_at.isoformat().replace("+00:00", "Z")
        _log.warning("delivery_failed", **_told(delivery), due_at=due, reason=result.reason)

    def _next_try(self, delivery: Delivery, now: datetime, after: timedelta | None) -> datetime | None:
        """When to try again; None if it has been tried for long enough."""
        end = _end(delivery)
        if now >= end:
            return None
        growth: int = 2 ** min(delivery.tries, 16)
        delay = min(FIRST_DELAY * growth, MOST_DELAY) * (1 + SPREAD * (2 * self._chance() - 1))
        return min(now + max(delay, min(after or delay, LEFT_ALONE)), end)

    async def _settle(
        self,
        delivery: Delivery,
        state: Fate,
        reason: str = "",
        *,
        progress: Mapping[str, Any] | None = None,
        due_at: datetime | None = None,
    ) -> None:
        """Record what became of the try; until that is on the disk, the delivery counts as being sent."""
        operation = partial(
            deliveries.settle,
            delivery_no=delivery.delivery_no,
            state=state,
            at=self._clock.now(),
            reason=reason,
            progress=progress,
            due_at=due_at,
        )
        await self._write(delivery, operation)

    async def _write(self, delivery: Delivery, operation: Callable[[Connection], None]) -> None:
        while True:
            pause_s = BEAT_S
            try:
                await self._ledger.write(operation)
            except LedgerUnavailable:
                pass  # the dispatcher tells it
            except Exception as error:  # noqa: BLE001 - still due in the ledger: let go, it would be sent at every turn
                _log.error("courier_raised", job=delivery.job, delivery=delivery.delivery_id, exc_info=error)
                pause_s = FIRST_DELAY.total_seconds()
            else:
                return
            await asyncio.sleep(pause_s)


def _end(delivery: Delivery) -> datetime:
    """Up to when it is tried."""
    return delivery.since_at + (HEARTBEAT_PATIENCE if delivery.kind == HEARTBEAT else PATIENCE)


def _given_up(delivery: Delivery, reason: str, progress: Mapping[str, Any] | None = None) -> Refused:
    patience = _end(delivery) - delivery.since_at
    long = f"{patience.days} days" if patience.days else format_duration(patience)
    return Refused(f"given up after {long}: {reason}", progress)


def _told(delivery: Delivery) -> dict[str, Any]:
    """What every line about a try says."""
    return {
        "job": delivery.job,
        "run_id": delivery.run_id,
        "delivery": delivery.delivery_id,
        "kind": delivery.kind,
        "about": delivery.about,
        "target": delivery.target,
        **({} if delivery.channel is None else {"channel": delivery.channel}),
        "tries": delivery.tries + 1,
    }
