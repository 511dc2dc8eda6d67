"""What the planner decides; the dispatcher carries it out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from recurrence.schedule import Occurrence
from runners.api import StopReason
from scheduler.lifecycle import Move, State
from scheduler.model import Cause

PAUSED = "paused"
"""The reason of an occurrence that a pause passed over; the pause's note follows it, if there is one."""


@dataclass(frozen=True, slots=True)
class Record:
    """One row to open: `state` is pending, missed or skipped; `last` and `count` where it stands for a stretch.

    `moved_from` is the fire time of the excluded occurrence that was moved here, if one was; `own` says whether
    the schedule has an occurrence here itself.
    """

    occurrence: Occurrence
    state: State
    reason: str = ""
    last: datetime | None = None
    count: int = 1
    moved_from: datetime | None = None
    own: bool = True


@dataclass(frozen=True, slots=True)
class Open:
    """Write the rows of what came due for `job` and move its watermark, in one transaction."""

    job: str
    records: tuple[Record, ...]
    watermark: datetime


@dataclass(frozen=True, slots=True)
class Start:
    """Start an attempt of a run; `rerun_at` is the rerun time it answers, for cause rerun.

    `ending`: only to have work elsewhere ended, its stop is on record. It waits for no room.
    `late`: it takes one of the starts of `settings.catch_up_rate`.
    """

    run_no: int
    cause: Cause
    rerun_at: datetime | None = None
    ending: bool = False
    late: bool = False


@dataclass(frozen=True, slots=True)
class RequestStop:
    """Ask a run to stop whose work is under way, here or elsewhere; the state changes when that has ended."""

    run_no: int
    stop: StopReason
    reason: str


@dataclass(frozen=True, slots=True)
class Apply:
    """Make a move that needs no runner."""

    run_no: int
    move: Move
    reason: str


@dataclass(frozen=True, slots=True)
class Postpone:
    """Nothing to do for this run before `wake_at`."""

    run_no: int
    wake_at: datetime | None


Action = Open | Start | RequestStop | Apply | Postpone
