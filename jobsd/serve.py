"""`jobsd run`: the daemon as a process. Signals, exit codes, what is printed."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import structlog

from config import ConfigError
from config.definitions import Configuration
from config.lint import without_effect
from jobsd import log
from jobsd.daemon import Daemon
from jobsd.http.layer import Layer
from jobsd.loading import load
from jobsd.state import UnsupportedLedger, ledger_path
from jobsd.systemd import Notifier
from scheduler.clock import Clock, SystemClock
from scheduler.ledger import LedgerError
from scheduler.model import Actor, By

_log = structlog.get_logger()


def run_daemon(
    path: Path,
    *,
    state: Path | None = None,
    listen: str | None = None,
    layer: Layer | None = None,
    clock: Clock | None = None,
) -> int:
    """Run the daemon on the file at `path` until it is told to stop; returns the process's exit code.

    `state` replaces the configured ledger by STATE/ledger.db, `listen` replaces `settings.http.listen`;
    `layer` goes around the HTTP application; `clock` is the machine's by default.
    0: stopped as asked. 1: refused (faults on standard error), or the scheduling loop died.
    """
    log.configure()
    _more_files()
    _no_core()
    os.umask(0o077)

    def read() -> Configuration:
        return _overridden(load(path), state=state, listen=listen)

    try:
        configuration = read()
        ledger = ledger_path(configuration.settings, os.environ)
        if layer is not None:
            layer.claim(ledger)
    except ConfigError as error:
        _tell(error)
        return 1
    except UnsupportedLedger as error:
        print(f"{path}: {error}", file=sys.stderr)  # noqa: T201 - likewise
        return 1
    return asyncio.run(_serve(path, configuration, ledger, read, layer, clock or SystemClock()))


def _tell(error: ConfigError) -> None:
    for fault in error.faults:
        print(fault, file=sys.stderr)  # noqa: T201 - a refusal is for whoever started it


def _no_core() -> None:
    """Have no crash, ours or a child's, leave a file with what is in memory: passwords, keys.

    A child that wants one may still ask for it.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, hard))


def _more_files() -> None:
    """Allow as many open files as the machine lets us: each asset at work holds a handful."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _overridden(configuration: Configuration, *, state: Path | None, listen: str | None) -> Configuration:
    settings = configuration.settings
    if state is not None:
        settings = settings.model_copy(update={"ledger": f"sqlite:///{state.resolve() / 'ledger.db'}"})
    if listen is not None:
        settings = settings.model_copy(update={"http": settings.http.model_copy(update={"listen": listen})})
    return replace(configuration, settings=settings)


async def _serve(
    path: Path,
    first: Configuration,
    ledger: Path,
    read: Callable[[], Configuration],
    layer: Layer | None,
    clock: Clock,
) -> int:
    loop = asyncio.get_running_loop()
    told = asyncio.Event()
    hangups: asyncio.Queue[None] = asyncio.Queue()
    terminal = _terminal()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    loop.add_signal_handler(signal.SIGHUP, hangups.put_nowait, None)
    _warn(first)
    try:
        daemon = Daemon(first, ledger, clock, notifier=Notifier(), layer=layer)
    except LedgerError as error:
        _log.error("start_refused", reason=str(error))
        return 1
    try:
        await daemon.start()
    except ConfigError as error:  # a name in it is taken by a job of the ledger
        _tell(error)
        await daemon.stop()
        return 1
    except (LedgerError, OSError) as error:
        _log.error("start_refused", reason=str(error))
        await daemon.stop()
        return 1
    if sys.stdout.isatty():
        print(f"\njobsd runs {path}: {daemon.url}  (Ctrl-C stops it)\n")  # noqa: T201 - for the person who started it
    reloading = asyncio.create_task(_reload_on(hangups, daemon, path, read, told, terminal))
    stopping, dead = asyncio.create_task(told.wait()), asyncio.create_task(daemon.failed())
    await asyncio.wait({stopping, dead}, return_when=asyncio.FIRST_COMPLETED)
    failure = dead.exception() if dead.done() and not dead.cancelled() else None
    for task in (reloading, stopping, dead):
        task.cancel()
    if failure is not None:
        _log.error("scheduling_loop_died", exc_info=failure)
    await daemon.stop()
    return 0 if told.is_set() else 1


async def _reload_on(
    hangups: asyncio.Queue[None],
    daemon: Daemon,
    path: Path,
    read: Callable[[], Configuration],
    told: asyncio.Event,
    terminal: int | None,
) -> None:
    """Reload at every SIGHUP; where the terminal that we were started on is gone, end instead."""
    while True:
        await hangups.get()
        if terminal is not None and _gone(terminal):
            told.set()
        elif await daemon.reload(read, Actor("SIGHUP", By.SIGNAL, str(path))):
            _warn(daemon.configuration)


def _terminal() -> int | None:
    """A descriptor of the terminal that the daemon was started on; None under a service manager."""
    return next((stream.fileno() for stream in (sys.stdin, sys.stdout) if stream and stream.isatty()), None)


def _gone(terminal: int) -> bool:
    """Whether the terminal was closed: its SIGHUP means the end, and no reload."""
    try:
        os.tcgetpgrp(terminal)
    except OSError:
        return True
    return False


def _warn(configuration: Configuration) -> None:
    for warning in (*configuration.warnings, *without_effect(configuration)):
        _log.warning("configuration_warning", reason=warning)
