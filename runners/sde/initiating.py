"""Initiating a job once, whatever becomes of the answer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from runners.patience import StopAsked
from runners.sde import memory
from runners.sde.asking import rest
from runners.sde.errors import Refused
from runners.sde.outcomes import ours
from runners.sde.wire import Job
from runners.sde.work import Work
from runners.web import NotSent, Unreachable

PAUSES = tuple(timedelta(seconds=seconds) for seconds in (0, 1, 2, 4, 8, 16))
"""Before each look for a job whose initiation was sent: a request may still be on its way."""

MOST_SENT = 3
"""How often an initiation is sent in one attempt while every answer to it is lost."""


async def begun(work: Work, remembered: Mapping[str, str]) -> int | None:
    """The id of the job that an earlier attempt initiated, also where the answer was lost; None if none did.

    Raises:
        Silent, StopAsked, Refused: As they say.
    """
    if remembered.get(memory.CONNECTION) != work.place:
        return None
    if (value := remembered.get(memory.JOB)) is not None:
        return memory.job_id_in(value)
    if memory.SENT not in remembered:
        return None
    found = await _look(work, int(remembered[memory.BASELINE]))
    return None if found is None else found.id


async def initiate(work: Work, remembered: Mapping[str, str]) -> Job:
    """Initiate a job and remember it; what is needed to find it again is remembered before.

    An initiation of `remembered` whose answer is not known, and for which `begun` has looked in vain, is repeated.

    Raises:
        NotSent, Refused: As the server says; nothing was initiated.
        StopAsked: Before anything was sent, or while the answer was lost and no job was found.
        Unreachable, Silent: It cannot be told whether a job was initiated.
    """
    lost = remembered.get(memory.CONNECTION) == work.place and memory.JOB not in remembered
    repeated = lost and memory.SENT in remembered
    baseline = int(remembered[memory.BASELINE]) if repeated else None
    for sending in range(MOST_SENT):
        answer = await _send(work, baseline, sure=not repeated and not sending)
        if isinstance(answer, Job):
            return answer
        baseline, error = answer
        if (taken := await _look(work, baseline)) is not None:
            return taken
        if not isinstance(error, Unreachable) or isinstance(error, NotSent):
            raise error
    raise error


async def _send(work: Work, baseline: int | None, *, sure: bool) -> Job | tuple[int, Unreachable | Refused]:
    """The new job, or the baseline and why it is not known; `sure` says that none was sent before.

    Raises where none was sent before and this one has certainly not been taken.
    """
    run, client, asking = work.execution, work.asking.client, work.asking
    async with asking.claims.turn(work.place, run.stop):
        if baseline is None:
            newest = await asking.throttled(lambda: client.newest_job_id(work.kind, work.run.connection))
            baseline = newest or 0
            # In one go: what is known of an earlier job is no longer this attempt's.
            await run.memory.put({
                memory.CONNECTION: work.place, memory.BASELINE: str(baseline),
                memory.SENT: run.clock.now().isoformat(),
                memory.JOB: None, memory.STATUS: None, memory.FAILED_IN: None,
            })  # fmt: skip
        try:
            job = await asking.throttled(lambda: _initiated(work))
        except (NotSent, Refused, StopAsked) as error:
            if sure:
                await run.memory.put({memory.SENT: None})
                raise
            if isinstance(error, StopAsked):
                raise
            # Refused perhaps because the first one was taken after all.
            return baseline, error
        except Unreachable as error:
            run.report.warn(
                "sde_answer_lost", server=work.run.server, connection=work.run.connection, reason=str(error)
            )
            return baseline, error
        await run.memory.put({memory.SENT: run.clock.now().isoformat()})
        return await _remember(work, job)


async def _initiated(work: Work) -> Job:
    """A job of our own, not one that the connection has already and that another run here has."""
    job = await work.asking.client.initiate(work.kind, work.run.connection)
    if await _anothers(work, job):
        raise Refused(409, f"it answers with job {job.id}, which another run here has")
    return job


async def _look(work: Work, baseline: int) -> Job | None:
    """The job that an initiation has made, looked for several times; None where none is newer."""
    run, asking = work.execution, work.asking
    for pause in PAUSES:
        if pause:
            await rest(run.clock, run.stop, pause)
        async with asking.claims.turn(work.place, run.stop):
            newer = await asking.patiently(
                lambda: asking.client.jobs_of(work.kind, work.run.connection, after=baseline)
            )
            found = [job for job in ours(newer, work.kind) if not await _anothers(work, job)]
            if len(found) > 1:
                ids = [job.id for job in found]
                run.report.warn("sde_job_ambiguous", server=work.run.server, sde_job=ids[0], others=ids[1:])
            if found:
                return await _remember(work, found[0])
    return None


async def _anothers(work: Work, job: Job) -> bool:
    """Whether another run here has this job."""
    value = memory.job_value(job.id, work.asking.client.host)
    return await work.execution.memory.has_another(memory.JOB, value)


async def _remember(work: Work, job: Job) -> Job:
    value = memory.job_value(job.id, work.asking.client.host)
    await work.execution.memory.put({memory.JOB: value, **work.seen(job)})
    return job
