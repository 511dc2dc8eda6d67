"""Reading the output of a run's attempts while it may still grow."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from jobsd.http.hub import Hub
from jobsd.http.service import Service
from scheduler.ledger import Connection, attempts, runs
from scheduler.lifecycle import FINAL
from scheduler.model import AttemptRow, RunRow

CHUNK = 64 * 1024
LOOK_S = 0.25
"""Seconds between two looks at a file that may grow: nothing tells of that."""

IDLE_S = 15.0
"""Seconds between two looks at a run of which no attempt is under way; events tell of the next one."""


@dataclass(frozen=True, slots=True)
class LogReader:
    """The output of a run: of attempt `only`, or of all, each after the first with a line that names it.

    With `follow` it goes on until the run has ended (with `only`: that attempt), or the hub closes.
    """

    service: Service
    hub: Hub
    run_no: int
    only: int | None
    follow: bool

    async def chunks(self) -> AsyncIterator[bytes]:
        """The output, a piece at a time."""
        with self.hub.listening() as news:
            number = self.only or 1
            while not self.hub.closed():
                news.forget()
                run, made = await self.service.read(self._state)
                if number <= len(made):
                    if number > 1 and self.only is None:
                        yield _title(made[number - 1])
                    async for chunk in self._attempt(run, number):
                        yield chunk
                    number += 1
                    if self.only is not None:
                        return
                elif not self.follow or run.state in FINAL:
                    return
                else:
                    await news.wait(IDLE_S)
                    await asyncio.sleep(LOOK_S)  # a busy ledger commits far more often than a log grows

    async def _attempt(self, run: RunRow, number: int) -> AsyncIterator[bytes]:
        """One attempt's output; whether it has ended is asked before its file is read, so no end is cut off."""
        path = self.service.folder / "output" / run.run_id / str(number) / "output.log"
        offset = 0
        while not self.hub.closed():
            _, made = await self.service.read(self._state)
            while chunk := await asyncio.to_thread(_piece, path, offset):
                offset += len(chunk)
                yield chunk
                if self.hub.closed():
                    return
            if not self.follow or made[number - 1].ended_at is not None:
                return
            await asyncio.sleep(LOOK_S)

    def _state(self, connection: Connection) -> tuple[RunRow, list[AttemptRow]]:
        return runs.get(connection, self.run_no), attempts.of_run(connection, self.run_no)


def _piece(path: Path, offset: int) -> bytes:
    """The next bytes of a file; none where it ends, or where there is no file."""
    try:
        with path.open("rb") as file:
            file.seek(offset)
            return file.read(CHUNK)
    except FileNotFoundError:
        return b""


def _title(attempt: AttemptRow) -> bytes:
    at = attempt.started_at.isoformat(timespec="seconds").replace("+00:00", "Z")
    return f"--- attempt {attempt.number} ({attempt.cause}), {at} ---\n".encode()
