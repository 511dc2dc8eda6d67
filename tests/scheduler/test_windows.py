"""Run windows and reruns: what is done is kept, what is left is taken up, nothing is done twice."""

import json
from datetime import timedelta

COLLECT = """#!/bin/sh
# writes down every start, then answers at once or sleeps past the window, as the file `slow` says
echo "$1" >> "{folder}/starts"
if grep -qx "$1" "{folder}/slow" 2>/dev/null; then sleep 600; fi
echo "data of $1"
"""
EVALUATE = """#!/bin/sh
cat > /dev/null
echo '{{"results": [{{"check": "c1", "result": "pass", "message": ""}}]}}'
"""

FLEET = """
version: 1
settings: {{kill_after: 3s}}
collectors:
  host: {{collect: ["{folder}/collect.sh", "{{asset.id}}"], evaluate: ["{folder}/evaluate.sh", "{{standard}}"]}}
jobs:
  - name: fleet
    schedule: {{start: 2026-03-02T00:00:00, daily: {{every: 1}}, window: {window}{rerun}}}
    run:
      collect:
        assets: {assets}
        standards: [base]
        parallel: 20
        asset_timeout: 100h
"""


def fleet(folder, *, count=20, slow=0, window="5s", rerun="{every: 1h, for: 3h}"):
    """A job over `count` assets, the first `slow` of which hang."""
    for name, text in (("collect.sh", COLLECT), ("evaluate.sh", EVALUATE)):
        path = folder / name
        path.write_text(text.format(folder=folder))
        path.chmod(0o755)
    (folder / "slow").write_text("".join(f"a{i}\n" for i in range(slow)))
    assets = json.dumps([{"id": f"a{i}", "type": "host"} for i in range(count)])
    more = f", rerun: {rerun}" if rerun else ""
    return FLEET.format(folder=folder, assets=assets, window=window, rerun=more)


async def test_a_window_stops_the_run_and_the_rerun_takes_exactly_what_is_left(rig, tmp_path):
    """Of 20 assets 12 sleep past the window: 8 are kept, the rerun takes the other 12, none of the 8 starts twice.

    Rule: window-from-the-fire-time
    """
    r = rig("2026-03-01T23:59:00Z")
    await r.up(fleet(tmp_path, slow=12))
    await r.tick(minutes=1, wait=False)
    await r.until(lambda: r.tally(r.run())["done"] == 8)
    starts = tmp_path / "starts"
    await r.until(lambda: len(starts.read_text().split()) == 20)
    run = r.run()
    assert run.state == "running"
    await r.tick(seconds=4, wait=False)
    assert r.run().stop_requested_at is None
    await r.tick(seconds=1, wait=False)
    stopped = r.run()
    assert stopped.stop_requested_at - run.window_end < timedelta(seconds=1)
    await r.idle()
    left = r.run()
    assert (left.state, left.reason) == ("incomplete", "the window closed: 12 of 20 assets left")
    assert r.tally(left) == {"done": 8, "open": 12}
    (tmp_path / "slow").write_text("")
    starts.write_text("")
    await r.tick(hours=1)
    ended = r.run()
    assert (ended.state, ended.reason) == ("succeeded", "")
    assert sorted(starts.read_text().split()) == sorted(f"a{i}" for i in range(12))
    assert [(a.cause, a.started_at.isoformat()) for a in r.attempts(ended)] == [
        ("fire", "2026-03-02T00:00:00+00:00"),
        ("rerun", "2026-03-02T01:00:00+00:00"),
    ]
    assert {a.starts for id_, a in r.assets(ended).items() if int(id_[1:]) >= 12} == {1}
    assert r.tally(ended) == {"done": 20}


async def test_groups_that_ignore_term_are_killed_kill_after_later(rig, tmp_path, alive):
    """A collector that ignores TERM is gone `kill_after` after the stop, by the daemon's clock.

    Rule: stop
    """
    r = rig("2026-03-01T23:59:59Z")
    text = fleet(tmp_path, count=1, rerun="")
    script = tmp_path / "collect.sh"
    pid = tmp_path / "pid"
    script.write_text(
        f"#!/bin/sh\ntrap '' TERM\necho $$ > {pid}.new; mv {pid}.new {pid}\nwhile :; do sleep 0.1; done\n"
    )
    await r.up(text)
    await r.tick(seconds=1, wait=False)
    await r.until(pid.exists)
    group = int(pid.read_text())
    await r.tick(seconds=5, wait=False)
    killed_at = r.clock.now() + timedelta(seconds=3)
    await r.until(lambda: r.clock.next_sleeper_at == killed_at)
    assert alive(group)
    assert r.run().state == "running"
    await r.tick(seconds=3, wait=False)
    await r.idle()
    assert not alive(group)
    assert (r.run().state, r.run().reason) == (
        "expired",
        "the window closed: 1 of 1 assets left; no rerun is configured",
    )


async def test_reruns_go_on_until_the_period_is_over(rig, tmp_path):
    """Every 1 h for 3 h means two reruns; then the run expires with what was left."""
    r = rig("2026-03-01T23:59:59Z")
    await r.up(fleet(tmp_path, count=2, slow=0))
    (tmp_path / "collect.sh").write_text("#!/bin/sh\nexit 75\n")
    await r.tick(hours=5)
    run = r.run()
    assert [a.cause for a in r.attempts(run)] == ["fire", "rerun", "rerun"]
    assert run.state == "expired"
    assert run.reason == "2 of 2 assets left; its rerun period is over"
    assert r.tally(run) == {"unreachable": 2}


