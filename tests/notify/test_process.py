"""The daemon as a process, a mail server beside it, and the command line: what an operator sees of a notice."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.acceptance

JOBS = """
version: 1
settings:
  http: {listen: "127.0.0.1:0"}
  smtp: SMTP
  heartbeat: {url: "WATCHER/sEcReT/daemon"}
jobs:
  - name: good
    run: {command: {argv: [/bin/true]}}
    notify:
      success: {to: [ops@example.com, audit@example.com], subject: "Fertig: ✓", body: "Alles ist da."}
      heartbeat: {url: "WATCHER/sEcReT/job"}
  - name: bad
    run: {command: {argv: [/bin/sh, -c, "exit 3"]}}
    notify: {failure: {to: ops@example.com}}
"""


class Process:
    """`jobsd run` on a folder, and `jobsd` beside it."""

    def __init__(self, folder):
        self.folder = folder
        self.env = {k: v for k, v in os.environ.items() if not k.startswith(("JOBSD", "STATE_", "PYTEST"))}
        self.env |= {"STATE_DIRECTORY": str(folder / "state"), "PYTHONPATH": str(Path(__file__).parents[2])}
        self.log = folder / "log"
        self._daemon = None

    def start(self):
        """Start the daemon and wait until it is there."""
        (self.folder / "state").mkdir(exist_ok=True)
        (self.folder / "state" / "url").unlink(missing_ok=True)
        argv = [sys.executable, "-m", "jobsd", "run", "-c", str(self.folder / "jobs.yaml")]
        with self.log.open("ab") as log:
            self._daemon = subprocess.Popen(argv, cwd=self.folder, env=self.env, stdout=log, stderr=log)
        self.until((self.folder / "state" / "url").exists)

    def kill(self, number=signal.SIGKILL):
        """End the daemon; its exit code."""
        if self._daemon is None:
            return None
        self._daemon.send_signal(number)
        code, self._daemon = self._daemon.wait(30), None
        return code

    def jobsd(self, *arguments, exit_code=0):
        """What a command prints."""
        argv = [sys.executable, "-m", "jobsd", *arguments]
        found = subprocess.run(argv, cwd=self.folder, env=self.env, capture_output=True, text=True, timeout=60)
        assert found.returncode == exit_code, found.stdout + found.stderr
        return found.stdout + found.stderr

    def deliveries(self, *arguments):
        """The deliveries as JSON."""
        return json.loads(self.jobsd("deliveries", "--json", *arguments))

    def events(self):
        """The names of the log's events."""
        return [json.loads(line)["event"] for line in self.log.read_text().splitlines()]

    def until(self, condition, seconds=30):
        """Wait until `condition()` gives something true; returns it."""
        deadline = time.monotonic() + seconds
        while not (found := condition()):
            assert time.monotonic() < deadline, self.log.read_text()[-2000:]
            time.sleep(0.05)
        return found


@pytest.fixture
def process(tmp_path):
    """A daemon that is not started yet; ended at the end."""
    made = Process(tmp_path)
    yield made
    made.kill()


def test_a_notice_outlives_the_daemon_and_the_mail_server(process, mail_server, web_server):
    """No mail server, then `kill -9`: the next daemon has the notice, and delivers it once the server is there.

    Each start is a heartbeat of the daemon, the success one of the job; their addresses are told nowhere.
    """
    server = mail_server(up=False)
    (process.folder / "jobs.yaml").write_text(
        JOBS.replace("SMTP", server.settings()).replace("WATCHER", web_server.url)
    )
    process.start()
    process.jobsd("trigger", "bad", "--wait", exit_code=1)
    (waiting,) = process.until(lambda: process.deliveries("--state", "pending"))
    process.until(lambda: "delivery_failed" in process.events())
    assert process.kill() == -signal.SIGKILL
    server.up()
    process.start()
    run = waiting["run_id"]
    assert "next in " in process.jobsd("deliveries", "--run", run)
    assert "is sent now" in process.jobsd("resend", waiting["delivery_id"][:8])
    process.until(lambda: process.deliveries("--run", run, "--state", "delivered"))
    process.jobsd("trigger", "good", "--wait")
    process.until(lambda: len(server.mails) == 2)
    first, second = server.mails
    assert (first["subject"], second["subject"]) == ("jobsd: bad failed", "Fertig: ✓")
    assert second.got == ["ops@example.com", "audit@example.com"]
    assert "Alles ist da." in second.get_content()
    shown = process.jobsd("show", run)
    assert "mail, failure" in shown
    assert "delivered" in shown
    assert "resend" in shown
    assert "delivered: there is nothing to send again" in process.jobsd(
        "resend", waiting["delivery_id"], exit_code=1
    )
    assert "no deliveries" in process.jobsd("deliveries", "--state", "refused")
    process.until(lambda: process.events().count("delivered") == 3)
    shown = process.jobsd("deliveries")
    assert process.kill(signal.SIGTERM) == 0
    assert [path for path, _, _ in web_server.got] == ["/sEcReT/daemon"] * 2 + ["/sEcReT/job"]
    assert "heartbeat, success" in shown
    kept = b"".join(path.read_bytes() for path in (process.folder / "state").rglob("*") if path.is_file())
    assert "sEcReT" not in shown + process.log.read_text() + kept.decode("latin-1")
    events = process.events()
    assert (events.count("delivered"), events.count("delivery_failed"), events.count("delivery_resent")) == (
        3,
        1,
        1,
    )
    assert "pässword" not in process.log.read_text()
