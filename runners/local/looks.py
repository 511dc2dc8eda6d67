"""A look at all processes of the host: it costs milliseconds, so those who need one at the same time share it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from runners.local import proc


@dataclass(frozen=True, slots=True)
class Look:
    """All processes at one moment, by pid, with the environment each was started with."""

    processes: dict[int, proc.ProcessEntry]
    environments: dict[int, frozenset[bytes]]


def look_now() -> Look:
    """Look in this thread. Raises OSError where /proc cannot be read."""
    processes = proc.table()
    return Look(processes, {pid: proc.environment(pid) for pid in processes})


class _Turns:
    def __init__(self) -> None:
        self.waiting: asyncio.Task[Look] | None = None
        self.running: asyncio.Task[Look] | None = None


_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, _Turns] = WeakKeyDictionary()


async def look() -> Look:
    """A look that begins after this call, made in a thread; the same for all who call before it begins."""
    turns = _turns.setdefault(asyncio.get_running_loop(), _Turns())
    if turns.waiting is None:
        turns.waiting = asyncio.ensure_future(_take(turns, turns.running))
    return await asyncio.shield(turns.waiting)


async def _take(turns: _Turns, before: asyncio.Task[Look] | None) -> Look:
    if before is not None:
        await asyncio.wait({before})
    turns.running, turns.waiting = turns.waiting, None
    return await asyncio.to_thread(look_now)
