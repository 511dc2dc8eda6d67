"""Assets that are found at work, over the whole scheduler: SDE's remote agent against a server on loopback."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest

from runners.api import AssetRef, AssetReport, AssetState, Ended, Outcome
from runners.registry import Runners
from scheduler.ledger import deliveries

TOOL = """
import configparser, os, sys, time
folder = sys.argv[1]
reader = configparser.ConfigParser(interpolation=None)
reader.read_file(sys.stdin)
params = dict(reader["global"])
with open(f"{folder}/ran", "a") as ran:
    ran.write(f"{params['project']}:{params['alm_pass']}\\n")
with open(f"{folder}/pids", "a") as pids:
    pids.write(f"{os.getpid()}\\n")
while os.path.exists(f"{folder}/hold-{params['project']}"):
    time.sleep(0.02)
if os.path.exists(f"{folder}/bad-{params['project']}"):
    print("Done - Failed: no such project")
"""

TEXT = """
version: 1
settings: {{kill_after: 1s}}
servers: {{sde-prod: {{type: sde, url: "{url}", token: t0ken}}}}
commands: {{sync_jira: {{argv: [{python}, "{folder}/tool.py", "{folder}"], stdin: ini}}}}
jobs:
  - name: agent
    schedule: {{start: 2026-03-02T06:00:00, daily: {{every: 1}}, window: 1h, rerun: {{every: 4h, for: 16h}}}}
    run: {{sde_agent: {{server: sde-prod, kinds: [alm, analysis], frequency: daily, parallel: 1}}}}
"""


class Sde:
    """A server; `lists` has its connections by kind, or a status."""

    def __init__(self, folder):
        self.folder = folder
        self.lists = {"alm": [], "analysis": []}
        self.asked = 0
        self.hold = threading.Event()
        self.hold.set()
        sde = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                sde.asked += 1
                sde.hold.wait(20)
                found = sde.lists[urlsplit(self.path).path.split("/")[4]]
                status, body = (found, {"detail": "no"}) if isinstance(found, int) else (200, {"results": found})
                data = json.dumps(body).encode()
                with contextlib.suppress(ConnectionError):  # who asked may have died
                    self.send_response(status)
                    self.send_header("Content-Length", str(len(data)))
                    self.end_headers()
                    self.wfile.write(data)

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.05,))
        self.thread.start()
        (folder / "tool.py").write_text(TOOL)
        self.text = TEXT.format(
            url=f"http://127.0.0.1:{self.http.server_port}", python=sys.executable, folder=folder
        )

    def close(self):
        self.hold.set()
        self.http.shutdown()
        self.thread.join()
        self.http.server_close()

    def serve(self, *numbers, kind="alm", word="hunter"):
        """These connections, all of them inaccessible ones of a day."""
        self.lists[kind] = [
            {
                "id": n,
                "command": "sync_jira",
                "frequency": "daily",
                "inaccessible": True,
                "params": {"project": f"P{n}", "alm_pass": f"{word}-{n}"},
            }
            for n in numbers
        ]

    def ran(self):
        """What was run, in order; the note is forgotten."""
        return self._taken("ran")

    def _taken(self, name):
        file = self.folder / name
        lines = file.read_text().split() if file.exists() else []
        file.unlink(missing_ok=True)
        return lines


@pytest.fixture
def sde(tmp_path):
    """A server."""
    made = Sde(tmp_path)
    yield made
    made.close()


@pytest.fixture
async def up(rig, sde):
    """Brings a rig up with the agent's job; its runners are closed at the end."""
    runners = []

    async def make(start="2026-03-02T05:59:59Z", text=None):
        runners.append(Runners({}))
        r = rig(start)
        await r.up(text or sde.text, runner=runners[-1].runner_for)
        return r

    yield make
    for made in runners:
        await made.aclose()


def posted(r):
    """What is posted: connection, success and message, in order of writing."""
    found = [one for run in r.runs() for one in r.ledger.read(lambda c, run=run: deliveries.of_run(c, run.run_no))]
    assert {(one.kind, one.target) for one in found} <= {("sde_result", "sde-prod")}
    bodies = [one.body for one in sorted(found, key=lambda one: one.delivery_no)]
    return [(body["connection"], body["succeeded"], body["result_message"]) for body in bodies]


async def test_what_is_found_are_the_assets_of_the_run(up, sde):
    """The run has no assets until the agent has listed them; then it is done when all of them are."""
    sde.serve(12, 13)
    r = await up()
    await r.tick(seconds=1)
    run = r.run()
    assert (run.state, run.reason, run.has_assets) == ("succeeded", "", True)
    assert list(r.assets(run)) == ["12@sde-prod", "13@sde-prod"]
    assert posted(r) == [(12, True, ""), (13, True, "")]
    assert sde.ran() == ["P12:hunter-12", "P13:hunter-13"]


