"""What the daemon was started from goes away: its reader, its terminal, its ledger's file."""

import io
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from jobsd.log import Unbreakable

ROOT = Path(__file__).parents[2]
TICK = "version: 1\njobs:\n  - {name: one, schedule: {interval: 1s}, run: {command: {argv: [touch, '%s']}}}\n"


def start(folder, **streams):
    """`jobsd run` whose job touches the file `ticked`."""
    (folder / "jobs.yaml").write_text(TICK % (folder / "ticked"))
    argv = [
        sys.executable,
        "-m",
        "jobsd",
        "run",
        "-c",
        "jobs.yaml",
        "--state-dir",
        "state",
        "--listen",
        "127.0.0.1:0",
    ]
    env = {k: v for k, v in os.environ.items() if not k.startswith("JOBSD")} | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(argv, cwd=folder, env=env, **streams)


def until(condition, process, seconds=30):
    """Wait until `condition()`, while the process lives."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, "it ended"
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize(("encoding", "written"), [("utf-8", "é: \\udce9"), ("ascii", "\\xe9: \\udce9")])
def test_a_line_that_the_log_s_encoding_does_not_have_is_escaped(encoding, written):
    """A counterpart's words, or a file's name, may hold half characters: the line is not lost for them."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding)
    Unbreakable(stream).write("é: \udce9")
    assert raw.getvalue() == written.encode()


@pytest.mark.parametrize("where", ["closed pipe", "/dev/full"])
def test_a_log_that_nobody_takes_stops_nothing(tmp_path, where):
    """The reader of the log goes away, or its disk is full: the jobs go on, and SIGTERM ends it in order."""
    if where == "closed pipe":
        reading, writing = os.pipe()
    else:
        reading, writing = None, os.open(where, os.O_WRONLY)
    process = start(tmp_path, stdout=writing, stderr=subprocess.DEVNULL)
    os.close(writing)
    try:
        if reading is not None:
            os.read(reading, 100)
            os.close(reading)
        ticked = tmp_path / "ticked"
        until(ticked.exists, process)
        ticked.unlink()
        until(ticked.exists, process)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()


def test_a_closed_terminal_ends_a_daemon_that_was_started_on_it(tmp_path):
    """SIGHUP of a terminal that is gone means the end; it is no reload."""
    master, slave = pty.openpty()
    process = start(tmp_path, stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
    os.close(slave)
    try:
        until((tmp_path / "state/token").exists, process)
        os.set_blocking(master, False)
        until((tmp_path / "ticked").exists, process)
        os.close(master)
        process.send_signal(signal.SIGHUP)
        assert process.wait(20) == 0
        assert not (tmp_path / "state/token").exists()
    finally:
        process.kill()
        process.wait()


def test_a_ledger_that_was_removed_is_noticed(daemon, tmp_path):
    """Jobs do not go on into a file that nobody will find: /readyz and the log say so."""
    p = daemon(TICK % (tmp_path / "ticked")).ready()
    p.logged("run_succeeded")
    (p.state / "ledger.db").rename(p.state / "elsewhere.db")
    assert "removed or replaced" in p.logged("ledger_not_writable", 20)["reason"]
    seen = len(p.lines)
    assert p.get("/readyz").status_code == 503
    time.sleep(1.5)  # a fire time passes
    assert not [line for line in p.lines[seen:] if line["event"] == "attempt_started"]


def test_what_a_file_says_without_effect_is_in_the_log(daemon):
    """At the start and after each reload: what has no effect is named with its place."""
    p = daemon("version: 1\nusers:\n  - {name: ann, email: ann@example.com}\njobs: []\n").ready()
    assert "jobs.yaml:3:" in p.logged("configuration_warning")["reason"]
    seen = len(p.lines)
    p.signal(signal.SIGHUP)
    assert "there is no login" in p.logged("configuration_warning", after=seen)["reason"]
