"""What an operator or an API may do to jobs and runs. Belongs to the scheduling loop's thread.

Each act is refused with a reason an operator can use, or is in the ledger when it returns.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from config.definitions import JobDefinition
from runners.api import StopReason
from scheduler.jobacts import JobActs, Refused, busy, idle
from scheduler.ledger import Connection, NotFound, StaleMove, assets, jobs, opening, runs
from scheduler.lifecycle import FINAL, Move, State
from scheduler.model import Actor, Cause, JobRow, Kind, RunRow
from scheduler.planner.actions import Open
from scheduler.planner.due import plan_due
from scheduler.traits import traits_of

__all__ = ["Control", "Refused", "Resumed"]


@dataclass(frozen=True, slots=True)
class Resumed:
    """A job whose pause was ended, and the run that was asked for in place of what it passed over, if any was."""

    job: JobRow
    run: RunRow | None


@dataclass(frozen=True, slots=True)
class Control(JobActs):
    """The acts, over one dispatcher; those on jobs of an API are in `JobActs`."""

    async def trigger(self, job: str, actor: Actor) -> RunRow:
        """Open and start a run now; ignores pause and calendars.

        Raises NotFound; Refused while a run of the job is active (unless `overlap: allow`), naming it.
        """
        self._firing()
        definition, now = self._definition(job), self._now()
        opener = self._opener(definition)

        def operation(connection: Connection) -> RunRow:
            row = jobs.named(connection, definition.name)
            active = runs.active_of(connection, row.job_id)
            idle(active, definition)
            return opening.open_asked(connection, row, opener, kind=Kind.MANUAL, at=now, actor=actor)

        return await self._looked_at(await self.dispatcher.ledger.write(operation))

    async def abort(self, run_id: str, actor: Actor) -> RunRow:
        """Cancel a run: a waiting one at once, one at work, here or elsewhere, as soon as its work has ended.

        Aborting a cancelled run again changes nothing. Raises NotFound; Refused for any other final run.
        """
        now, reason = self._now(), f"aborted by {actor.name}"

        def operation(connection: Connection) -> RunRow:
            run = runs.by_guid(connection, run_id)
            if run.state is State.CANCELLED:
                return run
            if run.state in FINAL:
                raise Refused(f"run {run.run_id} has ended already: {run.state}")
            if run.state is State.RUNNING or self._at_work_elsewhere(run):
                stop = StopReason.CANCEL.value
                return runs.request_stop(connection, run.run_no, at=now, stop=stop, reason=reason, actor=actor)
            return runs.move(connection, run.run_no, Move.CANCEL, at=now, actor=actor, reason=reason)

        run = await self.dispatcher.ledger.write(operation)
        if run.state is State.RUNNING:
            self.dispatcher.executor.request_stop(run.run_no, StopReason.CANCEL)
        return await self._looked_at(run)

    async def pause(self, job: str, *, until: datetime | None, note: str | None, actor: Actor) -> JobRow:
        """Pause: each occurrence becomes skipped, reruns are dropped, running attempts finish.

        `until` is aware and exclusive. Raises NotFound; Refused where `until` is not in the future.
        """
        now = self._now()
        if until is not None and until <= now:
            raise Refused(f"a pause until {until.isoformat()} would be over already")

        definition = self.dispatcher.definition(job)

        def operation(connection: Connection) -> JobRow:
            row = jobs.named(connection, job)
            if row.paused_until is not None and row.paused_until <= now:  # that pause is over: this is another one
                row = jobs.resume(
                    connection, self._planned(connection, definition, row, now, actor), at=now, actor=actor
                )
            return jobs.pause(connection, row, until=until, note=note, at=now, actor=actor)

        return await self.dispatcher.ledger.write(operation)

    async def resume(self, job: str, actor: Actor, *, catch_up: bool = False) -> Resumed:
        """End the pause; nothing is replayed, unless `catch_up` asks for one run in place of what was passed over.

        Raises NotFound; Refused if the job is not paused, or it is to catch up and a run of it is active or it is
        disabled: then the pause goes on.
        """
        now = self._now()
        definition = self.dispatcher.definition(job)

        def operation(connection: Connection) -> Resumed:
            row = jobs.named(connection, job)
            if row.paused_at is None:
                raise Refused(f"job {row.name!r} is not paused")
            planned = self._planned(connection, definition, row, now, actor)
            resumed = jobs.resume(connection, planned, at=now, actor=actor)
            run = self._in_place(connection, row, row.paused_at, now, actor) if catch_up else None
            return Resumed(resumed, run)

        resumed = await self.dispatcher.ledger.write(operation)
        self.dispatcher.mark([resumed.job.name])
        return resumed

    def _in_place(
        self, connection: Connection, row: JobRow, paused_at: datetime, now: datetime, actor: Actor
    ) -> RunRow | None:
        """One run for all that the pause since `paused_at` has passed over; None if that is nothing."""
        self._firing()
        definition = self._definition(row.name)
        idle(runs.active_of(connection, row.job_id), definition)
        skipped = runs.last_paused(connection, row.job_id, since=paused_at)
        if skipped is None:
            return None
        opener, kind = self._opener(definition), Kind.MANUAL
        return opening.open_asked(
            connection, row, opener, kind=kind, at=now, actor=actor, parent_run=skipped.run_id
        )

    async def rerun(self, run_id: str, actor: Actor) -> RunRow:
        """Attempt now what is left: of an incomplete run itself, of a final one in a new run.

        Raises NotFound; Refused if nothing is left, or a run of the job is active.
        """
        run = await self.dispatcher.ledger.aread(lambda connection: runs.by_guid(connection, run_id))
        if run.state is State.INCOMPLETE:
            return await self._start(run, actor)
        self._firing()
        definition, now = self._definition(run.job), self._now()
        opener = self._opener(definition)

        def operation(connection: Connection) -> RunRow:
            row = jobs.named(connection, run.job)
            active = runs.active_of(connection, row.job_id)
            if active and active[0].run_no == run.run_no:
                raise busy(run)
            idle(active, definition)
            left = assets.left(connection, run.run_no)
            if run.has_assets and not left:
                raise Refused(f"run {run.run_id} has no assets left: {run.state}")
            return opening.open_asked(
                connection, row, opener, kind=Kind.MANUAL, at=now, actor=actor, assets=left, parent_run=run.run_id
            )

        return await self._looked_at(await self.dispatcher.ledger.write(operation))

    async def _start(self, run: RunRow, actor: Actor) -> RunRow:
        """An attempt of an incomplete run, now."""
        async with self.dispatcher.steady:
            self._firing()
            definition = self._definition(run.job)
            active = await self.dispatcher.ledger.aread(lambda connection: runs.active_of(connection, run.job_id))
            working = [other for other in active if other.state is State.RUNNING]
            idle(working, definition)
            try:
                started = await self.dispatcher.start(run.run_no, Cause.MANUAL, self._now(), actor=actor)
            except StaleMove as error:
                raise Refused(str(error)) from error
        return started.run

    def _at_work_elsewhere(self, run: RunRow) -> bool:
        """Whether what an attempt has begun may go on though none is under way: it has to be ended there."""
        definition = self.dispatcher.definition(run.job)
        if run.state is not State.RETRYING or definition is None:
            return False
        return traits_of(definition.run).ended_elsewhere

    def _planned(
        self, connection: Connection, definition: JobDefinition | None, row: JobRow, now: datetime, actor: Actor
    ) -> JobRow:
        """The job with rows for all that came due by now, the present pause included."""
        if definition is None or not definition.enabled:
            return row
        while True:
            planned = plan_due(definition, row, runs.active_of(connection, row.job_id), now)
            opened = [action for action in planned if isinstance(action, Open)]
            if not opened:
                return row
            for action in opened:
                opening.open_due(connection, action, self._opener(definition), at=now, actor=actor)
            row = jobs.named(connection, row.name)

    def _definition(self, job: str) -> JobDefinition:
        definition = self.dispatcher.definition(job)
        if definition is None:
            raise NotFound(f"there is no job {job!r}")
        if not definition.enabled:
            raise Refused(f"job {job!r} is disabled (`enabled: false`)")
        return definition

    async def _looked_at(self, run: RunRow) -> RunRow:
        self.dispatcher.mark([run.job])
        return run
