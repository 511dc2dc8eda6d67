"""The daemon as a process, as systemd would start it: its log, its notifications, its API."""

import contextlib
import json
import os
import pwd
import queue
import signal
import socket
import subprocess
import sys
import sysconfig
import threading
import time
from datetime import datetime
from pathlib import Path

import httpx
import pytest

from runners import trust
from scheduler.ledger.checking import check

ROOT = Path(__file__).parents[2]

REAL = frozenset({"test_process", "test_quickstart", "test_surroundings"})
"""Modules of tests in which a daemon is started as systemd does it."""


class Process:
    """`jobsd run` (or another `command`) on a file, with a notification socket and a log that can be waited for."""

    def __init__(
        self,
        yaml,
        folder,
        *,
        command="run",
        user=None,
        python=sys.executable,
        watchdog_s=None,
        listen="127.0.0.1:0",
        fork_server=None,
    ):
        """With a `fork_server` it is forked by that one, which spares a second: not for another user or Python."""
        self.folder = Path(folder)
        self.state = self.folder / "state"
        self.notifications = queue.Queue()
        self.lines = []
        self._news = threading.Condition()
        address = self.folder / f"notify-{time.monotonic_ns()}"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(address))
        os.chmod(address, 0o777)  # noqa: S103 - the daemon may be another user's
        env = {k: v for k, v in os.environ.items() if not k.startswith(("JOBSD", "STATE_", "PYTEST"))}
        env |= {"NOTIFY_SOCKET": str(address)}
        if watchdog_s:
            env |= {"WATCHDOG_USEC": str(int(watchdog_s * 1e6))}
        env |= {
            "PYTHONPATH": os.pathsep.join((str(ROOT), sysconfig.get_path("purelib"))),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        argv = [command, "-c", str(yaml), "--state-dir", str(self.state), "--listen", listen]
        if fork_server is not None and user is None and python == sys.executable:
            self.process = fork_server.start(*argv, cwd=self.folder, env=env)
        else:
            more = {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []} if user else {}
            self.process = subprocess.Popen(
                [python, "-m", "jobsd", *argv],
                cwd=self.folder,
                env=env,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                **more,
            )
        self._threads = [
            threading.Thread(target=target, daemon=True) for target in (self._hear, self._follow, self._complaints)
        ]
        self.stderr = ""
        for thread in self._threads:
            thread.start()

    def _hear(self):
        while message := self._socket.recv(4096):
            self.notifications.put(message.decode())

    def _follow(self):
        for line in self.process.stdout:
            with self._news:
                self.lines.append(json.loads(line))
                self._news.notify_all()
        with self._news:
            self._news.notify_all()

    def _complaints(self):
        self.stderr = self.process.stderr.read()

    def notified(self, begin, seconds=30):
        """Wait for a notification that begins so."""
        deadline = time.monotonic() + seconds
        while True:
            left = deadline - time.monotonic()
            assert left > 0, f"no {begin} in {seconds} s; log: {self.lines[-5:]} {self.stderr}"
            with contextlib.suppress(queue.Empty):
                message = self.notifications.get(timeout=min(left, 0.5))
                if message.startswith(begin):
                    return message
            assert self.process.poll() is None or begin == "STOPPING", f"it ended: {self.lines[-3:]} {self.stderr}"

    def logged(self, event, seconds=30, *, after=0, **keys):
        """Wait for a line of the log with this event and these keys; the lines before `after` do not count."""
        deadline = time.monotonic() + seconds
        with self._news:
            while True:
                for line in self.lines[after:]:
                    if line["event"] == event and all(line.get(k) == v for k, v in keys.items()):
                        return line
                left = deadline - time.monotonic()
                assert left > 0, f"no {event} {keys} in {seconds} s: {self.lines[-8:]}"
                self._news.wait(min(left, 0.5))

    def ready(self):
        """Wait for READY; returns self."""
        self.notified("READY=1")
        return self

    @property
    def url(self):
        """Where it listens."""
        return (self.state / "url").read_text()

    def client(self):
        """An HTTP client with the local token, which trusts the certificate that the daemon left."""
        headers = {"Authorization": f"Bearer {(self.state / 'token').read_text()}"}
        verify = False
        if self.url.startswith("https:"):
            verify = trust.exactly(self.state / "certificate.pem")
        return httpx.Client(base_url=self.url, headers=headers, trust_env=False, verify=verify, timeout=15)

    def get(self, path, **params):
        """GET with the local token."""
        with self.client() as client:
            return client.get(path, params=params)

    def post(self, path, **body):
        """POST with the local token; the answer must be a success."""
        with self.client() as client:
            answer = client.post(path, json=body)
        assert answer.is_success, answer.text
        return answer.json()

    def trigger(self, job):
        """Run a job now."""
        return self.post(f"/v1/jobs/{job}/trigger")

    def runs(self, job=None):
        """The runs as the API tells them, oldest first."""
        rows = self.get("/v1/runs", limit=500, **({"job": job} if job else {})).json()
        return sorted(rows, key=lambda row: (row["fire_time"], row["run_no"]))

    def until(self, condition, seconds=30):
        """Wait until `condition()` gives something true; returns it."""
        deadline = time.monotonic() + seconds
        while not (found := condition()):
            assert time.monotonic() < deadline, f"not within {seconds} s: {self.lines[-8:]} {self.stderr}"
            assert self.process.poll() is None, f"it ended: {self.lines[-3:]} {self.stderr}"
            time.sleep(0.05)
        return found

    def signal(self, number):
        """Send a signal."""
        self.process.send_signal(number)

    def stop(self, seconds=30):
        """SIGTERM and wait; returns the exit code."""
        self.signal(signal.SIGTERM)
        return self.process.wait(seconds)

    def kill(self):
        """SIGKILL and wait."""
        self.signal(signal.SIGKILL)
        self.process.wait(10)

    def close(self):
        """End it, whatever state it is in; its ledger must hold what it promises."""
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()
        self._socket.shutdown(socket.SHUT_RD)
        for thread in self._threads:
            thread.join(5)
        self._socket.close()
        self.process.stdout.close()
        self.process.stderr.close()
        ledger = self.state / "ledger.db"
        found = check(ledger) if ledger.exists() else []
        assert not found, "\n".join(map(str, found))


def instant(text):
    """An ISO instant of the API or the log."""
    return datetime.fromisoformat(text)


@pytest.fixture(scope="session")
def daemon_process():
    """The class of a daemon's process, for fixtures that start one for many tests; they close it."""
    return Process


@pytest.fixture
def daemon(request, tmp_path):
    """A function that starts `jobsd run` on a text or a file; every one is ended.

    The modules of REAL start it by its command line, the others have it forked.
    """
    forked = request.module.__name__.rpartition(".")[2] not in REAL
    server = request.getfixturevalue("fork_server") if forked else None
    with contextlib.ExitStack() as started:

        def start(text_or_path, *, folder=tmp_path, **more):
            path = text_or_path
            if isinstance(text_or_path, str):
                path = folder / "jobs.yaml"
                path.write_text(text_or_path)
            process = Process(path, folder, fork_server=server, **more)
            started.callback(process.close)
            return process

        yield start


@pytest.fixture
def at():
    """Read an instant."""
    return instant


@pytest.fixture
def script(tmp_path):
    """Write an executable program; returns its path."""

    def write(name, text):
        path = tmp_path / name
        path.write_text(text)
        path.chmod(0o755)
        return path

    return write
