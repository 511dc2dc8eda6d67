"""The clock is set on or back, or the machine sleeps: nothing is lost, nothing starts twice, and the log says so."""

import asyncio
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
import structlog

from scheduler.clock import ManualClock, SystemClock
from scheduler.ledger import asking, schema
from scheduler.model import CLOCK_ACTOR
from scheduler.steps import Steps
from scheduler.why import Force, why

HOUR = timedelta(hours=1)
AT = datetime.fromisoformat("2026-03-02T00:00:00Z")

JOBS = """
version: 1
settings: {{max_running: {room}}}
jobs:
  - name: hourly
    schedule: {{start: 2026-03-02T00:00:00, interval: 1h{more}}}
    retry: {{attempts: 2, backoff: 30s, max_backoff: 2m}}
    run: {{command: {{argv: [/bin/sh, -c, "{script}"]}}}}
  - name: other
    schedule: {{start: 2026-03-02T06:00:00, once: true}}
    run: {{command: {{argv: ["true"]}}}}
"""


def text(script="true", *, more="", room=9):
    """A job of every hour, and another one at six o'clock."""
    return JOBS.format(script=script, more=more, room=room)


async def step(r, by):
    """Set the clock, and let the loop look."""
    r.clock.step(by)
    await r.settle()
    await r.idle()


def told(lines, *names):
    """What the log says under these names, without what every line has."""
    common = ("log_level",)
    return [{k: v for k, v in line.items() if k not in common} for line in lines if line["event"] in names]


async def test_set_on_is_told_and_caught_up(rig):
    """Three hours on: the log says by how much, what lay between is missed, the last one runs."""
    r = rig("2026-03-01T23:30:00Z")
    await r.up(text())
    await r.tick(hours=1)
    with structlog.testing.capture_logs() as lines:
        await step(r, 3 * HOUR)
    assert told(lines, "clock_stepped", "clock_behind") == [{"event": "clock_stepped", "step_s": 10_800.0}]
    assert [(x.fire_time.hour, str(x.state)) for x in r.runs("hourly")] == [
        (0, "succeeded"),
        (1, "missed"),
        (2, "missed"),
        (3, "succeeded"),
    ]


async def test_set_back_is_told_and_repeats_nothing(rig):
    """Three hours back: nothing fires a second time; the log names until when, and that is when the next one fires."""
    r = rig("2026-03-01T23:30:00Z")
    await r.up(text())
    await r.tick(hours=3, minutes=30)
    with structlog.testing.capture_logs() as lines:
        await step(r, -3 * HOUR)
        await r.tick(hours=2, minutes=59)
    assert told(lines, "clock_stepped", "clock_behind") == [
        {"event": "clock_stepped", "step_s": -10_800.0},
        {"event": "clock_behind", "jobs": 1, "until": "2026-03-02T03:00:00Z"},
    ]
    assert [x.fire_time.hour for x in r.runs("hourly")] == [0, 1, 2, 3]
    await r.tick(hours=1, minutes=1)
    assert [(x.fire_time.hour, str(x.state)) for x in r.runs("hourly")][4:] == [(4, "succeeded")]


async def test_why_says_that_the_clock_was_set_back(rig):
    """Asked why nothing happens, or nothing comes at an instant that has its row: the clock, until when, and what is next."""
    r = rig("2026-03-01T23:30:00Z")
    await r.up(text())
    await r.tick(hours=3, minutes=30)
    await step(r, -timedelta(hours=2, minutes=50))
    now = r.clock.now()
    force = Force(
        now=now, zone="UTC", job=r.dispatcher.definition("hourly"), unreadable=False, definitions={}, max_running=1,
        limits={}, used={}, pacing=False, writable=True, firing=True,
    )  # fmt: skip
    for at in (None, now + timedelta(minutes=1)):
        facts = r.ledger.read(lambda c, at=at: asking.gather(c, "hourly", at=at, now=now))
        answer = why(facts, force)
        assert answer.verdict == "not_due"
        assert (
            "the clock was set back: it fires nothing that has its row, until 2026-03-02 03:00" in answer.sentence
        )
        assert "It fires next at 2026-03-02 04:00" in answer.sentence


