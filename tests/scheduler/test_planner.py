"""The pure core in tables: from now, definitions and a snapshot to actions."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from config.definitions import CatchUp, CatchUpPolicy, CcsRun, CommandRun, JobDefinition, Overlap
from recurrence.schedule import Interval, Rerun, Schedule
from runners.api import StopReason
from scheduler.cycle import wake_at
from scheduler.ending import interrupted
from scheduler.lifecycle import Move, State
from scheduler.model import Cause, Cycle, JobRow, Kind, RunRow
from scheduler.planner import Capacity, Snapshot, plan
from scheduler.planner.actions import Apply, Open, Postpone, RequestStop, Start
from scheduler.planner.walks import BATCH, STRETCH

MIDNIGHT = datetime.fromisoformat("2026-03-02T00:00:00Z")
HOUR = timedelta(hours=1)
ROOM = Capacity(max_running=10, limits={})


def job(**changes):
    """Every hour, from midnight."""
    schedule = Schedule(rule=Interval(HOUR), start=MIDNIGHT.replace(tzinfo=None))
    return replace(JobDefinition(name="job", run=CommandRun(argv=("true",)), schedule=schedule), **changes)


def row(**changes):
    """The job, with every occurrence before midnight accounted for."""
    before = MIDNIGHT - timedelta(minutes=30)
    base = JobRow(
        job_id=1,
        guid="g",
        name="job",
        origin="yaml",
        version_id=1,
        anchor=None,
        watermark=before,
        known_since=before,
        schedule_since=before,
        armed=True,
    )
    return replace(base, **changes)


def run(state, number=1, **changes):
    """A run of midnight's occurrence."""
    base = RunRow(
        run_no=number,
        run_id=f"run-{number}",
        job="job",
        job_id=1,
        version_id=1,
        kind=Kind.FIRE,
        fire_time=MIDNIGHT,
        civil=MIDNIGHT.replace(tzinfo=None),
        zone="UTC",
        state=state,
        opened_at=MIDNIGHT,
        cycle=Cycle(),
        has_assets=True,
    )
    return replace(base, **changes)


def planned(now, definition=None, job_row=None, runs=(), *, due=True, running=(), room=ROOM):
    """The actions of one plan."""
    definition = definition or job()
    seen = Snapshot(
        jobs={"job": job_row or row()},
        due=frozenset({"job"} if due else ()),
        runs=tuple(runs),
        running=tuple(running),
    )
    return list(plan(now, {"job": definition}, seen, room).actions)


def test_nothing_is_due_before_the_fire_time_and_the_row_opens_at_it():
    """A microsecond before midnight nothing happens; at midnight the occurrence opens and the watermark moves."""
    assert planned(MIDNIGHT - timedelta(microseconds=1)) == []
    (action,) = planned(MIDNIGHT)
    assert isinstance(action, Open)
    assert action.watermark == MIDNIGHT
    assert [(r.occurrence.fire_time, r.state) for r in action.records] == [(MIDNIGHT, State.PENDING)]


def test_a_watermark_ahead_of_the_clock_plans_nothing():
    """After the clock was set back, what has its row is not planned again."""
    assert planned(MIDNIGHT, job_row=row(watermark=MIDNIGHT + 3 * HOUR)) == []


@pytest.mark.parametrize(
    ("late", "policy", "states"),
    [
        (timedelta(seconds=59), CatchUpPolicy.NONE, ["pending"]),
        (timedelta(seconds=61), CatchUpPolicy.NONE, ["missed"]),
        (timedelta(minutes=59), CatchUpPolicy.LATEST, ["pending"]),
        (3 * HOUR, CatchUpPolicy.LATEST, ["missed", "missed", "missed", "pending"]),
        (3 * HOUR, CatchUpPolicy.ALL, ["missed", "pending", "pending", "pending"]),
        (3 * HOUR, CatchUpPolicy.NONE, ["missed", "missed", "missed", "pending"]),
    ],
)
def test_catch_up(late, policy, states):
    """What becomes of the occurrences since the watermark, by policy and a grace of two hours."""
    definition = job(catch_up=CatchUp(policy=policy, grace=2 * HOUR))
    (action,) = planned(MIDNIGHT + late, definition)
    assert [str(r.state) for r in action.records] == states
    assert all(r.reason for r in action.records if r.state is State.MISSED)


def test_many_misses_are_one_record_and_no_more_are_walked_than_needed():
    """A hundred misses have rows of their own; more become a stretch with first, last and count.

    Rule: many-misses
    """
    (few,) = planned(MIDNIGHT + STRETCH * HOUR)
    assert len(few.records) == STRETCH + 1
    (many,) = planned(MIDNIGHT + 50_000 * HOUR)
    stretch, last = many.records
    assert (stretch.count, stretch.occurrence.fire_time, stretch.last) == (
        50_000,
        MIDNIGHT,
        MIDNIGHT + 49_999 * HOUR,
    )
    assert last.state is State.PENDING