async def test_the_next_occurrence_ends_the_cycle(rig, tmp_path):
    """A rerun at or after the next fire time does not happen: the new run takes over.

    Rule: new-occurrence
    """
    r = rig("2026-03-01T23:59:59Z")
    await r.up(fleet(tmp_path, count=1, rerun="{every: 10h, for: 3d}"))
    (tmp_path / "collect.sh").write_text("#!/bin/sh\nexit 1\n")
    await r.tick(hours=23)
    assert [a.started_at.hour for a in r.attempts(r.run())] == [0, 10, 20]
    await r.tick(hours=1, minutes=1)
    first, second = r.runs()
    assert (first.state, first.reason) == (
        "expired",
        "1 of 1 assets left; the next occurrence comes before its next rerun",
    )
    assert (second.state, len(r.attempts(second))) == ("incomplete", 1)


async def test_a_rerun_still_running_at_the_next_occurrence_is_stopped(rig, tmp_path):
    """The rerun at 23:00 hangs into the next day: it is stopped, and the new run starts.

    Rule: new-occurrence
    """
    r = rig("2026-03-01T23:59:59Z")
    text = fleet(tmp_path, count=1, window="2h", rerun="{every: 23h, for: 2d}")
    (tmp_path / "collect.sh").write_text("#!/bin/sh\nexit 1\n")
    await r.up(text)
    await r.tick(hours=22)
    (tmp_path / "slow").write_text("a0\n")
    (tmp_path / "collect.sh").write_text(COLLECT.format(folder=tmp_path))
    await r.tick(hours=1, minutes=1, wait=False)
    await r.until((tmp_path / "starts").exists)
    assert r.run().state == "running"
    (tmp_path / "slow").write_text("")
    await r.tick(minutes=59, seconds=1, wait=False)
    await r.idle()
    first, second = r.runs()
    assert (first.state, second.state) == ("expired", "succeeded")
    assert second.started_at.isoformat() == "2026-03-03T00:00:00+00:00"


async def test_an_attempt_ends_when_the_next_rerun_is_due(rig, tmp_path):
    """Without a window, an attempt that still runs at the next rerun time is stopped, and the rerun starts.

    Rule: new-occurrence
    """
    r = rig("2026-03-01T23:59:59Z")
    text = fleet(tmp_path, count=2, slow=1).replace("window: 5s, ", "")
    await r.up(text)
    await r.tick(seconds=1, wait=False)
    await r.until(lambda: r.tally(r.run())["done"] == 1)
    (tmp_path / "slow").write_text("")
    await r.tick(hours=1, wait=False)
    await r.idle()
    run = r.run()
    assert run.state == "succeeded"
    assert [(a.cause, a.ended, a.reason) for a in r.attempts(run)] == [
        ("fire", "stopped", "the next rerun is due: 1 of 2 assets left"),
        ("rerun", "completed", ""),
    ]


async def test_a_command_stopped_by_its_window_is_rerun_whole(rig, tmp_path):
    """A job without assets: only the window's end arms the rerun, which repeats the whole.

    Rule: jobs-without-assets
    """
    flag = tmp_path / "slow"
    flag.write_text("")
    text = f"""
version: 1
jobs:
  - name: sync
    schedule: {{start: 2026-03-02T00:00:00, daily: {{}}, window: 1m, rerun: {{every: 1h, for: 2h}}}}
    run: {{command: {{argv: [/bin/sh, -c, "test ! -e {flag} || sleep 600"]}}}}
"""
    r = rig("2026-03-01T23:59:59Z")
    await r.up(text)
    await r.tick(seconds=30, wait=False)
    assert r.run().state == "running"
    await r.tick(seconds=31, wait=False)
    await r.idle()
    assert (r.run().state, r.run().reason) == ("incomplete", "the window closed")
    flag.unlink()
    await r.tick(hours=1)
    assert r.run().state == "succeeded"


async def test_a_faulted_command_fails_and_is_not_rerun(rig):
    """A command's fault is an error, not something left over.

    Rule: jobs-without-assets
    """
    r = rig("2026-03-01T23:59:59Z")
    await r.up("""
version: 1
jobs:
  - name: sync
    schedule: {start: 2026-03-02T00:00:00, daily: {}, window: 1m, rerun: {every: 1h, for: 2h}}
    run: {command: {argv: [/bin/sh, -c, "exit 9"]}}
""")
    await r.tick(hours=3)
    assert r.run().state == "failed"
    assert r.run().attempts == 1


async def test_whole_day_reruns_keep_the_wall_time_over_a_gap(rig, tmp_path):
    """Friday 02:30 in New York before the gap: reruns at 02:30 wall time on Saturday, 03:30 on Sunday's gap.

    Rule: rerun-durations
    """
    text = (
        fleet(tmp_path, count=1, rerun="{every: 1d, for: 3d}", window="1h")
        .replace(
            "start: 2026-03-02T00:00:00, daily: {every: 1}", "start: 2026-03-06T02:30:00, weekly: {on: [friday]}"
        )
        .replace("settings: {", "settings: {timezone: America/New_York, ")
    )
    (tmp_path / "collect.sh").write_text("#!/bin/sh\nexit 1\n")
    r = rig("2026-03-06T00:00:00Z")
    await r.up(text)
    await r.tick(days=6)
    assert [a.started_at.isoformat() for a in r.attempts(r.run())] == [
        "2026-03-06T07:30:00+00:00",
        "2026-03-07T07:30:00+00:00",
        "2026-03-08T07:30:00+00:00",
    ]
