"""What /proc says about processes, and a process's end as a future."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_GONE = (FileNotFoundError, ProcessLookupError)
_HIDDEN = (*_GONE, PermissionError)


@dataclass(frozen=True, slots=True)
class ProcessEntry:
    """One line of the process table; `start` is in clock ticks since boot and tells a reused pid apart."""

    pid: int
    state: str
    parent: int
    group: int
    session: int
    start: int

    @property
    def dead(self) -> bool:
        """Whether it has ended already and only waits for its parent."""
        return self.state in "ZX"


def entry(pid: int) -> ProcessEntry | None:
    """The process `pid` as it is now, or None if there is none. Raises OSError where /proc cannot be read."""
    try:
        text = Path(f"/proc/{pid}/stat").read_bytes()
    except _GONE:
        return None
    # The name in parentheses may itself hold spaces and parentheses: fields count from the last one.
    fields = text[text.rindex(b")") + 2 :].split()
    return ProcessEntry(
        pid=pid,
        state=fields[0].decode(),
        parent=int(fields[1]),
        group=int(fields[2]),
        session=int(fields[3]),
        start=int(fields[19]),
    )


def table() -> dict[int, ProcessEntry]:
    """Every process of this host (of this pid namespace), by pid."""
    pids = (int(name) for name in os.listdir("/proc") if name.isdigit())  # noqa: PTH208 - twice as fast
    return {pid: found for pid in pids if (found := entry(pid)) is not None}


def environment(pid: int) -> frozenset[bytes]:
    """The environment `pid` was started with, as `NAME=value`; empty if it may not be read."""
    try:
        return frozenset(Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"))
    except _HIDDEN:
        return frozenset()


def working_folder(pid: int) -> str:
    """The working folder of `pid`; empty if it may not be read."""
    try:
        return os.readlink(f"/proc/{pid}/cwd")  # noqa: PTH115 - a removed folder is no path
    except _HIDDEN:
        return ""


def children() -> frozenset[int] | None:
    """The pids of this process's children, adopted ones included; None where the kernel does not list them."""
    found: set[int] = set()
    try:
        for thread in Path("/proc/self/task").iterdir():
            found.update(map(int, (thread / "children").read_text().split()))
    except FileNotFoundError:
        return None
    return frozenset(found)


def descendants(roots: set[int], processes: Mapping[int, ProcessEntry]) -> set[int]:
    """`roots` and everything that descends from them."""
    below: dict[int, list[int]] = {}
    for process in processes.values():
        below.setdefault(process.parent, []).append(process.pid)
    found, waiting = set(roots), list(roots)
    while waiting:
        fresh = [pid for pid in below.get(waiting.pop(), ()) if pid not in found]
        found.update(fresh)
        waiting.extend(fresh)
    return found


class Watch:
    """The end of one process as a future, by a pidfd: no thread, no signal handler, no other waiter disturbed."""

    def __init__(self, pid: int) -> None:
        """Watch `pid`. Raises OSError if there is no such process or no descriptor left."""
        self._loop = asyncio.get_running_loop()
        self._fd = os.pidfd_open(pid)
        self.gone: asyncio.Future[None] = self._loop.create_future()
        self._loop.add_reader(self._fd, self._fire)

    def _fire(self) -> None:
        self._loop.remove_reader(self._fd)
        if not self.gone.done():
            self.gone.set_result(None)

    def signal(self, number: signal.Signals) -> None:
        """Send it, if the process is there and may be signalled."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            signal.pidfd_send_signal(self._fd, number)

    def close(self) -> None:
        """Stop watching."""
        self._loop.remove_reader(self._fd)
        os.close(self._fd)
        self.gone.cancel()
