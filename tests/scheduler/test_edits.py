"""A configuration takes another's place: no old slot fires, nothing is lost without a row."""

from datetime import timedelta

import pytest

from scheduler.ledger import NotFound

JOB = """
version: 1
jobs:
  - name: job
    {more}
    schedule: {{{schedule}}}
    run: {{command: {{argv: [{argv}]}}}}
"""
DAILY = "start: 2026-03-02T06:00:00, daily: {}"


def text(schedule=DAILY, argv="'true'", more="enabled: true"):
    """A file with one job."""
    return JOB.format(schedule=schedule, argv=argv, more=more)


async def test_an_edited_schedule_fires_no_old_slot_and_misses_what_was_due(rig):
    """Down over 06:00, and the schedule is edited meanwhile: the old slot is missed, the new one starts from now.

    Rule: watermark
    """
    r = rig("2026-03-02T05:00:00Z")
    await r.up(text())
    await r.down()
    r.clock.set(r.clock.now().replace(hour=7))
    await r.up(text("start: 2026-03-01T06:30:00, daily: {}"))
    await r.tick(days=1)
    assert [(x.fire_time.isoformat(), str(x.state), x.reason) for x in r.runs()] == [
        ("2026-03-02T06:00:00+00:00", "missed", "schedule changed"),
        ("2026-03-03T06:30:00+00:00", "succeeded", ""),
    ]


async def test_editing_anything_else_keeps_the_watermark(rig):
    """Another argv is not another schedule: what came due meanwhile is caught up, with the new argv."""
    r = rig("2026-03-02T05:00:00Z")
    await r.up(text())
    await r.down()
    r.clock.set(r.clock.now().replace(hour=7))
    await r.up(text(argv="'false'"))
    await r.idle()
    assert (r.run().state, r.run().fire_time.hour) == ("failed", 6)


async def test_the_default_start_is_the_first_load_and_is_kept(rig):
    """Without `start`, the anchor is the first load, over restarts.

    Rule: default-start
    """
    r = rig("2026-03-02T05:17:00Z")
    await r.up(text("daily: {every: 2}"))
    await r.down()
    r.clock.set(r.clock.now().replace(hour=9))
    await r.up(text("daily: {every: 2}"))
    await r.tick(days=3)
    assert r.states() == [("2026-03-04T05:17:00Z", "succeeded")]


async def test_a_removed_job_cancels_what_waits_and_lets_an_attempt_finish(rig, tmp_path):
    """Removed during a run: the attempt finishes and counts; an incomplete run is cancelled with that reason.

    Rule: removed-or-disabled
    """
    flag = tmp_path / "flag"
    flag.write_text("")
    other = text().replace("name: job", "name: other")
    r = rig("2026-03-02T05:59:59Z")
    await r.up(text(argv=f"/bin/sh, -c, 'while test -e {flag}; do sleep 0.05; done'"))
    await r.tick(seconds=1, wait=False)
    await r.reload(other)
    assert r.run("job").state == "running"
    flag.unlink()
    await r.idle()
    assert r.run("job").state == "succeeded"
    await r.tick(days=2)
    assert len(r.runs("job")) == 1
    with pytest.raises(NotFound):
        await r.control.trigger("job", None)


async def test_a_disabled_jobs_incomplete_run_is_cancelled(rig):
    """enabled: false takes the job out of force; what waits for a rerun is cancelled with that reason.

    Rule: removed-or-disabled
    """
    schedule = DAILY + ", window: 1h, rerun: {every: 2h, for: 12h}"
    r = rig("2026-03-02T05:59:59Z")
    await r.up(text(schedule, argv="sleep, '1000'"))
    await r.tick(seconds=1, wait=False)
    await r.tick(hours=1, wait=False)
    await r.idle()
    assert r.run().state == "incomplete"
    await r.reload(text(schedule, argv="sleep, '1000'", more="enabled: false"))
    assert (r.run().state, r.run().reason) == ("cancelled", "the job was disabled")
    await r.tick(days=2)
    assert len(r.runs()) == 1


async def test_a_job_that_comes_back_starts_from_its_return(rig):
    """Removed and added again: nothing of the time between is run or missed.

    Rule: watermark
    """
    other = text().replace("name: job", "name: other")
    r = rig("2026-03-02T05:00:00Z")
    await r.up(text())
    await r.reload(other)
    await r.tick(days=3)
    await r.reload(text())
    await r.tick(days=1)
    assert r.states("job") == [("2026-03-05T06:00:00Z", "succeeded")]


