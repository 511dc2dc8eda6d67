"""What is said of an occurrence that has not succeeded in time, and since when its job has not.

Pure. Whose hand kept it from succeeding is read from the reason of its run: what an operator or a calendar did is
told to nobody as late.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from config.calendars.words import NOT_MOVED
from scheduler import notices
from scheduler.ending import HELD
from scheduler.lifecycle import ACTIVE, State
from scheduler.model import RunRow
from scheduler.planner.actions import PAUSED

HANDS = (PAUSED, "calendar ", HELD, NOT_MOVED)
"""How the reasons begin that the planner gives where an operator or a calendar keeps a run from its work."""

KEPT = frozenset({State.SKIPPED, State.MISSED, State.EXPIRED, State.INCOMPLETE, State.RETRYING})
"""States whose reasons may begin so."""


def by_hand(run: RunRow) -> bool:
    """Whether an operator or a calendar is the reason why `run` has not succeeded."""
    return run.state is State.CANCELLED or (run.state in KEPT and run.reason.startswith(HANDS))


@dataclass(frozen=True, slots=True)
class Lateness:
    """How late a job is.

    Attributes:
        since: When a run of it succeeded last; None if none is known.
        known_since: From when on its occurrences are known.
        count: Occurrences after its last success that have ended without one, or are late.
        runs: The newest of these, newest first.
        told_at: The instant at which all this is so.
    """

    since: datetime | None
    known_since: datetime
    count: int
    runs: Sequence[RunRow]
    told_at: datetime


def text(run: RunRow, tally: notices.Tally, late: Lateness) -> str:
    """The whole notice; a table of the occurrences where there are several."""
    lines = [f"The job {run.job} {_headline(run)}.", _since(run, late), "", *notices.facts(run, tally)]
    if late.count > 1:
        lines += ["", f"{late.count} of its occurrences have not succeeded since; the newest of them:"]
        lines += [f"  {notices.when(one.fire_time, one.zone)}  {_short(one)}" for one in late.runs]
    return "\n".join([*lines, "", f"To see all of it: jobsd show {run.run_id}", ""])


def payload(run: RunRow, tally: notices.Tally, late: Lateness) -> dict[str, Any]:
    """The same as JSON values; instants are ISO 8601 in UTC with Z."""
    told = notices.payload(run, notices.LATE, tally)
    return {
        **told,
        "succeeded_at": notices.iso(late.since),
        "known_since": notices.iso(late.known_since),
        "late_occurrences": late.count,
        "late": [
            {"run_id": one.run_id, "fire_time": notices.iso(one.fire_time), "state": one.state.value,
             "reason": one.reason, "occurrences": one.occurrences}
            for one in late.runs
        ],
    }  # fmt: skip


def _headline(run: RunRow) -> str:
    if run.state not in ACTIVE:
        return f"has not succeeded in time: it {notices.said(run.state)}"
    how = "is still at work" if run.state is State.RUNNING else "is not running"
    return f"has not ended in time: it {how} (state: {run.state})"


def _since(run: RunRow, late: Lateness) -> str:
    if late.since is not None:
        return f"It has not succeeded since {notices.when(late.since, run.zone)}."
    return f"No success of it is known; it is known since {notices.when(late.known_since, run.zone)}."


def _short(run: RunRow) -> str:
    stretch = f"{run.state}, {run.occurrences} occurrences" if run.occurrences > 1 else f"{run.state}"
    return f"{stretch}: {run.reason}" if run.reason else stretch
