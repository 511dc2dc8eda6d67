"""One child process, from its start to the end of everything it started."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO

from runners import points
from runners.api import Clock
from runners.local import orphans, proc
from runners.local.ending import Cause, Ending
from runners.local.environment import Account, account, child_environment, make_folder, marks, remove_folder
from runners.local.family import Family, end
from runners.local.output import Pump, Sink

_PASSING = {errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.ENOSPC, errno.EDQUOT, errno.EIO}


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What is to be run.

    Attributes:
        argv: The program and its arguments as they are passed; never a shell.
        token: The attempt's.
        environment: What is added to the names that every child has.
        identity: The part of `environment` by which the child's own are found.
        stdin: Text, or a file, or nothing.
        run_as: User, or None for the daemon's own.
    """

    argv: tuple[str, ...]
    token: str
    environment: Mapping[str, str] = field(default_factory=dict)
    identity: Mapping[str, str] = field(default_factory=dict)
    stdin: bytes | Path = b""
    run_as: str | None = None


@dataclass(frozen=True, slots=True)
class NotStarted:
    """It never ran; `passing`: the cause may go away by itself."""

    reason: str
    passing: bool


@dataclass(frozen=True, slots=True)
class Exited:
    """It ended.

    Attributes:
        code: Exit code, or minus the signal that killed it; None if it was not started or would not die.
        cause: Why it was ended; None if it ended by itself.
        unended: How many of its processes could not be ended.
    """

    code: int | None
    cause: Cause | None = None
    unended: int = 0


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a group has between TERM and KILL, and by which clock."""

    clock: Clock
    kill_after: timedelta


@dataclass(frozen=True, slots=True)
class _Child:
    popen: subprocess.Popen[bytes]
    watch: proc.Watch
    family: Family


async def run(
    program: Program, *, stdout: Sink, stderr: Sink, ending: Ending, patience: Patience
) -> Exited | NotStarted:
    """Run `program` in a session of its own until it ends or `ending` is asked for, then end all it started.

    On return, cancelled or not, nothing of it is left and nothing more comes to the sinks.
    """
    if ending.cause is not None:
        return Exited(None, ending.cause)
    async with contextlib.AsyncExitStack() as held:
        try:
            child = await _start(program, (stdout, stderr), held)
        except _CannotStartError as error:
            return NotStarted(error.reason, error.passing)
        asked = asyncio.ensure_future(ending.wait())
        try:
            await asyncio.wait({child.watch.gone, asked}, return_when=asyncio.FIRST_COMPLETED)
            cause = None if child.watch.gone.done() else ending.cause
        finally:
            asked.cancel()
            unended = await _finish(child, patience)
        return Exited(child.popen.returncode, cause, unended)


class _CannotStartError(Exception):
    def __init__(self, reason: str, *, passing: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.passing = passing


async def _start(program: Program, sinks: tuple[Sink, Sink], held: contextlib.AsyncExitStack) -> _Child:
    owner = _owner(program.run_as)
    try:
        folder = make_folder(program.token, owner)
        held.push_async_callback(asyncio.to_thread, remove_folder, folder)
        pumps: list[Pump] = []
        for sink in sinks:
            pumps.append(Pump(sink))
            held.callback(pumps[-1].close)
        with contextlib.ExitStack() as ours:
            for pump in pumps:
                ours.callback(pump.close_writing)
            stdin = ours.enter_context(_stdin(program.stdin))
            points.passing("spawn.before")
            popen = _spawn(program, owner, folder, (stdin, pumps[0].writing, pumps[1].writing))
            points.passing("spawn.after")
    except (OSError, ValueError) as error:
        raise _explained(program, error) from error
    orphans.record(popen.pid)
    try:
        family = Family(popen.pid, [marks(program.identity)], str(folder))
        watch = proc.Watch(popen.pid)
    except OSError as error:
        popen.kill()
        popen.wait()
        orphans.forget(popen.pid)
        raise _explained(program, error) from error
    held.callback(watch.close)
    return _Child(popen, watch, family)


def _owner(name: str | None) -> Account | None:
    found = None if name is None else account(name)
    if name is not None and found is None:
        raise _CannotStartError(f"there is no user {name!r} on this host (run_as)", passing=False)
    return found


def _stdin(given: bytes | Path) -> BinaryIO:
    """Open it as a file, so that a child which never reads, or closes it, disturbs nobody."""
    if isinstance(given, Path):
        return given.open("rb")
    if not given:
        return Path(os.devnull).open("rb")
    file = os.fdopen(os.memfd_create("stdin"), "w+b")
    file.write(given)
    file.seek(0)
    return file


def _spawn(
    program: Program, owner: Account | None, folder: Path, files: tuple[BinaryIO, int, int]
) -> subprocess.Popen[bytes]:
    switch = owner is not None and (os.geteuid() == 0 or owner.uid != os.geteuid())
    return subprocess.Popen(
        program.argv,
        stdin=files[0],
        stdout=files[1],
        stderr=files[2],
        cwd=folder,
        env=child_environment(program.environment, owner, folder),
        start_new_session=True,
        umask=0o077,
        user=owner.uid if owner and switch else None,
        group=owner.gid if owner and switch else None,
        extra_groups=owner.groups if owner and switch else None,
    )


def _explained(program: Program, error: OSError | ValueError) -> _CannotStartError:
    name = program.argv[0]
    if isinstance(error, ValueError):
        return _CannotStartError(f"{name!r} cannot be started: {error}", passing=False)
    if isinstance(error, PermissionError) and program.run_as is not None and os.geteuid() != 0:
        return _CannotStartError(f"this daemon may not run {name!r} as {program.run_as!r}", passing=False)
    why = os.strerror(error.errno) if error.errno else str(error)
    if isinstance(error, FileNotFoundError) and error.filename == name and Path(name).is_file():
        why = "the interpreter that its first line names is not on this host"
    about = "" if error.filename in (None, name) else f" ({os.fsdecode(error.filename)})"
    return _CannotStartError(f"{name!r} cannot be started: {why}{about}", passing=error.errno in _PASSING)


async def _finish(child: _Child, patience: Patience) -> int:
    """End what is left and wait for the child; only then may its number, and its group's, be given away."""
    unended = 0
    try:
        if not child.watch.gone.done() or orphans.possible():
            unended = await end(child.family, kill_after=patience.kill_after, clock=patience.clock)
    finally:
        if child.popen.poll() is None:
            orphans.abandon(child.popen)
        else:
            orphans.forget(child.popen.pid)
    return unended
