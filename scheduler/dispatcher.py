"""The scheduling loop: take the marks, ask the planner, carry out what it says, sleep until something is due.

Normal firing, a restart after downtime, a clock step and a misfire are one code path: what is due since the
watermark is planned, whenever that is noticed.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import structlog

from config.definitions import Run
from runners import points
from runners.api import Runner, StopReason
from scheduler.clock import Clock, stopwatch
from scheduler.definitions import Decode, decode_none
from scheduler.erasing import Eraser
from scheduler.executor import Executor
from scheduler.in_force import InForce
from scheduler.ledger import (
    Connection,
    Fenced,
    Ledger,
    LedgerUnavailable,
    StaleMove,
    attempts,
    finishing,
    opening,
    runs,
    snapshot,
)
from scheduler.ledger.attempts import Started
from scheduler.ledger.opening import Opener
from scheduler.lifecycle import State
from scheduler.model import CLOCK_ACTOR, Actor, AttemptRow, Cause, RunRow
from scheduler.pacing import Pace
from scheduler.planner import Capacity, Plan, plan
from scheduler.planner.actions import Action, Apply, Open, Postpone, RequestStop, Start
from scheduler.steps import LEAST, Steps

BEAT = timedelta(seconds=1)
"""The loop looks at the clock at least so often: a step of the wall clock wakes nobody."""

RENEW_S = 5.0
"""Seconds between two proofs that the ledger can be written (also the renewal of the attempts' leases)."""

WATCH_S = 0.25
"""Seconds between two looks at the windows of what is at work."""

MOST_PASSES = 10_000
"""Plans in one wake-up after which something must be wrong (catch_up: all opens at most 200 runs in each)."""

AT_ONCE = 500
"""Acts carried out together: about as many as the ledger commits in one transaction."""

_log = structlog.get_logger()


class Dispatcher(InForce):
    """Drives what is in force. All methods belong to the scheduling loop's thread."""

    def __init__(
        self,
        ledger: Ledger,
        clock: Clock,
        folder: Path,
        *,
        owner: str,
        runner_for: Callable[[Run], Runner],
        decode: Decode = decode_none,
    ) -> None:
        super().__init__(ledger, clock, decode)
        self.owner = owner
        self.executor = Executor(
            ledger,
            clock,
            folder,
            runner_for=runner_for,
            definition=self._to_be,
            ended=lambda name: self.mark([name]),
        )
        self.eraser = Eraser(ledger, self.executor.output)
        self.writable = True
        self.moved_at = stopwatch()
        self.firing = True
        self._renewed_at = 0.0
        self._broken: dict[str, str] = {}
        self._eye = snapshot.Eye()
        self._steps = Steps(clock)
        self._looked_at = datetime.min.replace(tzinfo=UTC)
        self._shown: datetime | None = None
        self._was_back = True
        self._pace = Pace()
        self._held = self._told_late = False

    @property
    def pacing(self) -> bool:
        """Whether something that is late waits for the pace of late starts (settings.catch_up_rate)."""
        return self._held

    async def stop_firing(self) -> None:
        """Open and start nothing more; windows still end. What is being started now is under way on return."""
        self.alarm.stop()
        async with self.steady:
            self.firing = False

    async def run(self, beat: Callable[[], None]) -> None:
        """Loop until cancelled; `beat` is called at every turn."""
        windows = asyncio.create_task(self._watch_windows(), name="windows")
        try:
            while True:
                self.alarm.wake()
                await asyncio.sleep(0)
                pause = await self.turn()
                self.moved_at = stopwatch()
                beat()
                with contextlib.suppress(TimeoutError):  # Python 3.11's wait_for may swallow that it is cancelled
                    async with asyncio.timeout(max(pause.total_seconds(), 0.001)):
                        await self._poke.wait()
        finally:
            windows.cancel()

    async def _watch_windows(self) -> None:
        """Stop what outlasts its window or reaches a closure, however long a turn takes: a burst, a full disk."""
        while True:
            await asyncio.sleep(WATCH_S)
            for run_no, stop, reason in self.executor.overdue(self.clock.now()):
                with contextlib.suppress(LedgerUnavailable, StaleMove):  # asked it was, in any case
                    await self.request_stop(run_no, stop, reason, CLOCK_ACTOR)

    async def turn(self) -> timedelta:
        """One wake-up: do all that is due; returns how long nothing will be. Never raises for the ledger."""
        self._poke.clear()
        points.passing("turn")
        now = self._look_at_clock()
        self.executor.give_up(self.clock.passed()[0] if self.writable else None)
        try:
            async with self.steady:
                await self._renew(now)
                await self._undoubted()
                await self._clock_back(now)
                await self._settle()
            wake = await self.ledger.aread(lambda connection: snapshot.next_wake(connection, now))
        except LedgerUnavailable as error:
            self._unwritable(error)
            return BEAT
        self._writable()
        return min([BEAT, *(at - now for at in (wake, self.paced_at) if at is not None)])

    def _look_at_clock(self) -> datetime:
        """The present instant; steps of the clock and sleeps of the machine are told."""
        look = self._steps.look()
        if look.step:
            _log.warning("clock_stepped", step_s=round(look.step.total_seconds(), 3))
        if look.suspended:
            _log.warning("machine_suspended", suspended_s=round(look.suspended.total_seconds(), 3))
        if look.now < self._looked_at:
            self.mark(self.definitions)
            self._was_back = True
            self._shown = max(self._looked_at, self._shown or self._looked_at)
        self._looked_at = look.now
        return look.now

    async def _clock_back(self, now: datetime) -> None:
        """After the start, or with a clock that was set back: what waits is looked at by the clock as it is now.

        Occurrences that have their rows do not fire again; while that is more than a moment, it is told.
        """
        if not self._was_back:
            return
        ahead = await self.ledger.write(lambda connection: snapshot.clock_back(connection, now, self._shown))
        self._was_back, self._shown = False, None
        if ahead.until is not None and ahead.until - now >= LEAST:
            _log.warning("clock_behind", jobs=ahead.jobs, until=ahead.until.isoformat().replace("+00:00", "Z"))

    @property
    def paced_at(self) -> datetime | None:
        """When the next of what `settings.catch_up_rate` holds up may start; None if nothing waits for that."""
        return self._pace.next_at() if self._held else None

    async def _settle(self) -> None:
        """Plan and carry out until nothing is left to do; marks are kept until they are carried out."""
        for _ in range(MOST_PASSES):
            due, now = frozenset(self._due), self.clock.now()
            look = partial(self._look, due=due, now=now, capacity=self._capacity(now))
            planned = await self.ledger.aread(look)
            self._tell_broken(planned.broken)
            self._paced(planned)
            actions = [a for a in planned.actions if self.firing or isinstance(a, RequestStop)]
            if not actions:
                self._due -= due
                return
            await self._carry_out(actions, now)
        _log.error("planner_restless", reason=f"{MOST_PASSES} plans in one wake-up, and still something to do")

    async def _carry_out(self, actions: Sequence[Action], now: datetime) -> None:
        """Carry `actions` out. If one raises, those under way end first: none goes on behind our back."""
        for begin in range(0, len(actions), AT_ONCE):
            some = [self._perform(action, now) for action in actions[begin : begin + AT_ONCE]]
            for done in await asyncio.gather(*some, return_exceptions=True):
                if isinstance(done, BaseException):
                    raise done

    def _look(self, connection: Connection, *, due: frozenset[str], now: datetime, capacity: Capacity) -> Plan:
        """A plan on what the ledger says now; beside the loop, because ten thousand jobs may be due at once."""
        seen = self._eye.take(connection, due=due, now=now)
        if self._unreadable:  # not removed: what waits of them waits on
            known = (run for run in seen.runs if run.job not in self._unreadable or run.state is State.RUNNING)
            seen = replace(seen, runs=tuple(known))
        return plan(now, self.definitions, seen, capacity)

    def _capacity(self, now: datetime) -> Capacity:
        assert self.configuration is not None  # noqa: S101 - installed before the first turn
        settings = self.configuration.settings
        late = self._pace.room(settings.catch_up_rate, now)
        return Capacity(settings.max_running, settings.limits, late, self.executor.limits())

    def _paced(self, planned: Plan) -> None:
        """Count what starts late, and tell once that more of it waits."""
        self._pace.take(sum(isinstance(action, Start) and action.late for action in planned.actions))
        self._held = planned.held
        if planned.held and not self._told_late:
            _log.info("catching_up", waiting=planned.late)
        self._told_late = planned.held or (self._told_late and (planned.late > 0 or bool(self._due)))

    def _tell_broken(self, broken: Mapping[str, str]) -> None:
        """Log each job whose recurrence raised, once until it works again."""
        for name, reason in broken.items():
            if self._broken.get(name) != reason:
                _log.error("trigger_failed", job=name, reason=reason)
        self._broken = dict(broken)

    async def _perform(self, action: Action, now: datetime) -> None:
        try:
            match action:
                case Open():
                    await self._open(action, now)
                case Start():
                    await self._start(action, now)
                case RequestStop():
                    await self.request_stop(action.run_no, action.stop, action.reason, CLOCK_ACTOR, now)
                case Apply():
                    moved = await self.ledger.write(
                        lambda connection: runs.move(
                            connection, action.run_no, action.move, at=now, actor=CLOCK_ACTOR, reason=action.reason
                        )
                    )
                    self._due.add(moved.job)  # what made room may let another occurrence in
                case Postpone():
                    await self.ledger.write(
                        lambda connection: runs.postpone(connection, action.run_no, action.wake_at)
                    )
        except StaleMove as error:
            _log.debug("plan_overtaken", reason=str(error))  # somebody got there first; the next plan sees it

    async def _open(self, action: Open, now: datetime) -> None:
        assert self.configuration is not None  # noqa: S101 - as above
        opener = Opener.of(self.definitions[action.job], self.configuration)
        await self.ledger.write(
            lambda connection: opening.open_due(connection, action, opener, at=now, actor=CLOCK_ACTOR)
        )

    async def _start(self, action: Start, now: datetime) -> None:
        await self.start(action.run_no, action.cause, now, actor=CLOCK_ACTOR, rerun_at=action.rerun_at)

    async def start(
        self, run_no: int, cause: Cause, now: datetime, *, actor: Actor, rerun_at: datetime | None = None
    ) -> Started:
        """Start an attempt of a run and launch it. Raises StaleMove, LedgerUnavailable."""
        started = await self.ledger.write(
            lambda connection: attempts.start(
                connection, run_no, cause, at=now, owner=self.owner, actor=actor, rerun_at=rerun_at
            )
        )
        assert self.configuration is not None  # noqa: S101 - as above
        self.executor.launch(started, self.definitions[started.run.job], self.configuration)
        return started

    async def _close_lost(self, mine: Sequence[tuple[RunRow, AttemptRow]]) -> None:
        """Close every attempt of ours at which nobody works, and repeat a stop that did not reach its work.

        None is expected: a commit that failed for us and is there after all, or a bug. Nothing else would ever
        close such a run.
        """
        for run, attempt in mine:
            if run.stop_reason is not None:
                self.executor.request_stop(run.run_no, StopReason(run.stop_reason))
            if self.executor.works_on(attempt.token):
                continue
            close = partial(
                finishing.close_dead, token=attempt.token, job=self.definition(run.job), at=self.clock.now()
            )
            with contextlib.suppress(Fenced, StaleMove):  # it ended while we looked
                await self.ledger.write(close)
                _log.error("attempt_lost", job=run.job, run_id=run.run_id, attempt=attempt.number)

    async def request_stop(
        self, run_no: int, stop: StopReason, reason: str, actor: Actor, at: datetime | None = None
    ) -> None:
        """Ask the attempt of a running run to stop, and record it. Raises StaleMove, LedgerUnavailable.

        It is asked in any case: work must not outlast its window because the ledger cannot take that down.
        """
        now = at or self.clock.now()
        self.executor.request_stop(run_no, stop)  # what it answers is written after what is written here
        await self.ledger.write(
            lambda connection: runs.request_stop(
                connection, run_no, at=now, stop=stop.value, reason=reason, actor=actor
            )
        )

    async def _renew(self, now: datetime) -> None:
        if self.writable and stopwatch() - self._renewed_at < RENEW_S:
            return
        self.ledger.check_file()
        mine = await self.ledger.write(lambda connection: attempts.renew(connection, self.owner, now))
        self._renewed_at = stopwatch()
        await self._close_lost(mine)

    def _unwritable(self, error: LedgerUnavailable) -> None:
        if self.writable:
            _log.error("ledger_not_writable", reason=str(error))
        self.writable = False

    def _writable(self) -> None:
        if not self.writable:
            _log.info("ledger_writable_again")
        self.writable = True
