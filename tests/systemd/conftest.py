"""A booted throw-away systemd with jobsd.service in it, and the unit file as values."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGES = ("recurrence", "config", "runners", "scheduler", "jobsd")
HIDDEN = ("/root/", "/home/", "/run/user/", "/tmp/", "/var/tmp/")  # what the unit's sandbox hides


class Unit:
    """A unit file: `unit.all("Service", "Environment")`, `unit.one("Service", "Type")`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lines: list[tuple[str, str, str]] = []
        section = ""
        for line in path.read_text().splitlines():
            if heading := re.fullmatch(r"\[(\w+)\]", line):
                section = heading[1]
            elif line and not line.startswith("#"):
                key, _, value = line.partition("=")
                self._lines.append((section, key, value))

    def all(self, section: str, key: str) -> list[str]:
        """Every value of a key, in order."""
        return [value for one, name, value in self._lines if (one, name) == (section, key)]

    def one(self, section: str, key: str) -> str:
        """The only value of a key."""
        (value,) = self.all(section, key)
        return value


@dataclass
class Machine:
    """A booted machine: commands run in it, and conditions are waited for."""

    leader: int

    def run(self, *argv: str, check: bool = True) -> str:
        """Run a command in the machine; its stdout."""
        enter = ["nsenter", "--target", str(self.leader), "-m", "-p", "-n", "-u", "-i", "-C"]
        done = subprocess.run([*enter, *argv], capture_output=True, text=True, check=False, timeout=60)
        assert not check or done.returncode == 0, (argv, done.stdout, done.stderr)
        return done.stdout

    def booted(self) -> bool:
        """Whether every unit has been started, or has failed to."""
        state = self.run("systemctl", "is-system-running", check=False).strip()
        return state in {"running", "degraded"}

    def show(self, name: str) -> str:
        """A property of jobsd.service."""
        return self.run("systemctl", "show", "--value", "--property", name, "jobsd.service").strip()

    def journal(self, unit: str = "jobsd.service") -> str:
        """What the unit has logged."""
        return self.run("journalctl", "--quiet", "--output", "cat", "--unit", unit)

    def wait(self, what: str, condition, seconds: float = 30) -> None:
        """Wait until a condition holds; fails with the journal."""
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"{what} did not come within {seconds} s\n{self.journal()}"
            time.sleep(0.1)


@pytest.fixture(scope="session")
def unit() -> Unit:
    """jobsd.service."""
    return Unit(REPOSITORY / "jobsd.service")


@pytest.fixture(scope="session")
def drop_in() -> Unit:
    """The drop-in for hosts whose commands need more."""
    return Unit(REPOSITORY / "jobsd.service.d" / "commands-need-more.conf")


@pytest.fixture(scope="session")
def system_python() -> str:
    """A Python of this version that the sandbox does not hide, and that every user may run."""
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for folder in (Path(sys.base_prefix, "bin"), Path("/usr/bin"), Path("/usr/local/bin")):
        python = (folder / name).resolve()
        if python.exists() and not str(python).startswith(HIDDEN):
            return str(python)
    pytest.skip(f"no {name} outside of home folders: the unit's sandbox hides this one")


@pytest.fixture
def boot(tmp_path, system_python):
    """Boot a machine with the unit as it is shipped; `boot(tree)` takes files to lay over its root."""
    refuse_where_impossible()
    running: list[subprocess.Popen] = []

    def start(tree: Path) -> Machine:
        lay_out(tree, system_python)
        work = tmp_path / "work"
        work.mkdir()
        script = Path(__file__).with_name("boot.sh")
        binds = [f"{REPOSITORY / package}:/opt/jobsd/src/{package}" for package in PACKAGES]
        site = next(path for path in sys.path if path.endswith("site-packages"))
        binds.append(f"{site}:/opt/jobsd/.venv/lib/python3.{sys.version_info.minor}/site-packages")
        process = subprocess.Popen(["bash", script, work, tree, *binds], stdout=subprocess.PIPE, text=True)
        running.append(process)
        leader = process.stdout.readline().split()[1]
        assert leader != "none", "the machine ended before it had begun"
        machine = Machine(int(leader))
        machine.wait("the end of the boot", machine.booted)
        return machine

    yield start
    for process in running:
        process.terminate()
        process.communicate(timeout=30)


def refuse_where_impossible() -> None:
    """Skip, with the reason, where a machine cannot be booted."""
    if os.geteuid() != 0:
        pytest.skip("booting a systemd needs root")
    for program in ("unshare", "nsenter", "journalctl", "/lib/systemd/systemd"):
        if shutil.which(program) is None:
            pytest.skip(f"booting a systemd needs {program}")
    hierarchy = Path("/sys/fs/cgroup/unified")
    hierarchy = hierarchy if hierarchy.is_dir() else hierarchy.parent
    if not (hierarchy / "cgroup.procs").exists() or not os.access(hierarchy, os.W_OK):
        pytest.skip("booting a systemd needs a writable cgroup v2 hierarchy")
    tried = subprocess.run(
        ["unshare", "-m", "-p", "-f", "-n", "-u", "-i", "-C", "true"], capture_output=True, text=True, check=False
    )
    if tried.returncode:
        pytest.skip(f"namespaces are not allowed here: {tried.stderr.strip()}")


def lay_out(tree: Path, python: str) -> None:
    """Put the unit, its user, and an installation in /opt/jobsd into the tree."""
    units = tree / "etc/systemd/system"
    units.mkdir(parents=True, exist_ok=True)
    shutil.copy(REPOSITORY / "jobsd.service", units)
    for file, line in (("passwd", "jobsd:x:990:990::/var/lib/jobsd:/usr/sbin/nologin"), ("group", "jobsd:x:990:")):
        known = Path("/etc", file).read_text().splitlines()
        (tree / "etc" / file).write_text("\n".join([*known, line, ""]))
    program = tree / "opt/jobsd/.venv/bin/jobsd"
    program.parent.mkdir(parents=True)
    program.with_name("python").symlink_to(python)
    home = Path(python).parent
    (program.parents[1] / "pyvenv.cfg").write_text(f"home = {home}\ninclude-system-site-packages = false\n")
    program.write_text(
        "#!/opt/jobsd/.venv/bin/python\n"
        'import sys\nsys.path.insert(0, "/opt/jobsd/src")\n'
        "from jobsd.cli import main\nsys.exit(main())\n"
    )
    program.chmod(0o755)
    examples = tree / "opt/jobsd/examples"
    shutil.copytree(REPOSITORY / "examples", examples, ignore=shutil.ignore_patterns("__pycache__"))
    for folder in (tree, *(path for path in tree.rglob("*") if path.is_dir())):
        folder.chmod(0o755)  # tmp_path is private, the machine's root is not
