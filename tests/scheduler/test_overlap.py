"""What a fire time does while an earlier run is still at its first attempt; who starts where there is not room for all."""

from datetime import timedelta

import pytest

JOB = """
version: 1
jobs:
  - name: scan
    overlap: {overlap}
    schedule: {{start: 2026-03-02T00:00:00, interval: 10m}}
    run: {{command: {{argv: [/bin/sh, -c, "while test -e {flag}; do sleep 0.05; done"]}}}}
"""


@pytest.fixture
def flag(tmp_path):
    """While this file is there, the job's command goes on."""
    path = tmp_path / "flag"
    path.write_text("")
    return path


async def busy(rig, overlap, flag):
    """A rig whose job has been running since midnight, at 00:10 when the next fire time comes."""
    r = rig("2026-03-01T23:59:59Z")
    await r.up(JOB.format(overlap=overlap, flag=flag))
    await r.tick(seconds=1, wait=False)
    assert r.run().state == "running"
    await r.tick(minutes=10, wait=False)
    return r


async def test_skip_leaves_a_row_that_names_the_run_in_the_way(rig, flag):
    """overlap: skip records the occurrence as skipped, and says which run is still there."""
    r = await busy(rig, "skip", flag)
    first, second = r.runs()
    assert (first.state, second.state) == ("running", "skipped")
    assert first.run_id in second.reason
    flag.unlink()
    await r.idle()
    assert r.runs()[0].state == "succeeded"


async def test_queue_lets_one_wait_and_a_newer_one_takes_its_place(rig, flag):
    """overlap: queue: at most one waits; the waiting one is skipped by a newer one, which runs in the end.

    Rule: queue
    """
    r = await busy(rig, "queue", flag)
    assert [str(x.state) for x in r.runs()] == ["running", "pending"]
    await r.tick(minutes=10, wait=False)
    assert [str(x.state) for x in r.runs()] == ["running", "skipped", "pending"]
    flag.unlink()
    await r.idle()
    assert [str(x.state) for x in r.runs()] == ["succeeded", "skipped", "succeeded"]
    assert "newer occurrence" in r.runs()[1].reason


async def test_replace_stops_the_old_run_and_starts_the_new_one(rig, flag):
    """overlap: replace asks the old run to stop; the new one starts once it has."""
    r = await busy(rig, "replace", flag)
    flag.unlink()
    await r.idle()
    first, second = r.runs()
    assert (first.state, second.state) == ("expired", "succeeded")
    assert "a new occurrence began" in first.reason


async def test_allow_runs_them_side_by_side(rig, flag):
    """overlap: allow starts the new run beside the old one."""
    r = await busy(rig, "allow", flag)
    assert [str(x.state) for x in r.runs()] == ["running", "running"]
    flag.unlink()
    await r.idle()
    assert [str(x.state) for x in r.runs()] == ["succeeded", "succeeded"]


async def test_limits_and_priority_decide_who_starts(rig, tmp_path, flag):
    """With one place in a named limit, the job of higher priority starts first, the other when there is room."""
    text = """
version: 1
settings: {{limits: {{net: 1}}}}
defaults: {{limits: [net], schedule: {{start: 2026-03-02T00:00:00, once: true}}}}
jobs:
  - name: low
    run: {{command: {{argv: [/bin/sh, -c, "while test -e {flag}; do sleep 0.05; done"]}}}}
  - name: high
    priority: 5
    run: {{command: {{argv: [/bin/sh, -c, "while test -e {flag}; do sleep 0.05; done"]}}}}
"""
    r = rig("2026-03-01T23:59:59Z")
    await r.up(text.format(flag=flag))
    await r.tick(seconds=1, wait=False)
    assert (r.run("high").state, r.run("low").state) == ("running", "pending")
    flag.unlink()
    await r.idle()
    assert (r.run("high").state, r.run("low").state) == ("succeeded", "succeeded")
    assert r.run("low").started_at >= r.run("high").ended_at


async def test_max_running_bounds_all_jobs_together(rig, flag):
    """settings.max_running is the number of runs at work at once, over all jobs."""
    jobs = "".join(
        f"""
  - name: j{i}
    schedule: {{start: 2026-03-02T00:00:00, once: true}}
    run: {{command: {{argv: [/bin/sh, -c, "while test -e {flag}; do sleep 0.05; done"]}}}}"""
        for i in range(5)
    )
    r = rig("2026-03-01T23:59:59Z")
    await r.up(f"version: 1\nsettings: {{max_running: 2}}\njobs:{jobs}\n")
    await r.tick(seconds=1, wait=False)
    assert sorted(str(x.state) for x in r.runs()) == ["pending"] * 3 + ["running"] * 2
    flag.unlink()
    await r.idle()
    assert {str(x.state) for x in r.runs()} == {"succeeded"}


ROOM = """
version: 1
settings: {{limits: {{net: 1, disk: 2}}}}
defaults:
  schedule: {{start: 2026-03-02T00:00:00, once: true}}
  run: {{command: {{argv: [/bin/sh, -c, "while test -e {flag}; do sleep 0.05; done"]}}}}
jobs:
  - {{name: first, priority: 9, limits: [net]}}
  - {{name: blocked, priority: 8, limits: [net, disk]}}
  - {{name: beside, limits: [disk]}}
  - {{name: free}}
"""


