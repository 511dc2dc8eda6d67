"""What an operator may do, and what is refused with which words."""

from datetime import timedelta

import pytest

from scheduler.control import Refused
from scheduler.ledger import NotFound

JOB = """
version: 1
jobs:
  - name: job
    overlap: {overlap}
    schedule: {{start: 2026-03-02T06:00:00, interval: 1h}}
    run: {{command: {{argv: [/bin/sh, -c, "while test -e {flag}; do sleep 0.05; done"]}}}}
"""


@pytest.fixture
def flag(tmp_path):
    """While this file is there, the job's command goes on."""
    return tmp_path / "flag"


async def up(rig, flag, *, overlap="skip", busy=False):
    """The job, half an hour before its first fire time."""
    if busy:
        flag.write_text("")
    r = rig("2026-03-02T05:30:00Z")
    await r.up(JOB.format(flag=flag, overlap=overlap))
    return r


async def test_trigger_runs_the_job_now_and_ignores_a_pause(rig, flag, operator):
    """A manual run's fire time is the instant of acceptance, and its attempt says manual.

    Rule: manual-trigger
    """
    r = await up(rig, flag)
    await r.control.pause("job", until=None, note="patching", actor=operator)
    await r.control.trigger("job", operator)
    await r.settle()
    await r.idle()
    assert (r.run().kind, r.run().state, r.run().fire_time) == ("manual", "succeeded", r.clock.now())
    assert r.attempts(r.run())[0].cause == "manual"


async def test_trigger_is_refused_while_a_run_is_active_and_names_it(rig, flag, operator):
    """One at a time, unless the job says overlap: allow.

    Rule: manual-trigger
    """
    r = await up(rig, flag, busy=True)
    first = await r.control.trigger("job", operator)
    await r.settle()
    with pytest.raises(Refused) as refused:
        await r.control.trigger("job", operator)
    assert str(refused.value) == f"run {first.run_id} is running: wait for it, or `jobsd abort {first.run_id}`"
    flag.unlink()


async def test_two_triggers_at_one_instant_are_two_runs(rig, flag, operator):
    """With overlap: allow, the second moves on by a microsecond.

    Rule: run-key
    """
    r = await up(rig, flag, overlap="allow")
    one = await r.control.trigger("job", operator)
    two = await r.control.trigger("job", operator)
    assert two.fire_time - one.fire_time == timedelta(microseconds=1)
    await r.settle()
    await r.idle()
    assert {str(x.state) for x in r.runs()} == {"succeeded"}


async def test_abort_stops_a_running_run_and_may_be_repeated(rig, flag, operator):
    """A running run is cancelled once its work has ended; a second abort changes nothing; a final run is refused.

    Rule: abort-again
    """
    r = await up(rig, flag, busy=True)
    run = await r.control.trigger("job", operator)
    await r.settle()
    asked = await r.control.abort(run.run_id, operator)
    assert (asked.state, asked.stop_reason) == ("running", "cancel")
    await r.idle()
    assert (r.run().state, r.run().reason) == ("cancelled", "aborted by tester")
    assert (await r.control.abort(run.run_id[:8], operator)).state == "cancelled"
    flag.unlink()
    await r.tick(hours=1)
    done = r.runs()[-1]
    with pytest.raises(Refused, match="has ended already: succeeded"):
        await r.control.abort(done.run_id, operator)
    with pytest.raises(NotFound):
        await r.control.abort("ffffffff-0000", operator)


async def test_an_abort_outweighs_a_window_stop_that_came_first(rig, flag, operator):
    """Stopped by the window and then aborted while it still ends: cancelled, and not rerun."""
    flag.write_text("")
    r = rig("2026-03-02T05:30:00Z")
    await r.up(
        JOB.format(flag=flag, overlap="skip")
        .replace("interval: 1h", "interval: 5h, window: 1m, rerun: {every: 10m, for: 1h}")
        .replace("while test", "trap '' TERM; touch " + str(flag) + ".up; while test")
    )
    await r.tick(minutes=30, wait=False)
    await r.until((flag.with_name("flag.up")).exists)
    await r.tick(minutes=1, wait=False)
    await r.until(lambda: r.clock.next_sleeper_at == r.clock.now() + timedelta(seconds=10))
    await r.control.abort(r.run().run_id, operator)
    await r.tick(seconds=10, wait=False)
    await r.idle()
    await r.tick(minutes=30)
    assert (r.run().state, r.run().attempts) == ("cancelled", 1)


