"""Lives and deaths of a daemon in a world: it is forked, killed at a point or at random, and started again."""

import json
import os
import random
import signal
import sqlite3
import subprocess
import time
from contextlib import closing, suppress
from datetime import timedelta
from pathlib import Path

import httpx
from chaos import counterparts, judge, rows
from chaos.book import NAMES, Book
from chaos.disk import Disk
from chaos.world import RATE, World

from scheduler.ledger.checking import check

INSIDE = Path(__file__).with_name("inside.py"), "run"
LATE = timedelta(seconds=5)
"""At the end an occurrence so young may not have its row yet."""

SETTLED_S = 1.5
"""Seconds after a step of the clock in which the daemon has noticed it."""


class Pilot:
    """One world and the lives that are led in it.

    `kills` are (stopwatch, point or "random"); `until` is the instant up to which it was judged in the end.
    """

    def __init__(self, folder, server, jobs, *, seed=0, ill=0.0, rate=RATE, disk_mb=None, **more):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.chance = random.Random(seed)
        self._moods = random.Random(seed + 1)
        self.ill = ill
        self.book = Book(self.folder / "book", new=True, rate=rate)
        self.parts = counterparts.Counterparts(self.book.now, self._mood)
        self.world = World(
            self.folder / "world", jobs, url=self.parts.url, smtp=self.parts.smtp, now=self.book.now(), **more
        )
        self.disk = None if disk_mb is None else Disk(self.world.state, megabytes=disk_mb)
        self.judge = judge.Judge(self.world)
        self.kills = []
        self.points = dict.fromkeys(NAMES, 0)
        self._server = server
        self._log = (self.folder / "log").open("a")
        self._process = None
        self._recorded_by = None
        self.until = None

    def _mood(self):
        if self._moods.random() >= self.ill:
            return counterparts.WELL
        return self._moods.choice(
            (counterparts.DEAD, counterparts.SLOW, counterparts.LYING, counterparts.REFUSING)
        )

    @property
    def ledger(self):
        """The ledger's file."""
        return self.world.state / "ledger.db"

    def begin(self, *, environment=(), **acts):
        """A new life, with these variables beside ours."""
        self.book.new_life()
        for name in ("url", "token"):
            (self.world.state / name).unlink(missing_ok=True)
        env = {k: v for k, v in os.environ.items() if not k.startswith(("JOBSD", "STATE_", "PYTEST", "NOTIFY"))}
        self._process = self._server.start(
            cwd=self.folder, env=env | dict(environment), call=INSIDE, stdout=self._log,
            path=str(self.world.path), state=str(self.world.state), book=str(self.book.path), **acts,
        )  # fmt: skip
        return self._process

    def life(self, *, kill=None, seconds=4.0, deed=None, **acts):
        """A life that ends at a point of `kill`, else after `seconds`; what is tested, and where it died."""
        process = self.begin(kill=kill, **acts)
        deadline = time.monotonic() + seconds
        if deed is not None:
            deed(self, deadline)
        with suppress(subprocess.TimeoutExpired):
            process.wait(max(0.0, deadline - time.monotonic()))
        process.kill()
        code = process.wait(20)
        if self.disk is not None:
            self.disk.free()
        assert code == -signal.SIGKILL, f"the daemon ended by itself: {code}; see {self.folder / 'log'}"
        return self._died()

    def _died(self):
        point = self.book.died_at or "random"
        self.kills.append((time.monotonic(), point))
        if point in self.points:
            self.points[point] += 1
        read = rows.read(self.ledger)
        if self._recorded_by is None and read["jobs"]:
            self._recorded_by = max(rows.instant(row["known_since"]) for row in read["jobs"])
        self.judge.glance(read, now=self.book.now(), dead_at=self.kills[-1][0])
        if read["jobs"]:
            self.judge.findings.unaccounted += [f"db check after {point}: {one}" for one in check(self.ledger)]
        return point

    def ready(self, deadline):
        """Wait until its API is up; False if it dies before."""
        while time.monotonic() < deadline and self._process.poll() is None:
            if (self.world.state / "token").exists() and (self.world.state / "url").exists():
                return True
            time.sleep(0.01)
        return False

    def ask(self, method, path, **body):
        """A request to the native API; None where the daemon dies over it."""
        with suppress(httpx.TransportError, OSError):
            token = (self.world.state / "token").read_text()
            url = (self.world.state / "url").read_text()
            with httpx.Client(trust_env=False, timeout=15, headers={"Authorization": f"Bearer {token}"}) as client:
                return client.request(method, f"{url}{path}", json=body or None)
        return None

    def finish(self, seconds=60.0):
        """A last life without faults: everything comes to its end, and is judged.

        The findings, and how much was under way still when for so many seconds nothing had come to its end.
        """
        self.ill = 0.0
        if self._process is not None:
            self._process.wait(20)
        process = self.begin()
        assert self.ready(time.monotonic() + 20), f"it does not start: see {self.folder / 'log'}"
        for name in self.world.jobs:
            self._pause(name)
        deadline, fewest = time.monotonic() + seconds, None
        while (left := self._under_way()) and time.monotonic() < deadline:
            if fewest is None or left < fewest:
                deadline, fewest = time.monotonic() + seconds, left
            time.sleep(0.3)
            self.book.step(timedelta(seconds=20))
        time.sleep(SETTLED_S)
        assert process.poll() is None, f"it ended by itself: see {self.folder / 'log'}"
        process.send_signal(signal.SIGTERM)
        code = process.wait(30)
        assert code == 0, f"it ended with {code}: see {self.folder / 'log'}"
        self.until = self.book.now() - LATE
        findings = self.judge.judge(
            rows.read(self.ledger), until=self.until, parts=self.parts, kills=self.kills,
            recorded_by=self._recorded_by,
        )  # fmt: skip
        findings.unaccounted += [f"db check: {one}" for one in check(self.ledger)]
        return findings, left

    def _pause(self, name):
        """Pause a job, however slow the machine is now; one that is paused already stays so."""
        deadline, answer = time.monotonic() + 60, None
        while answer is None or answer.status_code not in (200, 409):
            told = answer if answer is None else answer.text
            assert time.monotonic() < deadline, f"{name} cannot be paused: {told}; see {self.folder / 'log'}"
            answer = self.ask("POST", f"/v1/jobs/{name}/pause", note="the end")

    def _under_way(self):
        with closing(sqlite3.connect(f"file:{self.ledger}?mode=ro", uri=True, timeout=10)) as connection:
            runs = connection.execute("SELECT count(*) FROM runs WHERE ended_at IS NULL").fetchone()[0]
            sent = connection.execute("SELECT count(*) FROM deliveries WHERE state = 'pending'").fetchone()[0]
        return runs + sent

    def hold_ledger(self, seconds):
        """Another process's transaction holds the ledger for so long."""
        with closing(sqlite3.connect(self.ledger, timeout=1, isolation_level=None)) as connection:
            with suppress(sqlite3.OperationalError):
                connection.execute("BEGIN IMMEDIATE")
            time.sleep(seconds)

    def signal(self, number):
        """Send the daemon a signal."""
        self._process.send_signal(number)

    def close(self):
        """End what lives and close what is open."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait(10)
        self.parts.close()
        self._log.close()
        if self.disk is not None:
            self.disk.close()

    def errors(self):
        """Lines of the log that tell of a fault of the program itself."""
        found = []
        for line in (self.folder / "log").read_text(errors="replace").splitlines():
            with suppress(ValueError):
                said = json.loads(line)
                if said.get("event") in ("runner_raised", "courier_raised", "attempt_lost", "planner_restless"):
                    found.append(line)
                continue
            found.append(line)
        return found


def cancel(pilot, deadline):
    """A deed: abort a run that is under way."""
    if not pilot.ready(deadline):
        return
    while time.monotonic() < deadline:
        answer = pilot.ask("GET", "/v1/runs?state=incomplete&state=running&state=retrying")
        if answer is None:
            return
        if found := answer.json():
            pilot.ask("POST", f"/v1/runs/{pilot.chance.choice(found)['run_id']}/abort")
            return
        time.sleep(0.1)
