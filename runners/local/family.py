"""Everything a child has started: found again and ended, wherever it went."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Collection, Coroutine
from datetime import timedelta

from runners.api import Clock
from runners.local import orphans, proc
from runners.local.looks import Look, look, look_now

_ROUNDS = 5
_KILLED_WITHIN_S = 3.0


class Family:
    """A child, its group and session, what descends from it, and what carries its marks in the environment.

    Whatever was once seen to belong stays in it, also after its parents are gone.
    """

    def __init__(self, leader: int | None, marks: Collection[frozenset[bytes]], folder: str = "") -> None:
        """Describe a family.

        Args:
            leader: Pid of the child that leads group and session, not waited for yet (so its number is not
                given away); None where only the marks are known.
            marks: A process belongs if its environment holds all `NAME=value` of one of these sets.
            folder: Working folder given to the child alone; an orphan still in it is the child's.
        """
        self._leader = None if leader is None else proc.entry(leader)
        self._marks = tuple(marks)
        self._folder = folder
        self._known: dict[int, int] = {}

    def living(self, seen: Look) -> dict[int, proc.ProcessEntry]:
        """The members that had not ended when `seen` was taken.

        Call it in the loop's thread: children start there, and none is seen between its start and its record.
        """
        processes = seen.processes
        known = {pid for pid, start in self._known.items() if pid in processes and processes[pid].start == start}
        roots = known | {pid for pid in processes if self._belongs(pid, seen)}
        if self._leader is not None:
            roots |= orphans.unclaimed(self._leader, self._folder, seen)
        # Never ourselves: a wrong match would make every child of the daemon a descendant.
        members = proc.descendants(roots - {os.getpid()}, processes) - {os.getpid()}
        for pid in known:
            if processes[pid].dead and processes[pid].parent == os.getpid() and not self._leads(pid):
                orphans.reap(pid)
        alive = {pid: processes[pid] for pid in members if pid in processes and not processes[pid].dead}
        self._known |= {pid: one.start for pid, one in alive.items()}
        return alive

    def _leads(self, pid: int) -> bool:
        return self._leader is not None and self._leader.pid == pid

    def _belongs(self, pid: int, seen: Look) -> bool:
        one = seen.processes[pid]
        if self._leader is not None and self._leader.pid in (pid, one.group, one.session):
            return True
        return any(marks <= seen.environments[pid] for marks in self._marks)

    def signal(self, members: dict[int, proc.ProcessEntry], number: signal.Signals) -> None:
        """Send `number` to the groups of `members`: a whole group at once, so that no fork slips through."""
        _signal_groups({one.group for one in members.values()}, number)
        # One that left its group since it was looked at has missed it: setsid comes soon after fork.
        moved = ((one, proc.entry(pid)) for pid, one in members.items())
        _signal_groups(
            {now.group for one, now in moved if now and now.start == one.start and now.group != one.group}, number
        )

    def kill_now(self) -> None:
        """KILL without waiting for anything: first the child's group, which needs no look at the process table."""
        if self._leader is not None:
            self.signal({self._leader.pid: self._leader}, signal.SIGKILL)
        self.signal(self.living(look_now()), signal.SIGKILL)


def _signal_groups(groups: set[int], number: signal.Signals) -> None:
    for group in groups - {os.getpgrp(), 0, 1}:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, number)


async def end(family: Family, *, kill_after: timedelta, clock: Clock) -> int:
    """End a family: TERM, then KILL once `kill_after` of the clock's time has passed.

    Returns:
        How many processes could not be ended (in the kernel, or not ours to signal); never waits for those.
    """
    try:
        members = family.living(await look())
        if members:
            family.signal(members, signal.SIGTERM)
            await _gone(members, clock.sleep(kill_after))
            members = family.living(await look())
        for _ in range(_ROUNDS):
            if not members:
                break
            family.signal(members, signal.SIGKILL)
            await _gone(members, asyncio.sleep(_KILLED_WITHIN_S))
            members = family.living(await look())
    except BaseException:
        family.kill_now()
        raise
    return len(members)


async def _gone(members: dict[int, proc.ProcessEntry], limit: Coroutine[None, None, None]) -> None:
    """Return once every one of `members` has ended, at the latest when `limit` is over."""
    watches: list[proc.Watch] = []
    over = asyncio.ensure_future(limit)
    try:
        for pid, one in members.items():
            # One that cannot be watched is looked for again when the others are gone.
            with contextlib.suppress(OSError):
                watches.append(proc.Watch(pid))
                if (now := proc.entry(pid)) is None or now.start != one.start:
                    watches.pop().close()
        for watch in watches:
            either: set[asyncio.Future[None]] = {over, watch.gone}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if over.done():
            over.result()
    finally:
        over.cancel()
        await asyncio.wait({over})
        for watch in watches:
            watch.close()
