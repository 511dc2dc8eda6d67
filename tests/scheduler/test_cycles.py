"""Windows and reruns as a state machine: whatever happens in whatever order, four claims hold.

1. The attempts of a run cover each of its assets at most once as done.
2. An asset that is done is never worked on again.
3. Work that reaches the end of its window is asked to stop within a second.
4. No state is a dead end: without anybody's help every run comes to its end.

The scheduler is the real one over a real file, the loop sleeps as long as each turn says; only what carries the
executions out is of the test's own: it does what the machine orders and writes down what it did.
`JOBSD_STORIES` plays that many stories, others at each run.
"""

import asyncio
import os
import shutil
import tempfile
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from structlog.testing import capture_logs

from runners.api import AssetRef, AssetReport, AssetState, Ended, Outcome, StopReason
from scheduler.control import Refused
from scheduler.ledger import Ledger, attempts, schema, snapshot
from scheduler.ledger.rows import RUNS, run_row
from scheduler.lifecycle import State
from scheduler.model import CLOCK_ACTOR

TEXT = """
version: 1
collectors: {{host: {{collect: ["true"]}}}}
jobs:
  - name: fleet
    overlap: {overlap}
    retry: {{attempts: {tries}, backoff: 3s}}
    schedule: {{start: 2026-03-02T00:01:00, {every}{cycle}}}
    run: {{collect: {{type: CollectionJob, assets: [{assets}]}}}}
"""
SECOND = timedelta(seconds=1)
SETTLED = [AssetState.DONE, AssetState.DONE, AssetState.FAILED, AssetState.UNREACHABLE, AssetState.OPEN]
ENDS = [None, None, None, "completed", "left", "stopped", "failed", "raised"]

CYCLES = [", window: 20s", ", rerun: {every: 25s, for: 2m}", ", window: 7s, rerun: {every: 20s, for: 1m}"]
CYCLES += [", window: 20s, rerun: {every: 20s, for: 90s}", ", window: 45s, rerun: {every: 50s, for: 4m}"]

files = st.fixed_dictionaries(
    {
        "overlap": st.sampled_from(["skip", "queue", "replace", "allow"]),
        "tries": st.integers(1, 3),
        "every": st.sampled_from(["interval: 1m", "interval: 150s", "interval: 5m", "once: true"]),
        "assets": st.integers(1, 4).map(lambda n: ", ".join(f"{{id: a{i}, type: host}}" for i in range(n))),
        "cycle": st.sampled_from(CYCLES),
    }
)
upheavals = st.sampled_from(
    ["sleep", "kill", "stop", "edit", "pause", "resume", "resume", "trigger", "abort", "rerun", "rerun"]
)

_ROWS = schema.run_assets
_COVERED = (
    schema.runs.join(_ROWS)
    .select()
    .with_only_columns(schema.runs.c.run_id, _ROWS.c.asset_id, _ROWS.c.asset_type)
    .where(_ROWS.c.state == AssetState.DONE.value)
)
"""What the ledger says is done."""


def active(connection):
    """The runs that have not ended."""
    return [run_row(row) for row in connection.execute(RUNS.where(schema.IS_ACTIVE))]


class Hand:
    """An execution under way: it does what it is ordered to, and writes down what it did."""

    def __init__(self, execution):
        self.execution = execution
        self.orders = asyncio.Queue()
        self.touched = set()

    async def work(self, done, faults):
        """Until an order says how it ends."""
        while True:
            order, value, answered = await self.orders.get()
            if order == "end":
                answered.set_result(None)
                if value == "raised":
                    raise ConnectionError("no answer")
                return OUTCOMES[value]
            asset, state = value
            key = (self.execution.run_id, asset)
            faults += [f"{key} is done, and work on it began"] * (key in done)
            now = self.execution.clock.now()
            await self.execution.report.asset_started(asset)
            if state is not AssetState.OPEN:
                await self.execution.report.asset_ended(AssetReport(asset, state, str(state), now, now))
                self.touched.add(asset)
            if state is AssetState.DONE:
                done[key] += 1
            answered.set_result(None)

    async def told(self, order, value):
        """Give an order and wait until it is carried out."""
        answered = asyncio.get_running_loop().create_future()
        self.orders.put_nowait((order, value, answered))
        await answered


OUTCOMES = {
    "completed": Outcome(Ended.COMPLETED),
    "left": Outcome(Ended.COMPLETED, "enough"),
    "stopped": Outcome(Ended.STOPPED),
    "failed": Outcome(Ended.FAILED, "no use"),
}


