"""What decided about a run, from its row, its events and its attempts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from config.values import format_duration
from recurrence import explain
from scheduler.lifecycle import FINAL, Move, State
from scheduler.model import Kind, RunRow
from scheduler.planner.actions import PAUSED
from scheduler.planner.due import ON_TIME
from scheduler.why.facts import Facts, Force, Line
from scheduler.why.rule import Rule
from scheduler.why.words import named, span, when

_BY_REASON = (
    ("calendar ", "calendar"),
    (PAUSED, "pause"),
    ("overlap", "overlap"),
    ("a newer occurrence took its place", "overlap"),
    ("not run: the later occurrence", "catch_up"),
    ("not run: what was due", "calendar"),
    ("came due unobserved", "catch_up"),
    ("not started within its grace", "catch_up"),
    ("schedule changed", "definition"),
    ("the job was removed", "definition"),
    ("the job was deleted", "definition"),
    ("the job was disabled", "enabled"),
    ("the window closed", "window"),
    ("a new occurrence began", "overlap"),
    ("the next rerun is due", "rerun"),
    ("aborted", "operator"),
)
_BY_NAME = {
    Move.START: "start",
    Move.RERUN: "rerun",
    Move.RETRY: "retry",
    Move.HOLD: "calendar",
    Move.INTERRUPT: "interruption",
    Move.EXPIRE: "rerun",
    Move.LOSE: "interruption",
    Move.SUCCEED: "outcome",
    Move.FAIL: "outcome",
    Move.LEAVE: "outcome",
    Move.MISS: "catch_up",
    Move.SKIP: "overlap",
    Move.CANCEL: "operator",
}
_ASKED = {
    Kind.MANUAL: "it was asked for by {actor} ({by}): pause and calendars do not apply",
    Kind.RUN_NOW: "RunNow: it runs once when it is first recorded, or changed so ({actor}, {by})",
    Kind.POSTED: "somebody else carried it out and told us ({actor}, {by})",
}


def history(facts: Facts, force: Force, run: RunRow) -> Iterator[Rule]:
    """The rules that decided about `run` up to now, in their order."""
    yield _definition(facts, force, run)
    if run.moved_from is not None:
        yield Rule("calendar", f"the occurrence of {when(run.moved_from, run.zone)} was excluded and moved here")
    yield from _opened(force, run)
    waited = None if run.started_at is None else run.started_at - run.opened_at
    if waited is not None and waited > ON_TIME:
        why = "room (limits, max_running), an earlier run of the job, the pace of late starts, or a calendar"
        yield Rule("limits", f"it waited {span(waited)} to start, for {why}")
    for line in facts.lines:
        if line.name != "open":
            yield _told(line, run.zone)


def _definition(facts: Facts, force: Force, run: RunRow) -> Rule:
    if run.kind is not Kind.FIRE:
        opened = next((line for line in facts.lines if line.name == "open"), None)
        actor, by = ("nobody known", "?") if opened is None else (opened.actor, opened.by)
        return Rule("asked", _ASKED[run.kind].format(actor=actor, by=by))
    version = next((one for one in facts.versions if one.version_id == run.version_id), None)
    if version is None or version.schedule is None:
        return Rule("definition", f"it was due at {when(run.fire_time, run.zone)}")
    since = when(version.from_at, force.zone)
    return Rule("definition", f"{explain(version.schedule)} In force from {since}")


def _opened(force: Force, run: RunRow) -> Iterator[Rule]:
    """What was decided when it came due, or later where nobody looked."""
    late = run.opened_at - run.fire_time
    if run.kind is Kind.FIRE and late > ON_TIME:
        grace = "" if force.job is None else f"; catch_up: {_catch_up(force)}"
        down = "the daemon was down, held up or could not write its ledger"
        yield Rule("catch_up", f"it was looked at {span(late)} after it was due ({down}){grace}")
    if run.attempts == 0 and run.ended_at == run.opened_at:
        count = "" if run.occurrences == 1 else f" (the same for {run.occurrences} occurrences)"
        yield Rule(rule_of(run.reason, Move.SKIP), f"{run.reason or run.state}{count}")


def _catch_up(force: Force) -> str:
    assert force.job is not None  # noqa: S101 - asked by whoever has one
    policy = force.job.catch_up
    return f"{policy.policy}, grace {format_duration(policy.grace)}"


def _told(line: Line, zone: str) -> Rule:
    by = f" by {line.actor} ({line.by})" if line.by != "clock" else ""
    reason = f": {line.reason}" if line.reason else ""
    if line.name == "stop_requested":
        return Rule(rule_of(line.reason, None), f"{when(line.at, zone)} it was asked to stop{by}{reason}")
    became = f" it became {line.to_state}" if line.to_state else f" {line.name}"
    move = Move(line.name) if line.name in _BY_NAME else None
    name = rule_of(line.reason, move) if move in _JUDGED else _BY_NAME.get(move, "journal") if move else "journal"
    return Rule(name, f"{when(line.at, zone)}{became}{by}{reason}")


_JUDGED = frozenset({Move.MISS, Move.SKIP, Move.LEAVE, Move.CANCEL, Move.EXPIRE})
"""Moves of which the reason says better than the name which rule it was."""


def rule_of(reason: str, move: Move | None) -> str:
    """The name of the rule that gave `reason`."""
    found = next((rule for begin, rule in _BY_REASON if reason.startswith(begin)), None)
    return found or ("operator" if move is None else _BY_NAME[move])


def state_at(facts: Facts, run: RunRow, at: datetime) -> State:
    """The state in which `run` was at that instant."""
    known = [line.to_state for line in facts.lines if line.at <= at and line.to_state is not None]
    return State(known[-1]) if known else run.state


def ended(run: RunRow) -> str:
    """How a final run ended, in a sentence without its full stop."""
    assert run.ended_at is not None  # noqa: S101 - it is final
    due, end = when(run.fire_time, run.zone), when(run.ended_at, run.zone)
    because = f": {run.reason}" if run.reason else ""
    if run.attempts == 0:
        last = when(run.last_fire_time or run.fire_time, run.zone)
        count = "" if run.occurrences == 1 else f" (one of {run.occurrences} in a row, until {last})"
        if run.state is State.CANCELLED:
            return f"It never started: {named(run)}, due {due}, was cancelled at {end}{because}"
        if run.kind is Kind.POSTED:
            return f"It was carried out elsewhere: {named(run)} was told as {run.state} at {end}{because}"
        return f"It did not run: {named(run)}, due {due}, was {run.state}{count}{because}"
    return f"It ran: {named(run)}, due {due}, {end_of(run)}"


def end_of(run: RunRow) -> str:
    """`succeeded at … after 2 attempts: why`."""
    end = when(run.ended_at or run.opened_at, run.zone)
    tries = f" after {run.attempts} attempts" if run.attempts > 1 else ""
    return f"{_SAID[run.state]} at {end}{tries}" + (f": {run.reason}" if run.reason else "")


_SAID = {state: f"was {state}" for state in FINAL} | {
    State.SUCCEEDED: "succeeded",
    State.FAILED: "failed",
    State.EXPIRED: "expired with something left",
}
