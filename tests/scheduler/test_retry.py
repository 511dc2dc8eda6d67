"""Retries answer an attempt's error; the pauses grow; the window ends them."""

JOB = """
version: 1
jobs:
  - name: job
    schedule: {{start: 2026-03-02T06:00:00, daily: {{}}{more}}}
    retry: {{attempts: 3, backoff: 1m, max_backoff: 90s}}
    run: {{command: {{argv: [/bin/sh, -c, "{script}"]}}}}
"""


async def test_a_failing_command_is_tried_as_often_as_it_says(rig):
    """Three tries in all, pauses of 60 s and (bounded) 90 s; then failed."""
    r = rig("2026-03-02T05:59:59Z")
    await r.up(JOB.format(more="", script="exit 4"))
    await r.tick(hours=1)
    run = r.run()
    assert [(str(a.cause), a.started_at.strftime("%H:%M:%S")) for a in r.attempts(run)] == [
        ("fire", "06:00:00"),
        ("retry", "06:01:00"),
        ("retry", "06:02:30"),
    ]
    assert run.state == "failed"


async def test_a_retry_that_succeeds_ends_the_run(rig, tmp_path):
    """The second try finds what the first missed."""
    r = rig("2026-03-02T05:59:59Z")
    await r.up(JOB.format(more="", script=f"test -e {tmp_path}/ok || {{ touch {tmp_path}/ok; exit 1; }}"))
    await r.tick(hours=1)
    assert (r.run().state, r.run().attempts) == ("succeeded", 2)


async def test_the_windows_end_ends_the_retries(rig):
    """A run that waits for its retry when its window closes is left over, and expires without a rerun."""
    r = rig("2026-03-02T05:59:59Z")
    await r.up(JOB.format(more=", window: 90s", script="exit 4"))
    await r.tick(hours=1)
    assert (r.run().state, r.run().attempts) == ("expired", 2)
    assert r.run().reason.startswith("the window closed")


async def test_a_program_that_is_not_there_is_not_tried_again(rig):
    """Trying again cannot help: it fails at once, and the reason names it."""
    r = rig("2026-03-02T05:59:59Z")
    await r.up(JOB.format(more="", script="x").replace("/bin/sh, -c", "/no/such/program"))
    await r.tick(hours=1)
    assert (r.run().state, r.run().attempts) == ("failed", 1)
    assert "/no/such/program" in r.run().reason
