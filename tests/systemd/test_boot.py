"""jobsd.service, as it is shipped, under a real systemd: start, reload, watchdog and stop."""

import json
import shutil
from pathlib import Path

import pytest

pytestmark = pytest.mark.acceptance

CONFIGURATION = """version: 1
settings: {stop_timeout: 1s, kill_after: 1s}
jobs:
  - name: long
    schedule: {cron: "0 0 1 1 *"}
    run: {command: {argv: [/bin/sleep, "3600"]}}
"""
EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
ANOTHER_JOB = """  - name: another
    schedule: {daily: {every: 1}}
    run: {command: {argv: [/bin/true]}}
"""


@pytest.fixture
def machine(boot, tmp_path):
    """A booted machine with this configuration; `overrides` is a drop-in's [Service] section."""

    def start(overrides="", example=None):
        tree = tmp_path / "tree"
        folder = tree / "etc/jobsd"
        if example:
            shutil.copytree(example.parent, folder, ignore=shutil.ignore_patterns("__pycache__"))
            (folder / example.name).rename(folder / "jobsd.yaml")
        else:
            folder.mkdir(parents=True)
            (folder / "jobsd.yaml").write_text(CONFIGURATION)
        if overrides:
            drop_in = tree / "etc/systemd/system/jobsd.service.d"
            drop_in.mkdir(parents=True)
            (drop_in / "test.conf").write_text(f"[Service]\n{overrides}\n")
        machine = boot(tree)
        machine.run("chgrp", "-R", "jobsd", "/etc/jobsd")
        machine.wait("READY", lambda: machine.show("ActiveState") == "active")
        return machine

    return start


def jobs(machine) -> set[str]:
    """The jobs that the daemon has, asked by the command line as root."""
    listed = json.loads(machine.run("/opt/jobsd/.venv/bin/jobsd", "jobs", "--json"))
    return {one["job"] if "job" in one else one["name"] for one in listed}


def write(machine, text: str) -> None:
    """Replace the configuration."""
    machine.run("sh", "-c", f"cat >/etc/jobsd/jobsd.yaml <<'END'\n{text}END")


def test_start_reload_and_stop(machine):
    """READY comes, folders are private, a reload swaps or refuses whole files, a stop ends children and succeeds."""
    here = machine()
    assert here.run("stat", "-c", "%a %U", "/var/lib/jobsd").strip() == "700 jobsd"
    assert here.show("StatusText")
    assert jobs(here) == {"long"}

    write(here, CONFIGURATION + ANOTHER_JOB)
    here.run("systemctl", "reload", "jobsd")
    here.wait("the new job", lambda: jobs(here) == {"long", "another"})

    write(here, CONFIGURATION.replace("cron:", "corn:"))
    here.run("systemctl", "reload", "jobsd")
    here.wait("the refusal", lambda: "jobsd.yaml:5" in here.journal())
    here.wait("the old state", lambda: here.show("ActiveState") == "active")
    assert jobs(here) == {"long", "another"}

    here.run("/opt/jobsd/.venv/bin/jobsd", "trigger", "long")
    here.wait("the child", lambda: "sleep" in here.run("ps", "-eo", "comm"))
    here.run("systemctl", "stop", "jobsd")
    assert here.show("ActiveState") == "inactive", here.journal()
    assert here.show("Result") == "success"
    assert "sleep" not in here.run("ps", "-eo", "comm")
    assert "Traceback" not in here.journal()


def test_stuck_daemon_is_restarted(machine):
    """A daemon that is alive but does nothing is killed by the watchdog and started again."""
    here = machine("WatchdogSec=3s\nRestartSec=100ms")
    stuck = here.show("MainPID")
    here.run("kill", "-STOP", stuck)
    here.wait("the restart", lambda: here.show("NRestarts") == "1" and here.show("ActiveState") == "active", 30)
    assert here.show("MainPID") != stuck
    assert "Watchdog timeout" in here.journal()
    assert jobs(here) == {"long"}


def test_faulty_configuration_does_not_start(machine):
    """The check before the start refuses a faulty file: the daemon is not started on it, the journal names the line."""
    here = machine("RestartSec=100ms")
    here.run("systemctl", "stop", "jobsd")
    write(here, CONFIGURATION.replace("version: 1", "version: 2"))
    here.run("systemctl", "start", "jobsd", check=False)
    assert here.show("ActiveState") in {"failed", "activating"}
    assert "jobsd.yaml:1" in here.journal()
    write(here, CONFIGURATION)
    here.wait("the start on the mended file", lambda: here.show("ActiveState") == "active")


@pytest.mark.parametrize(
    ("example", "job", "assets"),
    [("quickstart.yaml", "host-compliance", 7), ("openscap/openscap.yaml", "openscap-host", 1)],
)
def test_examples_run_as_installed(machine, example, job, assets):
    """Under the unit as shipped an example's collection succeeds, with a result of every standard for every asset."""
    if job == "openscap-host" and shutil.which("oscap") is None:
        pytest.skip("oscap is not installed (Debian: openscap-scanner)")
    here = machine(example=EXAMPLES / example)
    here.run("/opt/jobsd/.venv/bin/jobsd", "trigger", job)

    def last() -> dict:
        return json.loads(here.run("/opt/jobsd/.venv/bin/jobsd", "runs", "--job", job, "--json"))[0]

    here.wait("the end of the run", lambda: last()["state"] not in {"pending", "running"})
    assert last()["state"] == "succeeded", last()
    assert last()["assets"]["done"] == assets
    shown = json.loads(here.run("/opt/jobsd/.venv/bin/jobsd", "show", last()["run_id"], "--json"))
    for asset in shown["asset_list"]:
        assert len({one["standard"] for one in asset["results"]}) == 2, asset
    verdicts = {one["result"] for asset in shown["asset_list"] for one in asset["results"]}
    assert {"pass", "unknown"} <= verdicts  # /etc/shadow is closed to the unit's user
    assert "error" not in verdicts
