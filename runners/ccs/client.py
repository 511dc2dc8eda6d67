"""The calls of the CCS API that a run needs. Each raises what `Session.call` raises."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from runners.ccs.errors import Refused, Unanswered
from runners.ccs.session import Session
from runners.ccs.wire import (
    CreateJob,
    JobStatus,
    Operation,
    UpdateJob,
    parse_created,
    parse_job_runs,
    parse_job_status,
)
from runners.ccs.wire.answers import parse_found_jobs
from runners.web import Answer

T = TypeVar("T")

ALL = 0
"""As a count of job runs."""


class Client:
    """One server's jobs and job runs; ids are GUIDs."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def create(self, job: CreateJob) -> str:
        """The id of the new job, in lower case."""
        return _read(await self._session.call("POST", "/jobs", json=job.wire()), parse_created)

    async def update(self, change: UpdateJob) -> None:
        """Change a job."""
        await self._session.call("PATCH", "/jobs/", json=change.wire())

    async def execute(self, job_id: str) -> JobStatus:
        """Begin a run of the job; the status is the new run's."""
        answer = await self._session.call("POST", f"/jobs/{job_id}", json=Operation.EXECUTE.wire())
        return _read(answer, parse_job_status)

    async def abort(self, job_run_id: str) -> None:
        """Have a job run ended; that it is asked to is all that the answer says."""
        await self._session.call("POST", f"/jobs/{job_run_id}", json=Operation.ABORT.wire())

    async def job_runs(self, job_id: str, count: int) -> tuple[JobStatus, ...]:
        """The latest `count` runs of the job, or ALL, as the server has them."""
        query = [("count", str(count)), ("showmessages", "true")]
        answer = await self._session.call("GET", f"/jobs/{job_id}/jobruns", query=query)
        return _read(answer, lambda value: () if value is None else parse_job_runs(value))

    async def exists(self, job_id: str) -> bool:
        """Whether the server knows the job."""
        try:
            await self._session.call("GET", f"/jobs/{job_id}")
        except Refused as error:
            if error.unknown:
                return False
            raise
        return True

    async def named(self, name: str) -> tuple[str, ...]:
        """The ids of the jobs of that name: one, or none."""
        try:
            answer = await self._session.call("GET", "/jobs", query=[("jobname", name)])
        except Refused as error:
            if error.unknown:
                return ()
            raise
        return _read(answer, lambda value: parse_found_jobs(value, name))


def _read(answer: Answer, parse: Callable[[Any], T]) -> T:
    """The value of an answer; one that cannot be read is none."""
    try:
        return parse(answer.json() if answer.body.strip() else None)
    except ValueError as error:
        raise Unanswered(f"the answer cannot be read: {error}") from None
