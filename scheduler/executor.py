"""Carrying attempts out: one task each, and the one place where foreign code may raise."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar

import structlog

from config.definitions import Configuration, JobDefinition, Run
from config.values import format_duration
from runners import points
from runners.api import AssetRef, AssetReport, Ended, Execution, Outcome, Runner, Stop, StopReason
from runners.registry import UnsupportedRunError
from scheduler.assetdata import AssetFiles
from scheduler.clock import Clock
from scheduler.ledger import (
    Connection,
    Fenced,
    Ledger,
    LedgerUnavailable,
    StaleMove,
    attempts,
    finishing,
    memory,
)
from scheduler.ledger.assets import COVERED
from scheduler.ledger.attempts import Started
from scheduler.ledger.ledger import Operation
from scheduler.model import RunRow
from scheduler.planner.closing import reached, stop_of

T = TypeVar("T")
_log = structlog.get_logger()

GIVE_UP = timedelta(hours=1)
"""So long after it was asked to stop, an attempt is no longer waited for: runners answer within minutes."""

AGAIN_S = 1.0
"""Seconds between tries to store what an attempt has to say while the ledger cannot be written."""


@dataclass(slots=True)
class Work:
    """An attempt under way.

    Attributes:
        silent_since: What had passed when it was first seen to be asked to stop and not to have answered.
        answered: Whether its runner has; `given_up`: whether that is not waited for any more.
    """

    started: Started
    job: JobDefinition
    configuration: Configuration
    stop: Stop = field(default_factory=Stop)
    task: asyncio.Task[None] | None = None
    silent_since: timedelta | None = None
    answered: bool = False
    given_up: bool = False


class Executor:
    """Runs attempts as tasks of the scheduling loop and writes down how they end.

    `ended` is called with the job's name after the end of each attempt is in the ledger.
    `definition` gives the definition in force now, or None.

    Attributes:
        output: A folder for each run in it, by GUID, and in that one for each attempt.
    """

    def __init__(
        self,
        ledger: Ledger,
        clock: Clock,
        folder: Path,
        *,
        runner_for: Callable[[Run], Runner],
        definition: Callable[[str], JobDefinition | None],
        ended: Callable[[str], None],
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self.output = folder / "output"
        self._data = AssetFiles(ledger, folder / "data", self.store)
        self._runner_for = runner_for
        self._definition = definition
        self._ended = ended
        self._works: dict[int, Work] = {}

    @property
    def busy(self) -> bool:
        """Whether any attempt is under way."""
        return bool(self._works)

    def launch(self, started: Started, job: JobDefinition, configuration: Configuration) -> None:
        """Begin an attempt that the ledger has as started; one that has only to end work begins asked to stop."""
        work = Work(started, job, configuration)
        run = started.run
        if run.stop_reason is not None:
            work.stop.request(StopReason(run.stop_reason))
        elif run.window_end is not None and run.window_end <= self._clock.now():
            work.stop.request(StopReason.WINDOW_END)
        self._works[started.run.run_no] = work
        points.passing("launch.before")
        work.task = asyncio.create_task(self._carry_out(work), name=f"{job.name}#{started.attempt.number}")
        points.passing("launch.after")

    def request_stop(self, run_no: int, stop: StopReason) -> None:
        """Ask the attempt of this run to stop; nothing happens if none is under way here."""
        work = self._works.get(run_no)
        if work is not None:
            work.stop.request(stop)
            work.silent_since = work.silent_since or self._clock.passed()[0]

    def give_up(self, passed: timedelta | None) -> None:
        """Wait no longer for attempts that have not answered a stop for `GIVE_UP`; `passed` is the clock's.

        None where they may be waiting for the ledger: the time begins anew then.
        """
        for work in self._works.values():
            if passed is None or not work.stop.requested:
                work.silent_since = None
            elif work.silent_since is None:
                work.silent_since = passed
            elif passed - work.silent_since >= GIVE_UP and not (work.answered or work.given_up):
                work.given_up = True
                _log.error("attempt_given_up", job=work.job.name, run_id=work.started.run.run_id)
                if work.task is not None:
                    work.task.cancel()

    def works_on(self, token: str) -> bool:
        """Whether the attempt with this token is under way here."""
        return any(work.started.attempt.token == token for work in self._works.values())

    def overdue(self, now: datetime) -> list[tuple[int, StopReason, str]]:
        """The runs whose windows have closed, or that a closure stops, and that have not been asked: and why."""
        works = [work for work in self._works.values() if not work.stop.requested]
        found = [(work.started.run.run_no, self._over(work, now)) for work in works]
        return [(run_no, *why) for run_no, why in found if why is not None]

    def _over(self, work: Work, now: datetime) -> tuple[StopReason, str] | None:
        run = work.started.run
        if run.window_end is not None and run.window_end <= now:
            return StopReason.WINDOW_END, "the window closed"
        job = self._definition(run.job)
        with contextlib.suppress(Exception):  # what a calendar raises concerns its own jobs: the planner tells it
            closure = None if job is None else reached(job, run, now)
            return None if closure is None else stop_of(closure)
        return None

    def limits(self) -> Counter[str]:
        """How many attempts under way count in each named limit, by the definitions with which they started."""
        return Counter(name for work in list(self._works.values()) for name in work.job.limits)

    def running(self) -> list[int]:
        """The numbers of the runs whose attempts are under way."""
        return list(self._works)

    async def drain(self) -> None:
        """Return once no attempt is under way."""
        while tasks := [work.task for work in self._works.values() if work.task is not None]:
            await asyncio.wait(tasks)

    async def abandon(self) -> None:
        """Cancel what is still under way: its processes are ended, its end is for the next start to find."""
        tasks = [work.task for work in self._works.values() if work.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _carry_out(self, work: Work) -> None:
        run, job = work.started.run, work.job.name
        try:
            outcome = await self._answer(work)
            points.passing("outcome.before")
            job = (await self._finish(work, outcome)).job  # it may have another name by now
            points.passing("outcome.after")
        except (Fenced, StaleMove) as error:
            _log.warning("attempt_fenced", job=work.job.name, run_id=run.run_id, reason=str(error))
        finally:
            if self._works.get(run.run_no) is work:
                del self._works[run.run_no]
            self._ended(job)

    async def _answer(self, work: Work) -> Outcome:
        """What the runner answers, or what is said of it where it is given up."""
        try:
            return await self._outcome(work)
        except asyncio.CancelledError:
            if not work.given_up or work.task is None:
                raise
            work.task.uncancel()
            reason = f"its work did not end within {format_duration(GIVE_UP)} of being asked to"
            return Outcome(Ended.STOPPED, reason, unsettled=True)
        finally:
            work.answered = True

    async def _outcome(self, work: Work) -> Outcome:
        run, attempt = work.started.run, work.started.attempt
        try:
            folder = self.output / run.run_id / str(attempt.number)
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            execution = Execution(
                job=work.job,
                configuration=work.configuration,
                run_id=run.run_id,
                attempt=attempt.number,
                token=attempt.token,
                fire_time=run.fire_time,
                deadline=run.window_end,
                assets=work.started.assets,
                has_assets=run.has_assets,
                folder=folder,
                stop=work.stop,
                report=_Reporter(self, work),
                data=self._data,
                clock=self._clock,
                rerun=run.rerun_at is not None,
                told=work.started.told,
                memory=_Memory(
                    self,
                    attempt.token,
                    read=partial(memory.of_run, run_no=run.run_no),
                    put=memory.put_of_run,
                    another=partial(memory.another_run_has, run_no=run.run_no),
                ),
                job_memory=_Memory(
                    self,
                    attempt.token,
                    read=partial(memory.of_job, job_id=run.job_id),
                    put=memory.put_of_job,
                    another=partial(memory.another_job_has, job_id=run.job_id),
                ),
            )
            return await self._runner_for(work.job.run).execute(execution)
        except Fenced:
            raise
        except UnsupportedRunError as error:
            return Outcome(Ended.FAILED, str(error))
        except Exception as error:  # noqa: BLE001 - foreign code: whatever it raises is this attempt's failure
            lost = self._unkept(error)
            if lost is not None:  # the disk is full, or read-only: no fault of anybody's code
                _log.warning(
                    "output_lost", job=work.job.name, run_id=run.run_id, attempt=attempt.number, reason=lost
                )
                return Outcome(Ended.FAILED, f"its output cannot be kept: {lost}", retryable=True)
            reason = f"{type(error).__name__}: {error}"
            _log.exception("runner_raised", job=work.job.name, run_id=run.run_id, reason=reason)
            return Outcome(Ended.FAILED, reason, retryable=True)

    def _unkept(self, error: Exception) -> str | None:
        """Why output cannot be kept, if that is what `error` says."""
        if not isinstance(error, OSError) or not isinstance(error.filename, str):
            return None
        within = Path(error.filename).is_relative_to(self.output)
        return f"{error.strerror} ({error.filename})" if within else None

    async def _finish(self, work: Work, outcome: Outcome) -> RunRow:
        return await self.store(
            lambda connection: finishing.finish(
                connection,
                work.started.attempt.token,
                outcome,
                definition=self._definition,
                stop=work.stop.reason,
                at=self._clock.now(),
            )
        )

    async def store(self, operation: Operation[T]) -> T:
        """Write `operation`, however long the ledger cannot be written: finished work is not lost."""
        told = False
        while True:
            try:
                return await self._ledger.write(operation)
            except LedgerUnavailable as error:
                if not told:
                    _log.error("ledger_not_writable", reason=str(error))
                    told = True
                await asyncio.sleep(AGAIN_S)


class _Memory:
    """`runners.api.Memory` in the ledger, fenced by the attempt's token."""

    def __init__(
        self,
        executor: Executor,
        token: str,
        *,
        read: Callable[[Connection], dict[str, str]],
        put: Callable[[Connection, str, Mapping[str, str | None]], None],
        another: Callable[[Connection, str, str], bool],
    ) -> None:
        self._executor = executor
        self._token = token
        self._read = read
        self._put = put
        self._another = another

    async def read(self) -> dict[str, str]:
        """All of it."""
        return await self._executor._ledger.aread(self._read)  # noqa: SLF001 - one room

    async def put(self, values: Mapping[str, str | None]) -> None:
        """On the disk when it returns; waits while the ledger cannot be written."""
        await self._executor.store(lambda c: self._put(c, self._token, values))

    async def has_another(self, name: str, value: str) -> bool:
        """Whether another run, or job, remembers it."""
        return await self._executor._ledger.aread(lambda c: self._another(c, name, value))  # noqa: SLF001 - likewise