class Cycles(RuleBasedStateMachine):
    """One job, its windows and reruns, and all that may befall them."""

    rig_type = template = None

    def __init__(self):
        super().__init__()
        self.broken = False
        self.done, self.faults = Counter(), []
        self.hands = {}
        self.hopped_to = datetime.fromisoformat("2026-03-02T00:00:00Z")
        self.folder = tempfile.TemporaryDirectory()
        (Path(self.folder.name) / "state").mkdir()
        shutil.copy(self.template, Path(self.folder.name) / "state" / "ledger.db")
        self.rig = self.rig_type(Path(self.folder.name), self.hopped_to + timedelta(seconds=58))
        self.loop = asyncio.Runner()

    def do(self, coroutine):
        """Run it, then see that all holds."""
        try:
            self.loop.run(self.limited(coroutine))
        except BaseException:
            self.broken = True
            raise

    async def limited(self, coroutine):
        """Nothing takes long; afterwards the claims hold."""
        async with asyncio.timeout(30):
            await coroutine
            await self.quiet()
            self.check()

    # What may happen.

    @initialize(file=files)
    def begin(self, file):
        """The daemon starts."""
        self.text = TEXT.format(**file)
        self.do(self.up())

    @rule(times=st.integers(1, 4), late=st.integers(0, 29))
    def time_passes(self, times, late):
        """Up to where something is due, and over it; there the loop sleeps as long as its turns say."""
        self.do(self.dues(times, timedelta(seconds=late / 10)))

    @precondition(lambda self: self.hands)
    @rule(data=st.data(), states=st.lists(st.sampled_from(SETTLED), max_size=3), how=st.sampled_from(ENDS))
    def work_goes_on(self, data, states, how):
        """Some assets are settled, or begun; the runner may answer, whether it was asked to stop or not."""
        hand = self.at_work()[data.draw(st.integers(0, len(self.hands) - 1))]
        self.do(self.work(hand, states, how))

    @rule(what=upheavals, seconds=st.integers(0, 300), data=st.data(), file=files)
    def something_happens(self, what, seconds, data, file):
        """The machine sleeps, the daemon dies, is stopped or is given another file; an operator acts."""
        delta = timedelta(seconds=seconds)
        match what:
            case "sleep":
                self.do(self.hop(delta))
            case "kill" | "stop":
                self.do(self.restart(delta, told=what == "stop"))
            case "edit":
                self.text = TEXT.format(**file)
                self.do(self.rig.reload(self.text))
            case "pause" | "resume" | "trigger":
                self.do(self.act(what, None))
            case _ if runs := [run.run_id for run in self.rig.runs()]:
                self.do(self.act(what, data.draw(st.sampled_from(runs))))

    def teardown(self):
        """Where it ended well, the fourth claim: all that is there comes to an end by itself."""
        try:
            if not self.broken and self.rig.ledger is not None:
                self.do(self.all_ends())
        finally:
            self.loop.run(self.rig.down())
            self.loop.close()
            self.folder.cleanup()

    # How it is done.

    def at_work(self):
        """The executions under way, in an order that is the same each time the story is told."""
        return sorted(self.hands.values(), key=lambda hand: (hand.execution.fire_time, hand.execution.attempt))

    async def work(self, hand, states, how):
        """What is ordered of one execution."""
        for state in states:
            waiting = [asset for asset in hand.execution.assets if asset not in hand.touched]
            if waiting:
                await hand.told("asset", (waiting[0], state))
        if how is not None:
            await self.end(hand, how)

    async def execute(self, execution):
        """The runner: an execution begins."""
        again = [asset for asset in execution.assets if (execution.run_id, asset) in self.done]
        self.faults += [f"attempt {execution.attempt} was given {again}, which are done"] * bool(again)
        hand = self.hands[execution.token] = Hand(execution)
        try:
            return await hand.work(self.done, self.faults)
        finally:
            del self.hands[execution.token]

    async def up(self):
        """Come up over what is there."""
        await self.rig.up(self.text, runner=lambda _: self)

    async def quiet(self):
        """Until every attempt that was launched has reached its runner."""
        works = self.rig.dispatcher.executor._works
        while {work.started.attempt.token for work in works.values()} != set(self.hands):
            await asyncio.sleep(0)

    async def dues(self, times, late):
        """Over the next `times` instants at which something is due, `late` past the last."""
        for _ in range(times):
            coming = self.next_due()
            self.rig.clock.set(max(self.rig.clock.now(), coming - SECOND))
            await self.beats(coming)
        await self.beats(self.rig.clock.now() + late)

    def next_due(self):
        """A fire time, a rerun, a retry, a window's end."""
        r, now = self.rig, self.rig.clock.now()
        wakes = [r.dispatcher.alarm.next_fire_time, r.ledger.read(lambda c: snapshot.next_wake(c, now))]
        wakes += [run.window_end for run in r.ledger.read(active) if run.state is State.RUNNING]
        return min((at for at in wakes if at is not None and at > now), default=now + timedelta(minutes=11))

    async def beats(self, target):
        """Turn by turn, as `Dispatcher.run`."""
        r = self.rig
        while True:
            r.dispatcher.alarm.wake()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            pause = await r.dispatcher.turn()
            while r.dispatcher._poke.is_set():
                pause = await r.dispatcher.turn()
            await self.quiet()
            self.check()
            if r.clock.now() >= target:
                return
            r.clock.set(min(r.clock.now() + pause, target))

    async def hop(self, delta):
        """Without a turn between."""
        self.hopped_to = self.rig.clock.now() + delta
        self.rig.clock.set(self.hopped_to)
        await self.rig.settle()

    async def end(self, hand, how):
        """The execution answers `how`; returns once that is in the ledger and its consequences are drawn."""
        if how == "stopped" and not hand.execution.stop.requested:
            how = "left"
        works = self.rig.dispatcher.executor._works.values()
        (task,) = [work.task for work in works if work.started.attempt.token == hand.execution.token]
        if how == "completed":
            for asset in hand.execution.assets:
                if asset not in hand.touched:
                    await hand.told("asset", (asset, AssetState.DONE))
        await hand.told("end", how)
        await asyncio.wait([task])
        await self.rig.settle()

    async def restart(self, delta, *, told):
        """Down, in order or not; up again `delta` later."""
        r = self.rig
        tasks = [work.task for work in r.dispatcher.executor._works.values()]
        if told:
            await r.dispatcher.stop_firing()
            await asyncio.sleep(0)
            for run_no in r.dispatcher.executor.running():
                await r.dispatcher.request_stop(run_no, StopReason.SHUTDOWN, "the daemon stops", CLOCK_ACTOR)
            for hand in self.at_work()[::2]:  # the others do not answer in time
                await self.end(hand, "stopped")
            await r.down()
        else:
            await r.crash()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        self.hands.clear()
        self.hopped_to = r.clock.now() + delta
        r.clock.set(self.hopped_to)
        await self.up()

    async def act(self, act, run):
        """By hand."""
        control = self.rig.control
        try:
            match act:
                case "pause":
                    await control.pause("fleet", until=None, note=None, actor=CLOCK_ACTOR)
                case "abort" | "rerun":
                    await getattr(control, act)(run, CLOCK_ACTOR)
                case _:
                    await getattr(control, act)("fleet", CLOCK_ACTOR)
        except Refused:
            pass
        await self.rig.settle()

    # What must hold.

    def check(self):
        """Claims 1 to 3, and that ledger and work agree."""
        assert not self.faults
        assert not [key for key, count in self.done.items() if count > 1]
        r, now = self.rig, self.rig.clock.now()
        look = lambda c: (active(c), attempts.open_ones(c), c.execute(_COVERED).all())  # noqa: E731
        rows, open_ones, found = r.ledger.read(look)
        assert {(run_id, AssetRef(id_, type_)) for run_id, id_, type_ in found} == set(self.done)
        asked = {hand.execution.run_id: hand.execution.stop.requested for hand in self.hands.values()}
        running = [run.run_no for run in rows if run.state is State.RUNNING]
        assert sorted(run.run_no for run, _ in open_ones) == sorted(running)
        for run in rows:
            if run.state is State.RUNNING:
                assert asked[run.run_id] == (run.stop_requested_at is not None), run
                self.stops_in_time(run, now)

    def stops_in_time(self, run, now):
        """Claim 3: a second after the window's end (or after whatever kept the loop from looking) it is asked."""
        if run.window_end is None:
            return
        latest = max(run.window_end, self.hopped_to) + SECOND
        assert run.stop_requested_at is not None or now < latest, run
        if run.stop_reason == "window_end":
            assert run.window_end <= run.stop_requested_at <= latest, run

    async def all_ends(self):
        """Claim 4: work that is asked to stop stops, other work ends with assets left; time passes."""
        r = self.rig
        if r.job("fleet").paused_at is not None:
            await r.control.resume("fleet", CLOCK_ACTOR)
        there = {run.run_no for run in r.ledger.read(active)}
        longest = r.clock.now() + timedelta(minutes=10)  # a period is 4 minutes, an interval 5
        while True:
            for hand in self.at_work():
                await self.end(hand, "stopped")
            left = [run for run in r.ledger.read(active) if run.run_no in there]
            if not left:
                return
            r.clock.set(self.next_due())
            assert r.clock.now() < longest, left
            await r.settle()
            await self.quiet()


STORIES = int(os.environ.get("JOBSD_STORIES", "0"))


@pytest.fixture
def rig_type(rig):
    """The class of rigs."""
    return type(rig())


@pytest.mark.timeout(240 + STORIES * 5)
def test_windows_and_reruns_keep_what_is_done_and_end(rig_type, tmp_path):
    """Each asset at most once done, nothing done redone, stops within a second of the window's end, no dead end.

    Rule: window-from-the-fire-time
    Rule: what-is-left
    """
    Cycles.rig_type, Cycles.template = rig_type, tmp_path / "ledger.db"
    Ledger(Cycles.template).close()  # migrated once
    how = settings(
        max_examples=STORIES or 6,
        stateful_step_count=30,
        derandomize=not STORIES,
        deadline=None,
        phases=[Phase.generate, Phase.shrink] if STORIES else [Phase.generate],
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    with capture_logs():  # what runners raise is not rendered by the hundred
        run_state_machine_as_test(Cycles, settings=how)