async def test_pause_skips_each_occurrence_and_resume_replays_none(rig, flag, operator):
    """Occurrences in the pause are rows: skipped, with the note; after the resume the next one runs.

    Rule: pause
    """
    r = await up(rig, flag)
    await r.control.pause("job", until=None, note="patching", actor=operator)
    await r.tick(hours=2)
    await r.control.resume("job", operator)
    await r.tick(hours=1)
    assert [(x.fire_time.hour, str(x.state), x.reason) for x in r.runs()] == [
        (6, "skipped", "paused: patching"),
        (7, "skipped", "paused: patching"),
        (8, "succeeded", ""),
    ]
    with pytest.raises(Refused, match="is not paused"):
        await r.control.resume("job", operator)


async def test_a_pause_until_an_instant_ends_by_itself(rig, flag, operator):
    """The end of a pause is exclusive: the occurrence at that instant runs."""
    r = await up(rig, flag)
    await r.control.pause("job", until=r.clock.now().replace(hour=7, minute=0), note=None, actor=operator)
    await r.tick(hours=3)
    assert [(x.fire_time.hour, str(x.state)) for x in r.runs()] == [
        (6, "skipped"),
        (7, "succeeded"),
        (8, "succeeded"),
    ]
    with pytest.raises(Refused, match="over already"):
        await r.control.pause("job", until=r.clock.now(), note=None, actor=operator)


async def test_a_pause_over_a_restart_skips_what_came_due_while_away(rig, flag, operator):
    """Paused, then down: the occurrences of the downtime are skipped as paused, not missed."""
    r = await up(rig, flag)
    await r.control.pause("job", until=None, note=None, actor=operator)
    await r.down()
    r.clock.set(r.clock.now().replace(hour=7, minute=30))
    await r.up(JOB.format(flag=flag, overlap="skip"))
    assert [(x.fire_time.hour, str(x.state)) for x in r.runs()] == [(6, "skipped"), (7, "skipped")]


async def test_a_pause_is_made_up_for_by_one_run_where_that_is_asked_for(rig, flag, operator):
    """Three occurrences passed over: resumed with catch_up, one run by hand names the last of them as its parent."""
    r = await up(rig, flag)
    await r.control.pause("job", until=None, note="patching 50%", actor=operator)
    await r.tick(hours=3)
    resumed = await r.control.resume("job", operator, catch_up=True)
    await r.settle()
    await r.idle()
    last = r.runs()[-2]
    assert [(x.fire_time.hour, str(x.kind), str(x.state)) for x in r.runs()] == [
        (6, "fire", "skipped"),
        (7, "fire", "skipped"),
        (8, "fire", "skipped"),
        (8, "manual", "succeeded"),
    ]
    assert (resumed.run.parent_run, r.runs()[-1].parent_run) == (last.run_id, last.run_id)
    await r.tick(hours=1)
    assert [(x.fire_time.hour, str(x.kind)) for x in r.runs()][4:] == [(9, "fire")]


async def test_only_that_pause_is_made_up_for(rig, flag, operator):
    """A pause that passed over nothing asks for no run, whatever an earlier one has passed over."""
    r = await up(rig, flag)
    await r.control.pause("job", until=None, note=None, actor=operator)
    await r.tick(hours=1)
    await r.control.resume("job", operator)
    await r.control.pause("job", until=None, note=None, actor=operator)
    resumed = await r.control.resume("job", operator, catch_up=True)
    await r.settle()
    assert (resumed.run, resumed.job.paused_at, len(r.runs())) == (None, None, 1)


async def test_a_stretch_that_was_passed_over_is_made_up_for_by_one_run(rig, flag, operator):
    """Paused over a week of hours: one row stands for all of it, and is the parent."""
    r = await up(rig, flag)
    await r.control.pause("job", until=None, note=None, actor=operator)
    await r.down()
    r.clock.advance(timedelta(days=7))
    await r.up(JOB.format(flag=flag, overlap="skip"))
    resumed = await r.control.resume("job", operator, catch_up=True)
    assert r.runs()[0].occurrences == 168
    assert resumed.run.parent_run == r.runs()[0].run_id


