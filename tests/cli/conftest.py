import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from jobsd.cli.app import app
from scheduler.ledger.checking import check

ENVIRONMENT = {
    "JOBSD_URL": None,
    "JOBSD_TOKEN": None,
    "STATE_DIRECTORY": None,
    "NO_COLOR": None,
    "NOTIFY_SOCKET": None,
}


class Command:
    """Calls `jobsd` in this process, in a folder of its own."""

    def __init__(self, **environment):
        self.environment = ENVIRONMENT | environment

    def __call__(self, *arguments, exit_code=0, **options):
        found = CliRunner(env=self.environment).invoke(app, [str(a) for a in arguments], **options)
        assert found.exit_code == exit_code, found.output + repr(found.exception)
        return found


@pytest.fixture
def jobsd(tmp_path, monkeypatch):
    """`jobsd(*arguments, exit_code=0)` without any daemon."""
    monkeypatch.chdir(tmp_path)
    return Command()


@pytest.fixture
def process(tmp_path):
    """`jobsd` as a process of its own: (*arguments, **Popen options) -> Popen; ended at the end."""
    started = []

    def start(*arguments, **options):
        environment = {k: v for k, v in os.environ.items() if k not in ENVIRONMENT} | options.pop("env", {})
        argv = [sys.executable, "-m", "jobsd", *map(str, arguments)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        started.append(subprocess.Popen(argv, cwd=tmp_path, env=environment, **(pipes | options)))
        return started[-1]

    yield start
    for one in started:
        one.kill()
        one.communicate()


@pytest.fixture(scope="session")
def start_daemon(tmp_path_factory):
    """A real daemon on a file: (path) -> its state folder; ended, and its ledger checked, after all tests."""
    started, states = [], []

    def start(path):
        state = tmp_path_factory.mktemp("state")
        states.append(state)
        environment = {k: v for k, v in os.environ.items() if k not in ENVIRONMENT}
        argv = [sys.executable, "-m", "jobsd", "run", "-c", path, "--state-dir", state, "--listen", "127.0.0.1:0"]
        with (state / "log").open("w") as log:
            one = subprocess.Popen(argv, cwd=state, env=environment, stdout=log, stderr=subprocess.STDOUT)
        started.append(one)
        deadline = time.monotonic() + 30
        while not (state / "url").exists():
            assert one.poll() is None, (state / "log").read_text()
            assert time.monotonic() < deadline, (state / "log").read_text()
            time.sleep(0.05)
        return state

    yield start
    for one in started:
        one.send_signal(signal.SIGTERM)
    for one in started:
        assert one.wait(30) == 0
    for state in states:
        assert check(state / "ledger.db") == []


DAEMON_YAML = r"""
version: 1
settings: {stop_timeout: 1s, kill_after: 1s}
collectors:
  host:
    collect: [/bin/sh, -c, 'case $1 in ok*) echo data;; bad) printf "broken \033[31m" >&2; exit 3;; *) exit 75;; esac', -, "{asset.id}"]
    evaluate: [/bin/sh, -c, 'cat >/dev/null; printf "%s" "$1"', -, '{"results": [{"check": "a", "result": "pass", "message": ""}, {"check": "b", "result": "fail", "message": "too \u001b[1mopen"}]}']
jobs:
  - name: weekly-linux-compliance
    description: every host
    schedule: {start: 2026-01-02T22:00:00, weekly: {on: friday}, timezone: Europe/Berlin, window: 4h, rerun: {every: 1d, for: 3d}}
    run: {collect: {assets: [{id: ok-1, type: host}, {id: ok-2, type: host}, {id: bad, type: host}, {id: gone, type: host}], standards: [cis]}}
  - name: fine
    run: {command: {argv: [/bin/sh, -c, 'echo one; echo two >&2']}}
  - name: coloured
    run: {command: {argv: [/usr/bin/printf, 'red \033[31m text\n']}}
  - name: faulty
    schedule: {start: 2026-01-01T00:00:00, interval: 1h}
    run: {command: {argv: [/bin/sh, -c, 'echo no >&2; exit 3']}}
  - name: slow
    run: {command: {argv: [/bin/sleep, "60"]}}
  - name: slow-too
    run: {command: {argv: [/bin/sh, -c, "echo begun; exec sleep 60"]}}
  - name: sealed
    enabled: false
    run: {command: {argv: ["true"]}}
"""


@pytest.fixture(scope="session")
def state(start_daemon, tmp_path_factory):
    """The state folder of a daemon that runs `DAEMON_YAML`."""
    path = tmp_path_factory.mktemp("file") / "jobs.yaml"
    path.write_text(DAEMON_YAML)
    return start_daemon(path)


@pytest.fixture
def ask(state, tmp_path, monkeypatch):
    """`jobsd(*arguments, exit_code=0)` beside that daemon."""
    monkeypatch.chdir(tmp_path)
    return Command(STATE_DIRECTORY=str(state))


@pytest.fixture
def jobs_yaml(tmp_path):
    """Write a file of jobs: (text of the jobs' lines, **settings) -> its path."""

    def write(jobs, head="version: 1\n"):
        path = Path(tmp_path) / "jobs.yaml"
        path.write_text(head + "jobs:\n" + jobs)
        return path

    return write


@pytest.fixture
def command():
    """Makes callers of `jobsd` in another environment: (**environment) -> caller."""
    return Command
