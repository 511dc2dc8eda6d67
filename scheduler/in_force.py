"""What is in force: the configuration, the definitions, the alarm that is set by them, and how they change."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Iterator, Mapping
from functools import partial

import structlog

from config.definitions import Configuration, JobDefinition, OnClosure
from recurrence.schedule import Schedule
from runners import points
from scheduler.alarm import Alarm, UnderCalendars
from scheduler.clock import Clock
from scheduler.definitions import Decode
from scheduler.ledger import Ledger, LedgerUnavailable, sync
from scheduler.model import CLOCK_ACTOR, Actor

_log = structlog.get_logger()


class InForce:
    """Owns what is in force. All methods belong to the scheduling loop's thread.

    While `steady` is held, what is in force does not change and nothing else is planned. `definitions` is replaced
    whole at each change: who has read it may go on with it, in any thread.
    """

    def __init__(self, ledger: Ledger, clock: Clock, decode: Decode) -> None:
        self.ledger = ledger
        self.clock = clock
        self.decode = decode
        self.configuration: Configuration | None = None
        self.definitions: Mapping[str, JobDefinition] = {}
        self.alarm = Alarm(clock, self.mark)
        self.steady = asyncio.Lock()
        self._due: set[str] = set()
        self._poke = asyncio.Event()
        self._unreadable: frozenset[str] = frozenset()
        self._coming: JobDefinition | None = None
        self._doubted = False

    async def install(self, configuration: Configuration, actor: Actor) -> None:
        """Put `configuration` in force, whole: jobs recorded and armed, what came due since marked.

        Raises LedgerUnavailable, ConfigError (a name is taken by a job of an API); what was in force stays.
        """
        async with self.steady:
            with self.changing():
                await self._install(configuration, actor)

    async def _install(self, configuration: Configuration, actor: Actor) -> None:
        at = self.clock.now()  # not before: what was planned meanwhile has moved watermarks on
        put = partial(sync.put_in_force, configuration=configuration, decode=self.decode, at=at, actor=actor)
        points.passing("install.before")
        found = await self.ledger.write(put)
        for name, reason in found.unreadable.items():
            _log.error("job_unreadable", job=name, reason=reason)
        before = {name: self.definitions[name] for name in found.unreadable if name in self.definitions}
        self.definitions = {**found.definitions, **before}
        self._unreadable = frozenset(found.unreadable.keys() - before.keys())
        self.configuration = configuration
        self._doubted = False
        armed = ((name, _when(job)) for name, job in self.definitions.items())
        self.alarm.set({name: schedule for name, schedule in armed if schedule is not None})
        self.mark(self.definitions)
        points.passing("install.after")

    async def _undoubted(self) -> None:
        """Read anew what is in force, where the ledger could not say whether it was changed; `steady` is held."""
        if self._doubted and self.configuration is not None:
            await self._install(self.configuration, CLOCK_ACTOR)

    def take(self, job: JobDefinition, *, instead_of: str | None = None) -> None:
        """Put one job in force that the ledger has already, in place of the one that was named `instead_of`."""
        definitions = dict(self.definitions)
        if instead_of is not None and instead_of != job.name:
            definitions.pop(instead_of, None)
            self.alarm.disarm(instead_of)
        definitions[job.name] = job
        self.definitions = definitions
        self._unreadable -= {job.name, instead_of}
        schedule = _when(job)
        if schedule is None:
            self.alarm.disarm(job.name)
        else:
            self.alarm.arm(job.name, schedule)
        self.mark([job.name])

    def drop(self, name: str) -> None:
        """Take one job out of force that the ledger has no more."""
        definitions = dict(self.definitions)
        definitions.pop(name, None)
        self.definitions = definitions
        self._unreadable -= {name}
        self.alarm.disarm(name)
        self._poke.set()

    @contextlib.contextmanager
    def changing(self, job: JobDefinition | None = None) -> Iterator[None]:
        """While the ledger is asked to change one job (to `job`): call it with `steady` held.

        Attempts that end meanwhile find the definition under its new name too. If the ledger cannot say whether
        it was changed, what is in force is read anew as soon as it can.
        """
        self._coming = job
        try:
            yield
        except LedgerUnavailable:
            self._doubted = True
            raise
        finally:
            self._coming = None

    def definition(self, name: str) -> JobDefinition | None:
        """The definition in force, or None."""
        return self.definitions.get(name)

    def is_unreadable(self, name: str) -> bool:
        """Whether there is a job of this name that has no definition, because its source cannot be decoded."""
        return name in self._unreadable

    def _to_be(self, name: str) -> JobDefinition | None:
        """The definition in force, or about to be."""
        coming = self._coming
        return self.definitions.get(name) or (coming if coming is not None and coming.name == name else None)

    def mark(self, names: Iterable[str]) -> None:
        """These jobs are to be looked at."""
        self._due.update(names)
        self._poke.set()


def _when(job: JobDefinition) -> Schedule | UnderCalendars | None:
    """What to wake up by, or None."""
    if not job.enabled or job.schedule is None or not job.exclude:
        return job.schedule if job.enabled else None
    moves, closing = job.on_exclude == "next-day", job.on_closure is not OnClosure.FINISH
    return UnderCalendars(job.schedule, job.closures.digest, job.closures, moves, closing)
