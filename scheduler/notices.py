"""What is said about a run, in plain words and as JSON. Pure.

A subject or body that the configuration gives is used as it stands; these are the ones where it gives none.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from runners.api import AssetState
from scheduler.lifecycle import State
from scheduler.model import RunRow

Tally = Mapping[AssetState, int]
"""How many assets of the run are in each state; states without assets may be missing."""

OUTCOMES: Mapping[State, str] = {
    State.SUCCEEDED: "success",
    State.FAILED: "failure",
    State.EXPIRED: "failure",
    State.MISSED: "failure",
    State.LOST: "failure",
}
"""Final states of which somebody is told, and as what."""

LATE = "late"

_SAID: Mapping[State, str] = {
    State.SUCCEEDED: "succeeded",
    State.FAILED: "failed",
    State.EXPIRED: "expired: it ended with something left to do",
    State.MISSED: "was missed: it did not run",
    State.LOST: "was lost: nobody knows whether it did its work",
    State.SKIPPED: "was skipped: it did not run",
    State.CANCELLED: "was cancelled",
}


def said(state: State) -> str:
    """What became of a run, as the rest of a sentence."""
    return _SAID.get(state, f"is {state}")


def subject(run: RunRow, about: str) -> str:
    """One line: the job and its outcome."""
    word = "is late" if about == LATE else said(run.state).partition(":")[0]
    return f"jobsd: {run.job} {word}"


def text(run: RunRow, tally: Tally) -> str:
    """The whole notice: what happened and why, when, what is done and what is left, and where to look."""
    lines = [f"The job {run.job} {said(run.state)}.", "", *facts(run, tally)]
    return "\n".join([*lines, "", f"To see all of it: jobsd show {run.run_id}", ""])


def payload(run: RunRow, about: str, tally: Tally) -> dict[str, Any]:
    """The same as JSON values, for a webhook; instants are ISO 8601 in UTC with Z."""
    return {
        "about": about,
        "job": run.job,
        "run_id": run.run_id,
        "run_no": run.run_no,
        "kind": run.kind.value,
        "state": run.state.value,
        "reason": run.reason,
        "fire_time": iso(run.fire_time),
        "local": run.fire_time.astimezone(ZoneInfo(run.zone)).isoformat(),
        "timezone": run.zone,
        "occurrences": run.occurrences,
        "last_fire_time": iso(run.last_fire_time),
        "started_at": iso(run.started_at),
        "ended_at": iso(run.ended_at),
        "attempts": run.attempts,
        "assets": {state.value: tally.get(state, 0) for state in AssetState},
        "text": subject(run, about) + (f": {run.reason}" if run.reason else ""),
    }


def facts(run: RunRow, tally: Tally) -> list[str]:
    """Why, when, what is done and what is left: a line each."""
    return [f"{name + ':':<9}{value}" for name, value in _facts(run, tally)]


def _facts(run: RunRow, tally: Tally) -> list[tuple[str, str]]:
    facts = [("Reason", run.reason)] if run.reason else []
    facts.append(("Due", when(run.fire_time, run.zone)))
    if run.occurrences > 1 and run.last_fire_time is not None:
        facts.append(("Up to", f"{when(run.last_fire_time, run.zone)}; {run.occurrences} occurrences"))
    if run.started_at is not None:
        facts.append(("Started", when(run.started_at, run.zone)))
    if run.ended_at is not None:
        facts.append(("Ended", when(run.ended_at, run.zone)))
    total = sum(tally.values())
    if total:
        done = tally.get(AssetState.DONE, 0) + tally.get(AssetState.FRESH, 0)
        left = {state: n for state, n in tally.items() if n and state not in {AssetState.DONE, AssetState.FRESH}}
        words = ", ".join(f"{n} {state.value.replace('_', ' ')}" for state, n in sorted(left.items()))
        facts.append(("Assets", f"{done} of {total} done" + (f"; left: {words}" if words else "")))
    facts.append(("Run", run.run_id))
    return facts


def when(instant: datetime, zone: str) -> str:
    """Wall time in `zone`, and in UTC where that differs."""
    local = instant.astimezone(ZoneInfo(zone))
    universal = f"{instant.astimezone(UTC):%a %Y-%m-%d %H:%M:%S} UTC"
    if local.utcoffset() == timedelta(0):
        return universal
    return f"{local:%a %Y-%m-%d %H:%M:%S %Z} ({universal})"


def iso(instant: datetime | None) -> str | None:
    """ISO 8601 in UTC with Z; None for None."""
    return None if instant is None else instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
