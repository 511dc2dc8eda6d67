"""What an API may do to its own jobs: make, change and delete them, and delete what is known of their past.

Belongs to the scheduling loop's thread. While an act is under way nothing else is planned, so that a job and its
definition come into force together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from config.definitions import Configuration, JobDefinition, Overlap
from scheduler.dispatcher import Dispatcher
from scheduler.ledger import Connection, NotFound, api_jobs, history, jobs, opening, runs, sync
from scheduler.ledger.opening import Opener
from scheduler.lifecycle import Move, State
from scheduler.model import Actor, JobRow, Kind, RunRow

AlsoJob = Callable[[Connection, JobRow], None]
AlsoRun = Callable[[Connection, RunRow], None]
"""What an API writes beside a job or run, in the same transaction; what it raises undoes both."""


class Refused(Exception):
    """The act is not possible now; its text says why and what can be done.

    Attributes:
        why: The text without what only the command line of this host can do.
    """

    def __init__(self, why: str, *, commands: str = "") -> None:
        super().__init__(f"{why}: {commands}" if commands else why)
        self.why = why


@dataclass(frozen=True, slots=True)
class JobActs:
    """The acts on jobs of APIs, over one dispatcher."""

    dispatcher: Dispatcher

    async def create(
        self,
        origin: str,
        source: Mapping[str, Any],
        actor: Actor,
        *,
        also: AlsoJob | None = None,
        begins: AlsoRun | None = None,
    ) -> JobRow:
        """Make a job, in force when this returns, with a run at once if its schedule says RunNow.

        `source` is what the dispatcher's `decode` reads, as JSON values; `actor` is its creator.
        `also` writes what else the API keeps of it, in the same transaction; with `begins` a run is opened there
        too, as by `queue`, and that is called with it.
        Raises Refused if another job has its name (case does not matter), and what `decode` raises.
        """
        async with self.dispatcher.steady:
            self._firing()
            now, configuration = self._now(), self._configuration()
            job = self.dispatcher.decode(origin, source, configuration)

            def operation(connection: Connection) -> tuple[JobRow, JobDefinition]:
                self._free(connection, job.name)
                row, anchored = sync.first(connection, job, configuration, origin=origin, at=now, actor=actor)
                api_jobs.record(connection, row.job_id, source, creator=actor.name, at=now)
                if also is not None:
                    also(connection, row)
                if begins is not None:
                    opener = Opener.of(anchored, configuration)
                    run = opening.open_asked(connection, row, opener, kind=Kind.MANUAL, at=now, actor=actor)
                    begins(connection, run)
                return row, anchored

            with self.dispatcher.changing(job):
                row, anchored = await self.dispatcher.ledger.write(operation)
            self.dispatcher.take(anchored)
        return row

    async def change(
        self,
        guid: str,
        source: Mapping[str, Any],
        *,
        run_now: bool,
        actor: Actor,
        also: AlsoJob | None = None,
    ) -> JobRow:
        """Put `source` in the place of what the job was made from, by the rules of an edited file.

        With `run_now` a run is opened at once; `also` as in `create`. Raises NotFound; Refused if another job has
        its new name, if no API made it, or if it is to run now while a run of it is active; what `decode` raises.
        """
        async with self.dispatcher.steady:
            self._firing()
            now, configuration = self._now(), self._configuration()
            before = await self.dispatcher.ledger.aread(lambda connection: _own(connection, guid))
            job = self.dispatcher.decode(before.origin, source, configuration)

            def operation(connection: Connection) -> tuple[JobRow, JobDefinition]:
                row = before
                if job.name != row.name:
                    self._free(connection, job.name, but=row)
                    row = jobs.rename(connection, row, job.name, at=now, actor=actor)
                anchored = sync.again(connection, row, job, configuration, at=now, actor=actor)
                api_jobs.change(connection, row.job_id, source, at=now)
                row = jobs.by_guid(connection, guid)
                if also is not None:
                    also(connection, row)
                if run_now:
                    idle(runs.active_of(connection, row.job_id), anchored)
                    opener = Opener.of(anchored, configuration)
                    opening.open_asked(connection, row, opener, kind=Kind.RUN_NOW, at=now, actor=actor)
                return row, anchored

            with self.dispatcher.changing(job):
                row, anchored = await self.dispatcher.ledger.write(operation)
            self.dispatcher.take(anchored, instead_of=before.name)
        return row

    async def change_each(
        self, sources: Mapping[str, Mapping[str, Any]], actor: Actor, *, also: Callable[[Connection], None]
    ) -> None:
        """Put each source in the place of what the job of its GUID was made from, all or none; names stay.

        `also` as in `create`. Raises NotFound; Refused if one of them was made by no API; what `decode` raises.
        """
        async with self.dispatcher.steady:
            self._firing()
            now, configuration = self._now(), self._configuration()
            rows = await self.dispatcher.ledger.aread(
                lambda connection: [_own(connection, guid) for guid in sources]
            )
            made = [self.dispatcher.decode(row.origin, sources[row.guid], configuration) for row in rows]

            def operation(connection: Connection) -> list[JobDefinition]:
                also(connection)
                anchored = []
                for row, job in zip(rows, made, strict=True):
                    anchored.append(sync.again(connection, row, job, configuration, at=now, actor=actor))
                    api_jobs.change(connection, row.job_id, sources[row.guid], at=now)
                return anchored

            with self.dispatcher.changing():
                anchored = await self.dispatcher.ledger.write(operation)
            for job in anchored:
                self.dispatcher.take(job)

    async def queue(self, guid: str, actor: Actor, *, also: AlsoRun) -> RunRow:
        """Open a run now, which starts when the active ones of the job have ended; ignores pause and calendars.

        `also` writes what else the API keeps of it, in the same transaction.
        Raises NotFound; Refused if the job is disabled or cannot be read.
        """
        self._firing()
        now = self._now()

        def operation(connection: Connection) -> RunRow:
            row = _own(connection, guid)
            definition = self._in_force(row)
            if not definition.enabled:
                raise Refused(f"job {row.name!r} is disabled")
            opener = self._opener(definition)
            run = opening.open_asked(connection, row, opener, kind=Kind.MANUAL, at=now, actor=actor)
            also(connection, run)
            return run

        run = await self.dispatcher.ledger.write(operation)
        self.dispatcher.mark([run.job])
        return run

    async def record(self, guid: str, actor: Actor, *, succeeded: bool, reason: str, also: AlsoRun) -> RunRow:
        """Put down a run that somebody else carried out: it has ended as `succeeded` says, just now.

        `also` as in `queue`. Raises NotFound; Refused if the job cannot be read.
        """
        now = self._now()
        state = State.SUCCEEDED if succeeded else State.FAILED

        def operation(connection: Connection) -> RunRow:
            row = _own(connection, guid)
            opener = self._opener(self._in_force(row))
            run = opening.open_posted(connection, row, opener, state=state, reason=reason, at=now, actor=actor)
            also(connection, run)
            return run

        return await self.dispatcher.ledger.write(operation)

    async def remove(self, guid: str, actor: Actor) -> None:
        """Delete a job and its history: what waits is cancelled, a running attempt finishes, its name is free.

        Raises NotFound; Refused if no API made it.
        """
        async with self.dispatcher.steady:
            now, reason = self._now(), f"the job was deleted by {actor.name}"

            def operation(connection: Connection) -> tuple[JobRow, history.Deletion]:
                row = _own(connection, guid)
                deletion = history.decide(connection, row, at=now, actor=actor)
                for run in runs.active_of(connection, row.job_id):
                    if run.state is not State.RUNNING:
                        runs.move(connection, run.run_no, Move.CANCEL, at=now, actor=actor, reason=reason)
                jobs.remove(connection, row, at=now, actor=actor)
                return row, deletion

            with self.dispatcher.changing():
                row, deletion = await self.dispatcher.ledger.write(operation)
            self.dispatcher.drop(row.name)
        await self.dispatcher.eraser.begin(deletion)

    async def delete_history(self, guid: str, actor: Actor) -> int:
        """Delete the job's ended runs, their output and all that hangs on them; returns how many there were.

        It is decided at once, and done in small steps: the last ones of very many may come after this returns.
        What is known begins now; the newest data of assets stays.
        Raises NotFound; Refused if no API made it.
        """
        now = self._now()

        def operation(connection: Connection) -> history.Deletion:
            return history.decide(connection, _own(connection, guid), at=now, actor=actor)

        async with self.dispatcher.steady:
            deletion = await self.dispatcher.ledger.write(operation)
        await self.dispatcher.eraser.begin(deletion)
        return deletion.count

    def _free(self, connection: Connection, name: str, *, but: JobRow | None = None) -> None:
        """See that no other job has this name; one that is gone from the file gives it up. Raises Refused."""
        row = jobs.holder(connection, name)
        if row is None or (but is not None and row.job_id == but.job_id):
            return
        if row.origin == sync.YAML and not row.armed and row.name not in self._configuration().jobs:
            jobs.put_aside(connection, row, "removed")
            return
        raise Refused(f"there is a job with this name already: {row.name!r} ({row.origin}); write another name")

    def _firing(self) -> None:
        if not self.dispatcher.firing:
            raise Refused("the daemon is stopping: nothing starts any more")

    def _configuration(self) -> Configuration:
        configuration = self.dispatcher.configuration
        assert configuration is not None  # noqa: S101 - installed before anybody can ask
        return configuration

    def _in_force(self, row: JobRow) -> JobDefinition:
        definition = self.dispatcher.definition(row.name)
        if definition is None:
            raise Refused(f"job {row.name!r} cannot be read: the daemon's log says why")
        return definition

    def _opener(self, definition: JobDefinition) -> Opener:
        return Opener.of(definition, self._configuration())

    def _now(self) -> datetime:
        return self.dispatcher.clock.now()


def idle(active: Sequence[RunRow], definition: JobDefinition) -> None:
    """Raise Refused, naming the run, if one of these is active and the job does not say `overlap: allow`."""
    if active and definition.overlap is not Overlap.ALLOW:
        raise busy(active[0])


def busy(run: RunRow) -> Refused:
    """What is said where an active run is in the way."""
    if run.state is State.INCOMPLETE:
        why = f"run {run.run_id} is incomplete and waits for its rerun"
        return Refused(why, commands=f"`jobsd rerun {run.run_id}` starts it now")
    return Refused(f"run {run.run_id} is {run.state}", commands=f"wait for it, or `jobsd abort {run.run_id}`")


def _own(connection: Connection, guid: str) -> JobRow:
    """The job with this GUID, which an API made. Raises NotFound, also for a deleted one; Refused."""
    row = jobs.by_guid(connection, guid)
    if row.origin == sync.YAML:
        raise Refused(f"job {row.name!r} stands in the configuration file: change it there")
    if api_jobs.get(connection, row.job_id) is None:
        raise NotFound(f"there is no job {guid}: it was deleted")
    return row
