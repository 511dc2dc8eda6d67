"""The quick start as it is shipped: real results within 90 s, as root and as anybody."""

import os
import pwd
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PATHS = [str(ROOT), sysconfig.get_path("purelib")]


def interpreter_of_nobody():
    """An interpreter of this version that an ordinary user may run, with this checkout's packages; None if none."""
    for python in (sys.executable, f"/usr/bin/python3.{sys.version_info.minor}"):
        try:
            done = subprocess.run(
                [python, "-c", "import jobsd.serve, jobsd.http.server"],
                user="nobody",
                group=pwd.getpwnam("nobody").pw_gid,
                extra_groups=[],
                cwd="/",
                env={"PYTHONPATH": os.pathsep.join(PATHS), "PYTHONDONTWRITEBYTECODE": "1"},
                capture_output=True,
            )
        except OSError:
            continue
        if done.returncode == 0:
            return python
    return None


@pytest.mark.timeout(200)
def test_the_first_collection_succeeds_within_90_seconds_of_ready(daemon, tmp_path):
    """Started as whoever runs the tests and, where that is root, as an ordinary user too; results are real."""
    started = [(daemon(ROOT / "examples/quickstart.yaml").ready(), time.monotonic())]
    if os.getuid() == 0:
        python = interpreter_of_nobody()
        assert python is not None, "no Python of this version that an ordinary user may run"
        with tempfile.TemporaryDirectory(prefix="jobsd-nobody-") as folder:
            os.chown(folder, pwd.getpwnam("nobody").pw_uid, pwd.getpwnam("nobody").pw_gid)
            other = daemon(ROOT / "examples/quickstart.yaml", folder=Path(folder), user="nobody", python=python)
            started.append((other.ready(), time.monotonic()))
            for process, since in started:
                check(process, since)
            other.stop()
    else:
        check(*started[0])


def check(process, since):
    """Its first run succeeds in time, and is seen with real results on the command line and in the coverage."""
    process.logged("run_succeeded", 90 - (time.monotonic() - since))
    job = next(job["job"] for job in process.get("/v1/jobs").json() if job["last_run"])
    (run, *_) = process.runs(job)
    assert run["state"] == "succeeded"
    assert run["assets"]["total"] == run["assets"]["done"] >= 5
    assets = process.get(f"/v1/runs/{run['run_id']}/assets").json()
    results = [result for asset in assets for result in asset["results"]]
    assert len(results) >= 20
    assert {result["result"] for result in results} >= {"pass"}
    assert any("/etc/shadow" in result["message"] for result in results)
    env = {"JOBSD_URL": (process.state / "url").read_text(), "JOBSD_TOKEN": (process.state / "token").read_text()}
    for command, wanted in ((["runs"], "succeeded"), (["coverage", job], "100")):
        said = subprocess.run(
            [sys.executable, "-m", "jobsd", *command],
            capture_output=True,
            text=True,
            cwd=ROOT,
            env=env | {"PATH": os.environ["PATH"]},
        )
        assert said.returncode == 0, said.stderr
        assert wanted in said.stdout
