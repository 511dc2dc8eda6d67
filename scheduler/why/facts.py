"""What has to be known to say why: read from the ledger, and from what is in force."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from config.definitions import JobDefinition
from recurrence.schedule import Schedule
from scheduler.model import AttemptRow, JobRow, RunRow


@dataclass(frozen=True, slots=True)
class Version:
    """A version of the job's definition: from when it was in force, and when it fires by it."""

    version_id: int
    from_at: datetime
    schedule: Schedule | None


@dataclass(frozen=True, slots=True)
class Change:
    """What somebody or the clock did to the job: record, change, arm, disarm, remove, pause, resume, and more."""

    at: datetime
    name: str
    reason: str
    actor: str


@dataclass(frozen=True, slots=True)
class Line:
    """One event of the run; `to_state` is the state that it left the run in."""

    at: datetime
    name: str
    to_state: str | None
    reason: str
    actor: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Force:
    """What the daemon has in force at the moment.

    Attributes:
        now: Its present instant.
        zone: That of the settings.
        job: The definition in force; None if there is none. `unreadable`: there is one, and it cannot be decoded.
        definitions: All of them, by name, for what they share.
        max_running: How many may be at work at once.
        limits: The sizes of the named limits; `used`: how much of each is taken.
        pacing: Whether late starts wait for their pace (settings.catch_up_rate).
        writable: Whether the ledger can be written; `firing`: whether anything is started at all.
    """

    now: datetime
    zone: str
    job: JobDefinition | None
    unreadable: bool
    definitions: Mapping[str, JobDefinition]
    max_running: int
    limits: Mapping[str, int]
    used: Mapping[str, int]
    pacing: bool
    writable: bool
    firing: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the ledger knows of a job around an instant.

    Attributes:
        at: The instant asked about; `given`: whether it was named, or is just now.
        until: The end (exclusive) of what it may mean: a minute, where no seconds were given.
        run: The run that it is about, `exact` where the run is due at that instant itself.
        before: The newest run that was due before it.
        active: The runs of the job that have not ended.
        working: All runs that are at work, of any job.
        versions, changes: Of the job, in their order.
        moved_here: The last fire times of rows that say that they were moved to the time asked about.
    """

    row: JobRow
    at: datetime
    until: datetime
    given: bool
    run: RunRow | None
    exact: bool
    attempts: Sequence[AttemptRow]
    lines: Sequence[Line]
    before: RunRow | None
    active: Sequence[RunRow]
    working: Sequence[RunRow]
    versions: Sequence[Version]
    changes: Sequence[Change]
    moved_here: Sequence[datetime]

    def owes(self, source: datetime) -> bool:
        """Whether the row of the occurrence of `source` says, said or will say that it was moved here."""
        deleted = self.row.schedule_since < source < self.row.known_since
        return source > self.row.watermark or deleted or any(last >= source for last in self.moved_here)
