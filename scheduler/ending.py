"""How an attempt ends: from a runner's outcome and what is left to the run's next state. Pure.

Sources: docs/lifecycle.md; docs/design.md "Outcomes".
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from config.definitions import Retry
from runners.api import Ended, Outcome, StopReason
from scheduler.lifecycle import Move
from scheduler.model import RunRow

MOST_INTERRUPTIONS = 3
"""Crashes in a row after which a run is failed: it may be what brings the daemon down."""

HELD = "held: "
"""How the reason of a run begins that waits for the end of a closure."""

_MS = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How an attempt ends and what that does to its run; `changes` are further columns of the run."""

    ended: str
    move: Move
    reason: str
    exit_code: int | None
    changes: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What decides beside the outcome.

    Attributes:
        left: Assets not done; `total` of the run. Both 0 without assets.
        retry: The definition's.
        rerun_at: The next rerun that will happen, or None.
        repeatable: Whether an interrupted attempt may be made again.
        elsewhere: Whether what it began may go on at a counterpart, and has to be ended there.
        stop: Why the stop was asked for, or None; `stop_note` says it in an operator's words.
        held_until: When a run that was stopped for a closure is taken up again; None where it is not held.
    """

    left: int
    total: int
    retry: Retry
    rerun_at: datetime | None
    repeatable: bool
    elsewhere: bool = False
    stop: StopReason | None = None
    stop_note: str = ""
    held_until: datetime | None = None


def conclude(run: RunRow, outcome: Outcome, facts: Circumstances, now: datetime) -> Ending:
    """The ending of `run`'s attempt: what is done counts, whatever was asked for while it was being done."""
    all_covered = facts.total > 0 and facts.left == 0
    if (outcome.ended is Ended.COMPLETED and facts.left == 0) or (outcome.ended is Ended.STOPPED and all_covered):
        return _ending(outcome, "completed", Move.SUCCEED, outcome.reason)
    if facts.stop is StopReason.CANCEL:
        return _ending(outcome, "stopped", Move.CANCEL, _told(facts.stop_note or "aborted", outcome))
    match outcome.ended:
        case Ended.COMPLETED:
            count = _left(facts)
            return _ending(
                outcome, "completed", Move.LEAVE, f"{outcome.reason}: {count}" if outcome.reason else count
            )
        case Ended.STOPPED:
            return _stopped(run, outcome, facts, now)
        case Ended.FAILED:
            return _failed(run, outcome, facts, now)


def interrupted(
    run: RunRow,
    *,
    repeatable: bool,
    elsewhere: bool = False,
    held_until: datetime | None = None,
    now: datetime,
) -> Ending:
    """The ending of an attempt whose daemon died; work `elsewhere` that was being ended is taken up for that.

    `held_until` is as in `Circumstances`: one that was being stopped for a closure is held, its stop answered.
    """
    count = run.interruptions + 1
    changes: dict[str, Any] = {"interruptions": count}
    if run.stop_reason == StopReason.CANCEL and not elsewhere:
        note = run.stop_note or "aborted"
        return Ending(ended="stopped", move=Move.CANCEL, reason=note, exit_code=None, changes=changes)
    if not repeatable:
        reason = (
            "cut off when the daemon died; it may have done its work and is not repeated, "
            "because the job does not say `idempotent: true`"
        )
        return Ending(ended="lost", move=Move.LOSE, reason=reason, exit_code=None, changes=changes)
    if count >= MOST_INTERRUPTIONS and not (elsewhere and run.stop_reason is not None):
        reason = f"the daemon died {count} times in a row while this run was at work"
        return Ending(ended="interrupted", move=Move.FAIL, reason=reason, exit_code=None, changes=changes)
    changes |= {"retry_at": now, "tries": run.tries - 1}
    if run.stop_reason == StopReason.CLOSURE and held_until is not None and not elsewhere:
        changes["retry_at"] = held_until
        reason = f"{HELD}{run.stop_note}; cut off when the daemon died"
        return Ending(ended="interrupted", move=Move.HOLD, reason=reason, exit_code=None, changes=changes)
    reason = "cut off when the daemon died; what is left is taken up again"
    return Ending(ended="interrupted", move=Move.INTERRUPT, reason=reason, exit_code=None, changes=changes)