class Finder:
    """Finds assets twice in one attempt, some of them again."""

    async def execute(self, execution):
        a, b, c = (AssetRef(name, "x") for name in "abc")
        now = execution.clock.now()
        await execution.report.assets_found([a, b, a])
        await execution.report.asset_ended(AssetReport(a, AssetState.DONE, "", now, now))
        await execution.report.assets_found([b, c, a])
        for one in (b, c):
            await execution.report.asset_ended(AssetReport(one, AssetState.DONE, "", now, now))
        return Outcome(Ended.COMPLETED)


async def test_what_is_found_again_stays_as_it_is(rig, sde):
    """As after a crash between what was found and what became of it: each is an asset once, done stays done."""
    r = rig("2026-03-02T05:59:59Z")
    await r.up(sde.text, runner=lambda _: Finder())
    await r.tick(seconds=1)
    assert (r.run().state, r.tally(r.run()), list(r.assets(r.run()))) == (
        "succeeded",
        {"done": 3},
        ["a", "b", "c"],
    )


async def test_a_run_that_finds_nothing_is_done(up, sde):
    """No connection of that frequency: nothing was to be done."""
    r = await up()
    await r.tick(seconds=1)
    assert (r.run().state, r.run().has_assets, r.assets(r.run())) == ("succeeded", True, {})


async def test_no_secret_is_in_the_ledger(up, sde, tmp_path):
    """Neither the ledger's files nor the output have a param.

    Rule: secrets-at-rest
    """
    sde.serve(12)
    (tmp_path / "bad-P12").touch()
    r = await up()
    await r.tick(seconds=1)
    files = [path for path in (tmp_path / "state").rglob("*") if path.is_file()]
    assert len(files) > 1
    assert not [path for path in files if b"hunter" in path.read_bytes()]


async def test_a_rerun_takes_what_failed(up, sde, tmp_path):
    """Only the failed one, with the params that the server has then; what came new waits for the next run."""
    sde.serve(12, 13)
    (tmp_path / "bad-P12").touch()
    r = await up()
    await r.tick(seconds=1)
    assert (r.run().state, r.run().reason) == ("incomplete", "1 of 2 assets left")
    assert sde.ran() == ["P12:hunter-12", "P13:hunter-13"]
    (tmp_path / "bad-P12").unlink()
    sde.serve(12, 13, 14, word="newer")
    await r.tick(hours=4)
    assert r.run().state == "succeeded"
    assert sde.ran() == ["P12:newer-12"]
    assert posted(r) == [(12, False, "no such project"), (13, True, ""), (12, True, "")]
    await r.tick(hours=20)
    assert sde.ran() == ["P12:newer-12", "P13:newer-13", "P14:newer-14"]


async def test_a_window_stops_the_batch(up, sde, tmp_path):
    """What was at work and what waited stays open, posts nothing, and is taken by the rerun.

    Rule: agent-posts
    """
    sde.serve(12, 13, 14)
    hold = tmp_path / "hold-P13"
    hold.touch()
    r = await up()
    await r.tick(seconds=1, wait=False)
    await r.until(lambda: len(posted(r)) == 1 and (tmp_path / "ran").read_text().count("P13"))
    assert sde.ran() == ["P12:hunter-12", "P13:hunter-13"]
    await r.tick(hours=1, wait=False)
    await r.idle()
    assert (r.run().state, r.run().reason) == ("incomplete", "the window closed: 2 of 3 assets left")
    assert r.tally(r.run()) == {"done": 1, "open": 2}
    assert posted(r) == [(12, True, "")]
    hold.unlink()
    await r.tick(hours=3)
    assert r.run().state == "succeeded"
    assert sde.ran() == ["P13:hunter-13", "P14:hunter-14"]
    assert posted(r) == [(12, True, ""), (13, True, ""), (14, True, "")]


async def test_a_window_that_ends_before_anything_is_found(up, sde):
    """The run stays without assets; the rerun lists, and finds all of them."""
    sde.serve(12)
    sde.lists["alm"], kept = 503, sde.lists["alm"]
    sde.lists["analysis"] = 503
    r = await up()
    await r.tick(seconds=1, wait=False)
    await r.until(lambda: r.clock.next_sleeper_at is not None)
    r.clock.set(r.run().window_end)
    await r.settle()
    await r.idle()
    assert (r.run().state, r.run().has_assets) == ("incomplete", False)
    sde.lists = {"alm": kept, "analysis": []}
    await r.tick(hours=4)
    assert r.run().state == "succeeded"
    assert sde.ran() == ["P12:hunter-12"]


async def test_a_list_that_is_refused(up, sde):
    """The other kind goes on; the run is incomplete until the list is readable, then its connections are run."""
    sde.serve(12)
    sde.lists["analysis"] = 403
    r = await up()
    await r.tick(seconds=1)
    assert (r.run().state, r.run().reason) == ("incomplete", "1 of 2 assets left")
    assert list(r.assets(r.run())) == ["analysis@sde-prod", "12@sde-prod"]
    sde.serve(20, kind="analysis")
    await r.tick(hours=4)
    assert r.run().state == "succeeded"
    assert list(r.assets(r.run())) == ["analysis@sde-prod", "12@sde-prod", "20@sde-prod"]
    assert sde.ran() == ["P12:hunter-12", "P20:hunter-20"]


