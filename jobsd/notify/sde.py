"""A result of a remote agent, posted to its SDE server: never twice knowingly.

Before the first POST the connection's newest job there is put down. As long as a POST may have been taken without
our knowing, each further try first reads the jobs that are newer than that one: one that says the same is ours.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from config.definitions import Configuration, SdeServer
from runners.sde import errors
from runners.sde.client import Client
from runners.sde.clients import Clients
from runners.sde.wire import Job, Kind, PostResult
from runners.web import NotSent, Unreachable
from scheduler.ledger.deliveries import Delivery
from scheduler.outbox import Delivered, Later, Note, Refused, Result

BASELINE, JOB = "baseline", "job"
"""Names of the progress: the newest job before the first POST (0: none), and the one that has the result."""

Received = Callable[[str, int], Awaitable[frozenset[int]]]
"""The ids above a number of the jobs that hold other results of a channel."""

_NO = frozenset({400, 403, 404})
"""Answers that will not change by themselves."""


async def send(
    delivery: Delivery, configuration: Configuration, clients: Clients, *, note: Note, received: Received
) -> Result:
    """Make one try, with the server as it is configured now."""
    name = delivery.body["server"]
    server = configuration.servers.get(name)
    if not isinstance(server, SdeServer):
        return Later(f"servers.{name} is no SDE server of the configuration: put it back, it is looked for again")
    client = clients.of(name, server, configuration.folder)
    return await _Post(delivery, client, _result(delivery.body), note, received).made()


def _result(body: Mapping[str, Any]) -> PostResult:
    return PostResult(
        connection=body["connection"],
        automatic=True,
        succeeded=body["succeeded"],
        result_message=body["result_message"],
    )


@dataclass(frozen=True, slots=True)
class _Post:
    """One try."""

    delivery: Delivery
    client: Client
    result: PostResult
    note: Note
    received: Received

    @property
    def _kind(self) -> Kind:
        return Kind(self.delivery.body["kind"])

    async def made(self) -> Result:
        """What became of it. A progress of {} says that nothing can be there: the next try begins anew."""
        before = (self.delivery.body.get("progress") or {}).get(BASELINE)
        try:
            if before is None:
                baseline = await self.client.newest_job_id(self._kind, self.result.connection) or 0
            else:
                baseline = before
                if (found := await self._there(baseline)) is not None:
                    return Delivered({BASELINE: baseline, JOB: found})
        except (errors.Refused, errors.Throttled, Unreachable) as error:
            return _read_in_vain(error)
        if before is None:
            await self.note({BASELINE: baseline})
        try:
            job = await self.client.post_result(
                self._kind,
                self.result.connection,
                succeeded=self.result.succeeded,
                message=self.result.result_message,
            )
        except (errors.Refused, errors.Throttled, Unreachable) as error:
            return _not_posted(error, first=before is None)
        return Delivered({BASELINE: baseline, JOB: job.id})

    async def _there(self, baseline: int) -> int | None:
        """The oldest job above `baseline` that may be this result and is no other one of ours."""
        jobs = await self.client.jobs_of(self._kind, self.result.connection, after=baseline)
        mine = [job.id for job in jobs if self._may_be(job)]
        if not mine:
            return None
        others = await self.received(self.delivery.channel or "", baseline)
        return min((job_id for job_id in mine if job_id not in others), default=None)

    def _may_be(self, job: Job) -> bool:
        """LDAP jobs are told as automatic by nobody: the vendor's answers to such a POST say false."""
        return self.result.is_of(job) and (job.course.automatic or self._kind is Kind.LDAP)


def _read_in_vain(error: errors.SdeError) -> Result:
    """The connection's jobs cannot be read: nothing was posted, and what is known stays."""
    if _is_no(error):
        return Refused(f"it is not posted, for the connection's jobs cannot be read before: {error}")
    return _later(error)


def _not_posted(error: errors.SdeError, *, first: bool) -> Result:
    """`first`: no earlier POST may have been taken."""
    if _is_no(error):
        return Refused(str(error), progress={} if first else None)
    certain = first and isinstance(error, errors.Refused | errors.Throttled | NotSent)
    return _later(error, progress={} if certain else None)


def _is_no(error: errors.SdeError) -> bool:
    return isinstance(error, errors.Refused) and error.status in _NO


def _later(error: errors.SdeError, progress: Mapping[str, Any] | None = None) -> Later:
    words = f"no usable answer: {error}" if isinstance(error, Unreachable) else str(error)
    after = error.after if isinstance(error, errors.Throttled | errors.Unanswered) else None
    return Later(words, after, progress)
