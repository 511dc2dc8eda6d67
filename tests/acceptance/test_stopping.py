"""The daemon's end, when more happens than one SIGTERM."""

import signal
import socket
import sqlite3
import time

import httpx

JOB = """
version: 1
settings: {{stop_timeout: {patience}, kill_after: 2s}}
jobs:
  - name: long
    idempotent: true
    schedule: {{once: true, start: 2020-01-01T00:00:00, window: {window}}}
    run: {{command: {{argv: [/bin/sh, -c, "while test -e {folder}/flag; do sleep 0.1; done"]}}}}
"""


def long(folder, *, patience="20s", window="1h"):
    """A job that works as long as a file is there."""
    (folder / "flag").write_text("")
    return JOB.format(folder=folder, patience=patience, window=window)


def test_a_window_still_ends_its_run_while_the_daemon_stops(daemon, tmp_path):
    """stop_timeout is long, the window is not: the run is stopped for its window, and the daemon is done then."""
    p = daemon(long(tmp_path, patience="30s", window="3s")).ready()
    p.trigger("long")
    p.logged("attempt_started")
    begun = time.monotonic()
    assert p.stop(20) == 0
    assert time.monotonic() - begun < 10
    assert p.logged("stop_requested")["stop"] == "window_end"
    assert p.logged("run_incomplete")["reason"] == "the window closed"


def test_signals_and_acts_during_the_stop(daemon, tmp_path):
    """A second SIGTERM and a SIGHUP change nothing; an act over HTTP is refused in words; the work is waited for."""
    p = daemon(long(tmp_path)).ready()
    p.trigger("long")
    p.logged("attempt_started")
    url, token = (p.state / "url").read_text(), (p.state / "token").read_text()
    p.signal(signal.SIGTERM)
    p.logged("daemon_stopping", running=1)
    p.signal(signal.SIGHUP)
    p.signal(signal.SIGTERM)
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, trust_env=False) as client:
        answer = client.post("/v1/jobs/long/trigger")
    assert answer.status_code == 409
    assert "stopping" in answer.text
    (tmp_path / "flag").unlink()
    assert p.process.wait(15) == 0
    assert p.logged("run_succeeded")
    assert not [line for line in p.lines if line["event"] == "reloaded"]


def test_a_stop_while_the_ledger_is_locked_ends_and_the_next_start_takes_it_up(daemon, tmp_path):
    """Another process holds the ledger: the daemon ends in bounded time, and its run is continued afterwards."""
    p = daemon(long(tmp_path, patience="1s")).ready()
    run_id = p.trigger("long")["run_id"]
    p.logged("attempt_started")
    thief = sqlite3.connect(p.state / "ledger.db", isolation_level=None)
    thief.execute("BEGIN IMMEDIATE")
    try:
        assert p.stop(40) == 0
    finally:
        thief.execute("ROLLBACK")
        thief.close()
    (tmp_path / "flag").unlink()
    again = daemon(tmp_path / "jobs.yaml").ready()
    again.logged("run_succeeded", run_id=run_id)


def test_a_taken_port_refuses_the_start_and_lets_the_folder_go(daemon, tmp_path):
    """Exit code 1, the address in the log, and the state folder free for the next start."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        p = daemon(long(tmp_path), listen=f"127.0.0.1:{port}")
        assert p.process.wait(20) == 1
        assert str(port) in p.logged("start_refused")["reason"]
        assert not (p.state / "token").exists()
    daemon(tmp_path / "jobs.yaml").ready()


def test_a_file_that_is_gone_refuses_the_reload_and_the_next_one_is_heard(daemon, tmp_path):
    """SIGHUP without a file, or with one that is not text: told, the old stays; the reload after that is taken."""
    text = long(tmp_path)
    p = daemon(text).ready()
    (tmp_path / "jobs.yaml").unlink()
    p.signal(signal.SIGHUP)
    p.logged("reload_refused")
    (tmp_path / "jobs.yaml").write_bytes(b"\xff\xfe\x00jobs")
    seen = len(p.lines)
    p.signal(signal.SIGHUP)
    p.logged("reload_refused", after=seen)
    (tmp_path / "jobs.yaml").write_text(text)
    p.signal(signal.SIGHUP)
    p.logged("reloaded")
