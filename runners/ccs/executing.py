"""Executing a job once, whatever becomes of the answer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from runners.ccs import memory
from runners.ccs.client import ALL
from runners.ccs.errors import Denied, NotTaken, Refused, Unanswered
from runners.ccs.outcomes import newer_runs
from runners.ccs.wire import JobStatus
from runners.ccs.work import JobRun, Work
from runners.patience import StopAsked

PAUSES = tuple(timedelta(seconds=seconds) for seconds in (0, 1, 2, 4, 8, 16))
"""Before each look for a run whose execute was sent: a request may still be on its way."""

MOST_SENT = 3
"""How often execute is sent in one attempt while every answer to it is lost."""

LATEST = 20
"""Job runs that are read at first; all of them where that does not reach back far enough."""


async def begun(work: Work, remembered: Mapping[str, str]) -> JobRun | None:
    """The job run that an earlier attempt began, also where the answer to execute was lost; None if none did.

    Raises:
        Silent: The server does not say.
        Denied, Refused: As the server says.
    """
    job_id, sent = remembered.get(memory.JOB), remembered.get(memory.SENT)
    if job_id is None:
        return None
    if run_id := remembered.get(memory.RUN):
        return JobRun(job_id, run_id)
    return None if sent is None else await _look(work, job_id, remembered.get(memory.BASELINE, ""), sent)


async def execute(work: Work, job_id: str, remembered: Mapping[str, str]) -> JobRun:
    """Begin a run of the job and remember it; what is needed to find it again is remembered before.

    An execute of `remembered` whose answer is not known, and for which `begun` has looked in vain, is repeated.

    Raises:
        Unanswered: The server does not answer; nothing runs if it is NotTaken.
        Denied, Refused: As the server says; nothing runs.
        StopAsked: The stop was asked for while the answer was lost, and no run has begun.
        Silent: It cannot be told whether a run has begun.
    """
    lost = None if memory.RUN in remembered else remembered.get(memory.SENT)
    if lost is not None and remembered.get(memory.JOB) == job_id:
        return await _send(work, job_id, remembered.get(memory.BASELINE, ""), lost, repeated=True)
    newest = await work.client.job_runs(job_id, 1)
    baseline, sent = newest[0].job_run_id if newest else "", work.execution.clock.now().isoformat()
    # In one go: what is known of an earlier job run is no longer this attempt's.
    await work.execution.memory.put({
        memory.JOB: job_id, memory.BASELINE: baseline, memory.SENT: sent, memory.RUN: None,
        memory.EXECUTED_IN: str(work.execution.attempt),
    })  # fmt: skip
    return await _send(work, job_id, baseline, sent, repeated=False)


async def _send(work: Work, job_id: str, baseline: str, sent: str, *, repeated: bool) -> JobRun:
    run = work.execution
    for sending in range(MOST_SENT):
        try:
            return await _remember(work, job_id, await _executed(work, job_id))
        except (NotTaken, Denied, Refused):
            if not repeated and not sending:
                await run.memory.put({memory.SENT: None})
                raise
            # Refused perhaps because the first one was taken after all.
            if (late := await _look(work, job_id, baseline, sent)) is not None:
                return late
            raise
        except Unanswered as error:
            lost = error
            run.report.warn("ccs_answer_lost", server=work.run.server, ccs_job=job_id, reason=str(error))
        if (taken := await _look(work, job_id, baseline, sent)) is not None:
            return taken
        if run.stop.requested:
            raise StopAsked(run.stop.reason)
    raise lost


async def _executed(work: Work, job_id: str) -> JobStatus:
    """What execute answers: a run of our own, not one that the job has already and that another run here has."""
    status = await work.client.execute(job_id)
    if await _anothers(work, status.job_run_id):
        raise Refused(f"it answers with the job run {status.job_run_id}, which another run here has", 409)
    return status


async def _look(work: Work, job_id: str, baseline: str, sent: str) -> JobRun | None:
    """The run that an execute has begun, looked for several times; None where none is newer than the baseline."""
    for pause in PAUSES:
        await work.execution.clock.sleep(pause)
        runs = await work.patience.answer(lambda: _runs(work, job_id, baseline))
        found = newer_runs(runs, baseline=baseline, sent_at=datetime.fromisoformat(sent))
        newer = [run for run in found if not await _anothers(work, run.job_run_id)]
        if len(newer) > 1:
            ids = [status.job_run_id for status in newer]
            work.execution.report.warn("ccs_run_ambiguous", server=work.run.server, ccs_run=ids[0], others=ids[1:])
        if newer:
            return await _remember(work, job_id, newer[0])
    return None


async def _anothers(work: Work, job_run_id: str) -> bool:
    """Whether another run here has this job run: works on it now, or remembers it."""
    owner = work.claims.job_runs.get(job_run_id)
    if owner is not None:
        return owner != work.execution.run_id
    return await work.execution.memory.has_another(memory.RUN, job_run_id)


async def _runs(work: Work, job_id: str, baseline: str) -> tuple[JobStatus, ...]:
    runs = await work.client.job_runs(job_id, LATEST)
    if baseline and len(runs) >= LATEST and all(run.job_run_id != baseline for run in runs):
        return await work.client.job_runs(job_id, ALL)
    return runs


async def _remember(work: Work, job_id: str, status: JobStatus) -> JobRun:
    work.claims.job_runs[status.job_run_id] = work.execution.run_id
    await work.execution.memory.put({
        memory.RUN: status.job_run_id, memory.STATUS: memory.status_text(status)
    })  # fmt: skip
    return JobRun(job_id, status.job_run_id)
