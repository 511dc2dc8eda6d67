"""A runner is told up to which attempt its run's ends are known: what it saw after that was told to nobody."""

from runners.api import Ended, Outcome

JOB = """
version: 1
jobs:
  - name: job
    schedule: {start: 2026-03-02T06:00:00, daily: {every: 1}, rerun: {every: 4h, for: 16h}, window: 1h}
    run: {command: {argv: [/bin/true]}}
    idempotent: true
    retry: {attempts: 5, backoff: 1m}
"""


class Runner:
    """Notes what attempts are told; they fail, but for those that hang until the daemon dies."""

    def __init__(self, *hang):
        self.hang, self.seen = hang, []

    async def execute(self, execution):
        self.seen.append((execution.attempt, execution.told))
        if execution.attempt in self.hang:
            await execution.stop.wait()
        return Outcome(Ended.FAILED, "no", retryable=True)


async def test_only_attempts_that_were_not_cut_off_are_told(rig):
    """The first fails, two are cut off by crashes, the fourth fails: each sees who came through before it."""
    runner = Runner(2, 3)
    r = rig("2026-03-02T05:59:59Z")
    await r.up(JOB, runner=lambda _: runner)
    await r.tick(seconds=1)
    await r.tick(minutes=1, wait=False)
    for start in ("2026-03-02T06:02:00Z", "2026-03-02T06:03:00Z"):
        await r.until(lambda: runner.seen[-1][0] in runner.hang)
        await r.crash()
        r = rig(start)
        await r.up(JOB, runner=lambda _: runner)
        runner.hang = runner.hang[1:]
    await r.idle()
    await r.tick(minutes=4)
    assert runner.seen == [(1, 0), (2, 1), (3, 1), (4, 1), (5, 4)]