def _stopped(run: RunRow, outcome: Outcome, facts: Circumstances, now: datetime) -> Ending:
    if facts.stop is StopReason.SHUTDOWN:
        if not facts.repeatable:
            reason = (
                "interrupted by the daemon's stop; it is not repeated, "
                "because the job does not say `idempotent: true`"
            )
            return _ending(outcome, "lost", Move.LOSE, reason)
        reason = "interrupted by the daemon's stop; what is left is taken up at its next start"
        return _ending(outcome, "interrupted", Move.INTERRUPT, reason, retry_at=now, tries=run.tries - 1)
    why = _told(_left(facts), outcome)
    if facts.stop is StopReason.CLOSURE and facts.held_until is not None and facts.repeatable:
        reason = f"{HELD}{why}"
        return _ending(outcome, "stopped", Move.HOLD, reason, retry_at=facts.held_until, tries=run.tries - 1)
    return _ending(outcome, "stopped", Move.LEAVE, why)


def _failed(run: RunRow, outcome: Outcome, facts: Circumstances, now: datetime) -> Ending:
    held = facts.stop is StopReason.CLOSURE and facts.held_until is not None
    if (facts.stop is StopReason.SHUTDOWN or held) and facts.repeatable:
        return _stopped(run, outcome, facts, now)
    if facts.stop is None and outcome.retryable and run.tries < facts.retry.attempts:
        pause = backoff(facts.retry, run.tries, run.run_id)
        coming = f"try {run.tries + 1} of {facts.retry.attempts}"
        if run.window_end is None or now + pause < run.window_end or facts.elsewhere:
            reason = f"{outcome.reason}; {coming} in {pause.total_seconds():g} s"
            return _ending(outcome, "failed", Move.RETRY, reason, retry_at=now + pause)
        outcome = replace(outcome, reason=f"{outcome.reason}; {coming} would not begin inside the window")
    if facts.left and facts.rerun_at is not None:
        return _ending(outcome, "failed", Move.LEAVE, f"{outcome.reason}; {_left(facts)}")
    if facts.total == 0 and facts.stop not in (None, StopReason.SHUTDOWN):
        return _ending(outcome, "stopped", Move.LEAVE, _told(_left(facts), outcome))
    return _ending(outcome, "failed", Move.FAIL, outcome.reason or "failed")


def backoff(retry: Retry, tries: int, run_id: str) -> timedelta:
    """The pause after the `tries`-th try (from 1): backoff·2ⁿ, at most max_backoff, and this run's own jitter.

    The jitter is whole milliseconds from 0 to `retry.jitter`, exclusive; the same whenever it is asked for.
    """
    doublings: int = 2 ** min(tries - 1, 30)
    span = retry.jitter // _MS
    drawn = int.from_bytes(sha256(f"{run_id}/{tries}".encode()).digest()[:8])
    return min(retry.backoff * doublings, retry.max_backoff) + (drawn % span * _MS if span else timedelta(0))


def longest_pause(retry: Retry) -> timedelta:
    """No pause between two tries is longer."""
    return retry.max_backoff + retry.jitter


_STOPS = {
    StopReason.WINDOW_END: "the window closed",
    StopReason.NEW_OCCURRENCE: "a new occurrence began",
    StopReason.NEXT_RERUN: "the next rerun is due",
}


def _left(facts: Circumstances) -> str:
    why = _STOPS.get(facts.stop) if facts.stop is not None else None
    if facts.stop is StopReason.CLOSURE:
        why = facts.stop_note or "a closure began"
    if not facts.total:
        return why or "left unfinished"
    count = f"{facts.left} of {facts.total} assets left"
    return f"{why}: {count}" if why else count


def _told(why: str, outcome: Outcome) -> str:
    """Why it was stopped, and what its work says beside that where an operator has to know."""
    beside = outcome.ended is Ended.FAILED or outcome.unsettled
    return f"{why}; {outcome.reason}" if beside and outcome.reason else why


def _ending(
    outcome: Outcome,
    ended: str,
    move: Move,
    reason: str,
    **changes: Any,
) -> Ending:
    changes["interruptions"] = 0
    return Ending(ended=ended, move=move, reason=reason, exit_code=outcome.exit_code, changes=changes)
