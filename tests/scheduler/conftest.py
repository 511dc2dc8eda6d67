"""The real scheduler over a real SQLite file and real processes, driven by a manual clock."""

import asyncio
import contextlib
from collections import Counter
from datetime import datetime, timedelta

import pytest

from config import loads
from config.definitions import Asset, CollectRun, CommandRun, JobDefinition, JobType, Retry
from recurrence.ccs import decode_schedule_block
from recurrence.schedule import Daily, Schedule
from runners.local.leftovers import end_leftovers
from runners.registry import Runners
from scheduler.clock import ManualClock
from scheduler.control import Control
from scheduler.definitions import decode_none
from scheduler.dispatcher import Dispatcher
from scheduler.ledger import Ledger, LedgerTooNew, assets, attempts, jobs, snapshot
from scheduler.ledger.checking import check
from scheduler.ledger.rows import RUNS, run_row
from scheduler.model import Actor, By
from scheduler.recovery import recover

RUNNERS = Runners({})
OPERATOR = Actor("tester", By.CLI)


class Rig:
    """One scheduler over one folder; `crash` and `restart` leave the folder as it is."""

    def __init__(self, folder, start):
        self.folder = folder
        self.clock = ManualClock(start)
        self.ledger = None
        self.events = []

    async def up(self, text, *, runner=RUNNERS.runner_for, decode=decode_none):
        """Load `text` and bring the scheduler up, recovery included."""
        self.configuration = loads(text, file="jobs.yaml", folder=self.folder)
        self.ledger = Ledger(self.folder / "state" / "ledger.db")
        self.ledger.listen(self.events.extend)
        self.dispatcher = Dispatcher(
            self.ledger,
            self.clock,
            self.folder / "state",
            owner=f"rig:{id(self)}",
            runner_for=runner,
            decode=decode,
        )
        self.control = Control(self.dispatcher)
        await self.dispatcher.install(self.configuration, OPERATOR)
        await recover(
            self.ledger, self.dispatcher.definitions, end_leftovers=self._end_leftovers, at=self.clock.now()
        )
        self.dispatcher.alarm.start()
        await self.settle()

    async def _end_leftovers(self, tokens):
        work = asyncio.ensure_future(end_leftovers(tokens, kill_after=timedelta(seconds=1), clock=self.clock))
        while not work.done():
            await asyncio.sleep(0.02)
            self.clock.advance(timedelta(seconds=0.1))
        return await work

    async def reload(self, text):
        """Put another file in force."""
        self.configuration = loads(text, file="jobs.yaml", folder=self.folder)
        await self.dispatcher.install(self.configuration, OPERATOR)
        await self.settle()

    async def settle(self):
        """Let everything that is due now happen; attempts that run go on."""
        self.dispatcher.alarm.wake()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await self.dispatcher.turn()
        while self.dispatcher._poke.is_set():
            await self.dispatcher.turn()

    async def idle(self, seconds=20):
        """Wait until no attempt is under way, and settle."""
        async with asyncio.timeout(seconds):
            while self.dispatcher.executor.busy:
                await self.dispatcher.executor.drain()
                await self.settle()
        await self.settle()

    async def tick(self, *, wait=True, **delta):
        """Move the clock on, stopping wherever something is due; with `wait`, attempts end before it moves."""
        target = self.clock.now() + timedelta(**delta)
        while True:
            if wait:
                await self.idle()
            now = self.clock.now()
            instants = [self.dispatcher.alarm.next_fire_time, self.clock.next_sleeper_at, self.dispatcher.paced_at]
            instants.append(self.ledger.read(lambda c, now=now: snapshot.next_wake(c, now)))
            coming = min((t for t in instants if t is not None and t > now), default=target)
            if coming >= target:
                break
            self.clock.set(coming)
            await self.settle()
        self.clock.set(target)
        await self.settle()
        if wait:
            await self.idle()

    async def until(self, condition, seconds=20):
        """Wait in real time, on real processes, until `condition()` holds."""
        async with asyncio.timeout(seconds):
            while not condition():
                await asyncio.sleep(0.01)

    def runs(self, job=None):
        """All runs, oldest fire time first."""
        rows = self.ledger.read(lambda c: [run_row(r) for r in c.execute(RUNS)])
        chosen = [row for row in rows if job is None or row.job == job]
        return sorted(chosen, key=lambda row: (row.fire_time, row.run_no))

    def run(self, job=None):
        """The only run."""
        (only,) = self.runs(job)
        return only

    def states(self, job=None):
        """(fire time as HH:MM:SS or date, state) of all runs."""
        return [(r.fire_time.isoformat().replace("+00:00", "Z"), str(r.state)) for r in self.runs(job)]

    def assets(self, run):
        """The assets of a run by id."""
        return {a.asset.id: a for a in self.ledger.read(lambda c: assets.of_run(c, run.run_no))}

    def tally(self, run):
        """Assets of a run by state."""
        return Counter({str(k): v for k, v in self.ledger.read(lambda c: assets.tally(c, run.run_no)).items()})

    def attempts(self, run):
        """The attempts of a run."""
        return self.ledger.read(lambda c: attempts.of_run(c, run.run_no))

    def job(self, name):
        """The job's row."""
        return self.ledger.read(lambda c: jobs.named(c, name))

    async def crash(self):
        """Die without a word: nothing is written any more, children live on."""
        self.dispatcher.alarm.stop()
        for work in list(self.dispatcher.executor._works.values()):
            work.started = None
        self.ledger.close()

    async def down(self):
        """Stop in order."""
        if self.ledger is None:
            return
        await self.dispatcher.stop_firing()
        await self.dispatcher.executor.abandon()
        self.ledger.close()
        self.ledger = None


