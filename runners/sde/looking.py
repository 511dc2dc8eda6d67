"""Looking at one job of an SDE server, again and again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from runners.patience import Pace, unless
from runners.sde.asking import Asking, rest
from runners.sde.errors import Refused
from runners.sde.wire import Job, Kind

PAUSES = tuple(timedelta(seconds=seconds) for seconds in (1, 2, 4, 8))
"""After each look that is refused; the job may be at work all the same."""

Seen = Callable[[Job], Awaitable[None]]


class GoneError(Exception):
    """The server does not know the job any more."""


async def look(asking: Asking, kind: Kind, job_id: int, *, until: datetime | None = None) -> Job:
    """The job as it is, once there is an answer. One refusal, of a server that is being restarted, is no answer.

    Raises:
        GoneError: The server does not know it.
        DeadlinePassedError: There is no answer at `until`.
        Refused, Silent, StopAsked: As they say.
    """
    pauses = list(PAUSES)
    while True:
        try:
            return await asking.patiently(lambda: asking.client.job(kind, job_id), until=until)
        except Refused as error:
            if not pauses and error.status == 404:
                raise GoneError(f"the server does not know job {job_id} any more") from None
            if not pauses:
                raise
        await rest(asking.execution.clock, asking.execution.stop, pauses.pop(0), until)


async def until_ready(asking: Asking, kind: Kind, job: Job, *, until: datetime, seen: Seen) -> Job:
    """The job once it is ready; `seen` is told of it at each look.

    Raises:
        DeadlinePassedError: It is not, at `until`.
        GoneError, Refused, Silent, StopAsked: As `look`.
    """
    stop, clock, pace = asking.execution.stop, asking.execution.clock, Pace(asking.poll)
    await seen(job)
    while not job.ready:
        await rest(clock, stop, pace(), until)
        job = await unless(stop, look(asking, kind, job.id, until=until))
        await seen(job)
    return job