async def test_a_clock_that_was_far_ahead_is_told_at_each_start_and_the_way_out_holds(rig):
    """A month ahead and back: the start says so too; out of force and in again, the job fires from now on."""
    r = rig("2026-03-01T23:59:00Z")
    await r.up(text())
    await r.tick(minutes=1)
    await step(r, timedelta(days=30))
    await r.down()
    r.clock.step(-timedelta(days=30))
    with structlog.testing.capture_logs() as lines:
        await r.up(text())
    assert told(lines, "clock_stepped", "clock_behind") == [
        {"event": "clock_behind", "jobs": 2, "until": "2026-04-01T00:00:00Z"}
    ]
    await r.tick(hours=2)
    assert [x.fire_time.day for x in r.runs("hourly") if x.state != "missed"] == [2, 1]
    await r.reload(text().replace("- name: hourly", "- name: hourly\n    enabled: false"))
    await r.reload(text())
    await r.tick(hours=1)
    assert [x.fire_time.isoformat() for x in r.runs("hourly") if x.state == "succeeded"] == [
        "2026-03-02T00:00:00+00:00",
        "2026-03-02T03:00:00+00:00",
        "2026-04-01T00:00:00+00:00",
    ]


async def test_what_waited_for_room_does_not_wait_for_the_old_time(rig, tmp_path):
    """Opened at six and waiting for room as the clock goes back to three: it starts as soon as there is room."""
    flag = tmp_path / "flag"
    flag.write_text("")
    r = rig("2026-03-02T05:59:59Z")
    await r.up(text(f"while test -e {flag}; do sleep 0.05; done", room=1))
    await r.tick(seconds=1, wait=False)
    assert {x.job: str(x.state) for x in r.runs()} == {"hourly": "running", "other": "pending"}
    r.clock.step(-3 * HOUR)
    await r.settle()
    assert r.run("other").state == "pending"
    flag.unlink()
    await r.idle()
    assert {x.job: str(x.state) for x in r.runs()} == {"hourly": "succeeded", "other": "succeeded"}


async def test_what_waited_for_room_also_starts_after_a_restart_on_the_earlier_clock(rig, tmp_path):
    """The same where the clock was set back while the daemon was down."""
    r = rig("2026-03-02T05:59:59Z")
    flag = tmp_path / "flag"
    flag.write_text("")
    jobs = text(f"while test -e {flag}; do sleep 0.05; done", room=1).replace(
        "jobs:", "defaults: {idempotent: true}\njobs:"
    )
    await r.up(jobs)
    await r.tick(seconds=1, wait=False)
    await r.down()
    r.clock.step(-3 * HOUR)
    await r.up(jobs)
    assert {x.job: str(x.state) for x in r.runs()} == {"hourly": "running", "other": "pending"}
    flag.unlink()
    await r.idle()
    assert {x.job: str(x.state) for x in r.runs()} == {"hourly": "succeeded", "other": "succeeded"}


async def test_a_pause_between_two_tries_is_no_longer_than_the_longest(rig):
    """Set back by three hours between two tries: the second one does not wait for three hours."""
    r = rig("2026-03-01T23:59:59Z")
    await r.up(text("exit 1"))
    await r.tick(seconds=1)
    assert r.run("hourly").state == "retrying"
    await step(r, -timedelta(seconds=60))
    assert r.run("hourly").state == "retrying"
    await step(r, -3 * HOUR)
    assert (r.run("hourly").state, r.run("hourly").attempts) == ("failed", 2)


MAIL = """
version: 1
settings: {smtp: {host: localhost, starttls: false, sender: b@example.com}}
jobs:
  - name: job
    schedule: {start: 2026-03-02T00:00:00, daily: {}}
    notify: {failure: {to: [a@example.com]}, late: {after: 9h, to: [a@example.com]}}
    run: {command: {argv: ["false"]}}
"""


async def test_a_mail_that_waits_to_be_sent_does_not_wait_for_the_old_time(rig):
    """Written just before the clock went back by three hours: it is due now; what is to be late keeps its instant."""
    r = rig("2026-03-01T23:59:59Z")
    await r.up(MAIL)
    await r.tick(seconds=1)
    waiting = sa.select(schema.deliveries.c.about, schema.deliveries.c.due_at).where(
        schema.deliveries.c.ended_at.is_(None)
    )
    before = dict(r.ledger.read(lambda c: [tuple(row) for row in c.execute(waiting)]))
    assert before["failure"] == r.clock.now()
    await step(r, -3 * HOUR)
    after = dict(r.ledger.read(lambda c: [tuple(row) for row in c.execute(waiting)]))
    assert after == {**before, "failure": r.clock.now()}


async def test_data_of_a_clock_that_was_ahead_is_not_fresh(rig, tmp_path):
    """Collected, then the clock goes back by an hour: nobody knows the data's age, so it is collected again."""
    script = tmp_path / "collect.sh"
    script.write_text(f"#!/bin/sh\necho $1 >> {tmp_path}/starts; echo data\n")
    script.chmod(0o755)
    r = rig("2026-03-01T23:59:59Z")
    await r.up("""
version: 1
collectors: {host: {collect: [./collect.sh, "{asset.id}"]}}
jobs:
  - name: job
    schedule: {start: 2026-03-02T00:00:00, interval: 1h}
    run: {collect: {type: CollectionJob, assets: [{id: a, type: host}], incremental: 7d}}
""")
    await r.tick(hours=1, seconds=1)
    assert (tmp_path / "starts").read_text() == "a\n"
    await step(r, -timedelta(hours=1, minutes=30))
    await r.control.trigger("job", CLOCK_ACTOR)
    await r.settle()
    await r.idle()
    assert (tmp_path / "starts").read_text() == "a\na\n"
    await r.tick(hours=3)
    assert (tmp_path / "starts").read_text() == "a\na\n"


