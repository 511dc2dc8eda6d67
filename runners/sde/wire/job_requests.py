"""What is posted to the jobs of a kind: one path, two meanings, chosen by `ready`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runners.sde.wire.fields import Exists, Fields, as_integer
from runners.sde.wire.ids import is_number
from runners.sde.wire.jobs import Job


@dataclass(frozen=True, slots=True, kw_only=True)
class InitiateJob:
    """`ready` false: a job is put on the queue.

    Attributes:
        automatic: A scheduler asks for it, not a person.
    """

    connection: int
    automatic: bool

    def wire(self) -> dict[str, Any]:
        """As the API has it."""
        return {"connection": self.connection, "automatic": self.automatic, "ready": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class PostResult:
    """`ready` true or not sent: what a run came to, kept as a new job that has ended.

    Attributes:
        result_message: Blanks around it do not outlive the server's reading.
    """

    connection: int
    automatic: bool
    succeeded: bool
    result_message: str

    def wire(self) -> dict[str, Any]:
        """As the API has it, without `ready`."""
        return {
            "connection": self.connection,
            "result_message": self.result_message,
            "succeeded": self.succeeded,
            "automatic": self.automatic,
        }

    def is_of(self, job: Job) -> bool:
        """Whether that job may be this result: same connection, same outcome, same words but for blanks.

        `automatic` is not compared: the page's own answer to a result posted as automatic says false.
        """
        return (
            job.ready
            and job.connection.id == self.connection
            and job.course.succeeded is self.succeeded
            and job.course.result_message.split() == self.result_message.split()
        )


JobRequest = InitiateJob | PostResult


def parse_job_request(body: object, exists: Exists | None = None) -> JobRequest:
    """The body of a POST to jobs, a JSON value; fields not known are ignored.

    What an initiated job says of `succeeded` and `result_message` is checked and not kept: the server sets them.
    `exists` says whether a connection of that kind has an id.

    Raises:
        WireFaults: All its faults at once, in the framework's words.
    """
    fields = Fields.of_message(body)
    connection = fields.key("connection", exists)
    automatic = fields.flag("automatic")
    ready = fields.flag("ready", required=False)
    succeeded = fields.flag("succeeded", required=ready is not False)
    message = fields.text("result_message", required=ready is not False, blank=True)
    fields.settle()
    if ready is False:
        return InitiateJob(connection=connection or 0, automatic=bool(automatic))
    return PostResult(
        connection=connection or 0,
        automatic=bool(automatic),
        succeeded=bool(succeeded),
        result_message=message or "",
    )


def named_id(body: object, name: str) -> int | None:
    """The id that a field of a request names, as `parse_…` will read it; None where it names none.

    For those who look the object up before they have the request read.
    """
    value = body.get(name) if isinstance(body, Mapping) else None
    key = None if value is None or isinstance(value, bool) else as_integer(value)
    return key if is_number(key) else None
