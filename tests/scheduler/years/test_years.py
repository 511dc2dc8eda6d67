"""Simulated years of two hundred jobs: the ledger has exactly the rows that a brute-force walk expects.

The scheduler is the real one over a real file, with the manual clock. The walk (`walk.py`) and the rules of catch-up,
pause and edit (`expected.py`) share no code with it. What carries the runs out is of the test's own and ends at once,
whatever the kind of run: the claim is about occurrences and their rows. `make years` plays ten years.
"""

import os
import sys
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from runners.api import AssetReport, AssetState, Ended, Outcome
from scheduler.ledger import snapshot
from scheduler.model import CLOCK_ACTOR, Kind

YEARS = int(os.environ.get("JOBSD_YEARS", "1"))
SEED = int(os.environ.get("JOBSD_SEED", "20260101"))
JOBS = 200
BEGIN = datetime(2026, 1, 1, 0, 13, 37, tzinfo=UTC)
"""No occurrence lies at minute 13: whether something comes due before or after an act is never a matter of doubt."""


HOURS = timedelta(hours=6)
"""For so long what was left is rerun."""


class Hands:
    """Carries every run out at once, as the job's name tells, and writes down which."""

    def __init__(self):
        self.does = {}
        self.carried_out = Counter()

    async def execute(self, execution):
        """One attempt."""
        job, now = execution.job.name, execution.clock.now()
        self.carried_out[job, execution.fire_time] += 1
        does = self.does[job]
        if does == "fails":
            return Outcome(Ended.FAILED, "no use")
        if does == "flaky" and execution.attempt == 1:
            return Outcome(Ended.FAILED, "not yet", retryable=True)
        for number, asset in enumerate(execution.assets):
            left = does == "left" and execution.attempt == 1 and number
            state = AssetState.UNREACHABLE if left else AssetState.DONE
            await execution.report.asset_ended(AssetReport(asset, state, "away" if left else "", now, now))
        return Outcome(Ended.COMPLETED)


