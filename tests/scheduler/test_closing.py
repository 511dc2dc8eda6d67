"""What a closure does to a run, in tables: the planner's answer and the attempt's ending. Pure."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from config import ConfigError, loads
from config.definitions import OnClosure, Retry
from config.job_reading import BEGUN_ANEW
from runners.api import Ended, Outcome, StopReason
from scheduler.ending import Circumstances, conclude, interrupted
from scheduler.lifecycle import Move, State
from scheduler.model import Cause, Cycle, JobRow, Kind, RunRow
from scheduler.planner.actions import Apply, RequestStop, Start
from scheduler.planner.active import cycle_end, plan_run
from scheduler.traits import TRAITS

HOUR = timedelta(hours=1)
FIRE = datetime(2026, 3, 1, 22, tzinfo=UTC)  # a Sunday
SHUT = datetime(2026, 3, 2, tzinfo=UTC)
OPEN = SHUT + 12 * HOUR
WHY = 'calendar "freeze": closed until 2026-03-02T12:00:00Z'
TEXT = """
version: 1
calendars: {{freeze: {{weekly: [{{on: monday, to: "12:00"}}]}}}}
servers: {{ccs: {{type: ccs, url: "https://ccs.example.com", username: u, password: {{env: P}}}}}}
jobs:
  - name: job
    idempotent: true
    catch_up: {{grace: 3h}}
    schedule: {{daily: , at: "22:00", start: "2026-01-01T00:00", exclude: [freeze], on_closure: {policy}}}
    run: {run}