def test_with_catch_up_all_some_hundred_wait_at_the_most():
    """Of a thousand that were missed 200 are opened; the next ones when fewer wait, from where the first ones end."""
    everything = job(catch_up=CatchUp(policy=CatchUpPolicy.ALL, grace=2000 * HOUR))
    now = MIDNIGHT + 1000 * HOUR
    (opened,) = planned(now, everything)
    assert {r.state for r in opened.records} == {State.PENDING}
    assert (len(opened.records), opened.watermark) == (BATCH, opened.records[-1].occurrence.fire_time)
    waiting = [run(State.PENDING, n, fire_time=r.occurrence.fire_time) for n, r in enumerate(opened.records, 1)]
    reached = row(watermark=opened.watermark)
    assert not any(isinstance(a, Open) for a in planned(now, everything, reached, waiting, running=["job"]))
    (more,) = planned(now, everything, reached, waiting[1:])
    assert more.records[0].occurrence.fire_time == opened.watermark + HOUR
    begun = MIDNIGHT - 9 * HOUR
    over = replace(reached, paused_at=begun, paused_until=MIDNIGHT)
    assert not any(isinstance(a, Open) for a in planned(now, everything, over, waiting, running=["job"]))
    lasting = replace(reached, paused_at=begun, paused_until=now)
    assert any(isinstance(a, Open) for a in planned(now, everything, lasting, waiting, running=["job"]))


def test_a_pause_cuts_the_stretch():
    """Before the pause: by policy; in it: skipped; after its end: by policy again."""
    paused = row(paused_at=MIDNIGHT + 1.5 * HOUR, paused_until=MIDNIGHT + 4 * HOUR, paused_note="patching")
    (action,) = planned(MIDNIGHT + 5 * HOUR, job(catch_up=CatchUp(policy=CatchUpPolicy.ALL)), paused)
    assert [(r.occurrence.fire_time.hour, str(r.state)) for r in action.records] == [
        (0, "pending"),
        (1, "pending"),
        (2, "skipped"),
        (3, "skipped"),
        (4, "pending"),
        (5, "pending"),
    ]
    assert action.records[2].reason == "paused: patching"


@pytest.mark.parametrize(
    ("overlap", "state", "record", "others"),
    [
        (Overlap.SKIP, State.RUNNING, "skipped", []),
        (Overlap.SKIP, State.RETRYING, "skipped", []),
        (Overlap.SKIP, State.INCOMPLETE, "pending", []),
        (Overlap.QUEUE, State.RUNNING, "pending", []),
        (Overlap.QUEUE, State.PENDING, "pending", [Move.SKIP]),
        (Overlap.REPLACE, State.RUNNING, "pending", [StopReason.NEW_OCCURRENCE]),
        (Overlap.REPLACE, State.RETRYING, "pending", [Move.LEAVE]),
        (Overlap.ALLOW, State.RUNNING, "pending", []),
    ],
)
def test_overlap_judges_first_attempts(overlap, state, record, others):
    """What the new occurrence becomes, and what happens to the run that is there."""
    actions = planned(MIDNIGHT + HOUR, job(overlap=overlap), row(watermark=MIDNIGHT), [run(state)])
    *before, opened = actions
    assert [str(r.state) for r in opened.records] == [record]
    assert [a.move if isinstance(a, Apply) else a.stop for a in before] == others


@pytest.mark.parametrize("overlap", [Overlap.QUEUE, Overlap.REPLACE])
def test_an_occurrence_takes_the_place_of_no_run_by_hand(overlap):
    """What somebody asked for waits on; the new occurrence waits behind it."""
    asked = run(State.PENDING, kind=Kind.MANUAL)
    (opened,) = planned(MIDNIGHT + HOUR, job(overlap=overlap), row(watermark=MIDNIGHT), [asked])
    assert [str(r.state) for r in opened.records] == ["pending"]
    later = run(State.PENDING, 2, fire_time=MIDNIGHT + HOUR)
    assert planned(MIDNIGHT + HOUR, job(overlap=overlap), runs=[asked, later], due=False) == [
        Start(1, Cause.MANUAL)
    ]


def test_a_rerun_under_way_is_stopped_by_the_new_occurrence_whatever_overlap_says():
    """overlap: skip judges first attempts only: the rerun is stopped and the new run is opened.

    Rule: new-occurrence
    """
    there = run(State.RUNNING, rerun_at=MIDNIGHT + HOUR / 2)
    stop, opened = planned(MIDNIGHT + HOUR, job(), row(watermark=MIDNIGHT), [there])
    assert isinstance(stop, RequestStop)
    assert [str(r.state) for r in opened.records] == ["pending"]


