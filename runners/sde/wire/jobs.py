"""Jobs of all kinds: list items, details and the answers to a POST, which are all the same.

Differences the pages have: `jobs/` (all kinds at once) and the older versions leave `attachment` out; the older
versions know no `triggered_by`; `user`, who ran it, is missing where an ALM or verification job is initiated.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from runners.sde.wire.answers import Answer
from runners.sde.wire.connections import Connection, read_connection
from runners.sde.wire.kinds import Kind
from runners.sde.wire.last_job import Course, JobState, LastJob, read_course
from runners.sde.wire.people import Person, read_person, wire_person

EXPANDABLE = frozenset({"user", "triggered_by"})
"""What `expand` may name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One job.

    Attributes:
        user: Who ran it; None leaves the field out.
        triggered_by: Who asked for it; None leaves the field out.
        attachment: Name of the imported file; None for all other jobs.
    """

    id: int
    connection: Connection
    course: Course
    user: Person | None = None
    triggered_by: Person | None = None
    attachment: str | None = None

    @property
    def ready(self) -> bool:
        """Whether it has ended."""
        return self.course.ready

    @property
    def state(self) -> JobState:
        """Pending until it is ready, then succeeded or failed."""
        return self.course.state

    def as_last(self) -> LastJob:
        """As its connection includes it."""
        return LastJob(self.id, self.course, self.user)

    def wire(
        self, kind: Kind, *, params: bool, expand: Collection[str] = (), attachment: bool = True
    ) -> dict[str, Any]:
        """As the API has it.

        `params` shows those of the connection, `expand` names the users to show whole, `attachment` is false in
        `jobs/`.
        """
        people = {"user": self.user, "triggered_by": self.triggered_by}
        return {
            "id": self.id,
            **{
                name: wire_person(person, expanded=name in expand)
                for name, person in people.items()
                if person is not None
            },
            **self.course.wire(),
            **({"attachment": self.attachment} if attachment else {}),
            "connection": self.connection.in_job(kind, params=params),
        }


def parse_job(answer: object) -> Job:
    """A job of any kind; what is not known in it is ignored. A connection may also be its id alone.

    Raises:
        WireFaults: It is no object; its id, connection or ready is missing or wrong, or succeeded is where it is
            ready; or a field is of another type.
    """
    fields = Answer.of_message(answer)
    job = Job(
        id=fields.key("id", required=True) or 0,
        connection=_connection(fields),
        course=read_course(fields),
        user=read_person(fields, "user"),
        triggered_by=read_person(fields, "triggered_by"),
        attachment=fields.text("attachment"),
    )
    fields.settle()
    return job


def _connection(fields: Answer) -> Connection:
    if isinstance(fields.value("connection"), Mapping):
        inner = fields.within("connection")
        return Connection(id=0) if inner is None else read_connection(inner)
    return Connection(
        id=fields.key("connection", required=True, otherwise="must be an object or a whole number") or 0
    )
