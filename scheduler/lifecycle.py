"""The life of a run: its states and every legal transition, in one table.

docs/lifecycle.md is drawn from this table. `status` is the code that CCS clients see.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum


class State(StrEnum):
    """Where a run stands."""

    PENDING = "pending"
    RUNNING = "running"
    RETRYING = "retrying"
    INCOMPLETE = "incomplete"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    MISSED = "missed"
    SKIPPED = "skipped"
    EXPIRED = "expired"
    LOST = "lost"
    CANCELLED = "cancelled"


class Status(IntEnum):
    """The job status codes of the CCS API."""

    PENDING = 1
    EXECUTING = 2
    IDLE = 3
    COMPLETED = 4
    FAULTED = 5
    CUSTOM = 6
    ABORTED = 7


ACTIVE = frozenset({State.PENDING, State.RUNNING, State.RETRYING, State.INCOMPLETE})
FINAL = frozenset(State) - ACTIVE

STATUS: Mapping[State, Status] = {
    State.PENDING: Status.PENDING,
    State.RUNNING: Status.EXECUTING,
    State.RETRYING: Status.IDLE,
    State.INCOMPLETE: Status.IDLE,
    State.SUCCEEDED: Status.COMPLETED,
    State.FAILED: Status.FAULTED,
    State.MISSED: Status.CUSTOM,
    State.SKIPPED: Status.CUSTOM,
    State.EXPIRED: Status.CUSTOM,
    State.LOST: Status.CUSTOM,
    State.CANCELLED: Status.ABORTED,
}


class Move(StrEnum):
    """The name of a transition; also the event that the ledger appends for it."""

    START = "start"
    RERUN = "rerun"
    MISS = "miss"
    SKIP = "skip"
    SUCCEED = "succeed"
    LEAVE = "leave"
    RETRY = "retry"
    HOLD = "hold"
    INTERRUPT = "interrupt"
    FAIL = "fail"
    LOSE = "lose"
    EXPIRE = "expire"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class Transition:
    """A legal change: from any of `sources` to `target`. `when` says it in words for the chart."""

    sources: frozenset[State]
    target: State
    when: str


def _of(*sources: State, to: State, when: str) -> Transition:
    return Transition(frozenset(sources), to, when)


TRANSITIONS: Mapping[Move, Transition] = {
    Move.START: _of(State.PENDING, State.RETRYING, to=State.RUNNING, when="an attempt starts"),
    Move.RERUN: _of(State.INCOMPLETE, to=State.RUNNING, when="a rerun is due: what is left is attempted"),
    Move.MISS: _of(State.PENDING, to=State.MISSED, when="never started within its grace"),
    Move.SKIP: _of(State.PENDING, to=State.SKIPPED, when="overlap policy: a newer occurrence took its place"),
    Move.SUCCEED: _of(State.RUNNING, to=State.SUCCEEDED, when="all done"),
    Move.LEAVE: _of(
        State.PENDING, State.RUNNING, State.RETRYING, to=State.INCOMPLETE, when="window closed, or assets left"
    ),
    Move.RETRY: _of(State.RUNNING, to=State.RETRYING, when="error, tries left"),
    Move.HOLD: _of(
        State.RUNNING, to=State.RETRYING, when="a closure began (on_closure: hold): the try is not used up"
    ),
    Move.INTERRUPT: _of(
        State.RUNNING, to=State.RETRYING, when="the daemon stopped or died: the try is not used up"
    ),
    Move.FAIL: _of(State.RUNNING, to=State.FAILED, when="error, no tries left; interrupted three times in a row"),
    Move.LOSE: _of(State.RUNNING, to=State.LOST, when="cut off, and neither to be asked nor safe to repeat"),
    Move.EXPIRE: _of(
        State.INCOMPLETE, to=State.EXPIRED, when="rerun period over, none configured, or a new occurrence"
    ),
    Move.CANCEL: _of(
        State.PENDING,
        State.RUNNING,
        State.RETRYING,
        State.INCOMPLETE,
        to=State.CANCELLED,
        when="an operator's abort; the job was removed or disabled",
    ),
}


def legal(move: Move, state: State) -> bool:
    """Whether a run in `state` may make `move`."""
    return state in TRANSITIONS[move].sources
