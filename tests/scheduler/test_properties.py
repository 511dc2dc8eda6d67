"""Whatever happens to a job, in whatever order: what must hold afterwards."""

import asyncio
import random
import tempfile
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from recurrence import occurrences
from runners.api import AssetReport, AssetState, Ended, Outcome
from runners.registry import Runners
from scheduler.control import Refused
from scheduler.ledger import attempts, schema, snapshot
from scheduler.ledger.rows import RUNS, run_row
from scheduler.lifecycle import FINAL
from scheduler.model import CLOCK_ACTOR, Kind

TEXT = """
version: 1
settings: {{max_running: 3}}
collectors: {{host: {{collect: ["true"]}}}}
jobs:
  - name: job
    overlap: {overlap}
    catch_up: {{policy: {policy}, grace: {grace}}}
    retry: {{attempts: {tries}, backoff: 2m}}
    schedule: {{start: 2026-03-02T00:00:00, interval: {every}{cycle}}}
    run: {{collect: {{type: CollectionJob, assets: [{{id: a, type: host}}, {{id: b, type: host}}, {{id: c, type: host}}]}}}}
"""
STATES = [AssetState.DONE, AssetState.FAILED, AssetState.UNREACHABLE]

files = st.fixed_dictionaries(
    {
        "overlap": st.sampled_from(["skip", "queue", "replace", "allow"]),
        "policy": st.sampled_from(["latest", "all", "none"]),
        "grace": st.sampled_from(["30m", "3h"]),
        "tries": st.integers(1, 3),
        "every": st.sampled_from(["20m", "1h", "90m"]),
        "cycle": st.sampled_from(
            [
                "",
                ", window: 5m",
                ", window: 50m",
                ", window: 5m, rerun: {every: 10m, for: 1h}",
                ", window: 20m, rerun: {every: 25m, for: 4h}",
            ]
        ),
    }
)
acts = st.one_of(
    st.tuples(st.just("pass"), st.integers(1, 150)),
    st.tuples(st.just("down"), st.integers(0, 200)),
    st.tuples(st.just("crash"), st.integers(0, 200)),
    st.tuples(st.just("back"), st.integers(1, 90)),
    st.tuples(st.just("reload"), files),
    st.tuples(
        st.sampled_from(["disable", "pause", "resume", "trigger", "abort", "rerun", "until"]), st.just(None)
    ),
)