async def at_midnight(rig, text):
    """A rig at the fire time of its jobs, whose commands go on."""
    r = rig("2026-03-01T23:59:59Z")
    await r.up(text)
    await r.tick(seconds=1, wait=False)
    return r


def states(r):
    """The state of the only run of each job."""
    return {run.job: str(run.state) for run in r.runs()}


async def test_what_waits_for_a_limit_holds_up_no_other(rig, flag):
    """A job in two limits waits for the one that is full; it takes nothing of the other, whatever its priority."""
    r = await at_midnight(rig, ROOM.format(flag=flag))
    assert states(r) == {"first": "running", "blocked": "pending", "beside": "running", "free": "running"}
    flag.unlink()
    await r.idle()
    assert set(states(r).values()) == {"succeeded"}
    assert r.run("blocked").started_at >= r.run("first").ended_at


@pytest.mark.parametrize("edit", ["gone", "edited"])
async def test_a_limit_is_held_by_what_is_at_work_whatever_becomes_of_its_definition(rig, flag, edit):
    """The job is removed, or its limit is taken from it, while it runs: nobody takes its place before it has ended."""
    text = ROOM.format(flag=flag)
    first = "  - {name: first, priority: 9, limits: [net]}\n"
    r = await at_midnight(rig, text)
    await r.reload(text.replace(first, "" if edit == "gone" else first.replace(", limits: [net]", "")))
    assert (r.run("first").state, r.run("blocked").state) == ("running", "pending")
    flag.unlink()
    await r.idle()
    assert set(states(r).values()) == {"succeeded"}


async def test_room_that_is_taken_away_stops_nobody_and_room_that_is_given_is_used(rig, flag):
    """Reloads that lower and raise limits and max_running while runs are at work."""
    text = ROOM.format(flag=flag)
    r = await at_midnight(rig, text)
    await r.reload(text.replace("settings: {", "settings: {max_running: 1, ").replace("disk: 2", "disk: 1"))
    assert states(r) == {"first": "running", "blocked": "pending", "beside": "running", "free": "running"}
    await r.reload(text.replace("net: 1", "net: 2"))
    assert r.run("blocked").state == "running"
    flag.unlink()
    await r.idle()


async def test_retries_and_reruns_wait_for_room_too(rig, tmp_path, flag):
    """Its pause is over, and another job has the one place: the second try comes when that has ended."""
    r = rig("2026-03-01T23:59:59Z")
    await r.up(f"""
version: 1
settings: {{max_running: 1}}
jobs:
  - name: flaky
    schedule: {{start: 2026-03-02T00:00:00, once: true}}
    retry: {{attempts: 2, backoff: 10s}}
    run: {{command: {{argv: [/bin/sh, -c, "test -e {tmp_path}/tried || {{ touch {tmp_path}/tried; exit 1; }}"]}}}}
  - name: long
    schedule: {{start: 2026-03-02T00:00:05, once: true}}
    run: {{command: {{argv: [/bin/sh, -c, "while test -e {flag}; do sleep 0.05; done"]}}}}
""")
    await r.tick(seconds=1)
    await r.tick(seconds=30, wait=False)
    assert states(r) == {"flaky": "retrying", "long": "running"}
    flag.unlink()
    await r.idle()
    assert states(r) == {"flaky": "succeeded", "long": "succeeded"}


async def test_what_waits_for_room_longer_than_its_grace_is_missed(rig, flag):
    """Nothing starts later than its job allows, and the row says why it did not."""
    text = ROOM.format(flag=flag).replace("limits: [net, disk]", "limits: [net], catch_up: {grace: 10m}")
    r = await at_midnight(rig, text)
    await r.tick(minutes=10, wait=False)
    assert r.run("blocked").state == "pending"
    r.clock.advance(timedelta(seconds=1))
    await r.settle()
    assert (r.run("blocked").state, r.run("blocked").reason) == ("missed", "not started within its grace of 10m")
    flag.unlink()
    await r.idle()


@pytest.mark.parametrize("overlap", ["skip", "queue", "replace", "allow"])
async def test_with_catch_up_all_one_run_follows_the_other_whatever_overlap_says(rig, flag, overlap):
    """Three were missed: they run one at a time, in their order, none is skipped or stopped."""
    text = JOB.format(overlap=f"{overlap}\n    catch_up: {{policy: all}}", flag=flag)
    r = rig("2026-03-01T23:59:59Z")
    await r.up(text)
    await r.down()
    r.clock.advance(timedelta(minutes=25))
    await r.up(text)
    assert [str(x.state) for x in r.runs()] == ["running", "pending", "pending"]
    flag.unlink()
    await r.idle()
    one, two, three = r.runs()
    assert {one.state, two.state, three.state} == {"succeeded"}
    assert one.ended_at <= two.started_at <= two.ended_at <= three.started_at
