"""Carrying out `run.sde`: a job initiated once, and watched until it is ready."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from config.definitions import SdeRun, SdeServer
from runners.api import Ended, Execution, Outcome, StopReason
from runners.patience import StopAsked, unless_shutdown
from runners.sde import memory
from runners.sde.asking import Asking, Claims, DeadlinePassedError, Silent
from runners.sde.clients import Clients
from runners.sde.errors import Refused
from runners.sde.initiating import begun, initiate
from runners.sde.looking import GoneError, look, until_ready
from runners.sde.outcomes import goes_on, may_pass, outcome_of, overdue
from runners.sde.wire import Job, JobState
from runners.sde.work import Work
from runners.web import Unreachable


class SdeRunner:
    """Initiates a job of an SDE connection."""

    def __init__(self, run: SdeRun, clients: Clients, claims: Claims) -> None:
        self._run = run
        self._clients = clients
        self._claims = claims

    async def execute(self, execution: Execution) -> Outcome:
        """Initiate one job for this run, or watch the one that an earlier attempt has initiated."""
        name = self._run.server
        server = execution.configuration.servers[name]
        assert isinstance(server, SdeServer)  # noqa: S101 - the configuration is checked
        client = self._clients.of(name, server, execution.configuration.folder)
        asking = Asking(execution, name, client, self._claims, self._run.poll)
        outcome = await _carried_out(Work(self._run, execution, asking))
        return replace(outcome, reason=f"{name}: {outcome.reason}") if outcome.reason else outcome


async def _carried_out(work: Work) -> Outcome:
    try:
        # Not cut off by a stop: whether something was initiated has to be known, if it can be.
        job = await unless_shutdown(work.execution.stop, _begin(work))
    except StopAsked:
        return await _stopped(work)
    except Refused as error:
        return Outcome(Ended.FAILED, str(error), retryable=may_pass(error))
    except (Unreachable, Silent) as error:
        sent = memory.SENT in _of_this(work, await work.execution.memory.read())
        words = "whether a job was initiated is not known" if sent else "nothing was initiated"
        return Outcome(Ended.FAILED, f"{words}: {error}", retryable=True)
    return job if isinstance(job, Outcome) else await _watched(work, job)


async def _begin(work: Work) -> Job | Outcome:
    """The job of this run: an earlier attempt's, unless that ended badly or is gone, else a new one."""
    remembered = await work.execution.memory.read()
    earlier = await begun(work, remembered)
    if earlier is not None:
        try:
            job = await look(work.asking, work.kind, earlier)
        except GoneError:
            job = None
        if job is not None and not job.ready:
            return job
        if job is not None and (job.state is JobState.SUCCEEDED or not _again(work, remembered)):
            await work.execution.memory.put(work.seen(job))
            return outcome_of(job)
        remembered = {}
    if work.execution.stop.requested:
        raise StopAsked(work.execution.stop.reason)
    return await initiate(work, remembered)


def _again(work: Work, remembered: Mapping[str, str]) -> bool:
    """Whether another is initiated in place of a job that ended badly.

    A failure that has been told is what a retry is there for; a rerun is there for any.
    """
    seen_in = int(remembered.get(memory.FAILED_IN, "0"))
    return work.execution.rerun or 0 < seen_in <= work.execution.told


async def _watched(work: Work, job: Job) -> Outcome:
    """The outcome of a job that was initiated."""
    remembered = await work.execution.memory.read()
    known = remembered.get(memory.STATUS)

    async def seen(job: Job) -> None:
        nonlocal known
        if job.state.value != known:
            known = job.state.value
            await work.execution.memory.put(work.seen(job))

    until = datetime.fromisoformat(remembered[memory.SENT]) + work.limit
    try:
        return outcome_of(await until_ready(work.asking, work.kind, job, until=until, seen=seen))
    except StopAsked:
        return await _stopped(work)
    except DeadlinePassedError:
        return Outcome(Ended.FAILED, overdue(job.id, work.limit, begun="initiated"), unsettled=True)
    except GoneError as error:
        return Outcome(Ended.FAILED, str(error), retryable=True)
    except (Refused, Silent) as error:
        passing = not isinstance(error, Refused) or may_pass(error)
        return Outcome(
            Ended.FAILED, f"{error}; job {job.id} may still be at work", retryable=passing, unsettled=True
        )


async def _stopped(work: Work) -> Outcome:
    """What is said after a stop; the next attempt begins with what is remembered."""
    reason = work.execution.stop.reason
    remembered = _of_this(work, await work.execution.memory.read())
    if memory.SENT not in remembered:
        return Outcome(Ended.STOPPED, "nothing was initiated")
    if (value := remembered.get(memory.JOB)) is None:
        words = "whether a job was initiated is not known: the server's answer is lost"
        return Outcome(Ended.STOPPED, words, unsettled=reason is not StopReason.SHUTDOWN)
    words = goes_on(memory.job_id_in(value), reason)
    return Outcome(Ended.STOPPED, words, unsettled=reason is not StopReason.SHUTDOWN)


def _of_this(work: Work, remembered: Mapping[str, str]) -> Mapping[str, str]:
    """What is remembered, if it is of this connection."""
    return remembered if remembered.get(memory.CONNECTION) == work.place else {}
