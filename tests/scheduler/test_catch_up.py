"""After downtime: what was due is run or recorded as missed, by policy and grace."""

import pytest

JOB = """
version: 1
jobs:
  - name: hourly
    catch_up: {{policy: {policy}, grace: {grace}}}
    schedule: {{start: 2026-03-02T00:00:00, interval: 1h}}
    run: {{command: {{argv: ["true"]}}}}
"""


async def away(rig, *, policy="latest", grace="6h", hours=3, text=None):
    """A job that ran at midnight; the scheduler is then away for some hours and a half."""
    r = rig("2026-03-01T23:59:59Z")
    text = text or JOB.format(policy=policy, grace=grace)
    await r.up(text)
    await r.tick(seconds=1)
    await r.down()
    r.clock.set(r.clock.now().replace(hour=hours, minute=30))
    await r.up(text)
    await r.idle()
    return r


@pytest.mark.parametrize(
    ("policy", "states"),
    [
        ("latest", ["succeeded", "missed", "missed", "succeeded"]),
        ("all", ["succeeded", "succeeded", "succeeded", "succeeded"]),
        ("none", ["succeeded", "missed", "missed", "missed"]),
    ],
)
async def test_policies(rig, policy, states):
    """latest runs the last due occurrence, all runs each in turn, none runs none; every one has its row."""
    r = await away(rig, policy=policy)
    assert [str(x.state) for x in r.runs()] == states
    assert all(x.reason for x in r.runs() if x.state == "missed")


async def test_older_than_grace_is_missed(rig):
    """What is later than its grace is not run any more."""
    r = await away(rig, grace="10m")
    assert [str(x.state) for x in r.runs()] == ["succeeded", "missed", "missed", "missed"]
    assert "grace" in r.runs()[-1].reason


async def test_all_runs_in_sequence_even_where_overlap_says_skip(rig):
    """catch_up: all runs one after the other, oldest first.

    Rule: catch-up-all
    """
    r = await away(rig, policy="all")
    starts = [x.started_at for x in r.runs()]
    assert starts == sorted(starts)
    assert [x.run_no for x in r.runs()] == sorted(x.run_no for x in r.runs())


async def test_a_long_stretch_of_misses_is_one_row(rig):
    """A month away from a job of every minute: one row for the stretch, with first, last and count.

    Rule: many-misses
    """
    text = JOB.format(policy="latest", grace="6h").replace("interval: 1h", "interval: 1m")
    r = rig("2026-03-01T23:59:59Z")
    await r.up(text)
    await r.down()
    r.clock.set(r.clock.now().replace(day=31, hour=0, minute=0, second=30))
    await r.up(text)
    await r.idle()
    stretch, last = r.runs()
    assert stretch.state == "missed"
    assert stretch.fire_time.isoformat() == "2026-03-02T00:00:00+00:00"
    assert stretch.last_fire_time.isoformat() == "2026-03-30T23:59:00+00:00"
    assert stretch.occurrences == 29 * 24 * 60
    assert (last.state, last.fire_time.isoformat()) == ("succeeded", "2026-03-31T00:00:00+00:00")


async def test_a_clock_step_backwards_repeats_nothing_and_forwards_loses_nothing(rig):
    """The wall clock is set back two hours and on again: each occurrence has one row."""
    r = rig("2026-03-01T23:59:59Z")
    await r.up(JOB.format(policy="latest", grace="6h"))
    await r.tick(hours=2, seconds=1)
    r.clock.set(r.clock.now().replace(day=1, hour=22))
    await r.settle()
    await r.tick(hours=2)
    assert len(r.runs()) == 3
    r.clock.set(r.clock.now().replace(day=2, hour=5))
    await r.settle()
    await r.idle()
    assert [x.fire_time.hour for x in r.runs()] == [0, 1, 2, 3, 4, 5]
    assert [str(x.state) for x in r.runs()] == ["succeeded"] * 3 + ["missed"] * 2 + ["succeeded"]


async def test_a_catch_up_after_the_windows_end(rig):
    """The window closed while nobody was there: incomplete if a rerun is still due, else missed.

    Rule: late-catch-up
    """
    job = """
version: 1
jobs:
  - name: scan
    schedule: {{start: 2026-03-02T00:00:00, daily: {{}}, window: 1h{rerun}}}
    run: {{command: {{argv: ["true"]}}}}
"""
    r = rig("2026-03-01T23:00:00Z")
    text = job.format(rerun=", rerun: {every: 5h, for: 6h}")
    await r.up(text)
    await r.down()
    r.clock.set(r.clock.now().replace(day=2, hour=3))
    await r.up(text)
    assert (r.run().state, r.run().reason) == ("incomplete", "the window closed before it could start")
    await r.tick(hours=2)
    assert r.run().state == "succeeded"
    await r.reload(job.format(rerun=""))
    await r.down()
    r.clock.set(r.clock.now().replace(day=3, hour=3))
    await r.up(job.format(rerun=""))
    assert r.runs()[-1].state == "missed"
