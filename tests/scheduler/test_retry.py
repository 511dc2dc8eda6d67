"""Retries answer an attempt's error; the pauses grow, and are made only where a window leaves them room."""

from datetime import timedelta

from config.definitions import Retry
from runners.api import Ended, Outcome
from scheduler.ending import backoff

JOB = """
version: 1
jobs:
  - name: job
    schedule: {{start: 2026-03-02T06:00:00, daily: {{}}{more}}}
    retry: {{attempts: 3, backoff: 1m, max_backoff: 90s}}
    run: {{command: {{argv: [/bin/sh, -c, "{script}"]}}}}
"""


async def test_a_failing_command_is_tried_as_often_as_it_says(rig):
    """Three tries in all, pauses of 60 s and (bounded) 90 s; then failed.

    Rule: retry
    """
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


async def test_a_pause_that_reaches_the_windows_end_is_not_waited_for(rig):
    """The third try would begin as the window closes: the run fails at the end of its second, and says why."""
    r = rig("2026-03-02T05:59:59Z")
    await r.up(JOB.format(more=", window: 150s", script="exit 4"))
    await r.tick(minutes=2)
    run = r.run()
    assert (run.state, run.attempts, run.ended_at.strftime("%H:%M:%S")) == ("failed", 2, "06:01:00")
    assert run.reason.endswith("4; try 3 of 3 would not begin inside the window")


async def test_a_pause_that_ends_inside_the_window_is_waited_for(rig):
    """A second more of window, and the third try is made."""
    r = rig("2026-03-02T05:59:59Z")
    await r.up(JOB.format(more=", window: 151s", script="exit 4"))
    await r.tick(hours=1)
    assert (r.run().state, r.run().attempts) == ("failed", 3)


class Unreachable:
    """A runner that cannot do anything."""

    async def execute(self, execution):
        """An error of the attempt, no asset tried."""
        return Outcome(Ended.FAILED, "no way there", retryable=True)


COLLECT = """
version: 1
collectors: {host: {collect: ["true"]}}
jobs:
  - name: job
    schedule: {start: 2026-03-02T06:00:00, daily: {}, window: 90s, rerun: {every: 1h, for: 2h}}
    retry: {attempts: 3, backoff: 1m, max_backoff: 90s}
    run: {collect: {type: CollectionJob, assets: [{id: a, type: host}]}}
"""


async def test_a_run_with_assets_goes_on_at_its_rerun_instead(rig):
    """No time is left for a pause in any window: incomplete at once, and each rerun begins its tries afresh.

    Rule: retry
    """
    r = rig("2026-03-02T05:59:59Z")
    await r.up(COLLECT, runner=lambda _run: Unreachable())
    await r.tick(minutes=1, seconds=1)
    run = r.run()
    assert (run.state, run.attempts) == ("incomplete", 2)
    assert run.reason == "no way there; try 3 of 3 would not begin inside the window; 1 of 1 assets left"
    await r.tick(hours=3)
    causes = [(str(a.cause), a.started_at.strftime("%H:%M")) for a in r.attempts(r.run())]
    assert causes == [("fire", "06:00"), ("retry", "06:01"), ("rerun", "07:00"), ("retry", "07:01")]
    assert r.run().state == "failed"


async def test_a_pause_is_made_longer_by_the_runs_own_jitter(rig):
    """The second try comes a minute and the run's jitter after the first, by the clock, and the row says when."""
    r = rig("2026-03-02T05:59:59Z")
    await r.up(JOB.format(more="", script="exit 4").replace("max_backoff: 90s", "max_backoff: 90s, jitter: 50s"))
    await r.tick(hours=1)
    run = r.run()
    retry = r.dispatcher.definitions["job"].retry
    starts = [attempt.started_at for attempt in r.attempts(run)]
    assert starts[1] - starts[0] == backoff(retry, 1, run.run_id)
    assert starts[2] - starts[1] == backoff(retry, 2, run.run_id)


def test_jitter_spreads_runs_and_stays_below_what_is_written():
    """From the pause itself to the pause and all of the jitter, differently for each run and try, always the same."""
    retry = Retry(attempts=9, backoff=timedelta(seconds=30), jitter=timedelta(seconds=20))
    pauses = [backoff(retry, tries, f"run-{number}") for number in range(500) for tries in (1, 2)]
    jitters = [pause - timedelta(seconds=30 * (1 + index % 2)) for index, pause in enumerate(pauses)]
    assert timedelta(0) <= min(jitters) < timedelta(seconds=1)
    assert timedelta(seconds=19) < max(jitters) < timedelta(seconds=20)
    assert len(set(jitters)) > 900
    assert backoff(retry, 1, "run-1") == backoff(retry, 1, "run-1")
    assert backoff(Retry(backoff=timedelta(seconds=30)), 1, "run-1") == timedelta(seconds=30)


async def test_a_program_that_is_not_there_is_not_tried_again(rig):
    """Trying again cannot help: it fails at once, and the reason names it."""
    r = rig("2026-03-02T05:59:59Z")
    await r.up(JOB.format(more="", script="x").replace("/bin/sh, -c", "/no/such/program"))
    await r.tick(hours=1)
    assert (r.run().state, r.run().attempts) == ("failed", 1)
    assert "/no/such/program" in r.run().reason
