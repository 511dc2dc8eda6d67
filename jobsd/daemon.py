"""The daemon: its parts put together, brought up, reloaded and brought down.

`Daemon` is the same object under systemd and in the tests, which drive it with a manual clock.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import socket
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from config import ConfigError
from config.calendars.expanded import foretell
from config.definitions import Configuration, Settings
from jobsd.decoding import complaint, decode
from jobsd.heartbeat import Heart
from jobsd.http.health import readiness
from jobsd.http.layer import Layer
from jobsd.http.sde import telling, uploads
from jobsd.http.sde.incoming import FOLDER
from jobsd.http.sde.tasks import ServedTasks
from jobsd.http.server import HttpServer
from jobsd.http.service import Service
from jobsd.http.tls import BadCertificate, Proven
from jobsd.notify import Postman
from jobsd.state import CERTIFICATE, write_private
from jobsd.systemd import Notifier
from runners.api import StopReason
from runners.local.leftovers import end_leftovers
from runners.local.orphans import become_subreaper, reap_orphans
from runners.registry import Runners
from scheduler.clock import Clock, stopwatch
from scheduler.control import Control
from scheduler.dispatcher import Dispatcher
from scheduler.journal import to_log
from scheduler.ledger import Ledger, LedgerUnavailable, StaleMove, api_jobs
from scheduler.model import Actor, By
from scheduler.outbox import Courier
from scheduler.recovery import recover
from scheduler.retention import Retention

STALE_S = 10.0
"""The scheduling loop is taken for dead when APScheduler has not moved for this long."""

LAST_WORD_S = 10.0
"""Beyond `kill_after`, how long interrupted attempts may take to write down how they ended."""

RENEW = timedelta(days=21)
"""How long before a certificate's end the log asks for a new one, at each start and reload."""

_log = structlog.get_logger()


