"""A forked daemon is a process like one that was started by its command line."""

import os
import signal

import pytest

JOBS = """
version: 1
jobs:
  - name: a
    schedule: {daily: , at: "02:00"}
    run: {command: {argv: ["true"]}}
"""


def test_a_forked_command_line_has_its_own_everything(fork_server, tmp_path):
    """Arguments, folder, environment, outputs and exit code are its own."""
    (tmp_path / "jobs.yaml").write_text(JOBS)
    process = fork_server.start("check", "jobs.yaml", cwd=tmp_path, env={"PATH": os.environ["PATH"]})
    assert process.wait(30) == 0
    assert "1 job, valid" in process.stdout.read()
    assert process.stderr.read() == ""
    process.stdout.close()
    process.stderr.close()
    refused = fork_server.start("run", "-c", "no-such.yaml", cwd=tmp_path, env={"PATH": os.environ["PATH"]})
    assert refused.wait(30) == 1
    assert "no-such.yaml" in refused.stderr.read()
    refused.stdout.close()
    refused.stderr.close()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGKILL, -signal.SIGKILL)])
def test_a_forked_daemon_is_signalled_like_any_other(fork_server, tmp_path, alive, number, code):
    """It leads a session of its own, ends in order on SIGTERM, and at once on SIGKILL."""
    (tmp_path / "jobs.yaml").write_text(JOBS)
    argv = ("run", "-c", "jobs.yaml", "--state-dir", "state", "--listen", "127.0.0.1:0")
    process = fork_server.start(*argv, cwd=tmp_path, env={"PATH": os.environ["PATH"]})
    assert any("daemon_ready" in line for line in iter(process.stdout.readline, ""))
    assert os.getsid(process.pid) == process.pid
    assert process.poll() is None
    process.send_signal(number)
    assert process.wait(30) == code
    assert not alive(process.pid)
    process.stdout.close()
    process.stderr.close()
