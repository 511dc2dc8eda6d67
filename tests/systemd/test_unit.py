"""jobsd.service and its drop-in as systemd itself reads them, without a machine being booted."""

import re
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from config.definitions import Settings

EXPOSURE = 25  # tenths: systemd calls up to 4.9 "OK", an ordinary service has 9.6
UNITS = {"s": 1, "min": 60}


@pytest.fixture
def rendered(unit, tmp_path):
    """A copy of the unit with a program and a user that exist on this machine, as systemd-analyze demands."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed here")
    text = unit.path.read_text().replace("/opt/jobsd/.venv/bin/jobsd", str(Path(sys.executable).resolve()))
    text = re.sub(r"^(User|Group)=jobsd$", r"\1=daemon", text, flags=re.MULTILINE)
    copy = tmp_path / "jobsd.service"
    copy.write_text(text)
    return copy


def analyze(*arguments: object) -> subprocess.CompletedProcess:
    """Run systemd-analyze; its output and exit code."""
    argv = ["systemd-analyze", *map(str, arguments)]
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)


def test_unit_verifies(rendered):
    """systemd-analyze verify has nothing to say about the unit."""
    done = analyze("verify", "--man=no", rendered)
    # What it says about the machine's other units is not ours.
    complaints = [line for line in done.stderr.splitlines() if "jobsd" in line]
    assert (done.returncode, complaints) == (0, [])


def test_drop_in_verifies(rendered, drop_in):
    """The unit with every line of the drop-in in force, the commented ones too, still verifies."""
    folder = rendered.with_name("jobsd.service.d")
    folder.mkdir()
    lines = re.sub(r"^#(?=\w+=)", "", drop_in.path.read_text(), flags=re.MULTILINE)
    assert lines.count("\nCapabilityBoundingSet=") > 1
    (folder / "all.conf").write_text(lines)
    done = analyze("verify", "--man=no", rendered)
    complaints = [line for line in done.stderr.splitlines() if "jobsd" in line]
    assert (done.returncode, complaints) == (0, [])


def test_exposure_is_low(rendered):
    """Systemd's own measure of the sandbox stays at 2.5 or below, of 10."""
    done = analyze("security", "--offline=yes", f"--threshold={EXPOSURE}", "--no-pager", rendered)
    if "nrecognized option" in done.stderr:
        pytest.skip("this systemd-analyze is too old for security --offline")
    assert done.returncode == 0, done.stdout.splitlines()[-1]


def test_unit_is_for_systemd_252(unit):
    """Nothing that systemd 252 does not know: notify and a HUP instead of notify-reload, no steps of restarts."""
    assert unit.one("Service", "Type") == "notify"
    assert unit.one("Service", "NotifyAccess") == "main"
    assert unit.one("Service", "ExecReload") == "/bin/kill -HUP $MAINPID"
    assert not unit.all("Service", "RestartSteps")


def test_stop_leaves_time_for_children(unit):
    """TERM goes to the daemon alone, and systemd waits longer than the daemon's default stop takes."""
    assert unit.one("Service", "KillMode") == "mixed"
    settings = Settings()
    assert seconds(unit.one("Service", "TimeoutStopSec")) > settings.stop_timeout + settings.kill_after


def test_stuck_or_failed_daemon_is_restarted(unit):
    """The watchdog is armed, a failure restarts the daemon after a pause and without end."""
    assert seconds(unit.one("Service", "WatchdogSec")) >= timedelta(seconds=30)
    assert unit.one("Service", "Restart") == "on-failure"
    assert seconds(unit.one("Service", "RestartSec")) >= timedelta(seconds=5)
    assert unit.one("Unit", "StartLimitIntervalSec") == "0"
    assert unit.one("Service", "OOMPolicy") == "continue"


def test_folders_are_private(unit):
    """State and run-time folders are for the daemon's user only; its configuration is not its own to change."""
    assert unit.one("Service", "User") == "jobsd"
    assert unit.one("Service", "StateDirectory") == "jobsd"
    assert unit.one("Service", "StateDirectoryMode") == "0700"
    assert unit.one("Service", "RuntimeDirectoryMode") == "0700"
    assert unit.one("Service", "ConfigurationDirectoryMode") == "0750"
    assert unit.one("Service", "UMask") == "0077"
    assert "PYTHONSAFEPATH=1" in unit.one("Service", "Environment").split()


def test_drop_in_grants_one_need_as_shipped(drop_in):
    """The drop-in as it stands lets read all files and nothing else; the rest is there to be chosen."""
    assert drop_in.all("Service", "CapabilityBoundingSet") == ["CAP_DAC_READ_SEARCH"]
    assert drop_in.all("Service", "AmbientCapabilities") == ["CAP_DAC_READ_SEARCH"]
    assert not drop_in.all("Service", "NoNewPrivileges")
    assert not drop_in.all("Service", "ProtectHome")


def seconds(text: str) -> timedelta:
    """`90s`, `2min` as a duration."""
    number, word = re.fullmatch(r"(\d+)(s|min)", text).groups()
    return timedelta(seconds=int(number) * UNITS[word])


def test_installation_guide_agrees(unit, drop_in):
    """What docs/install.md says of times, paths and modes is what the unit has."""
    guide = (unit.path.parent / "docs/install.md").read_text()
    assert f"Stuck for {unit.one('Service', 'WatchdogSec').removesuffix('s')} s" in guide
    assert f"{unit.one('Service', 'RestartSec').removesuffix('s')} s after any failure" in guide
    assert f"`TimeoutStopSec` ({unit.one('Service', 'TimeoutStopSec').removesuffix('min')} min)" in guide
    assert f"`stop_timeout` ({Settings().stop_timeout.total_seconds():.0f} s)" in guide
    assert f"`kill_after` ({Settings().kill_after.total_seconds():.0f} s)" in guide
    assert f"`/var/lib/{unit.one('Service', 'StateDirectory')}` | jobsd 0700" in guide
    assert unit.one("Service", "ExecStart").split()[0] in guide
    assert f"jobsd.service.d/{drop_in.path.name}" in guide