async def test_run_now_fires_once_when_first_recorded(rig):
    """RunNow of a CCS block: one run at the first load, none at a restart.

    Rule: run-now
    """
    block = "ccs: {RunNow: true, RunPeriodically: true, RecurrenceType: 1, StartDate: '2026-03-02T06:00:00'}"
    r = rig("2026-03-02T05:00:00Z")
    await r.up(text(block))
    await r.idle()
    assert [(str(x.kind), str(x.state)) for x in r.runs()] == [("run_now", "succeeded")]
    await r.down()
    await r.up(text(block))
    await r.idle()
    assert len(r.runs()) == 1


async def test_what_a_run_keeps_of_its_schedule_is_not_edited(rig):
    """An edit during a run changes neither its window nor its reruns.

    Rule: edited-during-a-run
    """
    before = DAILY + ", window: 1h, rerun: {every: 2h, for: 12h}"
    after = DAILY + ", window: 3h, rerun: {every: 5h, for: 12h}"
    r = rig("2026-03-02T05:59:59Z")
    await r.up(text(before, argv="sleep, '1000'"))
    await r.tick(seconds=1, wait=False)
    await r.reload(text(after))
    await r.tick(hours=1, wait=False)
    await r.idle()
    assert r.run().state == "incomplete"
    await r.tick(hours=1)
    assert (r.run().state, r.run().ended_at.hour) == ("succeeded", 8)


async def test_there_and_back_again_fires_no_slot_of_the_time_between(rig):
    """A schedule is replaced before its fire time and put back after it: that slot was nobody's, and does not fire."""
    r = rig("2026-03-02T05:00:00Z")
    await r.up(text())
    await r.reload(text("start: 2026-03-02T09:00:00, daily: {}"))
    await r.tick(hours=2)
    await r.reload(text())
    await r.tick(hours=23)
    assert r.states() == [("2026-03-03T06:00:00Z", "succeeded")]


async def test_an_edit_at_the_fire_time_itself_fires_that_slot_once(rig):
    """What came due at the very instant of the edit is run or missed under the old schedule, never under both."""
    r = rig("2026-03-02T05:00:00Z")
    await r.up(text())
    r.clock.set(r.clock.now().replace(hour=6))
    await r.reload(text("start: 2026-03-02T05:30:00, interval: 30m"))
    await r.tick(minutes=30)
    assert [(x.fire_time.strftime("%H:%M"), str(x.state), x.reason) for x in r.runs()] == [
        ("06:00", "missed", "schedule changed"),
        ("06:30", "succeeded", ""),
    ]


async def test_a_paused_jobs_edit_fires_nothing_of_the_pause(rig, operator):
    """Paused over a fire time, edited, resumed: what the pause passed over stays skipped, the new slots come."""
    r = rig("2026-03-02T05:00:00Z")
    await r.up(text())
    await r.control.pause("job", until=None, note=None, actor=operator)
    await r.tick(hours=2)
    await r.reload(text("start: 2026-03-02T06:30:00, interval: 1h"))
    await r.tick(hours=1)
    await r.control.resume("job", operator)
    await r.tick(hours=1)
    assert [(x.fire_time.strftime("%H:%M"), str(x.state)) for x in r.runs()] == [
        ("06:00", "skipped"),
        ("07:30", "skipped"),
        ("08:30", "succeeded"),
    ]


async def test_what_was_moved_to_a_time_before_the_edit_is_missed_there(rig):
    """Friday is closed and its row says Saturday; down over Saturday, edited meanwhile: Saturday has its row too.

    Rule: watermark
    """
    text = """
version: 1
calendars: {freeze: {dates: [2026-03-06]}}
jobs:
  - name: weekly
    schedule: {start: 2026-03-02T06:00:00, weekly: {on: [friday]}, exclude: [freeze], on_exclude: next-day}
    run: {command: {argv: ["true"]}}
"""
    r = rig("2026-03-02T00:00:00Z")
    await r.up(text)
    await r.tick(days=5)
    await r.down()
    r.clock.advance(timedelta(days=1))
    await r.up(text.replace("friday", "sunday").replace("06:00", "05:00"))
    friday, saturday = r.runs()
    assert friday.reason.endswith("; moved to 2026-03-07T06:00:00Z")
    assert (saturday.fire_time, str(saturday.state)) == (friday.fire_time + timedelta(days=1), "missed")
    assert (saturday.reason, saturday.moved_from) == ("schedule changed", friday.fire_time)
