"""The journal's events as log lines: one table from what happened to a name, a level and words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog

from scheduler.ledger import Event
from scheduler.lifecycle import Move

_log = structlog.get_logger()

LEVELS: dict[str, tuple[str, str]] = {
    "open": ("run_opened", "info"),
    Move.START: ("attempt_started", "info"),
    Move.RERUN: ("rerun_started", "info"),
    Move.MISS: ("run_missed", "warning"),
    Move.SKIP: ("run_skipped", "info"),
    Move.SUCCEED: ("run_succeeded", "info"),
    Move.LEAVE: ("run_incomplete", "warning"),
    Move.RETRY: ("attempt_failed", "warning"),
    Move.INTERRUPT: ("attempt_interrupted", "warning"),
    Move.FAIL: ("run_failed", "error"),
    Move.LOSE: ("run_lost", "error"),
    Move.EXPIRE: ("run_expired", "warning"),
    Move.CANCEL: ("run_cancelled", "info"),
    "stop_requested": ("stop_requested", "info"),
    "record": ("job_recorded", "info"),
    "change": ("job_changed", "info"),
    "arm": ("job_armed", "info"),
    "disarm": ("job_disarmed", "info"),
    "remove": ("job_removed", "info"),
    "history_deleted": ("history_deleted", "info"),
    "pruned": ("history_pruned", "info"),
    "pause": ("job_paused", "info"),
    "resume": ("job_resumed", "info"),
    "resend": ("delivery_resent", "info"),
    "clock_back": ("clock_set_back", "warning"),
}
"""Event name in the journal -> event name and level in the log."""

_OPENED = {"missed": ("run_missed", "warning"), "skipped": ("run_skipped", "info")}


def to_log(events: Sequence[Event]) -> None:
    """Write one line for each committed event; called in the ledger's thread."""
    for event in events:
        name, level = LEVELS[event.name]
        if event.name == "open" and event.run is not None:
            name, level = _OPENED.get(event.run.state, (name, level))
        getattr(_log, level)(name, **_keys(event))


def _keys(event: Event) -> dict[str, Any]:
    keys: dict[str, Any] = {"job": event.job}
    run = event.run
    if run is not None:
        keys |= {"run_id": run.run_id, "fire_time": _utc(run.fire_time), "state": run.state.value}
        if run.occurrences > 1 and run.last_fire_time is not None:
            keys |= {"occurrences": run.occurrences, "last_fire_time": _utc(run.last_fire_time)}
        if run.ended_at is not None and run.started_at is not None:
            keys["duration_s"] = _seconds(run.ended_at - run.started_at)
        if event.name == "stop_requested":
            keys["stop"] = run.stop_reason
    if event.attempt:
        keys["attempt"] = event.attempt
    if event.reason:
        keys["reason"] = event.reason
    if event.actor.by.value != "clock":
        keys["actor"] = f"{event.actor.name} ({event.actor.by})"
    return keys


def _utc(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")


def _seconds(duration: timedelta) -> float:
    return round(duration.total_seconds(), 3)
