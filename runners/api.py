"""What the scheduler hands a runner, and what a runner hands back.

A runner carries out one execution: it works on what is open until it is done or asked to stop, reports each
asset as soon as that asset is settled, and answers with an outcome. It never touches the ledger, never reads a
clock of its own, and knows no other runner.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from config.definitions import Configuration, JobDefinition


class Clock(Protocol):
    """The daemon's clock, as runners may use it."""

    def now(self) -> datetime:
        """The present instant, aware UTC."""

    async def sleep(self, delay: timedelta) -> None:
        """Wait for `delay` of this clock's time; a delay of zero or less only yields."""


class StopReason(StrEnum):
    """Why an execution is asked to stop. What is done is kept in every case."""

    WINDOW_END = "window_end"
    CANCEL = "cancel"
    SHUTDOWN = "shutdown"
    NEW_OCCURRENCE = "new_occurrence"
    NEXT_RERUN = "next_rerun"
    CLOSURE = "closure"


class Stop:
    """A one-way switch from the scheduler to a runner: asked for once, never taken back."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self.reason: StopReason | None = None

    @property
    def requested(self) -> bool:
        """Whether the stop has been asked for."""
        return self.reason is not None

    def request(self, reason: StopReason) -> None:
        """Ask for the stop; a second request changes nothing."""
        if self.reason is None:
            self.reason = reason
            self._event.set()

    async def wait(self) -> StopReason:
        """Return once the stop is asked for."""
        await self._event.wait()
        assert self.reason is not None  # noqa: S101 - set before the event
        return self.reason


class AssetState(StrEnum):
    """Where one asset of a run stands. All but `done` and `fresh` are left over and rerun."""

    OPEN = "open"
    DONE = "done"
    FRESH = "fresh"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    UNREACHABLE = "unreachable"


class Verdict(StrEnum):
    """What a check says about an asset."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    FAIL = "fail"
    UNKNOWN = "unknown"
    ERROR = "error"
    NOT_APPLICABLE = "notapplicable"


@dataclass(frozen=True, slots=True)
class AssetRef:
    """An asset: its id and the type that chooses its collector."""

    id: str
    type: str


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One line of an evaluation: what `standard`'s check `check` says about the asset."""

    standard: str
    check: str
    result: Verdict
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """Something for a counterpart: a delivery of the outbox, written together with what it tells.

    Attributes:
        kind: How it is sent (`scheduler.ledger.deliveries` has the kinds).
        about: What it tells: result.
        target: To whom, as people read it: a server's name.
        channel: Postings of one channel go strictly in order.
        body: JSON values, as the kind has them; nothing secret.
    """

    kind: str
    about: str
    target: str
    channel: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class AssetReport:
    """One asset settled: never OPEN. `reason` says why it is not done, in words for an operator."""

    asset: AssetRef
    state: AssetState
    reason: str
    started_at: datetime
    ended_at: datetime
    results: tuple[CheckResult, ...] = ()
    posting: Posting | None = None


@dataclass(frozen=True, slots=True)
class Collected:
    """Data of an asset: the file that holds it and the instant at which its collection ended."""

    path: Path
    collected_at: datetime


class AssetData(Protocol):
    """The newest collected data of every asset, over all jobs; outlives retention."""

    async def newest(self, asset: AssetRef) -> Collected | None:
        """The newest data of `asset` from any job, or None."""

    async def keep(self, asset: AssetRef, path: Path, collected_at: datetime) -> Collected:
        """Move the file at `path` into the store as the newest data of `asset`; returns where it now is."""


class Memory(Protocol):
    """What is remembered of a counterpart, by name: ids given there, what was sent. Outlives restarts.

    Nothing secret may be put here.
    """

    async def read(self) -> dict[str, str]:
        """All of it, as it is in the ledger now."""

    async def put(self, values: Mapping[str, str | None]) -> None:
        """Remember these, None forgets; all of them are on the disk when it returns."""

    async def has_another(self, name: str, value: str) -> bool:
        """Whether another run (of a job's memory: another job) remembers `value` under `name`."""


class Report(Protocol):
    """How a runner tells what happens while it happens."""

    async def assets_found(self, assets: Sequence[AssetRef]) -> None:
        """These are the assets of the run: for kinds whose assets are known only when it is at work.

        They are in the ledger, open, when it returns; those that are there already stay as they are.
        """

    async def asset_started(self, asset: AssetRef) -> None:
        """Work on `asset` begins."""

    async def asset_ended(self, report: AssetReport) -> None:
        """`asset` is settled; returns once that, and the report's posting, are in the ledger."""

    def warn(self, event: str, **keys: object) -> None:
        """One line for the log: `event` is a stable name of docs/logs.md."""


class Ended(StrEnum):
    """How an execution ended."""

    COMPLETED = "completed"  # everything was tried; for a collection, assets may still be left
    FAILED = "failed"  # nothing could be done: an error of the attempt itself
    STOPPED = "stopped"  # it ended because it was asked to


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of an execution.

    Attributes:
        ended: How.
        reason: Why, in words for an operator; empty when there is nothing to say.
        retryable: Whether trying again may help (an attempt's error only).
        exit_code: Of a command, where there was one.
        unsettled: Whether something may go on at a counterpart: the reason is told whatever becomes of the run.
    """

    ended: Ended
    reason: str = ""
    retryable: bool = False
    exit_code: int | None = None
    unsettled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """One attempt, as its runner sees it.

    Attributes:
        job: The definition, read anew at this attempt.
        configuration: The whole of what is configured now (collectors, servers, settings).
        run_id: GUID of the run.
        attempt: Number of the attempt, from 1.
        token: This attempt's own token; in the environment of every child process as JOBSD_ATTEMPT.
        fire_time: Of the run, aware UTC.
        deadline: End of the window, aware UTC, or None. The scheduler requests the stop; a runner need not.
        assets: What is to be done, in order; the run's frozen assets that are still left.
        has_assets: Whether the run's assets are known: frozen when it opened, or found by an earlier attempt.
        folder: An existing empty folder of this attempt's own for its output files.
        stop: Asked for by the scheduler.
        report: Where progress goes.
        data: The asset data store.
        clock: The daemon's clock.
        rerun: Whether this attempt belongs to a rerun of the run, its retries included.
        told: The latest attempt of the run that was not cut off, 0 if there was none: how it ended is known. Those
            after it, up to this one, told nobody what they saw.
        memory: Of the run, over all its attempts; what is put there is shown to operators.
        job_memory: Of the job, over all its runs.
    """

    job: JobDefinition
    configuration: Configuration
    run_id: str
    attempt: int
    token: str
    fire_time: datetime
    deadline: datetime | None
    assets: tuple[AssetRef, ...]
    has_assets: bool
    folder: Path
    stop: Stop
    report: Report
    data: AssetData
    clock: Clock
    rerun: bool
    told: int
    memory: Memory
    job_memory: Memory


class Runner(Protocol):
    """Carries out executions of one kind of `run:`."""

    async def execute(self, execution: Execution) -> Outcome:
        """Carry it out. An exception is a failed attempt (retryable) whose text is the reason."""
