"""Runs come due, start, end, and are written down: the whole path, with the manual clock."""

import pytest

DAILY = """
version: 1
settings: {timezone: America/New_York}
jobs:
  - name: nightly
    schedule: {start: 2026-01-01T02:30:00, daily: {every: 1}}
    run: {command: {argv: [/bin/sh, -c, "echo hello"]}}
"""


async def test_each_fire_time_becomes_one_run_that_succeeds(rig):
    """A daily command runs once at each of its fire times, over the gap of New York too."""
    r = rig("2026-03-07T00:00:00Z")
    await r.up(DAILY)
    await r.tick(days=3)
    assert r.states() == [
        ("2026-03-07T07:30:00Z", "succeeded"),
        ("2026-03-08T07:30:00Z", "succeeded"),
        ("2026-03-09T06:30:00Z", "succeeded"),
    ]
    run = r.runs()[1]
    assert run.civil.isoformat() == "2026-03-08T02:30:00"
    (attempt,) = r.attempts(run)
    assert (attempt.cause, attempt.ended, attempt.exit_code) == ("fire", "completed", 0)
    assert (r.folder / "state/output" / run.run_id / "1/output.log").read_text() == "hello\n"


@pytest.mark.parametrize(
    ("argv", "state", "reason"),
    [
        ("exit 3", "failed", "3"),
        ("kill -9 $$", "failed", "SIGKILL"),
    ],
)
async def test_a_failed_command_fails_its_run_with_the_reason(rig, argv, state, reason):
    """The run's row says how the command ended."""
    r = rig("2026-03-07T07:00:00Z")
    await r.up(DAILY.replace("echo hello", argv))
    await r.tick(hours=1)
    run = r.run()
    assert run.state == state
    assert reason in run.reason