class Daemon:
    """One daemon over one state folder.

    Attributes:
        url: Where its HTTP listener is; empty until it is up.
        token: The control token of the local user.
    """

    def __init__(
        self,
        configuration: Configuration,
        ledger_path: Path,
        clock: Clock,
        *,
        notifier: Notifier | None = None,
        layer: Layer | None = None,
    ) -> None:
        """Open the ledger; `layer` goes around the HTTP application.

        Raises LedgerLocked, LedgerTooNew, LedgerUnavailable.
        """
        self._first = configuration
        self.clock = clock
        self.folder = ledger_path.parent
        self.notifier = notifier or Notifier({})
        self.ledger = Ledger(ledger_path)
        self.ledger.listen(to_log)
        owner = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        served = ServedTasks(self.ledger, lambda: self.configuration, self.folder, os.environ)
        self.runners = Runners(os.environ, served)
        self.dispatcher = Dispatcher(
            self.ledger, clock, self.folder, owner=owner, runner_for=self.runners.runner_for, decode=decode
        )
        self.control = Control(self.dispatcher)
        self._postman = Postman(lambda: self.configuration, self.dispatcher.definition, clock, self.ledger)
        self.courier = Courier(self.ledger, clock, self._postman, self.dispatcher.definition)
        self._heart = Heart(clock, lambda: self._settings().heartbeat, self._unready)
        self.retention = Retention(
            self.ledger,
            clock,
            self.dispatcher.eraser,
            self.dispatcher.executor.output,
            self.folder / FOLDER,
            lambda: self._settings().retention,
        )
        self.token = secrets.token_urlsafe(32)
        self.url = ""
        self._layer = layer
        self._http: HttpServer | None = None
        self._service: Service | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._fed_at = 0.0

    async def start(self, *, driven: bool = False) -> None:
        """Bring everything up; READY is sent at the end. `driven` leaves the scheduling loop to the caller.

        Raises LedgerUnavailable; OSError if the address is taken.
        """
        become_subreaper()
        now = self.clock.now()
        await asyncio.to_thread(_foretell, self._first, now)
        await self.dispatcher.install(self._first, Actor("jobsd", By.CLOCK))
        await recover(self.ledger, self.dispatcher.definitions, end_leftovers=self._end_leftovers, at=now)
        await asyncio.to_thread(uploads.tidy, self.folder, self.ledger)
        self._serve(now)
        self.dispatcher.alarm.start()
        self._tasks.append(asyncio.create_task(reap_orphans(self.clock), name="orphans"))
        self._tasks.append(asyncio.create_task(self.courier.run(), name="courier"))
        self._tasks.append(asyncio.create_task(self.retention.run(), name="retention"))
        if not driven:
            self._tasks.append(asyncio.create_task(self.dispatcher.run(self._beat), name="dispatcher"))
        self._tasks.append(asyncio.create_task(self._heart.run(), name="heart"))
        self.notifier.ready(self._summary())
        _log.info(
            "daemon_ready", url=self.url, jobs=len(self.dispatcher.definitions), ledger=str(self.ledger.path)
        )
        await self._tell_unfit()

    async def reload(self, read: Callable[[], Configuration], actor: Actor) -> bool:
        """Put what `read` gives in force, whole, or keep what is in force and say why; whether it was taken.

        `read` raises ConfigError for a faulty file.
        """
        self.notifier.reloading()
        try:
            configuration, proven = await asyncio.to_thread(self._read, read)
            await self.dispatcher.install(configuration, actor)
        except ConfigError as error:
            for fault in error.faults:
                _log.error("reload_refused", reason=str(fault))
        except LedgerUnavailable as error:
            _log.error("reload_refused", reason=f"the ledger cannot be written: {error}")
        except BadCertificate as error:
            _log.error("reload_refused", reason=str(error))
        else:
            if self._http is not None:
                self._http.show(proven)
                self._tell_certificate(self._http)
            _log.info("reloaded", jobs=len(self.dispatcher.definitions))
            self._heart.wake()
            await self._tell_unfit()
            self.notifier.ready(self._summary())
            return True
        self.notifier.ready(self._summary() + " (the last reload was refused: see the log)")
        return False

    async def stop(self) -> None:
        """Fire no more, let attempts finish up to `stop_timeout`, interrupt the rest, close everything."""
        self.notifier.stopping()
        for task in self._tasks:
            if task.get_name() == "heart":  # from now on nothing is fired: that is not to be called alive
                task.cancel()
        await self.dispatcher.stop_firing()
        settings = self._settings()
        executor = self.dispatcher.executor
        _log.info(
            "daemon_stopping",
            running=len(executor.running()),
            stop_timeout_s=settings.stop_timeout.total_seconds(),
        )
        drained = asyncio.ensure_future(executor.drain())
        patience = asyncio.ensure_future(self.clock.sleep(settings.stop_timeout))
        await asyncio.wait({drained, patience}, return_when=asyncio.FIRST_COMPLETED)
        patience.cancel()
        # asked at once; that it goes on record may take as long as the ledger is locked
        asked = [asyncio.create_task(self._interrupt(run_no)) for run_no in executor.running()]
        await asyncio.wait({drained}, timeout=settings.kill_after.total_seconds() + LAST_WORD_S)
        drained.cancel()
        for task in (*asked, *self._tasks):
            task.cancel()
        await asyncio.gather(*asked, *self._tasks, return_exceptions=True)
        await executor.abandon()
        await self.runners.aclose()
        await self.dispatcher.eraser.stop()
        await self.courier.stop()
        await self._postman.aclose()
        if self._http is not None:
            await asyncio.to_thread(self._http.stop)
        for name in ("token", "url", CERTIFICATE):  # while the folder is ours: the next daemon writes its own
            with contextlib.suppress(OSError):  # a read-only disk: they are not valid any more
                (self.folder / name).unlink(missing_ok=True)
        await asyncio.to_thread(self.ledger.close)
        _log.info("daemon_stopped")

    async def failed(self) -> None:
        """Return (raising what it raised) if the scheduling loop ever ends by itself."""
        loops = [task for task in self._tasks if task.get_name() == "dispatcher"]
        await asyncio.wait(loops)  # not gather: whoever stops waiting must not end them
        for loop in loops:
            loop.result()

    def _serve(self, now: datetime) -> None:
        self._service = Service(
            ledger=self.ledger,
            dispatcher=self.dispatcher,
            control=self.control,
            loop=asyncio.get_running_loop(),
            folder=self.folder,
            started_at=now,
        )
        self._http = HttpServer(self._service, self._settings().http, token=self.token, layer=self._layer)
        self.url = self._http.start()
        self._tell_certificate(self._http)
        write_private(self.folder / "token", self.token)
        write_private(self.folder / "url", self.url)

    def _read(self, read: Callable[[], Configuration]) -> tuple[Configuration, Proven | None]:
        """What is to come in force, and its certificate, tried out. Raises ConfigError, BadCertificate."""
        configuration = read()
        _foretell(configuration, self.clock.now())
        return configuration, HttpServer.prove(configuration)

    def _tell_certificate(self, http: HttpServer) -> None:
        """Leave the listener's certificate where the command line of this host looks for it."""
        if http.proven is None:
            (self.folder / CERTIFICATE).unlink(missing_ok=True)  # a daemon that was killed may have left one
            return
        write_private(self.folder / CERTIFICATE, http.proven.certificate)
        if http.proven.expires_at < self.clock.now() + RENEW:
            _log.warning("certificate_expires", expires_at=http.proven.expires_at.isoformat())

    async def _tell_unfit(self) -> None:
        """Warn of what an API has that the file no longer fits: runs and calls would be the first to say so."""
        configuration = self.configuration
        await asyncio.to_thread(telling.tell, self.ledger, configuration, os.environ)
        try:
            made = await self.ledger.aread(api_jobs.every)
        except LedgerUnavailable:  # the scheduling loop tells it
            return

        def look() -> list[tuple[str, str]]:
            found = [(row.name, complaint(row.origin, job.source, configuration)) for row, job in made]
            return [(name, reason) for name, reason in found if reason]

        for name, reason in await asyncio.to_thread(look):
            _log.warning("job_unfit", job=name, reason=reason)

    async def _end_leftovers(self, tokens: Collection[str]) -> int:
        return await end_leftovers(tokens, kill_after=self._first.settings.kill_after, clock=self.clock)

    @property
    def configuration(self) -> Configuration:
        """What is in force; before the start, what will be."""
        return self.dispatcher.configuration or self._first

    def _settings(self) -> Settings:
        return self.configuration.settings

    async def _interrupt(self, run_no: int) -> None:
        """Ask an attempt to stop; it is asked also if the ledger cannot take that down."""
        reason = "the daemon stops"
        with contextlib.suppress(LedgerUnavailable, StaleMove):
            await self.dispatcher.request_stop(run_no, StopReason.SHUTDOWN, reason, Actor("jobsd", By.SIGNAL))

    def _unready(self) -> list[str]:
        """Why the daemon does not do its work, as /readyz says."""
        return ["the daemon is starting"] if self._service is None else readiness(self._service).reasons

    def _beat(self) -> None:
        """Feed systemd's watchdog from the scheduling loop; until the stop, only while APScheduler moves too."""
        if self.dispatcher.firing and stopwatch() - self.dispatcher.alarm.moved_at > STALE_S:
            return
        if self.notifier.watchdog_s is not None and stopwatch() - self._fed_at >= self.notifier.watchdog_s / 4:
            self._fed_at = stopwatch()
            self.notifier.alive()

    def _summary(self) -> str:
        return f"{len(list(self.dispatcher.alarm.names))} jobs armed, {self.url}"


def _foretell(configuration: Configuration, now: datetime) -> None:
    """Have calendars told before the scheduling loop asks."""
    foretell((job.closures for job in configuration.jobs.values()), now)
