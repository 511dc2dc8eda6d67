"""Whether the row of a run, its events and its attempts tell one life. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from scheduler.lifecycle import FINAL, TRANSITIONS, Move, State

_STARTS = frozenset({Move.START.value, Move.RERUN.value})
_MOVES = frozenset(move.value for move in Move)
_ENDED = frozenset(state.value for state in FINAL)

Fault = tuple[str, str]
"""The name of an invariant, and how it is broken."""


@dataclass(frozen=True, slots=True)
class Told:
    """What the row of a run says; `attempts` is its count of them."""

    job: str
    run_id: str
    state: str
    reason: str
    attempts: int
    opened_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Line:
    """One event of a run, as it was written."""

    name: str
    at: datetime
    attempt: int | None
    from_state: str | None
    to_state: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class Try:
    """One attempt of a run, as it was written."""

    number: int
    started_at: datetime
    ended_at: datetime | None


def faults(run: Told, lines: Sequence[Line], tries: Sequence[Try]) -> Iterator[Fault]:
    """Where they disagree; `lines` in the order in which they were written, `tries` by number."""
    yield from _chained(run, lines)
    yield from _numbered(run, lines, tries)
    yield from _open_attempts(run, tries)
    yield from _timed(run, lines, tries)


def _chained(run: Told, lines: Sequence[Line]) -> Iterator[Fault]:
    """From `open` on, each event begins in the state in which the one before it ended."""
    if not lines or lines[0].name != "open":
        yield (
            "opened",
            "it has no `open` event" if not lines else f"its first event is `{lines[0].name}`, not `open`",
        )
        if not lines:
            return
    state = lines[0].to_state
    reason = lines[0].reason
    for line in lines[1:]:
        if line.name == "open":
            yield "opened", f"it was opened again at {iso(line.at)}"
        elif line.name not in _MOVES:
            if line.to_state != state:
                yield "chain", f"`{line.name}` at {iso(line.at)} found it {line.to_state}, and it was {state}"
        else:
            yield from _step(line, state)
            reason = line.reason
        state = line.to_state
    if state != run.state:
        yield "chain", f"it is {run.state}, and its last event left it {state}"
    elif reason != run.reason:
        yield "reason", f"its reason is {run.reason!r}, and that of its last change {reason!r}"


def _step(line: Line, state: str | None) -> Iterator[Fault]:
    """Whether this move leads on from `state` by the table of transitions."""
    transition = TRANSITIONS[Move(line.name)]
    if line.from_state != state:
        yield "chain", f"`{line.name}` at {iso(line.at)} begins as {line.from_state}, and it was {state}"
    if line.from_state not in transition.sources or line.to_state != transition.target:
        yield (
            "chain",
            f"`{line.name}` at {iso(line.at)} leads from {line.from_state} to {line.to_state}: no such move",
        )


def _numbered(run: Told, lines: Sequence[Line], tries: Sequence[Try]) -> Iterator[Fault]:
    """Attempts are numbered from 1 without a gap, and each has the event that started it."""
    numbers = [one.number for one in tries]
    if numbers != list(range(1, run.attempts + 1)):
        yield "attempts", f"it counts {run.attempts} attempts, and those recorded are {_listed(numbers)}"
    started = [line.attempt for line in lines if line.name in _STARTS]
    if started != numbers:
        yield (
            "attempts",
            f"its events started the attempts {_listed(started)}, and those recorded are {_listed(numbers)}",
        )


def _open_attempts(run: Told, tries: Sequence[Try]) -> Iterator[Fault]:
    """A running run has exactly one attempt that has not ended, its last; any other has none."""
    unended = [one.number for one in tries if one.ended_at is None]
    if run.state != State.RUNNING:
        if unended:
            yield "open_attempts", f"it is {run.state}, and attempt {_listed(unended)} has not ended"
    elif unended != [run.attempts]:
        yield "open_attempts", f"it is running, and the attempts that have not ended are {_listed(unended)}"


def _timed(run: Told, lines: Sequence[Line], tries: Sequence[Try]) -> Iterator[Fault]:
    """What the rows say happened when is what the events say."""
    starts = {line.attempt: line.at for line in lines if line.name in _STARTS}
    ends = {line.attempt: line.at for line in lines if line.from_state == State.RUNNING and line.name in _MOVES}
    opened = [line.at for line in lines if line.name == "open"]
    final = [line.at for line in lines if line.to_state in _ENDED and line.name in {*_MOVES, "open"}]
    pairs = [
        ("opened_at", run.opened_at, opened[0] if opened else run.opened_at),
        ("started_at", run.started_at, starts.get(1)),
        ("ended_at", run.ended_at, final[-1] if final else None),
        *((f"attempt {one.number}: started_at", one.started_at, starts.get(one.number)) for one in tries),
        *((f"attempt {one.number}: ended_at", one.ended_at, ends.get(one.number)) for one in tries),
    ]
    for name, row, event in pairs:
        if row != event:
            yield "times", f"{name} is {iso(row)}, and by its events {iso(event)}"


def _listed(numbers: Sequence[int | None]) -> str:
    return ", ".join(str(number) for number in numbers) or "none"


def iso(instant: datetime | None) -> str:
    """As ISO 8601 in UTC with Z; "none" for None."""
    return "none" if instant is None else instant.isoformat().replace("+00:00", "Z")