class Story:
    """What befalls the jobs, told to the scheduler and to what is expected."""

    def __init__(self, rig, walk, world, expected, years):
        self.rig, self.world, self.hands = rig, world, Hands()
        self.end = BEGIN.replace(year=BEGIN.year + years)
        self.maker = world.Maker(SEED, BEGIN, walk.When)
        self.dice = self.maker.dice
        self.jobs = {job.name: job for job in (self.maker.new(n, BEGIN) for n in range(JOBS))}
        first, last = BEGIN - timedelta(days=3), self.end + timedelta(days=3)
        walked = {}

        def times(when, since):
            if when not in walked:
                walked[when] = walk.times(when, first, last)
            return [due for due in walked[when] if due.at > since]

        self.expected = expected.Expected(times)
        self.now = BEGIN

    def file(self):
        """The text of the file, and who does what."""
        self.hands.does = {job.name: job.does for job in self.jobs.values()}
        return self.world.text(self.jobs.values())

    async def begin(self):
        """The first load."""
        self.expected.put(self.jobs.values(), self.now)
        await self.up()

    async def up(self):
        """The daemon starts."""
        await self.rig.up(self.file(), runner=lambda _: self.hands)
        await self.calm()

    async def calm(self):
        """Everything that can happen now has happened."""
        r = self.rig
        while True:
            await r.settle()
            if not r.dispatcher.executor.busy:
                return
            await r.dispatcher.executor.drain()

    async def passes(self, until):
        """Awake: from one instant at which something is due to the next."""
        r = self.rig
        while True:
            now = r.clock.now()
            wakes = [
                r.dispatcher.alarm.next_fire_time,
                r.ledger.read(lambda c, now=now: snapshot.next_wake(c, now)),
            ]
            coming = min((at for at in wakes if at is not None and at > now), default=until)
            r.clock.set(min(coming, until))
            await self.calm()
            if coming >= until:
                break
        self.now = until
        self.expected.awake(until)

    async def play(self):
        """To the end: every few days something happens."""
        await self.begin()
        while self.now < self.end:
            days = self.dice.choice((2, 5, 8, 13))
            at = (self.now + timedelta(days=days)).replace(hour=self.dice.randrange(24), minute=13)
            await self.passes(min(at, self.end))
            if self.now < self.end:
                act = self.dice.choice(
                    ("sleep", "sleep", "down", "kill", "pause", "resume", "edit", "remove", "back")
                )
                await getattr(self, act)()

    async def away(self):
        """Time passes unseen: minutes, hours or days, over a change of clocks where one is near."""
        length = timedelta(hours=self.dice.choice((0.05, 2, 9, 30, 100, 240)))
        until = self.now + length
        if until >= self.end:
            return False
        self.now = until
        return True

    async def sleep(self):
        """The machine is suspended."""
        if await self.away():
            self.rig.clock.set(self.now)
            self.expected.blind(self.now)
            await self.calm()

    async def down(self):
        """The daemon is stopped, and started later, perhaps with another file."""
        if await self.away():
            await self.rig.down()
            await self.again()

    async def kill(self):
        """The daemon dies, and is started later."""
        if await self.away():
            await self.rig.crash()
            await self.again()

    async def again(self):
        self.rig.clock.set(self.now)
        if self.dice.random() < 0.5:
            self.change()
            self.expected.put(self.jobs.values(), self.now)
        self.expected.blind(self.now)
        await self.up()

    def change(self):
        """Some jobs get another schedule, some are disabled."""
        for name in self.dice.sample(sorted(self.jobs), 6):
            made = self.maker.new(int(name.split("-")[1]), self.now)
            self.jobs[name] = made if self.dice.random() < 0.8 else self.off(self.jobs[name])

    def off(self, job):
        """The same job, disabled or enabled again."""
        return replace(job, enabled=not job.enabled)

    async def edit(self):
        """The file is edited while the daemon runs."""
        self.change()
        await self.reload()

    async def reload(self):
        self.expected.put(self.jobs.values(), self.now)
        await self.rig.reload(self.file())
        await self.calm()

    async def remove(self):
        """Jobs go from the file."""
        for name in self.dice.sample(sorted(self.jobs), 3):
            del self.jobs[name]
        await self.reload()

    async def back(self):
        """Jobs that were gone are in the file again."""
        for number in range(JOBS):
            if f"job-{number}" not in self.jobs:
                self.jobs[f"job-{number}"] = self.maker.new(number, self.now)
        await self.reload()

    async def pause(self):
        """Some jobs are paused, some for a time."""
        running = self.expected.known.keys() - self.expected.paused.keys()
        for name in self.dice.sample(sorted(running), 5):
            until = self.now + timedelta(days=5) if self.dice.random() < 0.5 else None
            await self.rig.control.pause(name, until=until, note=None, actor=CLOCK_ACTOR)
            self.expected.pause(name, self.now, until)

    async def resume(self):
        """Those that are paused go on."""
        for name in self.expected.known.keys() & self.expected.paused.keys():
            await self.rig.control.resume(name, CLOCK_ACTOR)
            self.expected.resume(name)
        await self.calm()

    def found(self):
        """The rows of the ledger: by job and fire time, stretches spread out over what was expected there."""
        rows = {}
        for run in self.rig.runs():
            if run.kind is not Kind.FIRE:
                continue
            if run.occurrences == 1:
                rows[run.job, run.fire_time] = run
                continue
            within = [at for at in self.expected.rows[run.job] if run.fire_time <= at <= run.last_fire_time]
            assert len(within) == run.occurrences, run
            rows |= {(run.job, at): run for at in within}
        return rows

    def judge(self):
        """The two agree; every occurrence that ran was carried out, once where its work succeeds or fails at once."""
        found = self.found()
        due = {(job, at): row for job, rows in self.expected.rows.items() for at, row in rows.items()}
        lost, extra = due.keys() - found.keys(), found.keys() - due.keys()
        assert not lost, (len(lost), sorted(lost)[:5])
        assert not extra, (len(extra), [(key, found[key]) for key in sorted(extra)[:3]])
        wrong = [
            (key, row, str(found[key].state), found[key].reason, found[key].moved_from)
            for key, row in due.items()
            if str(found[key].state) not in (*row.states, *(("incomplete",) if key[1] > self.end - HOURS else ()))
            or row.reason not in found[key].reason
            or (row.moved_from != found[key].moved_from and found[key].occurrences == 1)
        ]
        assert not wrong, f"{len(wrong)} wrong, such as {wrong[:3]}"
        for key, run in found.items():
            times = self.hands.carried_out[key]
            assert (times > 0) == (run.attempts > 0) == (run.state not in ("missed", "skipped")), (key, run)
            assert times == run.attempts, (key, run)
        return due


@pytest.mark.timeout(300 + 900 * YEARS)
async def test_the_ledger_has_the_rows_that_a_walk_through_the_years_expects(rig, walk, world, expected):
    """Every kind of schedule and run, DST, calendars, downtime, pauses, edits: each occurrence has its one right row.

    Rule: watermark
    Rule: spread
    Rule: exclusions
    """
    story = Story(rig(BEGIN.isoformat()), walk, world, expected, YEARS)
    with capture_logs():
        await story.play()
    due = story.judge()
    sys.stdout.write(
        f"{len(due)} occurrences, {sum(row.states[0] in ('missed', 'skipped') for row in due.values())} not run\n"
    )
