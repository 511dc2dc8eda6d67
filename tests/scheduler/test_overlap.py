"""What a fire time does while an earlier run is still at its first attempt."""

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
    """overlap: queue: at most one waits; the waiting one is skipped by a newer one, which runs in the end."""
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