async def test_a_window_is_the_clocks_when_the_clock_is_set_on_or_back(rig, tmp_path):
    """At work as the clock goes back: it goes on until its window's end by that clock; set on past it: it is stopped."""
    r = rig("2026-03-01T23:59:59Z")
    await r.up(text("exec sleep 600", more=", window: 30m"))
    await r.tick(seconds=1, wait=False)
    r.clock.step(-HOUR)
    await r.tick(minutes=89, wait=False)
    assert (r.run("hourly").state, r.run("hourly").stop_requested_at) == ("running", None)
    r.clock.step(timedelta(seconds=61))
    await r.settle()
    await r.idle()
    run = r.run("hourly")
    assert (run.state, run.reason) == ("expired", "the window closed; no rerun is configured")
    assert run.ended_at >= run.window_end


async def test_an_attempt_may_end_earlier_than_it_began(rig, tmp_path):
    """Set back while it is at work: it ends and is written down by the clock as it is; the log and the row hold it."""
    flag = tmp_path / "flag"
    flag.write_text("")
    r = rig("2026-03-01T23:59:59Z")
    await r.up(text(f"while test -e {flag}; do sleep 0.05; done"))
    await r.tick(seconds=1, wait=False)
    r.clock.step(-HOUR)
    await r.settle()
    flag.unlink()
    await r.idle()
    run = r.run("hourly")
    assert (run.state, run.ended_at - run.started_at) == ("succeeded", -HOUR)


async def test_a_machine_that_was_suspended_catches_up_and_says_so(rig):
    """Asleep over three fire times: told as such, no step; the last one runs, the others are missed."""
    r = rig("2026-03-01T23:30:00Z")
    await r.up(text())
    with structlog.testing.capture_logs() as lines:
        r.clock.suspend(3 * HOUR)
        await r.settle()
        await r.idle()
    assert told(lines, "clock_stepped", "machine_suspended", "clock_behind") == [
        {"event": "machine_suspended", "suspended_s": 10_800.0}
    ]
    assert [str(x.state) for x in r.runs("hourly")] == ["missed", "missed", "succeeded"]


def test_the_machines_clock_shows_no_step_while_none_is_made():
    """What it shows and what has passed go together, and it is awake for no longer than that."""
    steps = Steps(SystemClock())
    assert [steps.look().step for _ in range(100)] == [timedelta(0)] * 100
    passed, awake = SystemClock().passed()
    assert timedelta(0) < awake <= passed + timedelta(seconds=1)


class Interrupted(ManualClock):
    """A clock whose reader is stopped for a while in the midst of its first look."""

    def now(self):
        """The present instant; the first time it takes a minute to be told."""
        shown = super().now()
        if not self.passed()[0]:
            self.advance(timedelta(minutes=1))
        return shown


def test_a_process_that_is_stopped_in_the_midst_of_a_look_sees_no_step():
    """SIGSTOP between two readings: they are taken again."""
    steps = Steps(Interrupted(AT))
    assert steps.look().now == AT + timedelta(minutes=1)
    assert steps.look().step == timedelta(0)


@pytest.mark.parametrize(("by", "seen"), [(0.9, 0.0), (-0.9, 0.0), (1.5, 1.5), (-1.5, -1.5)])
def test_what_is_told_as_a_step(by, seen):
    """A second or more, in either direction, however much time passes beside it."""
    clock = ManualClock(AT)
    steps = Steps(clock)
    assert steps.look().step == timedelta(0)
    clock.advance(HOUR)
    clock.step(timedelta(seconds=by))
    assert steps.look().step == timedelta(seconds=seen)


async def test_who_sleeps_on_a_manual_clock_sleeps_on_over_a_step():
    """A step is no time that passes: a limit of an hour is an hour, whatever the clock shows meanwhile."""
    clock = ManualClock(AT)
    sleeper = asyncio.ensure_future(clock.sleep(HOUR))
    await asyncio.sleep(0)
    clock.step(9 * HOUR)
    clock.advance(HOUR - timedelta(seconds=1))
    await asyncio.sleep(0)
    assert not sleeper.done()
    clock.advance(timedelta(seconds=1))
    await sleeper