class Script:
    """A runner that settles some assets at random, then ends in one of the ways in which runners end."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.calm = False
        self.hanging = 0
        self.at_work = self.most = 0
        self.done, self.twice = set(), []

    async def execute(self, execution):
        """Carry it out, and see who else does."""
        self.at_work += 1
        self.most = max(self.most, self.at_work)
        self.twice += [asset for asset in execution.assets if (execution.run_id, asset) in self.done]
        try:
            return await self.carry_out(execution)
        finally:
            self.at_work -= 1

    async def carry_out(self, execution):
        """As the dice say."""
        how = "done" if self.calm else self.random.choice(["done", "left", "hang", "raise", "left"])
        if how == "raise":
            raise ConnectionError("no answer")
        for asset in execution.assets:
            state = AssetState.DONE if how == "done" else self.random.choice(STATES)
            now = execution.clock.now()
            await execution.report.asset_started(asset)
            await execution.report.asset_ended(AssetReport(asset, state, "", now, now))
            if state is AssetState.DONE:
                self.done.add((execution.run_id, asset))
            if how == "hang":
                self.hanging += 1
                try:
                    await execution.stop.wait()
                finally:
                    self.hanging -= 1
                return Outcome(Ended.STOPPED)
        return Outcome(Ended.COMPLETED)


class Story:
    """A rig, what is done to it, and what must hold at every stop of the clock."""

    def __init__(self, rig, text, script):
        self.rig, self.text, self.script = rig, text, script
        self.allowed = "overlap: allow" in text

    async def begin(self):
        """Come up."""
        await self.rig.up(
            self.text, runner=lambda run: self.script if run.kind == "collect" else Runners({}).runner_for(run)
        )

    async def act(self, name, value):
        """Do one thing; what is refused is refused."""
        r, active = self.rig, [run for run in self.rig.runs("job") if run.state not in FINAL]
        actor = CLOCK_ACTOR
        try:
            match name:
                case "pass":
                    await self.let_pass(timedelta(minutes=value))
                case "down" | "crash":
                    await (r.down() if name == "down" else self.crash())
                    r.clock.advance(timedelta(minutes=value))
                    await self.begin()
                case "back":
                    r.clock.set(r.clock.now() - timedelta(minutes=value))
                    await r.settle()
                case "reload" | "disable":
                    if value is not None:
                        self.text = TEXT.format(**value)
                    text = self.text.replace("name: job\n", "name: job\n    enabled: false\n")
                    self.allowed |= "overlap: allow" in text
                    await r.reload(self.text if name == "reload" else text)
                case "pause":
                    await r.control.pause("job", until=None, note=None, actor=actor)
                case "until":
                    until = r.clock.now() + timedelta(minutes=33)
                    await r.control.pause("job", until=until, note=None, actor=actor)
                case "resume":
                    await r.control.resume("job", actor)
                case "trigger":
                    await r.control.trigger("job", actor)
                case "abort" if active:
                    await r.control.abort(active[0].run_id, actor)
                case "rerun" if active:
                    await r.control.rerun(active[0].run_id, actor)
        except Refused:
            pass
        await r.settle()
        self.check()

    async def crash(self):
        """Die with the work under way."""
        tasks = [work.task for work in self.rig.dispatcher.executor._works.values()]
        await self.rig.crash()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.rig.dispatcher.executor._works.clear()

    async def let_pass(self, delta):
        """Move the clock on, from one instant at which something is due to the next."""
        r, target = self.rig, self.rig.clock.now() + delta
        await self.quiet()
        while (now := r.clock.now()) < target:
            wake = r.ledger.read(lambda c, now=now: snapshot.next_wake(c, now))
            coming = [
                at for at in (r.dispatcher.alarm.next_fire_time, wake, target) if at is not None and at > now
            ]
            r.clock.set(min(*coming, target))
            await r.settle()
            self.check()
            await self.quiet()

    async def quiet(self):
        """Let everything end that does not hang."""
        for _ in range(20):
            if not self.rig.dispatcher.executor.busy or self.script.hanging == len(
                self.rig.dispatcher.executor.running()
            ):
                return
            await asyncio.sleep(0.002)
            await self.rig.settle()

    def check(self):
        """What holds at any time."""
        r = self.rig
        now = r.clock.now()
        rows, open_ones = r.ledger.read(
            lambda c: (
                [run_row(row) for row in c.execute(RUNS)],
                Counter(run.run_no for run, _ in attempts.open_ones(c)),
            )
        )
        for run in rows:
            assert open_ones[run.run_no] == (run.state == "running"), run
            assert run.reason or run.state in ("succeeded", "pending", "running"), run
            late = run.state == "running" and run.window_end is not None and run.window_end <= now
            assert not late or run.stop_requested_at is not None, run


def history(r):
    """The transitions of all runs, in their order."""
    table = schema.events
    rows = r.ledger.read(lambda c: c.execute(table.select().order_by(table.c.event_id)).all())
    return [row for row in rows if row.run_no is not None]


async def tell(folder, rig_type, text, story, seed):
    """Play `story`, let time pass until all is over, and judge."""
    r = rig_type(folder, datetime.fromisoformat("2026-03-02T00:10:00Z"))
    script = Script(seed)
    told = Story(r, TEXT.format(**text), script)
    try:
        await told.begin()
        for name, value in story:
            await told.act(name, value)
        await r.reload(told.text.replace("name: job\n", "name: job\n    enabled: true\n"))
        r.clock.set(max(r.clock.now(), r.job("job").watermark))
        if r.job("job").paused_at is not None:
            await r.control.resume("job", CLOCK_ACTOR)
        script.calm = True
        for run in r.runs("job"):
            if run.state == "running" and run.window_end is None:
                await r.control.abort(run.run_id, CLOCK_ACTOR)
        known = r.clock.now()
        await told.let_pass(timedelta(hours=5))
        judge(r, known)
        assert not script.twice
        assert told.allowed or script.most <= 1
    finally:
        await r.down()


def judge(r, known):
    """No dead end, one row for each occurrence, chained events, nothing done twice."""
    schedule, now = r.dispatcher.definitions["job"].schedule, r.clock.now()
    rows = [run for run in r.runs("job") if run.kind is Kind.FIRE]
    due = Counter(occurrence.fire_time for occurrence in occurrences(schedule, after=known, until=now))
    found = Counter(run.fire_time for run in rows if run.fire_time > known)
    assert found == due
    old = now - timedelta(hours=4)
    for run in r.runs():
        assert run.state in FINAL or run.fire_time > old, run
    states = {}
    for event in history(r):
        if event.name != "open":
            assert states[event.run_no] == event.from_state
        states[event.run_no] = event.to_state


@pytest.fixture
def rig_type(rig):
    """The class of rigs."""
    return type(rig())


@settings(
    max_examples=12,
    derandomize=True,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(text=files, story=st.lists(acts, min_size=1, max_size=8), seed=st.integers(0, 10_000))
async def test_any_story_ends_well(rig_type, text, story, seed):
    """Windows, reruns, retries, overlap, pauses, edits, stops, crashes and clock steps in any order."""
    with tempfile.TemporaryDirectory() as folder:
        await tell(Path(folder), rig_type, text, story, seed)
