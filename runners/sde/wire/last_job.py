"""What a job came to: its own fields, and the short form that a connection includes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from runners.sde.wire.answers import Answer
from runners.sde.wire.moments import format_moment
from runners.sde.wire.people import Person, User, read_person


class JobState(StrEnum):
    """What the two flags of a job say: it is queued or runs until it is ready, then it succeeded or failed."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How far a job is.

    Attributes:
        ready: It has ended.
        succeeded: False while it is not ready.
        automatic: A scheduler asked for it, not a person.
        last_run: When it started; None before.
        result_message: Why it ended so; empty where nothing is said.
    """

    ready: bool
    succeeded: bool = False
    automatic: bool = False
    last_run: datetime | None = None
    result_message: str = ""

    @property
    def state(self) -> JobState:
        """The flags in one word."""
        if not self.ready:
            return JobState.PENDING
        return JobState.SUCCEEDED if self.succeeded else JobState.FAILED

    def wire(self) -> dict[str, Any]:
        """As the API has it."""
        return {
            "succeeded": self.succeeded,
            "automatic": self.automatic,
            "ready": self.ready,
            "result_message": self.result_message,
            "last_run": format_moment(self.last_run),
        }


@dataclass(frozen=True, slots=True)
class LastJob:
    """The newest job of a connection, where `include=last_job` asks for it.

    Attributes:
        user: Shown as a number, whatever the jobs themselves show; null where that is not known.
    """

    id: int
    course: Course
    user: Person | None = None

    def wire(self) -> dict[str, Any]:
        """As the API has it."""
        user = self.user.id if isinstance(self.user, User) else self.user
        return {"id": self.id, "user": user, **self.course.wire()}


def read_course(fields: Answer) -> Course:
    """How far a job is; `succeeded` is needed, and counts, only where it is ready."""
    ready = bool(fields.flag("ready", required=True))
    return Course(
        ready=ready,
        succeeded=ready and bool(fields.flag("succeeded", required=True)),
        automatic=bool(fields.flag("automatic")),
        last_run=fields.moment("last_run"),
        result_message=fields.words("result_message"),
    )


def read_last_job(fields: Answer) -> LastJob:
    """The newest job of a connection."""
    return LastJob(fields.key("id", required=True) or 0, read_course(fields), read_person(fields, "user"))
