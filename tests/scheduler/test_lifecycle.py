"""The table of transitions: whole, without dead ends, and the only way a state changes."""

import itertools
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from recurrence.schedule import Occurrence
from scheduler.ledger import StaleMove, jobs, runs
from scheduler.lifecycle import ACTIVE, FINAL, STATUS, TRANSITIONS, Move, State, legal
from scheduler.model import Actor, By, Cycle, Kind

AT = datetime(2026, 3, 2, tzinfo=UTC)
ACTOR = Actor("tester", By.CLI)
ROOT = Path(__file__).parents[2]


def test_every_state_has_a_status_and_every_move_a_transition():
    """The tables are whole, and final states are those nothing leaves."""
    assert set(STATUS) == set(State)
    assert set(TRANSITIONS) == set(Move)
    assert {s for t in TRANSITIONS.values() for s in t.sources} == ACTIVE
    assert set(State) == ACTIVE | FINAL


def test_no_state_is_a_dead_end():
    """From every active state a final one can be reached, and every state can be reached from an opening."""
    for start in ACTIVE:
        assert reachable(start) & FINAL, start
    assert reachable(State.PENDING) | {State.MISSED, State.SKIPPED} == set(State)


def reachable(start):
    found, new = {start}, {start}
    while new:
        new = {t.target for t in TRANSITIONS.values() if t.sources & new} - found
        found |= new
    return found


def test_the_page_is_drawn_from_the_table():
    """docs/lifecycle.md is what `make docs` writes."""
    done = subprocess.run(
        [sys.executable, ROOT / "tools/generate_docs.py", "--check"], capture_output=True, text=True, cwd=ROOT
    )
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize(("state", "move"), list(itertools.product(State, Move)))
async def test_the_ledger_makes_legal_moves_and_refuses_all_others(ledger, state, move):
    """Every pair of state and move: the legal ones arrive at their target with an event, the others change nothing."""
    run = await ledger.write(lambda c: run_in(c, state))
    operation = lambda c: runs.move(c, run.run_no, move, at=AT + timedelta(hours=1), actor=ACTOR, reason="because")  # noqa: E731
    if legal(move, state):
        after = await ledger.write(operation)
        assert after.state is TRANSITIONS[move].target
        assert (after.ended_at is not None) == (after.state in FINAL)
        assert after.reason == "because"
        assert ledger.heard[-1].name == move
    else:
        before = len(ledger.heard)
        with pytest.raises(StaleMove):
            await ledger.write(operation)
        assert ledger.read(lambda c: runs.get(c, run.run_no)) == run
        assert len(ledger.heard) == before


PATHS = {
    State.PENDING: [],
    State.RUNNING: [Move.START],
    State.RETRYING: [Move.START, Move.RETRY],
    State.INCOMPLETE: [Move.START, Move.LEAVE],
    State.SUCCEEDED: [Move.START, Move.SUCCEED],
    State.FAILED: [Move.START, Move.FAIL],
    State.MISSED: [Move.MISS],
    State.SKIPPED: [Move.SKIP],
    State.EXPIRED: [Move.START, Move.LEAVE, Move.EXPIRE],
    State.LOST: [Move.START, Move.LOSE],
    State.CANCELLED: [Move.CANCEL],
}


def run_in(connection, state):
    """A run brought to `state` by legal moves."""
    version = jobs.Version("d", None, {})
    row = jobs.record(
        connection,
        version,
        name="job",
        origin="yaml",
        anchor=AT.replace(tzinfo=None),
        armed=True,
        at=AT,
        actor=ACTOR,
    )
    occurrence = Occurrence(AT, AT.replace(tzinfo=None))
    new = runs.NewRun(kind=Kind.FIRE, occurrence=occurrence, zone="UTC", cycle=Cycle())
    run = runs.open_run(connection, row, new, at=AT, actor=ACTOR)
    for move in PATHS[state]:
        run = runs.move(connection, run.run_no, move, at=AT, actor=ACTOR)
    assert run.state is state
    return run
