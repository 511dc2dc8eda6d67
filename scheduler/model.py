"""What the scheduler reasons about: jobs and runs as the ledger knows them, frozen.

Instants are aware UTC. Nothing here reads a clock or a database.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from recurrence.schedule import Fold, Gap, Rerun, Schedule
from scheduler.lifecycle import State


class Kind(StrEnum):
    """Why a run exists; part of its key. Only `fire` runs stand for an occurrence."""

    FIRE = "fire"
    RUN_NOW = "run_now"
    MANUAL = "manual"
    POSTED = "posted"


class Cause(StrEnum):
    """Why an attempt was made."""

    FIRE = "fire"
    RETRY = "retry"
    RERUN = "rerun"
    MANUAL = "manual"
    RUN_NOW = "run_now"


class By(StrEnum):
    """By what an actor acted."""

    CLOCK = "clock"
    CLI = "cli"
    API = "api"
    SIGNAL = "signal"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it, by what, from where (an address; empty where there is none)."""

    name: str
    by: By
    origin: str = ""


CLOCK_ACTOR = Actor("jobsd", By.CLOCK)


@dataclass(frozen=True, slots=True)
class Cycle:
    """What a run keeps of its schedule: edits of the job do not reach it."""

    window: timedelta | None = None
    rerun: Rerun | None = None
    gap: Gap = Gap.SHIFT
    fold: Fold = Fold.FIRST
    offset: timedelta = timedelta(0)

    @classmethod
    def of(cls, schedule: Schedule | None) -> Cycle:
        """The part of `schedule` that a run keeps."""
        if schedule is None:
            return cls()
        return cls(schedule.window, schedule.rerun, schedule.gap, schedule.fold, schedule.offset)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRow:
    """A job as the ledger knows it.

    Attributes:
        anchor: Naive wall time of the first load, the default start.
        watermark: Occurrences up to and including this instant have their rows.
        known_since: From here on, every occurrence has a row.
        schedule_since: When the present schedule came into force.
        armed: Whether it is defined and enabled now.
        resumed_at: When it was last resumed; reruns due before are dropped.
        paused_until: End of the pause, or None for an open one.
    """

    job_id: int
    guid: str
    name: str
    origin: str
    version_id: int
    anchor: datetime | None
    watermark: datetime
    known_since: datetime
    schedule_since: datetime
    armed: bool
    resumed_at: datetime | None = None
    paused_at: datetime | None = None
    paused_until: datetime | None = None
    paused_note: str | None = None
    paused_by: str | None = None

    def paused_on(self, instant: datetime) -> bool:
        """Whether `instant` lies in the present pause (from its start, inclusive, to its end, exclusive)."""
        if self.paused_at is None or instant < self.paused_at:
            return False
        return self.paused_until is None or instant < self.paused_until


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """A run as the ledger knows it.

    Attributes:
        run_no: The integer id; `run_id` is the GUID.
        civil: Naive wall time of the occurrence in `zone`; reruns count from it.
        occurrences: More than 1 where one row stands for a stretch of misses, up to `last_fire_time`.
        moved_from: The fire time of the (first) excluded occurrence that was moved here; None if none was.
        window_end: End of the present window (of the firing, or of the rerun under way).
        rerun_at: The rerun time that its latest rerun answers, or when an operator asked for that; None before.
        wake_at: When the planner must look again, if nothing else happens before.
        attempts: Made so far. `tries`: of this firing or rerun; an interrupted one is not counted.
        interruptions: Crashes in a row.
    """

    run_no: int
    run_id: str
    job: str
    job_id: int
    version_id: int
    kind: Kind
    fire_time: datetime
    civil: datetime
    zone: str
    state: State
    opened_at: datetime
    cycle: Cycle
    has_assets: bool
    reason: str = ""
    occurrences: int = 1
    last_fire_time: datetime | None = None
    parent_run: str | None = None
    moved_from: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    window_end: datetime | None = None
    rerun_at: datetime | None = None
    retry_at: datetime | None = None
    wake_at: datetime | None = None
    attempts: int = 0
    tries: int = 0
    interruptions: int = 0
    stop_requested_at: datetime | None = None
    stop_reason: str | None = None
    stop_note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRow:
    """An attempt as the ledger knows it; `ended` is completed, failed, stopped, interrupted or lost."""

    number: int
    cause: Cause
    owner: str
    token: str
    started_at: datetime
    ended_at: datetime | None
    ended: str | None
    reason: str
    exit_code: int | None