TOLD = 10
"""Assets of one attempt whose failure is told in the log; `jobsd show` has all of them."""


class _Reporter:
    """`runners.api.Report` into the ledger, fenced by the attempt's token."""

    def __init__(self, executor: Executor, work: Work) -> None:
        self._executor = executor
        self._work = work
        self._token = work.started.attempt.token
        self._told = 0

    async def assets_found(self, assets: Sequence[AssetRef]) -> None:
        """They are the run's from now on."""
        await self._executor.store(lambda c: attempts.assets_found(c, self._token, assets))

    async def asset_started(self, asset: AssetRef) -> None:
        """Work on `asset` begins."""
        at = self._executor._clock.now()  # noqa: SLF001 - one room
        await self._executor.store(lambda c: attempts.asset_started(c, self._token, asset, at))

    async def asset_ended(self, report: AssetReport) -> None:
        """`asset` is settled and in the ledger."""
        points.passing("asset.before")
        await self._executor.store(lambda c: attempts.asset_ended(c, self._token, report))
        points.passing("asset.after")
        if report.state not in COVERED and self._told < TOLD:
            self._told += 1
            self.warn("asset_left", asset=report.asset.id, asset_state=report.state.value, reason=report.reason)

    def warn(self, event: str, **keys: object) -> None:
        """One line for the log, with the run's names."""
        started = self._work.started
        names = {"job": self._work.job.name, "run_id": started.run.run_id, "attempt": started.attempt.number}
        _log.warning(event, **{**names, **keys})
