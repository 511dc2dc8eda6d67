"""Carrying out `run.ccs`: the job made ready, executed once, followed, and ended at a stop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from config.definitions import CcsRun, CcsServer
from runners.api import Ended, Execution, Outcome, StopReason
from runners.ccs import memory, own
from runners.ccs.client import Client
from runners.ccs.errors import CcsError, Denied, Refused, Unanswered
from runners.ccs.executing import begun, execute
from runners.ccs.following import Following, Vanished
from runners.ccs.outcomes import outcome_of
from runners.ccs.patience import Patience, Silent
from runners.ccs.sessions import Sessions
from runners.ccs.wire import JobStatus, Status
from runners.ccs.work import Claims, JobRun, Work
from runners.patience import StopAsked, unless_shutdown

_NOT_BEGUN = Outcome(Ended.STOPPED, "nothing was executed on the server")
_TO_BE_FOUND = Outcome(Ended.STOPPED, "what was executed on the server is found again at the next start")


class CcsRunner:
    """Executes a job of a CCS server."""

    def __init__(self, run: CcsRun, sessions: Sessions, claims: Claims) -> None:
        self._run = run
        self._sessions = sessions
        self._claims = claims

    async def execute(self, execution: Execution) -> Outcome:
        """Execute the job once for this run, or follow what an earlier attempt has executed."""
        name = self._run.server
        server = execution.configuration.servers[name]
        assert isinstance(server, CcsServer)  # noqa: S101 - the configuration is checked
        async with self._sessions.use(name, server, folder=execution.configuration.folder) as session:
            patience = Patience(name, execution.clock, execution.report, execution.stop, most=self._run.poll)
            work = Work(self._run, server, execution, Client(session), patience, self._claims)
            try:
                outcome = await _carried_out(work)
            except CcsError as error:
                outcome = Outcome(Ended.FAILED, str(error), retryable=_passing(error))
            finally:
                self._disclaim(execution.run_id)
        return replace(outcome, reason=f"{name}: {outcome.reason}") if outcome.reason else outcome

    def _disclaim(self, run_id: str) -> None:
        for job_run in [one for one, owner in self._claims.job_runs.items() if owner == run_id]:
            del self._claims.job_runs[job_run]


async def _carried_out(work: Work) -> Outcome:
    stop = work.execution.stop
    try:
        # Not cut off by a stop: what was sent must be known to be ended.
        run = await unless_shutdown(stop, _begin(work))
    except StopAsked as error:
        return _TO_BE_FOUND if error.reason is StopReason.SHUTDOWN else _NOT_BEGUN
    if isinstance(run, Outcome):
        return run
    try:
        return await Following(work, run).to_its_end()
    except (Silent, Denied, Refused) as error:
        reason = f"{error}; the job run {run.run_id} may still be at work"
        return Outcome(Ended.FAILED, reason, retryable=_passing(error))


async def _begin(work: Work) -> JobRun | Outcome:
    """The job run of this run: an earlier attempt's that is at work or done, else a new one. Raises StopAsked."""
    remembered = await work.execution.memory.read()
    earlier = await begun(work, remembered)
    if earlier is not None:
        status = await _status(work, earlier, remembered)
        if status is not None and not status.ended:
            return earlier
        if status is not None and (status.status is Status.COMPLETED or not _again(work, remembered)):
            return outcome_of(status, asked=False)
        remembered = {}
    if work.execution.stop.requested:
        raise StopAsked(work.execution.stop.reason)
    job_id = work.run.job.lower() if work.run.job is not None else await own.ensure(work)
    if work.execution.stop.requested:
        raise StopAsked(work.execution.stop.reason)
    return await execute(work, job_id, remembered)


def _again(work: Work, remembered: Mapping[str, str]) -> bool:
    """Whether to execute anew in place of a job run that ended badly.

    A failure that has been told is what a retry is there for; a rerun is there for any, and a stop begins nothing.
    """
    told = work.execution.told >= int(remembered.get(memory.EXECUTED_IN, "0"))
    return told or work.execution.rerun or work.execution.stop.requested


async def _status(work: Work, run: JobRun, remembered: Mapping[str, str]) -> JobStatus | None:
    """How an earlier attempt's job run is now; None if the server knows it no more."""
    try:
        return await Following(work, run, known=remembered.get(memory.STATUS)).look()
    except Vanished:
        return None
    except Refused as error:
        if error.unknown:
            return None
        raise


def _passing(error: CcsError) -> bool:
    """Whether trying again may help: 400 may mean that a run of the job is active."""
    return isinstance(error, Unanswered | Silent) or (isinstance(error, Refused) and error.status != 404)
