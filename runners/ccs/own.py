"""The job of `job_details`: made on first use, changed when its definition is, found again if it was lost."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from config.definitions import JobType
from runners.ccs import memory
from runners.ccs.errors import CcsError, Denied, NotTaken, Refused, Unanswered
from runners.ccs.executing import PAUSES
from runners.ccs.wanted import digest_of, for_rerun, outright, wanted_job
from runners.ccs.wire import CreateJob, UpdateJob
from runners.ccs.work import Work


class Taken(CcsError):
    """The server has a job of that name that was not made here, or one that cannot become what is defined."""


async def ensure(work: Work) -> str:
    """The id of the job on the server, which then is as it is defined.

    In a rerun it collects only what is older than the run, and at the next firing as defined again.

    Raises:
        Taken: See there.
        Unanswered, Denied, Refused: As the server says; the job may have been made, or changed.
    """
    wanted = wanted_job(work.run)
    async with work.claims.jobs[work.execution.job.name]:
        known: Mapping[str, str] = await work.execution.job_memory.read()
        job_id = known.get(memory.JOB)
        if job_id is None or not await work.client.exists(job_id):
            job_id, known = await _adopt_or_create(work, wanted, known)
        await _bring_up_to_date(work, wanted, job_id, known)
    return job_id


async def _bring_up_to_date(work: Work, wanted: CreateJob, job_id: str, known: Mapping[str, str]) -> None:
    execution, digest = work.execution, digest_of(wanted)
    has = known.get(memory.DIGEST, "") if known.get(memory.SERVER) == _address(work) else ""
    if has and not has.startswith(f"{wanted.job_type}:"):
        was = has.partition(":")[0]
        raise Taken(
            f"the job {job_id} was made as a {was} and cannot become a {wanted.job_type}: "
            "delete it on the server, and it is made anew"
        )
    details = outright(wanted.details)
    age = execution.clock.now() - execution.fire_time
    narrowed = execution.rerun and wanted.job_type is not JobType.EVALUATION
    if narrowed:
        details = for_rerun(details, age)
    if has != digest:
        change = UpdateJob.whole(job_id, details)
    elif narrowed or memory.INCREMENTAL in known:
        change = UpdateJob.freshness(job_id, details)
    else:
        return
    days = str(details.incremental_days) if narrowed else None
    # Before it is sent: an update whose answer is lost may have been made.
    doubt = {memory.DIGEST: None} if has != digest else {}
    await execution.job_memory.put({**doubt, **({memory.INCREMENTAL: days} if narrowed else {})})
    await work.client.update(change)
    await execution.job_memory.put({
        memory.DIGEST: digest, memory.SERVER: _address(work), memory.INCREMENTAL: days
    })  # fmt: skip


async def _adopt_or_create(
    work: Work, wanted: CreateJob, known: Mapping[str, str]
) -> tuple[str, Mapping[str, str]]:
    """A job's id and what is then known of it: one whose creation's answer was lost, or a new one."""
    name = wanted.details.name
    intended = json.loads(known.get(memory.CREATING, "{}"))
    if found := await work.client.named(name):
        if intended.get("name") != name or intended.get("server") != _address(work):
            raise Taken(
                f"the server already has a job of the name {name}, and it was not made here: "
                f"write `job: {found[0]}` to execute it as it is, or another JobName in job_details"
            )
        return await _settled(work, found[0], intended["digest"])
    intention = {"name": name, "server": _address(work), "digest": digest_of(wanted)}
    await work.execution.job_memory.put({memory.CREATING: json.dumps(intention), memory.JOB: None})
    return await _settled(work, await _create(work, wanted), intention["digest"])


async def _create(work: Work, wanted: CreateJob) -> str:
    """The id of the new job; one whose answer is lost is looked for by its name."""
    try:
        return await work.client.create(wanted)
    except (NotTaken, Denied, Refused):
        await work.execution.job_memory.put({memory.CREATING: None})
        raise
    except Unanswered as error:
        lost = error
        work.execution.report.warn("ccs_answer_lost", server=work.run.server, ccs_job="", reason=str(error))
    for pause in PAUSES:
        await work.execution.clock.sleep(pause)
        if found := await work.patience.answer(lambda: work.client.named(wanted.details.name)):
            return found[0]
    raise lost


async def _settled(work: Work, job_id: str, digest: str) -> tuple[str, Mapping[str, str]]:
    known = {memory.JOB: job_id, memory.DIGEST: digest, memory.SERVER: _address(work)}
    await work.execution.job_memory.put({**known, memory.CREATING: None, memory.INCREMENTAL: None})
    return job_id, known


def _address(work: Work) -> str:
    """A server's address, digested: what follows its host is nobody's business."""
    return hashlib.sha256(work.server.url.encode()).hexdigest()[:16]
