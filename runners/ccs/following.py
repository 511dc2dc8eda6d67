"""Following a job run to its end, and having it ended."""

from __future__ import annotations

from datetime import timedelta

from runners.api import Ended, Outcome, StopReason
from runners.ccs import memory
from runners.ccs.client import ALL
from runners.ccs.errors import CcsError, Denied, LoginRefused, Refused, Unanswered
from runners.ccs.executing import LATEST
from runners.ccs.outcomes import outcome_of
from runners.ccs.wire import JobStatus
from runners.ccs.work import JobRun, Work
from runners.patience import Pace, StopAsked, unless

PAUSES = tuple(timedelta(seconds=seconds) for seconds in (1, 2, 4, 8))
"""After each look that is refused or does not show the job run; it may be at work all the same."""

CONFIRMING = timedelta(minutes=5)
"""How long an abort may take until the job run has ended."""

SOON = timedelta(seconds=15)
"""The longest pause between two looks while that is waited for."""


class Vanished(CcsError):
    """The server no longer lists the job run."""


class Following:
    """One job run, as this attempt sees it."""

    def __init__(self, work: Work, run: JobRun, *, known: str | None = None) -> None:
        """`known` is the status that is remembered, as text."""
        self._work = work
        self._run = run
        self._known = known

    async def look(self) -> JobStatus:
        """Its status, once there is an answer. Raises Vanished, Silent, Denied, Refused."""
        status = await self._status()
        text = memory.status_text(status)
        if text != self._known:
            await self._work.execution.memory.put({memory.STATUS: text})
            self._known = text
        return status

    async def to_its_end(self) -> Outcome:
        """Look again and again until it has ended, or this execution is asked to stop.

        Raises:
            Vanished, Silent, Denied, Refused: As `look`.
        """
        stop, clock, pace = self._work.execution.stop, self._work.execution.clock, Pace(self._work.run.poll)
        try:
            while not stop.requested:
                status = await unless(stop, self.look())
                if status.ended:
                    return outcome_of(status, asked=False)
                await unless(stop, clock.sleep(pace()))
        except StopAsked:
            pass
        except CcsError:
            if not stop.requested:  # asked for at the same moment: it has to be ended all the same
                raise
        return await self.ended()

    async def ended(self) -> Outcome:
        """The outcome after a stop: the job run is aborted, and seen to have ended; it goes on over a shutdown."""
        if self._work.execution.stop.reason is StopReason.SHUTDOWN:
            return Outcome(Ended.STOPPED, "the job run goes on at the server and is found again at the next start")
        try:
            return await self._aborted()
        except CcsError as error:
            return self._unconfirmed(str(error))

    async def _aborted(self) -> Outcome:
        clock, pace = self._work.execution.clock, Pace(min(self._work.run.poll, SOON))
        until, taken, why = clock.now() + CONFIRMING, False, ""
        while clock.now() < until:
            try:
                if not taken:
                    await self._work.client.abort(self._run.run_id)
                    taken = True
            except (Unanswered, Refused, Denied) as error:  # refused, too, where it has just ended
                why = str(error)
            status = await self.look()
            if status.ended:
                return outcome_of(status, asked=True)
            await clock.sleep(pace())
        return self._unconfirmed(why or f"it was taken, and the status is still {status.status.name.lower()}")

    def _unconfirmed(self, why: str) -> Outcome:
        run = self._work.execution
        run.report.warn(
            "ccs_abort_unconfirmed", server=self._work.run.server, ccs_run=self._run.run_id, reason=why
        )
        reason = f"the abort of the job run {self._run.run_id} is not confirmed: {why}"
        return Outcome(Ended.STOPPED, reason, unsettled=True)

    async def _status(self) -> JobStatus:
        """One odd answer (a server that is being restarted) is not the end of work that goes on."""
        for pause in PAUSES:
            try:
                return await self._work.patience.answer(self._listed)
            except LoginRefused:
                raise
            except (Vanished, Refused, Denied):
                await self._work.execution.clock.sleep(pause)
        return await self._work.patience.answer(self._listed)

    async def _listed(self) -> JobStatus:
        for count in (1, LATEST, ALL):  # the newest is nearly always ours
            runs = await self._work.client.job_runs(self._run.job_id, count)
            own = next((run for run in runs if run.job_run_id == self._run.run_id), None)
            if own is not None or len(runs) < count:
                break
        if own is None:
            raise Vanished(f"the server no longer lists the job run {self._run.run_id}")
        return own