RERUNS = Cycle(window=timedelta(minutes=5), rerun=Rerun(timedelta(minutes=10), timedelta(minutes=35)))


@pytest.mark.parametrize(
    ("minute", "state", "more", "wanted"),
    [
        (4, State.RUNNING, {}, None),
        (5, State.RUNNING, {}, RequestStop(1, StopReason.WINDOW_END, "the window closed")),
        (5, State.RUNNING, {"stop_requested_at": MIDNIGHT}, None),
        (5, State.RETRYING, {}, Apply(1, Move.LEAVE, "the window closed")),
        (3, State.RETRYING, {"retry_at": MIDNIGHT + timedelta(minutes=3)}, Start(1, Cause.RETRY)),
        (3, State.RETRYING, {"retry_at": MIDNIGHT + timedelta(minutes=4)}, None),
        (9, State.INCOMPLETE, {}, Postpone(1, MIDNIGHT + timedelta(minutes=10))),
        (10, State.INCOMPLETE, {}, Start(1, Cause.RERUN, MIDNIGHT + timedelta(minutes=10))),
        (14, State.INCOMPLETE, {}, Start(1, Cause.RERUN, MIDNIGHT + timedelta(minutes=10), late=True)),
        (16, State.INCOMPLETE, {}, Postpone(1, MIDNIGHT + timedelta(minutes=20))),
        (22, State.INCOMPLETE, {}, Start(1, Cause.RERUN, MIDNIGHT + timedelta(minutes=20), late=True)),
        (36, State.INCOMPLETE, {}, Apply(1, Move.EXPIRE, "its rerun period is over")),
        (60, State.INCOMPLETE, {}, Apply(1, Move.EXPIRE, "a new occurrence began")),
    ],
)
def test_what_an_active_run_needs(minute, state, more, wanted):
    """A window of 5 minutes, reruns every 10 for 35: at 10, 20 and 30 minutes past midnight.

    Rule: latest-rerun
    """
    now = MIDNIGHT + timedelta(minutes=minute)
    window_end = MIDNIGHT + timedelta(minutes=5)
    there = run(state, cycle=RERUNS, window_end=window_end, **more)
    actions = planned(now, runs=[there], due=False)
    assert actions == ([] if wanted is None else [wanted])


ELSEWHERE = CcsRun(server="ccs", job="1aaaaaaa-0000-4000-8000-000000000000")


@pytest.mark.parametrize(
    ("minute", "definition", "more", "stop"),
    [
        (5, {}, {}, RequestStop(1, StopReason.WINDOW_END, "the window closed")),
        (12, {}, {}, RequestStop(1, StopReason.WINDOW_END, "the window closed")),
        (10, {}, {"window_end": None}, RequestStop(1, StopReason.NEXT_RERUN, "the next rerun is due")),
        (60, {}, {"rerun_at": MIDNIGHT}, RequestStop(1, StopReason.NEW_OCCURRENCE, "a new occurrence began")),
        (1, {"enabled": False}, {}, RequestStop(1, StopReason.CANCEL, "the job was disabled")),
    ],
)
def test_work_that_goes_on_elsewhere_is_ended_there(minute, definition, more, stop):
    """Between two attempts too: the stop is put on record, then one more attempt is made, whatever room there is."""
    elsewhere, now = job(run=ELSEWHERE, **definition), MIDNIGHT + timedelta(minutes=minute)
    there = run(State.RETRYING, **{"cycle": RERUNS, "window_end": MIDNIGHT + timedelta(minutes=5)} | more)
    asked = replace(there, stop_requested_at=now, stop_reason=stop.stop.value, stop_note=stop.reason)
    full = {"room": Capacity(1, {}), "running": ["other"]}
    assert planned(now, elsewhere, runs=[there], due=False, **full) == [stop]
    assert planned(now, elsewhere, runs=[asked], due=False, **full) == [Start(1, Cause.RETRY, ending=True)]
    assert wake_at(replace(asked, retry_at=now + HOUR)) == now


@pytest.mark.parametrize(("stop", "move"), [(None, Move.FAIL), ("window_end", Move.INTERRUPT)])
def test_restarts_while_work_elsewhere_is_being_ended(stop, move):
    """However often the daemon goes meanwhile: it is not left at work. Without a stop three times in a row are it."""
    there = run(State.RUNNING, stop_reason=stop, interruptions=2)
    assert interrupted(there, repeatable=True, elsewhere=True, now=MIDNIGHT).move is move


