"""A job: its block in the YAML, and the definition that the rest of the program works with."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from config.body import plain_value
from config.containers import ListOf, MapOf
from config.references import Ref
from config.runs import RUN, Run
from config.scalars import EMAIL, URL, Duration
from config.schedule_block import SCHEDULE, OnClosure, ScheduleBlock
from config.secrets import Secret
from config.shapes import NAME, Integer, Text, words
from config.table import Model, Named
from recurrence.closures import ALWAYS_OPEN, Closures
from recurrence.portable import schedule_to_json
from recurrence.schedule import Schedule
from recurrence.timetable import Timetable


class Overlap(StrEnum):
    """What a fire time does while an earlier run of the job makes its first attempt."""

    SKIP = "skip"
    QUEUE = "queue"
    REPLACE = "replace"
    ALLOW = "allow"


class CatchUpPolicy(StrEnum):
    """What is run of the occurrences that came due while nobody could fire them."""

    LATEST = "latest"
    ALL = "all"
    NONE = "none"


class Retry(Model):
    """Tries of one firing or one rerun, in total, and the pause before the next: backoff·2ⁿ up to max_backoff."""

    attempts: Annotated[int, Integer(1, 100)] = Field(
        default=1, description="Tries in total, the first included; 1 is no retry."
    )
    backoff: Annotated[timedelta, Duration(low=timedelta(0))] = Field(
        default=timedelta(seconds=30), description="Pause before the second try; doubled before each further one."
    )
    max_backoff: Annotated[timedelta, Duration(low=timedelta(0))] = Field(
        default=timedelta(minutes=10), description="Longest pause."
    )
    jitter: Annotated[timedelta, Duration(low=timedelta(0))] = Field(
        default=timedelta(0),
        description="Each pause is made longer by an amount of its own below this, so that many jobs that failed "
        "together do not try again together.",
    )


class CatchUp(Model):
    """What happens to occurrences that came due unobserved; those later than `grace` are missed."""

    policy: Annotated[CatchUpPolicy, words("a policy", CatchUpPolicy)] = Field(
        default=CatchUpPolicy.LATEST, description="Run the latest of them, all in sequence, or none."
    )
    grace: Annotated[timedelta, Duration(low=timedelta(0))] = Field(
        default=timedelta(hours=6), description="How late a run may still start; what is older is missed."
    )


RECIPIENTS = ListOf(EMAIL, least=1, single=True, distinct=True)


class Mail(Model):
    """One mail."""

    NOUN: ClassVar[str] = "a mail"

    to: Annotated[tuple[str, ...], RECIPIENTS] = Field(description="One address, or several.")
    sender: Annotated[str | None, EMAIL, Named("from")] = Field(
        default=None, description="Address of the sender; default: settings.smtp.sender."
    )
    subject: Annotated[str | None, Text()] = Field(default=None, description="Default: job and outcome.")
    body: Annotated[str | None, Text()] = Field(default=None, description="Default: what happened, in words.")


class Late(Mail):
    """A mail about an occurrence that has not succeeded in time."""

    after: Annotated[timedelta, Duration()] = Field(description="Time after the fire time.")


class Webhook(Model):
    """Where every outcome that is notified is posted as JSON."""

    NOUN: ClassVar[str] = "a webhook"

    url: Annotated[str, URL] = Field(description="Address.", repr=False)
    token: Secret | None = Field(default=None, description="Sent as Authorization: Bearer.")


class Heartbeat(Model):
    """An address that is called after each success: whoever watches it tells when the calls stop."""

    NOUN: ClassVar[str] = "a heartbeat"
    ADDRESSES: ClassVar[frozenset[str]] = frozenset({"url", "failure"})

    url: Annotated[str, URL] = Field(description="Called with an empty POST; it may be a secret.", repr=False)
    failure: Annotated[str | None, URL] = Field(
        default=None, description="Called in its place when a run failed, expired, was missed or lost.", repr=False
    )


class Notify(Model):
    """Who is told of what."""

    success: Mail | None = Field(default=None, description="Mail when a run has succeeded.")
    failure: Mail | None = Field(default=None, description="Mail when a run failed, expired, was missed or lost.")
    late: Late | None = Field(
        default=None, description="Mail when an occurrence has not succeeded some time after it was due."
    )
    webhook: Webhook | None = Field(default=None, description="Address to which outcomes are posted.")
    heartbeat: Heartbeat | None = Field(
        default=None, description="Address that is called after each success (a dead man's switch)."
    )


class JobBlock(Model):
    """A job as it is written."""

    NOUN: ClassVar[str] = "a job"

    name: Annotated[str, NAME] = Field(description="Unique over all jobs.")
    description: Annotated[str, Text(empty=True)] = Field(default="", description="For people.")
    schedule: Annotated[ScheduleBlock | None, SCHEDULE] = Field(
        default=None, description="When the job fires. Default: never by itself."
    )
    run: Annotated[Run, RUN] = Field(description="What the job does, exactly one.")
    retry: Retry = Field(default_factory=Retry, description="What follows an attempt's error.")
    overlap: Annotated[Overlap, words("a policy", Overlap)] = Field(
        default=Overlap.SKIP, description="What a fire time does while an earlier run makes its first attempt."
    )
    catch_up: CatchUp = Field(
        default_factory=CatchUp, description="What happens to what came due during downtime."
    )
    limits: Annotated[tuple[str, ...], ListOf(Ref("limit"), distinct=True)] = Field(
        default=(), description="Concurrency groups of settings.limits that each run takes a place in."
    )
    priority: Annotated[int, Integer(-1000, 1000)] = Field(
        default=0, description="Of runs that wait for a place, the higher one starts first."
    )
    labels: Annotated[Mapping[str, str], MapOf(Text(), Text(empty=True))] = Field(
        default_factory=dict, description="For filters and metrics."
    )
    idempotent: bool = Field(
        default=False, description="command, http: whether an interrupted attempt may be repeated."
    )
    notify: Notify = Field(default_factory=Notify, description="Who is told of what.")
    enabled: bool = Field(default=True, description="Whether the job fires at all.")


@dataclass(frozen=True, slots=True, kw_only=True)
class JobDefinition:
    """One job.

    Attributes:
        name: Unique over YAML and API jobs, without regard to case.
        schedule: When; None never fires by itself. Its `start` may be None: the ledger anchors it.
        run: What, exactly one.
        exclude: Names of calendars in which it does not fire.
        on_exclude: What an excluded occurrence becomes.
        closures: What the calendars of `exclude` close, in the schedule's zone.
        on_closure: What a run does that reaches a closure.
        notify: Who is told of what; secrets as references.
        place: `FILE:LINE` of the definition, for messages; empty for jobs made by an API.
    """

    name: str
    run: Run
    schedule: Schedule | None = None
    description: str = ""
    retry: Retry = field(default_factory=Retry)
    overlap: Overlap = Overlap.SKIP
    catch_up: CatchUp = field(default_factory=CatchUp)
    exclude: tuple[str, ...] = ()
    on_exclude: Literal["skip", "next-day"] = "skip"
    closures: Closures = field(default=ALWAYS_OPEN, compare=False, repr=False)
    on_closure: OnClosure = OnClosure.FINISH
    limits: tuple[str, ...] = ()
    priority: int = 0
    labels: Mapping[str, str] = field(default_factory=dict)
    idempotent: bool = False
    notify: Notify = field(default_factory=Notify)
    enabled: bool = True
    place: str = ""

    @property
    def timetable(self) -> Timetable | None:
        """The schedule under the calendars of `exclude`; None without a schedule."""
        if self.schedule is None:
            return None
        return Timetable(self.schedule, self.closures, self.on_exclude == "next-day")

    def body(self) -> dict[str, Any]:
        """The definition as plain JSON values, without secrets and without its place; stable in its order."""
        return {
            "name": self.name,
            "description": self.description,
            **self._schedule_body(),
            "run": plain_value(self.run),
            "retry": plain_value(self.retry),
            "overlap": str(self.overlap),
            "catch_up": plain_value(self.catch_up),
            "limits": list(self.limits),
            "priority": self.priority,
            "labels": dict(self.labels),
            "idempotent": self.idempotent,
            "notify": plain_value(self.notify),
            "enabled": self.enabled,
        }

    def digest(self) -> str:
        """SHA-256 of `body()`, hex: two definitions with one digest mean the same."""
        return _digest(self.body())

    def schedule_digest(self) -> str:
        """SHA-256 of when the job fires (schedule and exclusions), hex; no other edit changes it."""
        return _digest(self._schedule_body())

    def _schedule_body(self) -> dict[str, Any]:
        return {
            "schedule": None if self.schedule is None else schedule_to_json(self.schedule),
            "exclude": list(self.exclude),
            "on_exclude": self.on_exclude,
            "closures": self.closures.digest,
            "on_closure": str(self.on_closure),
        }


def _digest(body: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
