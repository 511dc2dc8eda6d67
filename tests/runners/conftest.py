"""A laboratory for runners: real processes, files and clocks, and a look at what is left behind."""

from __future__ import annotations

import asyncio
import ctypes
import heapq
import itertools
import os
import stat
import sys
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from config.definitions import Collector, CollectRun, Configuration, JobDefinition, Run, Settings
from runners.api import AssetRef, AssetReport, AssetState, Collected, Execution, Outcome, Stop
from runners.local import orphans, proc
from runners.registry import Runners

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


class ManualClock:
    """A clock that stands still until it is advanced."""

    def __init__(self, now: datetime = NOON) -> None:
        self._now = now
        self._order = itertools.count()
        self.sleepers: list[tuple[datetime, int, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        return self._now

    async def sleep(self, delay: timedelta) -> None:
        if delay <= timedelta(0):
            await asyncio.sleep(0)
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self.sleepers, (self._now + delay, next(self._order), woken))
        await woken

    def advance(self, span: timedelta) -> None:
        self._now += span
        while self.sleepers and self.sleepers[0][0] <= self._now:
            woken = heapq.heappop(self.sleepers)[2]
            if not woken.done():
                woken.set_result(None)

    def sleeping(self, span: timedelta) -> bool:
        """Whether somebody waits until exactly `span` from now."""
        return any(at == self._now + span and not woken.done() for at, _, woken in self.sleepers)


class RealClock:
    """The host's."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, delay: timedelta) -> None:
        await asyncio.sleep(max(0.0, delay.total_seconds()))


@dataclass
class Records:
    """Where a runner's reports go; `broken` stands for a ledger that cannot be written."""

    found: tuple[AssetRef, ...] = ()
    started: list[AssetRef] = field(default_factory=list)
    ended: list[AssetReport] = field(default_factory=list)
    warnings: list[tuple[str, dict[str, object]]] = field(default_factory=list)
    broken: Exception | None = None

    async def assets_found(self, assets: Sequence[AssetRef]) -> None:
        self.found = tuple(assets)

    async def asset_started(self, asset: AssetRef) -> None:
        self.started.append(asset)

    async def asset_ended(self, report: AssetReport) -> None:
        if self.broken is not None:
            raise self.broken
        self.ended.append(report)

    def warn(self, event: str, **keys: object) -> None:
        self.warnings.append((event, keys))

    def states(self) -> dict[str, AssetState]:
        return {report.asset.id: report.state for report in self.ended}

    def of(self, asset_id: str) -> AssetReport:
        return next(report for report in self.ended if report.asset.id == asset_id)


class Store:
    """The newest data of each asset, in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.newest_of: dict[AssetRef, Collected] = {}

    async def newest(self, asset: AssetRef) -> Collected | None:
        return self.newest_of.get(asset)

    async def keep(self, asset: AssetRef, path: Path, collected_at: datetime) -> Collected:
        kept = self._folder / uuid.uuid4().hex
        path.rename(kept)
        self.newest_of[asset] = Collected(kept, collected_at)
        return self.newest_of[asset]

    def put(self, asset: AssetRef, text: str, collected_at: datetime) -> None:
        path = self._folder / uuid.uuid4().hex
        path.write_text(text)
        self.newest_of[asset] = Collected(path, collected_at)


@dataclass
class Lab:
    """One configuration's folder, and executions in it."""

    folder: Path
    clock: Any = field(default_factory=RealClock)
    report: Records = field(default_factory=Records)
    stop: Stop = field(default_factory=Stop)
    token: str = field(default_factory=lambda: uuid.uuid4().hex)
    data: Store = field(init=False)
    output: Path = field(init=False)

    def __post_init__(self) -> None:
        for name in ("store", "attempt", "tmp"):
            (self.folder / name).mkdir()
        self.data = Store(self.folder / "store")
        self.output = self.folder / "attempt"

    def script(self, name: str, body: str, interpreter: str = "/bin/sh") -> str:
        """A program beside the YAML; returns how its argv names it."""
        path = self.folder / name
        path.write_text(f"#!{interpreter}\n{body}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return f"./{name}"

    def python(self, name: str, body: str) -> str:
        return self.script(name, body, sys.executable)

    def execution(
        self,
        run: Run,
        assets: tuple[AssetRef, ...] = (),
        collectors: Mapping[str, Collector] | None = None,
        **settings: Any,
    ) -> Execution:
        return Execution(
            job=JobDefinition(name="weekly-linux", run=run),
            configuration=Configuration(
                folder=self.folder, settings=Settings(**settings), jobs={}, collectors=collectors or {}
            ),
            run_id="5d3f0b0e-run",
            attempt=2,
            token=self.token,
            fire_time=NOON,
            deadline=None,
            assets=assets,
            has_assets=bool(assets),
            folder=self.output,
            stop=self.stop,
            report=self.report,
            data=self.data,
            clock=self.clock,
            rerun=False,
            told=1,
            memory=None,
            job_memory=None,
        )

    async def run(self, run: Run, *arguments: Any, **settings: Any) -> Outcome:
        return await Runners({}).runner_for(run).execute(self.execution(run, *arguments, **settings))

    async def collect(
        self, count_or_assets: int | tuple[AssetRef, ...], collect: str, evaluate: str | None = None, **keys: Any
    ) -> Outcome:
        """Run a collection over assets of the type `linux`, whose programs are these shell scripts."""
        assets = count_or_assets
        if isinstance(assets, int):
            assets = tuple(AssetRef(f"web-{number}", "linux") for number in range(1, assets + 1))
        collector = Collector(
            collect=(self.script("collect.sh", collect), "{asset.id}"),
            evaluate=None if evaluate is None else (self.script("evaluate.sh", evaluate), "{standard}"),
        )
        settings = {key: keys.pop(key) for key in ("kill_after", "output_limit") if key in keys}
        return await self.run(CollectRun(**keys), assets, {"linux": collector}, **settings)

    @property
    def log(self) -> str:
        return (self.output / "output.log").read_text()

    def warned(self, event: str) -> list[dict[str, object]]:
        return [keys for name, keys in self.report.warnings if name == event]


async def until(true: Callable[[], object], what: str = "it") -> None:
    """Wait for a real process to have done something; far beyond what it may take is a failure."""
    for _ in range(2000):
        if true():
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"waited 20 s for {what}")


def carriers(token: str) -> list[int]:
    """The living processes that carry an attempt's token."""
    mark = f"JOBSD_ATTEMPT={token}".encode()
    return [one.pid for one in proc.table().values() if not one.dead and mark in proc.environment(one.pid)]


def living(pid: int) -> bool:
    """Whether that process has not ended."""
    found = proc.entry(pid)
    return found is not None and not found.dead


@pytest.fixture
def until_true() -> Callable[..., Any]:
    """`until`, for tests."""
    return until


@pytest.fixture
def carriers_of() -> Callable[[str], list[int]]:
    """`carriers`, for tests."""
    return carriers


@pytest.fixture
def is_living() -> Callable[[int], bool]:
    """`living`, for tests."""
    return living


@pytest.fixture
def manual() -> ManualClock:
    """A clock that stands still at noon of 2026-11-22."""
    return ManualClock()


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """A laboratory with the real clock, whose working folders are under its own folder."""
    lab = Lab(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    return lab


def _subreaper(value: int) -> None:
    ctypes.CDLL(None).prctl(36, value, 0, 0, 0)


@pytest.fixture(autouse=True)
def nothing_left(tmp_path: Path) -> Iterator[None]:
    """No child, adopted or not, outlives a test, nor does a working folder."""
    before = proc.children() or frozenset()
    assert orphans.become_subreaper()
    yield
    left = [one for pid in (proc.children() or frozenset()) - before if (one := proc.entry(pid)) is not None]
    for one in left:
        if one.dead:
            os.waitpid(one.pid, os.WNOHANG)
        else:
            os.kill(one.pid, 9)
            os.waitpid(one.pid, 0)
    _subreaper(0)
    orphans._book.subreaper = False
    del os.environ[orphans._OWN]
    assert [one for one in left if not one.dead] == []
    work = tmp_path / "tmp"
    assert not work.exists() or list(work.iterdir()) == []


@pytest.fixture
async def lateness() -> AsyncIterator[Callable[[], float]]:
    """The longest a task of the loop that ticks every 10 ms was late, in seconds."""
    worst = 0.0

    async def tick() -> None:
        nonlocal worst
        while True:
            before = time.monotonic()
            await asyncio.sleep(0.01)
            worst = max(worst, time.monotonic() - before - 0.01)

    ticking = asyncio.ensure_future(tick())
    yield lambda: worst
    ticking.cancel()
    await asyncio.wait({ticking})
