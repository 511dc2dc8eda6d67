"""Corners where two rules meet: late starts, manual reruns, pauses in a downtime, a full disk."""

import contextlib
import os
import subprocess

import pytest
import structlog

HANG = """
version: 1
jobs:
  - name: job
    overlap: {overlap}
    schedule: {{start: 2026-03-02T00:00:00, interval: {every}{more}}}
    run: {{command: {{argv: [/bin/sh, -c, "while test -e {flag}; do sleep 0.05; done"]}}}}
"""


async def test_a_late_first_attempt_is_judged_by_overlap_and_not_taken_for_a_rerun(rig, tmp_path):
    """Started 2.5 h late, past two rerun times, it is still the first attempt: overlap: skip lets it go on."""
    flag = tmp_path / "flag"
    flag.write_text("")
    text = HANG.format(overlap="skip", every="3h", more=", rerun: {every: 1h, for: 3h}", flag=flag)
    r = rig("2026-03-01T23:00:00Z")
    await r.up(text)
    await r.down()
    r.clock.set(r.clock.now().replace(day=2, hour=2, minute=30))
    await r.up(text)
    assert [str(x.state) for x in r.runs()] == ["running"]
    await r.tick(minutes=30, wait=False)
    first, second = r.runs()
    assert (first.state, first.stop_requested_at, second.state) == ("running", None, "skipped")
    flag.unlink()
    await r.idle()
    assert r.runs()[0].state == "succeeded"


async def test_a_manual_rerun_is_a_rerun_also_before_the_first_rerun_time(rig, tmp_path, operator):
    """Rerun by hand, it still runs at the next occurrence: it is stopped, as any rerun, and the new run starts."""
    flag = tmp_path / "flag"
    flag.write_text("")
    text = HANG.format(overlap="skip", every="3h", more=", window: 10m, rerun: {every: 2h, for: 3h}", flag=flag)
    r = rig("2026-03-01T23:59:59Z")
    await r.up(text)
    await r.tick(seconds=1, wait=False)
    await r.tick(minutes=10, wait=False)
    await r.idle()
    assert r.run().state == "incomplete"
    await r.tick(minutes=105)
    await r.control.rerun(r.run().run_id, operator)
    assert r.run().state == "running"
    assert r.run().window_end == r.clock.now().replace(hour=2, minute=5)
    flag.unlink()
    await r.idle()
    assert (r.run().state, [str(a.cause) for a in r.attempts(r.run())]) == ("succeeded", ["fire", "manual"])


async def test_latest_means_one_run_also_where_a_pause_lies_in_the_downtime(rig, tmp_path, operator):
    """Down over 1, 2 and 3 o'clock, paused over 2: 1 is missed, 2 skipped, only 3 runs."""
    text = HANG.format(overlap="skip", every="1h", more="", flag=tmp_path / "never")
    r = rig("2026-03-02T00:30:00Z")
    await r.up(text)
    r.clock.set(r.clock.now().replace(minute=40))
    await r.settle()
    await r.down()
    r.clock.set(r.clock.now().replace(hour=1, minute=30))
    await r.up(text)
    await r.idle()
    await r.control.pause("job", until=r.clock.now().replace(hour=2, minute=30), note=None, actor=operator)
    await r.down()
    r.clock.set(r.clock.now().replace(hour=4, minute=30))
    await r.up(text)
    await r.idle()
    assert [(x.fire_time.hour, str(x.state)) for x in r.runs()] == [
        (1, "succeeded"),
        (2, "skipped"),
        (3, "missed"),
        (4, "succeeded"),
    ]


@pytest.fixture
def small_disk(tmp_path):
    """The state folder on a file system of 2 MB."""
    folder = tmp_path / "state"
    folder.mkdir()
    if os.getuid() != 0:
        pytest.skip("only root may mount a small file system")
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], capture_output=True, text=True
    )
    if done.returncode:
        pytest.skip(f"a small file system cannot be mounted here: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


async def test_a_full_disk_starts_nothing_and_what_was_due_is_caught_up(rig, tmp_path, small_disk):
    """Nothing starts while the ledger cannot grow; when there is room again, what came due is run or missed."""
    text = HANG.format(overlap="skip", every="1h", more="", flag=tmp_path / "never")
    r = rig("2026-03-01T23:59:59Z")
    await r.up(text)
    await r.tick(seconds=1)
    ballast = small_disk / "ballast"
    for size in (4096, 1):
        with contextlib.suppress(OSError), ballast.open("ab", buffering=0) as file:
            while True:
                file.write(bytes(size))
    for _ in range(200):  # until the room that the ledger's own files still have is used up
        r.dispatcher._renewed_at = 0
        await r.settle()
        if not r.dispatcher.writable:
            break
    assert not r.dispatcher.writable
    r.clock.set(r.clock.now().replace(hour=2))
    await r.settle()
    assert len(r.runs()) == 1
    ballast.unlink()
    await r.settle()
    await r.idle()
    assert r.dispatcher.writable
    assert [(x.fire_time.hour, str(x.state)) for x in r.runs()] == [
        (0, "succeeded"),
        (1, "missed"),
        (2, "succeeded"),
    ]


async def test_a_run_keeps_the_fold_policy_of_its_schedule_for_its_reruns(rig, tmp_path):
    """dst.fold: last: the rerun on the day the clocks go back is at the second 01:30."""
    (tmp_path / "c.sh").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "c.sh").chmod(0o755)
    r = rig("2026-10-31T00:00:00Z")
    await r.up("""
version: 1
settings: {timezone: America/New_York}
collectors: {host: {collect: [./c.sh]}}
jobs:
  - name: job
    schedule: {start: 2026-10-31T01:30:00, weekly: {on: [saturday]}, rerun: {every: 1d, for: 2d}, dst: {fold: last}}
    run: {collect: {type: CollectionJob, assets: [{id: a, type: host}]}}
""")
    await r.tick(days=3)
    assert [a.started_at.isoformat() for a in r.attempts(r.run())] == [
        "2026-10-31T05:30:00+00:00",
        "2026-11-01T06:30:00+00:00",
    ]


async def test_the_log_says_why_an_asset_is_left_and_does_not_flood(rig, tmp_path):
    """Of twelve assets that cannot be collected, ten are told with their reason; the row counts all."""
    (tmp_path / "c.sh").write_text("#!/bin/sh\necho no route to $1 >&2\nexit 75\n")
    (tmp_path / "c.sh").chmod(0o755)
    assets = ", ".join(f"{{id: a{i}, type: host}}" for i in range(12))
    r = rig("2026-03-01T23:59:59Z")
    await r.up(f"""
version: 1
collectors: {{host: {{collect: [./c.sh, "{{asset.id}}"]}}}}
jobs:
  - name: job
    schedule: {{start: 2026-03-02T00:00:00, daily: {{}}}}
    run: {{collect: {{type: CollectionJob, assets: [{assets}], parallel: 1}}}}
""")
    with structlog.testing.capture_logs() as lines:
        await r.tick(seconds=1)
    told = [line for line in lines if line["event"] == "asset_left"]
    assert [line["asset"] for line in told] == [f"a{i}" for i in range(10)]
    assert (told[0]["asset_state"], told[0]["job"]) == ("unreachable", "job")
    assert "no route to a0" in told[0]["reason"]
    assert r.tally(r.run()) == {"unreachable": 12}
