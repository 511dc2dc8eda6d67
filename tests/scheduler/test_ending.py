"""What the row of a run says of the end of its attempt."""

from datetime import datetime, timedelta

import pytest

from config.definitions import Retry
from runners.api import Ended, Outcome, StopReason
from scheduler.ending import Circumstances, conclude
from scheduler.lifecycle import Move, State
from scheduler.model import Cycle, Kind, RunRow

AT = datetime.fromisoformat("2026-03-02T00:00:00Z")
DOUBT = "prod: the abort of the job run r is not confirmed: no answer"


def ending(outcome, stop, *, window_end=None, **more):
    """The ending, an hour past its fire time, of an attempt without assets; `stop` is what it was asked to."""
    run = RunRow(
        run_no=1, run_id="r", job="job", job_id=1, version_id=1, kind=Kind.FIRE, fire_time=AT, civil=AT, zone="UTC",
        state=State.RUNNING, opened_at=AT, cycle=Cycle(), has_assets=False, tries=1, window_end=window_end,
    )  # fmt: skip
    facts = {"left": 0, "total": 0, "retry": Retry(), "rerun_at": None, "repeatable": True, "stop": stop} | more
    return conclude(run, outcome, Circumstances(**facts), AT + timedelta(hours=1))


@pytest.mark.parametrize(
    ("stop", "move", "why"),
    [
        (StopReason.WINDOW_END, Move.LEAVE, "the window closed"),
        (StopReason.NEW_OCCURRENCE, Move.LEAVE, "a new occurrence began"),
        (StopReason.NEXT_RERUN, Move.LEAVE, "the next rerun is due"),
        (StopReason.CANCEL, Move.CANCEL, "aborted by ann"),
    ],
)
def test_what_may_go_on_elsewhere_is_told_whatever_becomes_of_the_run(stop, move, why):
    """Stopped is not the whole truth where nobody has seen it end, or where it failed instead; else it is."""
    doubtful = Outcome(Ended.STOPPED, DOUBT, unsettled=True)
    for outcome, reason in [
        (doubtful, f"{why}; {DOUBT}"),
        (Outcome(Ended.FAILED, "prod: no usable answer"), f"{why}; prod: no usable answer"),
        (Outcome(Ended.STOPPED, "stopped, and said so"), why),
    ]:
        ended = ending(outcome, stop, stop_note="aborted by ann")
        assert (ended.move, ended.reason, ended.ended) == (move, reason, "stopped")


def test_it_is_told_beside_what_is_left():
    """A run with assets."""
    ended = ending(Outcome(Ended.STOPPED, DOUBT, unsettled=True), StopReason.WINDOW_END, left=2, total=3)
    assert ended.reason == f"the window closed: 2 of 3 assets left; {DOUBT}"


@pytest.mark.parametrize(("elsewhere", "move"), [(False, Move.FAIL), (True, Move.RETRY)])
def test_work_elsewhere_waits_for_its_windows_end(elsewhere, move):
    """A pause longer than the window: local work ends now; what may go on at a counterpart is ended there then."""
    failed = Outcome(Ended.FAILED, "no answer", retryable=True)
    ended = ending(failed, None, retry=Retry(attempts=2), elsewhere=elsewhere, window_end=AT + timedelta(hours=1))
    assert ended.move is move
