"""`run.collect`: every asset collected and judged, some at a time, what is done kept."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from config.definitions import CollectRun, JobType
from runners.api import (
    AssetRef,
    AssetReport,
    AssetState,
    CheckResult,
    Collected,
    Ended,
    Execution,
    Outcome,
)
from runners.local.asset import AssetWork, NotDoneError
from runners.local.ending import Cause, Ending, limited, stoppable
from runners.local.output import Log, Share, with_loss
from runners.local.words import STOPPED, duration

_LEAST_SHARE = 64 * 1024


class CollectRunner:
    """Runs the collectors and evaluators of a job's assets.

    In the execution's folder: `output.log` (what they said, each line with its asset), and `results/`. Data goes
    to the asset data store as soon as it is whole.
    """

    def __init__(self, run: CollectRun) -> None:
        self._run = run

    async def execute(self, execution: Execution) -> Outcome:
        """Carry out one attempt. Raises what reports and the store raise; no process is left even then."""
        for name in ("data", "results"):
            (execution.folder / name).mkdir(exist_ok=True)
        log = Log(execution.folder / "output.log")
        with contextlib.closing(log):
            async with stoppable(execution.stop) as ending:
                collection = _Collection(execution, self._run, log, ending)
                try:
                    await collection.carry_out()
                except BaseExceptionGroup as faults:
                    # Its first fault is what the operator needs; the others are its consequences.
                    raise faults.exceptions[0] from None
        return with_loss(collection.outcome(), log, execution.report)


@dataclass(frozen=True, slots=True)
class _Planned:
    number: int
    asset: AssetRef
    fresh: Collected | None


class _Collection:
    """One attempt under way."""

    def __init__(self, execution: Execution, run: CollectRun, log: Log, ending: Ending) -> None:
        self._execution = execution
        self._run = run
        self._log = log
        self._ending = ending
        self._collecting: set[Ending] = set()
        self._phase_over = False
        self._settled = 0

    async def carry_out(self) -> None:
        """Work on the assets in order, `parallel` at a time."""
        waiting = iter(await self._plan(self._execution.clock.now()))
        workers = max(1, min(self._run.parallel, len(self._execution.assets)))
        async with (
            limited(self._execution.clock, self._run.collection_timeout, self._end_phase),
            asyncio.TaskGroup() as group,
        ):
            for _ in range(workers):
                group.create_task(self._work(waiting))
                # A turn of the loop for each: starting a child takes a moment in which nothing else moves.
                await asyncio.sleep(0)

    async def _plan(self, now: datetime) -> list[_Planned]:
        """What is to be done; freshness is judged here, for all assets at the same instant."""
        planned = []
        for number, asset in enumerate(self._execution.assets):
            if self._execution.stop.requested:
                break
            fresh = await self._fresh(asset, now)
            if fresh is not None and self._run.type is JobType.COLLECTION:
                await self._report(asset, AssetState.FRESH, _of(fresh), now)
            else:
                planned.append(_Planned(number, asset, fresh))
        return planned

    async def _fresh(self, asset: AssetRef, now: datetime) -> Collected | None:
        if self._run.incremental is None or self._run.type is JobType.EVALUATION:
            return None
        newest = await self._execution.data.newest(asset)
        if newest is None:
            return None
        # Of data that is newer than now (the clock was set back) nobody knows the age.
        return newest if timedelta(0) <= now - newest.collected_at < self._run.incremental else None

    async def _work(self, waiting: Iterator[_Planned]) -> None:
        for planned in waiting:
            if self._execution.stop.requested:
                return
            collects = planned.fresh is None and self._run.type is not JobType.EVALUATION
            if not (collects and self._phase_over):
                await self._settle(planned)

    async def _settle(self, planned: _Planned) -> None:
        asset, started_at = planned.asset, self._execution.clock.now()
        await self._execution.report.asset_started(asset)
        limit = self._execution.configuration.settings.output_limit // len(self._execution.assets)
        share = Share(self._log, max(limit, _LEAST_SHARE), f"[{_printable(asset.id)}] ")
        results: tuple[CheckResult, ...] = ()
        state = AssetState.DONE if planned.fresh is None else AssetState.FRESH
        reason = "" if planned.fresh is None else _of(planned.fresh)
        with self._ending.part() as ending:
            timeout = limited(
                self._execution.clock, self._run.asset_timeout, lambda: ending.request(Cause.TIMEOUT)
            )
            work = AssetWork(self._execution, self._run, planned.number, asset, share, ending)
            try:
                async with timeout:
                    results = await self._results(work, planned.fresh)
            except NotDoneError as error:
                state, reason = error.state, error.reason
        share.say(f"{state.value}: {reason}" if reason else state.value)
        if state is not AssetState.OPEN:
            await self._report(asset, state, reason, started_at, results)

    async def _results(self, work: AssetWork, fresh: Collected | None) -> tuple[CheckResult, ...]:
        if self._run.type is JobType.EVALUATION:
            data = await self._execution.data.newest(work.asset)
            if data is None:
                raise NotDoneError(AssetState.UNREACHABLE, "no collected data")
        elif fresh is not None:
            data = fresh
        else:
            data = await self._collect(work)
        return () if self._run.type is JobType.COLLECTION else await work.evaluate(data)

    async def _collect(self, work: AssetWork) -> Collected:
        with work.ending.part() as stage:
            self._collecting.add(stage)
            try:
                return await work.collect(stage)
            finally:
                self._collecting.discard(stage)

    def _end_phase(self) -> None:
        self._phase_over = True
        for stage in self._collecting:
            stage.request(Cause.PHASE)

    async def _report(
        self,
        asset: AssetRef,
        state: AssetState,
        reason: str,
        started_at: datetime,
        results: tuple[CheckResult, ...] = (),
    ) -> None:
        ended_at = self._execution.clock.now()
        await self._execution.report.asset_ended(AssetReport(asset, state, reason, started_at, ended_at, results))
        self._settled += 1

    def outcome(self) -> Outcome:
        """What is to be said of the attempt once all of it has ended."""
        left = len(self._execution.assets) - self._settled
        if left and self._execution.stop.reason is not None:
            count = f"{left} of {len(self._execution.assets)} assets left"
            return Outcome(Ended.STOPPED, f"{STOPPED[self._execution.stop.reason]}; {count}")
        if left and self._run.collection_timeout is not None:
            # How many are left of the run, failed ones included, is the scheduler's to say.
            over = f"collecting ended after {duration(self._run.collection_timeout)} (collection_timeout)"
            return Outcome(Ended.COMPLETED, over)
        return Outcome(Ended.COMPLETED)


def _of(data: Collected) -> str:
    return f"data of {data.collected_at.isoformat(timespec='seconds')} is fresh"


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text)
