"""Processes that lost their parent: a subreaper gets them all, and waits for them.

The kernel hands an orphan to the nearest subreaper above it. Being one makes it certain that whatever a child
leaves behind is among our own children, even if it left its group and cleared its environment.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
from datetime import timedelta
from subprocess import Popen

from runners.api import Clock
from runners.local import proc
from runners.local.looks import Look

_PR_SET_CHILD_SUBREAPER = 36
_OWN = "JOBSD_PARENT"
_SETTLED_S = 1.0
_SWEEP_EVERY = timedelta(seconds=5)


class _Book:
    """The processes this program started itself, by pid, and the zombies seen that it did not start."""

    def __init__(self) -> None:
        self.subreaper = False
        self.started: dict[int, int] = {}
        self.abandoned: list[Popen[bytes]] = []
        self.zombies: dict[tuple[int, int], float] = {}


_book = _Book()


def become_subreaper() -> bool:
    """Adopt the orphans of every process started from now on; call once, at the start of the daemon.

    From then on `JOBSD_PARENT` stands in this process's environment: a child that other code starts, with that
    environment, is known by it not to be an orphan of ours, which never has that name.

    Returns:
        Whether the kernel agreed. Without it, a process that leaves its group and clears its environment as its
        parent ends is not found.
    """
    os.environ[_OWN] = str(os.getpid())
    _book.subreaper = ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
    return _book.subreaper


def record(pid: int) -> None:
    """Note that `pid` was started by us: it is nobody's orphan."""
    found = proc.entry(pid)
    _book.started[pid] = found.start if found is not None else 0


def forget(pid: int) -> None:
    """Note that `pid` has been waited for."""
    _book.started.pop(pid, None)


def abandon(child: Popen[bytes]) -> None:
    """Keep a child that would not die (in the kernel, or of a user we may not signal) until it does."""
    _book.abandoned.append(child)


def possible() -> bool:
    """Whether a child that has ended may have left something behind: what it left is now our child. Cheap."""
    if not _book.subreaper:
        return True
    # The kernel's list may skip an entry if a neighbour goes away while it is read: a "no" is asked for twice.
    for _ in range(2):
        mine = proc.children()
        if mine is None or any(pid not in _book.started for pid in mine):
            return True
    return False


def unclaimed(leader: proc.ProcessEntry, folder: str, seen: Look) -> set[int]:
    """The adopted processes that `leader` left: in its own `folder`, or older than every other running child.

    One that several children may have left is claimed when the last of these ends.
    """
    if not _book.subreaper:
        return set()
    me, session = os.getpid(), os.getsid(0)
    own = f"{_OWN}={me}".encode()
    others = [start for pid, start in _book.started.items() if pid != leader.pid]
    return {
        one.pid
        for one in seen.processes.values()
        if one.parent == me
        and one.session != session
        and one.pid not in _book.started
        and one.start >= leader.start
        and (
            not any(start <= one.start for start in others)
            or (folder and proc.working_folder(one.pid).startswith(folder))
        )
        and not any(mark.startswith(b"JOBSD_ATTEMPT=") for mark in seen.environments[one.pid])
        and own not in seen.environments[one.pid]
    }


def reap(pid: int) -> None:
    """Wait for an ended process that is known to be an orphan; not ours to wait for: nothing happens."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def sweep() -> int:
    """Wait for orphans that ended by themselves; returns how many.

    Somebody else's child (asyncio's, subprocess's) is left to him: it shares our session, or he waits for it
    within moments, so only what stays a zombie of another session from one sweep to a later one is an orphan.
    """
    for child in [child for child in _book.abandoned if child.poll() is not None]:
        _book.abandoned.remove(child)
        forget(child.pid)
    now, session = asyncio.get_running_loop().time(), os.getsid(0)
    strangers = [proc.entry(pid) for pid in proc.children() or () if pid not in _book.started]
    dead = [one for one in strangers if one is not None and one.dead and one.session != session]
    seen = {(one.pid, one.start): _book.zombies.get((one.pid, one.start), now) for one in dead}
    settled = [key for key, since in seen.items() if now - since >= _SETTLED_S]
    for pid, _ in settled:
        reap(pid)
    _book.zombies = {key: since for key, since in seen.items() if key not in settled}
    return len(settled)


async def reap_orphans(clock: Clock) -> None:
    """Sweep for ever; the daemon runs it beside its other loops and cancels it at its end."""
    while True:
        sweep()
        await clock.sleep(_SWEEP_EVERY)
