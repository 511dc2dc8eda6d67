"""Retention: what is older than `settings.retention` says is deleted, beside the work and never in its way.

A round goes through all that is old in small steps, each followed by a pause several times as long. What frees the
disk without the ledger comes first, so that a full disk is no hindrance.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import structlog

from config.definitions import Retention as Ages
from scheduler.clock import Clock, stopwatch
from scheduler.erasing import Eraser, tell_stuck
from scheduler.ledger import Connection, Ledger, LedgerUnavailable, pruning, sde_connections
from scheduler.ledger.erasing import erase
from scheduler.ledger.ledger import Operation
from scheduler.ledger.pruning import Cursor, Old, Share
from scheduler.model import Actor, By

EVERY = timedelta(hours=1)
"""Between the beginnings of two rounds, by the daemon's clock."""

LEAST_PAUSE_S = 0.05
REST = 4
"""So many times as long as a step took, and at least LEAST_PAUSE_S, the disk is the others' after it."""

FOLDERS = 500
"""Folders looked at in one step."""

ACTOR = Actor("retention", By.CLOCK)

_log = structlog.get_logger()


@dataclass(slots=True)
class Pruned:
    """What a round deleted: `runs`, the `outputs` of runs that stay, `uploads`, and the other rows."""

    runs: int = 0
    outputs: int = 0
    uploads: int = 0
    events: int = 0
    deliveries: int = 0


@dataclass(slots=True)
class Retention:
    """Deletes by age. Its methods belong to one event loop, and one round is made at a time.

    Attributes:
        output: A folder for each run in it, by GUID.
        uploads: A folder for each connection that was made for a file, by its id.
        ages: What `settings.retention` says now.
    """

    ledger: Ledger
    clock: Clock
    eraser: Eraser
    output: Path
    uploads: Path
    ages: Callable[[], Ages]
    _cleared: Cursor | None = field(default=None, init=False)

    async def run(self) -> None:
        """A round now and then every hour, until cancelled."""
        while True:
            try:
                await self.round()
            except LedgerUnavailable:
                pass  # the dispatcher tells it; the next round begins anew
            except OSError as error:
                tell_stuck(error)
            except Exception as error:  # noqa: BLE001 - a fault of ours here must not keep old things for ever
                _log.error("retention_raised", exc_info=error)
            await self.clock.sleep(EVERY)

    async def round(self) -> Pruned:
        """Delete all that is old now; what could not be deleted is for the next round.

        Raises LedgerUnavailable; OSError where output cannot be removed.
        """
        now, ages, done = self.clock.now(), self.ages(), Pruned()
        if ages.output is not None:
            done.outputs = await self._clear_outputs(now - ages.output)
            done.uploads = await self._clear_uploads(now - ages.output)
        await self.eraser.tidy()
        if ages.runs is not None:
            done.runs = await self._prune_runs(
                now - ages.runs, None if ages.deliveries is None else now - ages.deliveries
            )
        loose = ages.deliveries is None
        if (age := ages.runs if loose else ages.deliveries) is not None:
            operation = partial(pruning.prune_deliveries, before=now - age, loose=loose)
            done.deliveries = await self._repeat(operation)
        if (age := ages.events or ages.runs) is not None:
            done.events = await self._repeat(partial(pruning.prune_events, before=now - age))
        return done

    async def _prune_runs(self, before: datetime, deliveries_since: datetime | None) -> int:
        shares = await self.ledger.aread(partial(pruning.shares, before=before))
        told: set[int] = set()
        count, after = 0, None
        while shares and (found := await self.ledger.aread(partial(pruning.page, before=before, after=after))):
            after = found[-1].cursor
            old = [run for run in found if run.job_id in shares]
            new = [shares[job_id] for job_id in dict.fromkeys(run.job_id for run in old) if job_id not in told]
            told |= {share.job_id for share in new}
            begun = stopwatch()
            await self.eraser.runs(
                [(run.run_no, run.run_id) for run in old], self._step(old, new, before, deliveries_since)
            )
            count += len(old)
            await _rest(begun)
        return count

    def _step(
        self, old: Sequence[Old], new: Sequence[Share], before: datetime, deliveries_since: datetime | None
    ) -> Operation[bool]:
        """The transaction that deletes these runs; where it takes several, the first tells of them."""
        at, begun = self.clock.now(), False

        def step(connection: Connection) -> bool:
            nonlocal begun
            if not begun:
                pruning.begin(connection, old, new, before=before, at=at, actor=ACTOR)
            done = erase(connection, [run.run_no for run in old], deliveries_since=deliveries_since)
            begun = True
            return done

        return step

    async def _repeat(self, operation: Operation[int]) -> int:
        count = 0
        while True:
            begun = stopwatch()
            deleted = await self.ledger.write(operation)
            count += deleted
            if not deleted:
                return count
            await _rest(begun)

    async def _clear_outputs(self, before: datetime) -> int:
        """Remove the output of runs that ended before `before` and after those that were looked at already."""
        count = 0
        while True:
            query = partial(pruning.ended, before=before, after=self._cleared, limit=FOLDERS)
            found = await self.ledger.aread(query)
            if not found:
                return count
            begun = stopwatch()
            count += await asyncio.to_thread(_clear, [self.output / run_id for _, run_id in found])
            self._cleared = found[-1][0]
            await _rest(begun)

    async def _clear_uploads(self, before: datetime) -> int:
        """Remove the files that were imported by runs that ended before `before`."""
        names = await asyncio.to_thread(_numbers, self.uploads)
        count = 0
        for begin in range(0, len(names), FOLDERS):
            some = names[begin : begin + FOLDERS]
            query = partial(sde_connections.used_up, connection_ids=some, before=before)
            found = await self.ledger.aread(query)
            count += await asyncio.to_thread(_clear, [self.uploads / str(number) for number in found])
        return count


async def _rest(begun: float) -> None:
    await asyncio.sleep(max(LEAST_PAUSE_S, REST * (stopwatch() - begun)))


def _clear(folders: Sequence[Path]) -> int:
    """Remove those of these folders that there are; how many. Raises OSError."""
    count = 0
    for folder in folders:
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(folder)
            count += 1
    return count


def _numbers(folder: Path) -> list[int]:
    """The numbers that stand in `folder` as names; none if there is no such folder."""
    if not folder.is_dir():
        return []
    return [int(path.name) for path in folder.iterdir() if path.name.isascii() and path.name.isdigit()]
