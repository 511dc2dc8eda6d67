"""What is said about a run, in plain words and as JSON. Pure.

A subject or body that the configuration gives is used as it stands; these are the ones where it gives none.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from runners.api import AssetState
from scheduler.lifecycle import ACTIVE, State
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
}


def subject(run: RunRow, about: str) -> str:
    """One line: the job and its outcome."""
    word = "is late" if about == LATE else _SAID.get(run.state, run.state.value).partition(":")[0]
    return f"jobsd: {run.job} {word}"


def text(run: RunRow, about: str, tally: Tally) -> str:
    """The whole notice: what happened and why, when, what is done and what is left, and where to look."""
    lines = [f"The job {run.job} {_headline(run, about)}.", ""]
    lines += [f"{name + ':':<9}{value}" for name, value in _facts(run, tally)]
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
        "fire_time": _iso(run.fire_time),
        "local": run.fire_time.astimezone(ZoneInfo(run.zone)).isoformat(),
        "timezone": run.zone,
        "occurrences": run.occurrences,
        "last_fire_time": _iso(run.last_fire_time),
        "started_at": _iso(run.started_at),
        "ended_at": _iso(run.ended_at),
        "attempts": run.attempts,
        "assets": {state.value: tally.get(state, 0) for state in AssetState},
        "text": subject(run, about) + (f": {run.reason}" if run.reason else ""),
    }


def _headline(run: RunRow, about: str) -> str:
    if about == LATE:
        how = "is not running" if run.state in ACTIVE - {State.RUNNING} else "is still at work"
        return f"has not ended in time: it {how} (state: {run.state})"
    return _SAID.get(run.state, f"is {run.state}")


def _facts(run: RunRow, tally: Tally) -> list[tuple[str, str]]:
    facts = [("Reason", run.reason)] if run.reason else []
    facts.append(("Due", _when(run.fire_time, run.zone)))
    if run.occurrences > 1 and run.last_fire_time is not None:
        facts.append(("Up to", f"{_when(run.last_fire_time, run.zone)}; {run.occurrences} occurrences"))
    if run.started_at is not None:
        facts.append(("Started", _when(run.started_at, run.zone)))
    if run.ended_at is not None:
        facts.append(("Ended", _when(run.ended_at, run.zone)))
    total = sum(tally.values())
    if total:
        done = tally.get(AssetState.DONE, 0) + tally.get(AssetState.FRESH, 0)
        left = {state: n for state, n in tally.items() if n and state not in {AssetState.DONE, AssetState.FRESH}}
        words = ", ".join(f"{n} {state.value.replace('_', ' ')}" for state, n in sorted(left.items()))
        facts.append(("Assets", f"{done} of {total} done" + (f"; left: {words}" if words else "")))
    facts.append(("Run", run.run_id))
    return facts


def _when(instant: datetime, zone: str) -> str:
    """Wall time in `zone`, and in UTC where that differs."""
    local = instant.astimezone(ZoneInfo(zone))
    universal = f"{instant.astimezone(UTC):%a %Y-%m-%d %H:%M:%S} UTC"
    if local.utcoffset() == timedelta(0):
        return universal
    return f"{local:%a %Y-%m-%d %H:%M:%S %Z} ({universal})"


def _iso(instant: datetime | None) -> str | None:
    return None if instant is None else instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
