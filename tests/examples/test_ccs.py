"""examples/ccs.yaml: valid without a remark, and a daemon comes up on it once certificate and secrets are there."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import trustme

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def jobsd(*arguments, **options):
    """Run `jobsd`; returns the finished process."""
    argv = [sys.executable, "-m", "jobsd", *map(str, arguments)]
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False, **options)


def test_the_check_has_nothing_to_remark():
    """No fault, no warning, nothing that is not acted on."""
    found = jobsd("check", "--json", EXAMPLES / "ccs.yaml")
    assert json.loads(found.stdout) == {"valid": True, "jobs": 3, "faults": [], "warnings": []}


@pytest.fixture
def folder(tmp_path):
    """The examples in a folder of their own, with a certificate and the credentials."""
    copy = tmp_path / "examples"
    shutil.copytree(EXAMPLES, copy)
    leaf = trustme.CA().issue_cert("127.0.0.1")
    leaf.private_key_pem.write_to_path(copy / "tls.key")
    leaf.cert_chain_pems[0].write_to_path(copy / "tls.pem")
    (copy / "tls.key").chmod(0o600)
    (tmp_path / "credentials").mkdir()
    for name in ("ccs", "smtp"):
        (tmp_path / "credentials" / name).write_text("secret")
    return tmp_path


def test_a_daemon_comes_up_on_it(folder):
    """Its jobs are armed, its own collection runs to the end, and the doctor finds fault with the made-up hosts only."""
    environment = {
        k: v for k, v in os.environ.items() if k not in ("NOTIFY_SOCKET", "STATE_DIRECTORY", "JOBSD_URL")
    }
    environment |= {"CREDENTIALS_DIRECTORY": str(folder / "credentials")}
    state, file = folder / "state", folder / "examples/ccs.yaml"
    argv = [sys.executable, "-m", "jobsd", "run", "-c", file, "--state-dir", state, "--listen", "127.0.0.1:0"]
    with (folder / "log").open("w") as log:
        daemon = subprocess.Popen(argv, env=environment, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 30
        while not (state / "url").exists():
            assert daemon.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline, (folder / "log").read_text()
            time.sleep(0.05)
        asking = {k: v for k, v in environment.items() if k != "JOBSD_TOKEN"} | {"STATE_DIRECTORY": str(state)}
        jobs = json.loads(jobsd("jobs", "--json", env=asking).stdout)
        assert {job["job"]: job["next_fire_time"] is not None for job in jobs} == {
            "ccs-weekly": True, "ccs-monthly": True, "everything-here": True,
        }  # fmt: skip
        assert jobsd("trigger", "everything-here", "--wait", env=asking).returncode == 0
        told = json.loads(jobsd("doctor", "-c", file, "--state-dir", state, "--json", env=environment).stdout)
        bad = {one["area"] for one in told["findings"] if one["health"] == "fail"} - {"listener"}
        assert bad == {"server", "mail"}, told
    finally:
        daemon.send_signal(signal.SIGTERM)
        assert daemon.wait(30) == 0
