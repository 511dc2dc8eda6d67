"""A stand-in as a process, with its desk and a raw connection to it."""

import contextlib
import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time

import httpx
import pytest

YAML = """
version: 1
jobs:
  - name: hello
    run: {command: {argv: [/bin/sh, -c, "echo hello"]}}
"""


class StandIn:
    """`jobsd rehearse` on a file."""

    def __init__(self, folder, *more, yaml=YAML, verify=True):
        self.folder, self.state, self._verify = folder, folder / "state", verify
        path = folder / "stand-in.yaml"
        path.write_text(yaml)
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("JOBSD", "STATE_", "NOTIFY_"))}
        argv = [sys.executable, "-m", "jobsd", "rehearse", "-c", str(path), "--state-dir", str(self.state)]
        self.process = subprocess.Popen(
            [*argv, "--listen", "127.0.0.1:0", *more],
            env=environment, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.lines, self._heard = [], queue.Queue()
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def _follow(self):
        for line in self.process.stdout:
            self._heard.put(json.loads(line))

    def logged(self, event, seconds=20):
        """Wait for a line of the log."""
        deadline = time.monotonic() + seconds
        while True:
            for line in self.lines:
                if line["event"] == event:
                    return line
            with contextlib.suppress(queue.Empty):
                self.lines.append(self._heard.get(timeout=max(0.01, deadline - time.monotonic())))
                continue
            ended = self.process.poll() is not None
            raise AssertionError(f"no {event}: {self.lines} {self.process.stderr.read() if ended else ''}")

    def ready(self):
        """Wait until it serves."""
        self.url = self.logged("daemon_ready")["url"]
        self.bearer = {"Authorization": f"Bearer {(self.state / 'token').read_text()}"}
        self.http = httpx.Client(
            base_url=self.url, headers=self.bearer, trust_env=False, timeout=15, verify=self._verify
        )
        return self

    def order(self, *faults):
        """Order faults; returns what the desk answers."""
        answer = self.http.post("/rehearsal/faults", json=list(faults))
        assert answer.status_code == 201, answer.text
        return answer.json()

    def requests(self, **which):
        """The requests that came."""
        return self.http.get("/rehearsal/requests", params=which).json()

    def raw(self, method="GET", path="/v1/jobs", body=b""):
        """All bytes that one connection of its own gives for a request."""
        host, port = self.url.removeprefix("http://").split(":")
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: {host}:{port}\r\nAuthorization: {self.bearer['Authorization']}\r\n"
        )
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        with socket.create_connection((host, int(port)), timeout=10) as line:
            line.sendall(head.encode() + body)
            got = b""
            with contextlib.suppress(ConnectionResetError):
                while more := line.recv(65536):
                    got += more
            return got

    def until_logged(self, event, seconds=20, **keys):
        """Hear the log up to the last line that is there and has these keys."""
        deadline = time.monotonic() + seconds
        while not any(line["event"] == event and keys.items() <= line.items() for line in self.rest()):
            assert time.monotonic() < deadline, self.lines
            time.sleep(0.05)

    def rest(self):
        """All lines so far."""
        while not self._heard.empty():
            self.lines.append(self._heard.get())
        return self.lines

    def close(self):
        """End it."""
        if hasattr(self, "http"):
            self.http.close()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(30) in {0, 1}
        self._thread.join(5)
        self.process.stdout.close()
        self.process.stderr.close()


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """One stand-in for all tests of a module."""
    one = StandIn(tmp_path_factory.mktemp("stand-in"))
    try:
        yield one.ready()
    finally:
        one.close()


@pytest.fixture
def stand_in(running):
    """The stand-in, with nothing ordered."""
    running.http.delete("/rehearsal/faults")
    running.http.delete("/rehearsal/requests")
    return running


@pytest.fixture
def start(tmp_path):
    """Starts stand-ins: (*more arguments) -> StandIn; all are ended."""
    with contextlib.ExitStack() as stack:

        def begin(*more, folder=tmp_path, **how):
            one = StandIn(folder, *more, **how)
            stack.callback(one.close)
            return one

        yield begin