def sound(path):
    """What breaks the invariants of the ledger at `path`; of none, and of one that is not ours, nothing is said."""
    if not path.exists():
        return []
    with contextlib.suppress(LedgerTooNew):
        return check(path)
    return []


@pytest.fixture
async def rig(tmp_path):
    """A function that makes a rig at an instant; all are brought down at the end."""
    rigs = []

    def make(start="2026-03-02T00:00:00Z"):
        made = Rig(tmp_path, datetime.fromisoformat(start))
        rigs.append(made)
        return made

    yield make
    for made in rigs:
        await made.down()
    assert sound(tmp_path / "state" / "ledger.db") == []


@pytest.fixture(scope="session")
def rig_class():
    """The class of rigs, for fixtures that run one for many tests; they bring it down."""
    return Rig


class Toy:
    """A small API: its source names the job, its Schedule block, its argv, or the type of its one asset."""

    actor = Actor("CORP\\alice", By.API, "192.0.2.7")

    def __init__(self):
        self.unreadable = set()

    def decode(self, origin, source, configuration):
        """Its definition; the collector of its asset's type decides how many are collected at a time."""
        assert origin == "toy"
        if source["name"] in self.unreadable:
            raise ValueError("no such thing any more")
        block, kind = source.get("schedule"), source.get("collect")
        schedule = Schedule(rule=Daily(), zone="UTC") if "daily" in source else None
        run = CommandRun(argv=tuple(source.get("argv", ["true"])))
        if kind is not None:
            asset = Asset(id="a1", type=kind)
            parallel = 3 if kind in configuration.collectors else 1
            run = CollectRun(type=JobType.COLLECTION, assets=(asset,), parallel=parallel)
        return JobDefinition(
            name=source["name"],
            schedule=schedule if block is None else decode_schedule_block(block, zone="UTC"),
            retry=Retry(**source.get("retry", {})),
            run=run,
        )


@pytest.fixture
def toy():
    """An API of the test's own."""
    return Toy()


@pytest.fixture(scope="session")
def operator():
    """The actor of acts in tests."""
    return OPERATOR


@pytest.fixture
def ledger(tmp_path):
    """A real ledger in a file; `heard` is every event that was committed."""
    made = Ledger(tmp_path / "ledger.db")
    made.heard = []
    made.listen(made.heard.extend)
    yield made
    made.close()