def test_a_stop_that_the_daemon_did_not_live_to_see_done_holds():
    """Local work that was to make way when the daemon died does not begin again."""
    there = run(State.RETRYING, stop_requested_at=MIDNIGHT, stop_reason="new_occurrence", stop_note="replaced")
    assert planned(MIDNIGHT, runs=[there], due=False) == [Apply(1, Move.LEAVE, "replaced")]


def test_work_elsewhere_makes_way_for_a_new_occurrence():
    """overlap: replace, between two attempts: it is ended there first."""
    there = run(State.RETRYING)
    replacing = job(run=ELSEWHERE, overlap=Overlap.REPLACE)
    stop, opened = planned(MIDNIGHT + HOUR, replacing, row(watermark=MIDNIGHT), [there])
    assert (stop.run_no, stop.stop) == (1, StopReason.NEW_OCCURRENCE)
    assert [str(r.state) for r in opened.records] == ["pending"]
    asked = replace(there, stop_requested_at=MIDNIGHT, stop_reason="new_occurrence", stop_note="replaced")
    (opened,) = planned(MIDNIGHT + HOUR, replacing, row(watermark=MIDNIGHT), [asked])
    assert [str(r.state) for r in opened.records] == ["pending"]


@pytest.mark.parametrize(("elsewhere", "move"), [(False, Move.CANCEL), (True, Move.INTERRUPT)])
def test_an_abort_that_the_daemon_did_not_live_to_see_done(elsewhere, move):
    """Local work died with the daemon: cancelled. Work elsewhere may go on: it is taken up to be ended."""
    there = run(State.RUNNING, stop_requested_at=MIDNIGHT, stop_reason="cancel", stop_note="enough")
    assert interrupted(there, repeatable=True, elsewhere=elsewhere, now=MIDNIGHT).move is move


def test_a_paused_jobs_reruns_are_dropped():
    """While the job is paused its rerun is passed over; one due before the resume does not come back.

    Rule: pause
    """
    there = run(State.INCOMPLETE, cycle=RERUNS)
    paused = row(paused_at=MIDNIGHT)
    assert planned(MIDNIGHT + timedelta(minutes=11), job_row=paused, runs=[there], due=False) == [
        Postpone(1, MIDNIGHT + timedelta(minutes=20))
    ]
    resumed = row(resumed_at=MIDNIGHT + timedelta(minutes=12))
    assert planned(MIDNIGHT + timedelta(minutes=13), job_row=resumed, runs=[there], due=False) == [
        Postpone(1, MIDNIGHT + timedelta(minutes=20))
    ]


@pytest.mark.parametrize("definition", [None, job(enabled=False)])
def test_a_job_out_of_force_cancels_what_waits_and_lets_the_running_finish(definition):
    """Removed or disabled: pending, retrying and incomplete runs are cancelled.

    Rule: removed-or-disabled
    """
    states = [State.PENDING, State.RETRYING, State.INCOMPLETE, State.RUNNING]
    seen = Snapshot(
        jobs={"job": row()}, due=frozenset(), runs=[run(s, i) for i, s in enumerate(states, 1)], running=["job"]
    )
    actions = plan(MIDNIGHT, {} if definition is None else {"job": definition}, seen, ROOM).actions
    assert [(a.run_no, a.move) for a in actions] == [(1, Move.CANCEL), (2, Move.CANCEL), (3, Move.CANCEL)]


@pytest.mark.parametrize(
    ("room", "running", "started"),
    [
        (Capacity(3, {}), [], [1, 2, 3]),
        (Capacity(2, {}), [], [1, 2]),
        (Capacity(2, {}), ["x", "y"], []),
        (Capacity(9, {"net": 2}, used={"net": 1}), ["job"], [1]),
        (Capacity(9, {"net": 1}, used={"net": 1}), ["job"], []),
        (Capacity(9, {"net": 1}, used={"net": 2}), ["job"], []),
    ],
)
def test_there_is_room_for_so_many(room, running, started):
    """max_running over all, named limits over the jobs that name them."""
    definition = job(overlap=Overlap.ALLOW, limits=("net",) if room.limits else ())
    waiting = [run(State.PENDING, n) for n in (1, 2, 3)]
    actions = planned(MIDNIGHT, definition, row(watermark=MIDNIGHT), waiting, running=running, room=room)
    assert [a.run_no for a in actions] == started


def test_a_pending_run_that_waited_too_long_is_missed():
    """Without room for longer than its grace, a run is missed, not started late."""
    (action,) = planned(MIDNIGHT + 7 * HOUR, job(), row(watermark=MIDNIGHT + 7 * HOUR), [run(State.PENDING)])
    assert (action.move, action.reason) == (Move.MISS, "not started within its grace of 6h")
