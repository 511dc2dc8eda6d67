"""Deleting runs: their rows in small transactions, and what they have written.

The folders of runs are put aside before their rows go, and removed afterwards. So whatever cuts a deletion off, a
folder of no run is found where it was put aside, and nothing else is ever taken for one.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import threading
from collections import Counter
from collections.abc import Collection, Sequence
from functools import partial
from pathlib import Path

import structlog

from runners import points
from scheduler.ledger import Ledger, LedgerUnavailable, history, pruning
from scheduler.ledger.erasing import erase
from scheduler.ledger.history import Deletion
from scheduler.ledger.ledger import Operation

ASIDE = ".removed"
"""In the folder of output: the folders of runs that are being deleted."""

PATIENCE_S = 5.0
"""Seconds that whoever asked for a deletion waits for its last step; it is decided already."""

AT_ONCE = 500
"""Names in one question to the ledger."""

_log = structlog.get_logger()


class Eraser:
    """Deletes runs with their output; any number of deletions may be under way at once."""

    def __init__(self, ledger: Ledger, output: Path) -> None:
        """`output` has a folder for each run, by GUID."""
        self._ledger = ledger
        self._output = output
        self._under_way: Counter[str] = Counter()  # by how many deletions at once
        self._tasks: set[asyncio.Task[None]] = set()
        self._doubtful = True
        self._making = threading.Lock()

    async def tidy(self) -> None:
        """Finish what was cut off: remove or put back what lies aside, carry out the histories' deletions.

        Raises LedgerUnavailable, OSError.
        """
        aside = [name for name in await asyncio.to_thread(self._names) if not self._under_way[name]]
        for begin in range(0, len(aside), AT_ONCE):
            some = aside[begin : begin + AT_ONCE]
            known = await self._ledger.aread(partial(pruning.known, run_ids=some))
            await asyncio.to_thread(self._put_back, known)
            await asyncio.to_thread(self._remove, [name for name in some if name not in known])
        if self._doubtful:
            for deletion in await self._ledger.aread(history.unfinished):
                await self.history(deletion)
            self._doubtful = False

    async def stop(self) -> None:
        """Cut off what goes on by itself: the next start finishes it."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def begin(self, deletion: Deletion) -> None:
        """Carry out a deletion; what of it takes longer than PATIENCE_S goes on by itself.

        Raises what `history` does, if it does so by then.
        """
        task = asyncio.create_task(self.history(deletion), name=f"deletion {deletion.event_id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        done, _ = await asyncio.wait({task}, timeout=PATIENCE_S)
        if done:
            task.result()
        else:
            task.add_done_callback(_tell_rest)

    async def history(self, deletion: Deletion) -> None:
        """Carry out a deletion that was decided; what an error leaves of it is for `tidy`.

        Raises LedgerUnavailable, OSError.
        """
        try:
            while runs := await self._ledger.aread(partial(history.left, deletion=deletion)):
                await self.runs(runs, partial(erase, run_nos=[number for number, _ in runs]))
        except BaseException:
            self._doubtful = True
            raise

    async def runs(self, runs: Collection[tuple[int, str]], step: Operation[bool]) -> None:
        """Delete these runs, each a number and a GUID: `step` deletes their rows, until it is True.

        Raises LedgerUnavailable; OSError where their output cannot be put aside, and then nothing is deleted.
        """
        points.passing("prune.before")
        run_ids = [run_id for _, run_id in runs]
        self._under_way.update(run_ids)
        try:
            aside = await asyncio.to_thread(self._put_aside, run_ids)
            while not await self._ledger.write(step):
                pass
            points.passing("prune.after")
            await asyncio.to_thread(self._remove, aside)
        finally:
            self._under_way -= Counter(run_ids)  # drops what nobody deletes any more

    def _names(self) -> list[str]:
        folder = self._output / ASIDE
        return [path.name for path in folder.iterdir()] if folder.is_dir() else []

    def _put_aside(self, run_ids: Sequence[str]) -> list[str]:
        """Put what these runs have written where it is taken for deleted; the GUIDs of those that had any."""
        folder, found = self._output / ASIDE, []
        with self._making:
            for run_id in run_ids:
                if (self._output / run_id).is_dir():
                    folder.mkdir(mode=0o700, exist_ok=True)
                    (self._output / run_id).rename(folder / run_id)
                    found.append(run_id)
        return found

    def _put_back(self, run_ids: Collection[str]) -> None:
        for run_id in run_ids:
            (self._output / ASIDE / run_id).rename(self._output / run_id)

    def _remove(self, run_ids: Collection[str]) -> None:
        """Remove what these runs have written, once nobody needs it any more."""
        try:
            for run_id in run_ids:
                with contextlib.suppress(FileNotFoundError):  # another deletion of the same run was sooner
                    shutil.rmtree(self._output / ASIDE / run_id)
        except OSError as error:
            tell_stuck(error)
        with self._making, contextlib.suppress(OSError):  # it is not empty, or not there
            (self._output / ASIDE).rmdir()


def _tell_rest(task: asyncio.Task[None]) -> None:
    """Log what cut a deletion off that nobody waits for any more; `tidy` finishes it."""
    error = None if task.cancelled() else task.exception()
    if isinstance(error, OSError):
        tell_stuck(error)
    elif error is not None and not isinstance(error, LedgerUnavailable):  # the dispatcher tells that
        _log.error("retention_raised", exc_info=error)


def tell_stuck(error: OSError) -> None:
    """Log that output cannot be removed."""
    _log.error("output_stuck", reason=f"{error.filename}: {error.strerror}")