async def test_a_final_run_is_rerun_over_what_is_left(up, sde, tmp_path, operator):
    """`jobsd rerun` of a run that has ended takes what failed, in a new run."""
    sde.serve(12, 13)
    (tmp_path / "bad-P12").touch()
    r = await up(text=sde.text.replace(", rerun: {every: 4h, for: 16h}", ""))
    await r.tick(seconds=1)
    assert r.run().state == "expired"
    sde.ran()
    (tmp_path / "bad-P12").unlink()
    new = await r.control.rerun(r.run().run_id, operator)
    await r.settle()
    await r.idle()
    assert [run.state for run in r.runs()] == ["expired", "succeeded"]
    assert r.runs()[-1].run_id == new.run_id
    assert list(r.assets(r.runs()[-1])) == ["12@sde-prod"]
    assert sde.ran() == ["P12:hunter-12"]


async def test_a_stop_of_the_daemon(up, sde, tmp_path):
    """A daemon that stops in order takes up at its next start what it left."""
    sde.serve(12, 13)
    hold = tmp_path / "hold-P13"
    hold.touch()
    r = await up()
    await r.tick(seconds=1, wait=False)
    await r.until(lambda: len(posted(r)) == 1 and (tmp_path / "ran").read_text().count("P13"))
    await r.down()
    hold.unlink()
    sde.ran()
    again = await up("2026-03-02T06:30:00Z")
    await again.idle()
    assert again.run().state == "succeeded"
    assert sde.ran() == ["P13:hunter-13"]
    assert posted(again) == [(12, True, ""), (13, True, "")]


CHILD = """
import asyncio, sys
from datetime import datetime
from pathlib import Path
from config import loads
from runners.registry import Runners
from scheduler.clock import ManualClock
from scheduler.dispatcher import Dispatcher
from scheduler.ledger import Ledger
from scheduler.model import Actor, By

async def main(folder):
    clock = ManualClock(datetime.fromisoformat("2026-03-02T05:59:59Z"))
    ledger = Ledger(folder / "state" / "ledger.db")
    dispatcher = Dispatcher(ledger, clock, folder / "state", owner="child", runner_for=Runners({}).runner_for)
    text = (folder / "jobs.yaml").read_text()
    await dispatcher.install(loads(text, file="jobs.yaml", folder=folder), Actor("child", By.CLOCK))
    dispatcher.alarm.start()
    clock.set(datetime.fromisoformat("2026-03-02T06:00:00Z"))
    await dispatcher.run(lambda: None)

asyncio.run(main(Path(sys.argv[1])))
"""


def die_at_work(folder, text, sign):
    """Run the scheduler as a process until `sign()`, then kill it with SIGKILL."""
    (folder / "jobs.yaml").write_text(text)
    (folder / "child.py").write_text(textwrap.dedent(CHILD))
    child = subprocess.Popen([sys.executable, folder / "child.py", folder], cwd=os.getcwd())
    try:
        deadline = time.monotonic() + 30
        while not sign():
            assert child.poll() is None, "the child ended by itself"
            assert time.monotonic() < deadline
            time.sleep(0.02)
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()


async def test_a_crash_at_work(up, sde, tmp_path, alive):
    """kill -9 while the second of three is at work: it is ended, the first is not run again, the others are."""
    sde.serve(12, 13, 14)
    hold = tmp_path / "hold-P13"
    hold.touch()
    ran = tmp_path / "ran"
    die_at_work(tmp_path, sde.text, lambda: ran.exists() and "P13" in ran.read_text())
    pid = int((tmp_path / "pids").read_text().split()[-1])
    assert alive(pid)
    sde.ran()
    r = await up("2026-03-02T06:30:00Z")
    assert not alive(pid)
    hold.unlink()
    await r.idle()
    assert r.run().state == "succeeded"
    assert sde.ran() == ["P13:hunter-13", "P14:hunter-14"]
    assert posted(r) == [(12, True, ""), (13, True, ""), (14, True, "")]
    assert [attempt.ended for attempt in r.attempts(r.run())] == ["interrupted", "completed"]


async def test_a_crash_before_anything_is_found(up, sde, tmp_path):
    """kill -9 while the server is being asked: the next start asks again, and finds all."""
    sde.serve(12)
    sde.hold.clear()
    die_at_work(tmp_path, sde.text, lambda: sde.asked)
    sde.hold.set()
    r = await up("2026-03-02T06:30:00Z")
    await r.idle()
    assert r.run().state == "succeeded"
    assert sde.ran() == ["P12:hunter-12"]
    assert posted(r) == [(12, True, "")]


async def test_an_abort(up, sde, tmp_path, operator):
    """An operator's abort ends the command, posts nothing of it, and cancels the run."""
    sde.serve(12)
    (tmp_path / "hold-P12").touch()
    r = await up()
    await r.tick(seconds=1, wait=False)
    await r.until((tmp_path / "ran").exists)
    await r.control.abort(r.run().run_id, operator)
    await r.settle()
    await r.idle()
    assert r.run().state == "cancelled"
    assert posted(r) == []
