"""The faults that can be ordered, as JSON values."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, StringConstraints

from runners.ccs.wire import Status

GARBAGE = "<html><body><h1>Service Unavailable</h1>"
"""What stands between us and a server likes to answer with."""


def _compiled(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return re.compile(value, re.IGNORECASE)
    except re.error as error:
        raise ValueError(f"must be a regular expression: {error}") from None


Regex = Annotated[re.Pattern[str], BeforeValidator(_compiled)]
"""Searched for anywhere, without regard to case."""


class When(StrEnum):
    """On which side of the request's being carried out a fault comes."""

    BEFORE = "before"
    AFTER = "after"


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Match(_Model):
    """Which requests are meant: those that fit everything that is given, in either case; all where nothing is."""

    method: Annotated[str, StringConstraints(to_upper=True)] | None = Field(default=None)
    path: Regex | None = Field(default=None, description="Regular expression; the path without the query.")
    body: Regex | None = Field(default=None, description="Regular expression; the first MiB, read as UTF-8.")

    def fits(self, method: str, path: str, body: bytes) -> bool:
        """Whether this request is meant."""
        return (
            self.method in {None, method.upper()}
            and (self.path is None or self.path.search(path) is not None)
            and (self.body is None or self.body.search(body.decode("utf-8", "replace")) is not None)
        )


class _Fault(_Model):
    match: Match = Match()
    skip: int = Field(default=0, ge=0, description="So many fitting requests are let pass first.")
    times: int | None = Field(default=1, ge=1, description="How often; null: until it is taken back.")


class Delay(_Fault):
    """The answer comes late: the request is carried out after the delay, or before it."""

    fault: Literal["delay"]
    seconds: float = Field(gt=0, le=3600)
    when: When = When.BEFORE


class Answer(_Fault):
    """Another answer: instead of carrying the request out, or in place of its own answer."""

    fault: Literal["status"]
    status: int = Field(ge=200, le=599)
    body: JsonValue = Field(default=None, description="A text is sent as it is, anything else as JSON.")
    headers: dict[str, str] = Field(default_factory=dict)
    when: When = When.BEFORE


class DropBefore(_Fault):
    """The connection breaks before the request is carried out."""

    fault: Literal["drop_before"]


class DropAfter(_Fault):
    """The request is carried out, then the connection breaks: its answer is lost."""

    fault: Literal["drop_after"]


class Truncate(_Fault):
    """The connection breaks in the middle of the body."""

    fault: Literal["truncate"]
    keep: int | None = Field(default=None, ge=0, description="Bytes that still come; by default half of them.")


class Garble(_Fault):
    """The answer has its own status and another body."""

    fault: Literal["garble"]
    body: str = GARBAGE


class JobStatus(_Fault):
    """In the answer, job runs of CCS have another status."""

    fault: Literal["job_status"]
    status: Status
    text: str | None = Field(default=None, description="CustomStatusText.")
    exception: str | None = None
    ended: bool | None = Field(
        default=None, description="Whether its end is set; by default where the code ends it."
    )
    job_run: str | None = Field(default=None, description="JobRunID; by default every job run.")


class Count(_Fault):
    """Nothing happens: the requests are only counted, and other faults still apply to them."""

    fault: Literal["count"]
    times: None = None


Fault = Annotated[
    Delay | Answer | DropBefore | DropAfter | Truncate | Garble | JobStatus | Count, Field(discriminator="fault")
]
