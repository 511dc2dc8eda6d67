"""A real server over a real ledger, with a real scheduling loop in a thread of its own."""

import asyncio
import contextlib
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime

import httpx
import pytest

from config import loads
from jobsd.decoding import decode
from jobsd.http.sde.tasks import ServedTasks
from jobsd.http.server import HttpServer
from jobsd.http.service import Service
from runners.registry import Runners
from scheduler.clock import ManualClock
from scheduler.control import Control
from scheduler.dispatcher import Dispatcher
from scheduler.ledger import Ledger
from scheduler.ledger.checking import check
from scheduler.model import Actor, By

START = datetime(2026, 3, 7, 12, 0, tzinfo=UTC)
TOKEN = "the-local-token"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
FINAL = {"succeeded", "failed", "missed", "skipped", "expired", "lost", "cancelled"}

JOBS = """
version: 1
settings:
  timezone: America/New_York
  http: {listen: "127.0.0.1:0"TOKENS}
collectors:
  linux:
    collect: [/bin/sh, -c, 'case "$0" in web-3) echo gone >&2; exit 75;; esac; echo collected', "{asset.id}"]
    evaluate:
      - /bin/sh
      - -c
      - 'echo "{\\"results\\": [{\\"check\\": \\"ports\\", \\"result\\": \\"pass\\"}, {\\"check\\": \\"files\\", \\"result\\": \\"fail\\", \\"message\\": \\"=1+1 <b>open</b>\\"}]}"'
jobs:
  - name: nightly
    description: "<script>alert('x')</script>"
    schedule: {start: 2026-01-01T02:30:00, daily: {every: 1}, window: 1h, rerun: {every: 6h, for: 1d}}
    run:
      collect:
        type: CollectionEvaluationJob
        standards: [cis]
        assets: [{id: web-1, type: linux}, {id: web-2, type: linux}, {id: web-3, type: linux}]
    labels: {team: audit}
  - name: hello
    run: {command: {argv: [/bin/sh, -c, "echo hello; echo world"]}}
  - name: waiting
    schedule: {start: 2026-01-01T03:30:00, weekly: {on: [friday]}}
    run: {command: {argv: [/bin/sh, -c, "echo first; until [ -e FOLDER/go ]; do sleep 0.05; done; echo last"]}}
  - name: off
    schedule: {interval: 15m}
    run: {command: {argv: [/bin/true]}}
    enabled: false
"""


class House:
    """One scheduling loop, one ledger, one server."""

    def __init__(self, folder, text=JOBS, *, tokens="", listen=None, stale_s=None, tls=None):
        self.folder = folder
        self.clock = ManualClock(START)
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="scheduling")
        self._thread.start()
        text = text.replace("TOKENS", f", tokens: [{tokens}]" if tokens else "").replace("FOLDER", str(folder))
        self.configuration = loads(text, file="jobs.yaml", folder=folder)
        self.call(self._up())
        self.service = Service(
            self.ledger, self.dispatcher, Control(self.dispatcher), self.loop, folder / "state", START
        )
        if stale_s is not None:
            self.service = replace(self.service, stale_s=stale_s)
        http = self.configuration.settings.http
        changes = {key: value for key, value in (("listen", listen), ("tls", tls)) if value is not None}
        self.server = HttpServer(self.service, http.model_copy(update=changes), token=TOKEN)
        self.url = ""

    def _run(self):
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()

    def call(self, coroutine):
        """Run `coroutine` on the scheduling loop."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(20)

    async def _up(self):
        self.ledger = Ledger(self.folder / "state" / "ledger.db")
        served = ServedTasks(self.ledger, lambda: self.configuration, self.folder / "state", {})
        self.dispatcher = Dispatcher(
            self.ledger,
            self.clock,
            self.folder / "state",
            owner="house",
            runner_for=Runners({}, served).runner_for,
            decode=decode,
        )
        await self.dispatcher.install(self.configuration, Actor("tester", By.SIGNAL))
        self.dispatcher.alarm.start()
        self._task = asyncio.create_task(self.dispatcher.run(lambda: None))

    async def _down(self):
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self.dispatcher.stop_firing()
        await self.dispatcher.executor.abandon()

    def start(self):
        """Start the server; returns its URL."""
        self.url = self.server.start()
        self.http = httpx.Client(base_url=self.url, timeout=15, trust_env=False)
        return self.url

    def stop(self):
        """Bring everything down; the ledger must hold what it promises."""
        self.server.stop()
        if self.url:
            self.http.close()
        self.call(self._down())
        self.ledger.close()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()
        assert check(self.ledger.path) == []

    def get(self, path, *, status=200, **more):
        """The JSON at `path`, asked for with the local token."""
        answer = self.http.get(path, headers=BEARER, **more)
        assert answer.status_code == status, answer.text
        return answer.json()

    def post(self, path, *, status=200, **more):
        """The JSON that an act answers with, with the local token."""
        answer = self.http.post(path, headers=BEARER, **more)
        assert answer.status_code == status, answer.text
        return answer.json()

    def until(self, condition, seconds=20):
        """Wait in real time until `condition()` is true; returns what it gives."""
        deadline = time.monotonic() + seconds
        while not (found := condition()):
            assert time.monotonic() < deadline, "this never came true"
            time.sleep(0.02)
        return found

    def ended(self, run_id, *states):
        """The run once it is final, or in one of `states`."""
        wanted = set(states) or FINAL

        def look():
            run = self.get(f"/v1/runs/{run_id}")
            return run if run["state"] in wanted else None

        return self.until(look)

    def ran(self, job, *states):
        """Trigger `job`; its run once it is final, or in one of `states`."""
        return self.ended(self.post(f"/v1/jobs/{job}/trigger")["run_id"], *states)

    @contextlib.contextmanager
    def blocked(self):
        """The scheduling loop is stuck inside."""
        stuck, release = threading.Event(), threading.Event()

        def hold():
            stuck.set()
            release.wait(60)

        self.loop.call_soon_threadsafe(hold)
        assert stuck.wait(10)
        try:
            yield
        finally:
            release.set()


@pytest.fixture
def build(tmp_path):
    """Makes houses; all are brought down at the end."""
    with contextlib.ExitStack() as stack:

        def make(folder="house", **more):
            (tmp_path / folder).mkdir()
            house = House(tmp_path / folder, **more)
            stack.callback(house.stop)
            return house

        yield make


@pytest.fixture
def house(build):
    """A house with its server up."""
    made = build()
    made.start()
    return made


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """A house with a history, for tests that only read: an incomplete collection, a command, a pause."""
    folder = tmp_path_factory.mktemp("told")
    house = House(folder)
    try:
        house.start()
        house.collected = house.ran("nightly", "incomplete")
        house.commanded = house.ran("hello")
        house.post("/v1/jobs/waiting/pause", json={"until": "2026-04-01T00:00:00+02:00", "note": "audit"})
        yield house
    finally:
        house.stop()


@pytest.fixture(scope="module")
def module_house():
    """Makes houses for the tests of a module, their servers up: (folder, text) -> house."""
    with contextlib.ExitStack() as stack:

        def make(folder, text):
            house = House(folder, text)
            stack.callback(house.stop)
            house.start()
            return house

        yield make


@pytest.fixture
def bearer():
    """Headers with the local token."""
    return BEARER