"""
COMMAND = "{command: {argv: ['true']}}"
CCS = "{ccs: {server: ccs, job: 3f2504e0-4f89-11d3-9a0c-0305e82c3301}}"
ROW = JobRow(
    job_id=1, guid="g", name="job", origin="yaml", version_id=1, anchor=None, watermark=FIRE, known_since=FIRE,
    schedule_since=FIRE - 90 * HOUR, armed=True,
)  # fmt: skip
RUN = RunRow(
    run_no=1, run_id="r", job="job", job_id=1, version_id=1, kind=Kind.FIRE, fire_time=FIRE,
    civil=FIRE.replace(tzinfo=None), zone="UTC", state=State.RUNNING, opened_at=FIRE, cycle=Cycle(), has_assets=True,
    started_at=FIRE,
)  # fmt: skip


def job(policy="hold", run=COMMAND):
    """The job, with a policy."""
    return loads(TEXT.format(policy=policy, run=run), file="jobs.yaml", folder=Path("/")).jobs["job"]


def planned(definition, run, now):
    """What the planner does with `run`; no end of its cycle is in sight."""
    return plan_run(definition, ROW, run, now, None)


@pytest.mark.parametrize("policy", list(OnClosure))
def test_work_is_stopped_where_a_closure_begins(policy) -> None:
    """Not before it, not under finish, and not what was begun inside."""
    definition = job(policy)
    stop = None if policy is OnClosure.FINISH else RequestStop(1, StopReason.CLOSURE, WHY)
    assert planned(definition, RUN, SHUT - timedelta(seconds=1)) is None
    assert planned(definition, RUN, SHUT) == stop
    assert planned(definition, replace(RUN, stop_requested_at=SHUT), SHUT + HOUR) is None
    assert planned(definition, replace(RUN, rerun_at=SHUT + HOUR), SHUT + 2 * HOUR) is None
    assert planned(definition, replace(RUN, kind=Kind.MANUAL), SHUT) is None
    assert planned(definition, replace(RUN, kind=Kind.RUN_NOW), SHUT) is None


def test_what_waits_between_two_tries_waits_for_the_end() -> None:
    """Under hold nothing begins inside, whatever its pause says; at the end it does. Under stop it is left."""
    waiting = replace(RUN, state=State.RETRYING, retry_at=SHUT + HOUR)
    assert planned(job("hold"), waiting, SHUT + 2 * HOUR) is None
    assert planned(job("hold"), replace(waiting, retry_at=OPEN), SHUT) is None
    assert planned(job("hold"), waiting, OPEN) == Start(1, Cause.RETRY)
    assert planned(job("finish"), waiting, SHUT + 2 * HOUR) == Start(1, Cause.RETRY)
    assert planned(job("stop"), waiting, SHUT + 2 * HOUR) == Apply(1, Move.LEAVE, WHY)
    assert planned(job("hold"), replace(waiting, window_end=SHUT + HOUR), SHUT + 2 * HOUR) == Apply(
        1, Move.LEAVE, "the window closed"
    )


def test_work_at_a_counterpart_is_ended_there() -> None:
    """What goes on at a counterpart after the daemon died is ended when its calendar closes; a held one is not."""
    cut_off = replace(RUN, state=State.RETRYING, retry_at=SHUT, interruptions=1)
    assert planned(job("hold", CCS), cut_off, SHUT) == RequestStop(1, StopReason.CLOSURE, WHY)
    asked = replace(cut_off, stop_requested_at=SHUT, stop_reason="closure", stop_note=WHY)
    assert planned(job("hold", CCS), asked, SHUT) == Start(1, Cause.RETRY, ending=True)
    assert planned(job("hold", CCS), replace(cut_off, interruptions=0), SHUT) is None


def test_grace_does_not_run_while_a_closure_holds_a_run_up() -> None:
    """Grace counts up to the closure and from its end; without hold the closure counts too."""
    waiting = replace(RUN, state=State.PENDING, started_at=None)
    assert planned(job("hold"), waiting, OPEN + 2 * HOUR) == Start(1, Cause.FIRE)
    late = planned(job("hold"), waiting, OPEN + 4 * HOUR)
    assert isinstance(late, Apply)
    assert late.move is Move.MISS
    missed = planned(job("finish"), waiting, OPEN)
    assert isinstance(missed, Apply)
    assert missed.move is Move.MISS


@pytest.mark.parametrize(
    ("stop", "held", "repeatable", "move", "reason"),
    [
        (StopReason.CLOSURE, OPEN, True, Move.HOLD, f"held: {WHY}: 1 of 2 assets left"),
        (StopReason.CLOSURE, None, True, Move.LEAVE, f"{WHY}: 1 of 2 assets left"),
        (StopReason.CLOSURE, OPEN, False, Move.LEAVE, f"{WHY}: 1 of 2 assets left"),
        (StopReason.WINDOW_END, OPEN, True, Move.LEAVE, "the window closed: 1 of 2 assets left"),
        (StopReason.CANCEL, OPEN, True, Move.CANCEL, WHY),
    ],
)
def test_how_an_attempt_ends(stop, held, repeatable, move, reason) -> None:
    """Only what was stopped for a closure is held, its try given back; an abort counts before it."""
    facts = Circumstances(
        left=1,
        total=2,
        retry=Retry(),
        rerun_at=None,
        repeatable=repeatable,
        stop=stop,
        stop_note=WHY,
        held_until=held,
    )
    run = replace(RUN, tries=2)
    for outcome in (
        (Outcome(Ended.STOPPED), Outcome(Ended.FAILED)) if move is Move.HOLD else (Outcome(Ended.STOPPED),)
    ):
        ending = conclude(run, outcome, facts, SHUT)
        assert (ending.move, ending.reason) == (move, reason)
        if move is Move.HOLD:
            assert (ending.changes["retry_at"], ending.changes["tries"]) == (OPEN, 1)
    done = replace(facts, left=0)
    assert conclude(run, Outcome(Ended.STOPPED), done, SHUT).move is (
        Move.CANCEL if stop is StopReason.CANCEL and not done.total else Move.SUCCEED
    )


def test_how_a_cut_off_attempt_ends() -> None:
    """The daemon died over a stop for a closure: held until its end, unless the work goes on elsewhere."""
    run = replace(RUN, tries=1, stop_requested_at=SHUT, stop_reason="closure", stop_note=WHY)
    held = interrupted(run, repeatable=True, held_until=OPEN, now=SHUT)
    assert (held.move, held.changes["retry_at"], held.changes["tries"]) == (Move.HOLD, OPEN, 0)
    assert held.reason == f"held: {WHY}; cut off when the daemon died"
    assert interrupted(run, repeatable=True, held_until=OPEN, elsewhere=True, now=SHUT).move is Move.INTERRUPT
    assert interrupted(run, repeatable=True, held_until=None, now=SHUT).move is Move.INTERRUPT
    assert interrupted(run, repeatable=False, held_until=OPEN, now=SHUT).move is Move.LOSE
    assert interrupted(replace(run, interruptions=2), repeatable=True, held_until=OPEN, now=SHUT).move is Move.FAIL


def test_a_cycle_ends_where_an_occurrence_was_moved() -> None:
    """The run that was moved there takes over, though the schedule has no occurrence then."""
    text = """
version: 1
calendars: {freeze: {weekly: [{on: monday, to: "02:00"}]}}
jobs:
  - name: job
    schedule: {interval: 7h, start: "2026-03-02T01:00", exclude: [freeze], on_exclude: POLICY}
    run: {command: {argv: ['true']}}
"""
    run = replace(RUN, fire_time=SHUT + 22 * HOUR)
    for policy, hours in (("next-day", 25), ("skip", 29)):
        definition = loads(text.replace("POLICY", policy), file="jobs.yaml", folder=Path("/")).jobs["job"]
        assert cycle_end(definition, ROW, run) == SHUT + hours * HOUR


def test_what_cannot_go_on_cannot_be_held() -> None:
    """The file is refused, and says what to write; which kinds these are is what the scheduler knows of them."""
    text = TEXT.replace("idempotent: true", "idempotent: false").format(policy="hold", run=COMMAND)
    with pytest.raises(ConfigError) as refused:
        loads(text, file="jobs.yaml", folder=Path("/"))
    assert str(refused.value) == (
        'jobs.yaml:9:96: job "job": schedule.on_closure: hold stops a command that cannot go on; '
        "write idempotent: true if it may be begun anew, or on_closure: finish or stop"
    )
    assert {kind for kind, traits in TRAITS.items() if not traits.repeatable} == BEGUN_ANEW