async def test_a_pause_goes_on_where_it_cannot_be_made_up_for(rig, flag, operator):
    """While a run of the job is active the wish is refused, names it, and changes nothing; it may be asked again."""
    r = await up(rig, flag, busy=True)
    run = await r.control.trigger("job", operator)
    await r.settle()
    await r.control.pause("job", until=None, note=None, actor=operator)
    await r.tick(hours=1, wait=False)
    with pytest.raises(Refused, match=f"run {run.run_id} is running"):
        await r.control.resume("job", operator, catch_up=True)
    assert r.job("job").paused_at is not None
    flag.unlink()
    await r.idle()
    await r.control.resume("job", operator, catch_up=True)
    await r.settle()
    await r.idle()
    assert [(str(x.kind), str(x.state)) for x in r.runs()] == [
        ("manual", "succeeded"),
        ("fire", "skipped"),
        ("manual", "succeeded"),
    ]


async def test_rerun_of_an_incomplete_run_is_an_attempt_now(rig, tmp_path, operator):
    """The operator need not wait for the rerun time; only what is left is taken.

    Rule: rerun-by-hand
    """
    (tmp_path / "c.sh").write_text(f"#!/bin/sh\ntest $1 = a || test -e {tmp_path}/ok || exit 75\necho x\n")
    (tmp_path / "c.sh").chmod(0o755)
    r = rig("2026-03-02T05:59:59Z")
    await r.up("""
version: 1
collectors: {host: {collect: [./c.sh, "{asset.id}"]}}
jobs:
  - name: job
    schedule: {start: 2026-03-02T06:00:00, daily: {}, window: 2h, rerun: {every: 3h, for: 9h}}
    run: {collect: {type: CollectionJob, assets: [{id: a, type: host}, {id: b, type: host}]}}
""")
    await r.tick(seconds=1)
    assert (r.run().state, r.tally(r.run())) == ("incomplete", {"done": 1, "unreachable": 1})
    (tmp_path / "ok").write_text("")
    await r.control.rerun(r.run().run_id, operator)
    await r.idle()
    run = r.run()
    assert (run.state, [str(a.cause) for a in r.attempts(run)]) == ("succeeded", ["fire", "manual"])
    assert {k: a.starts for k, a in r.assets(run).items()} == {"a": 1, "b": 2}
    with pytest.raises(Refused, match="no assets left"):
        await r.control.rerun(run.run_id, operator)


async def test_rerun_of_a_final_run_is_a_new_run_over_what_is_left(rig, tmp_path, operator):
    """Its parent is named, and only the remaining assets are in it.

    Rule: rerun-by-hand
    """
    (tmp_path / "c.sh").write_text(f"#!/bin/sh\ntest $1 = a || test -e {tmp_path}/ok || exit 75\necho x\n")
    (tmp_path / "c.sh").chmod(0o755)
    r = rig("2026-03-02T05:59:59Z")
    await r.up("""
version: 1
collectors: {host: {collect: [./c.sh, "{asset.id}"]}}
jobs:
  - name: job
    schedule: {start: 2026-03-02T06:00:00, daily: {}}
    run: {collect: {type: CollectionJob, assets: [{id: a, type: host}, {id: b, type: host}]}}
""")
    await r.tick(seconds=1)
    old = r.run()
    assert old.state == "expired"
    (tmp_path / "ok").write_text("")
    new = await r.control.rerun(old.run_id, operator)
    await r.settle()
    await r.idle()
    assert (r.runs()[-1].state, new.kind, new.parent_run) == ("succeeded", "manual", old.run_id)
    assert list(r.assets(new)) == ["b"]


async def test_every_act_names_its_actor(rig, flag, operator):
    """The journal says who did it, and by what.

    Rule: actors
    """
    r = await up(rig, flag)
    await r.control.trigger("job", operator)
    await r.settle()
    await r.idle()
    said = [(e.name, e.actor.name, str(e.actor.by)) for e in r.events]
    assert ("open", "tester", "cli") in said
    assert ("succeed", "jobsd", "clock") in said
