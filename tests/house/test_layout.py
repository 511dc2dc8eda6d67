"""The house: four packages of the owner's layout at the root, owned by nobody else."""

import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("jobsd", "scheduler", "runners", "config", "recurrence")


def test_no_other_distribution_owns_our_names():
    """The packages' common names are safe only in a venv where nobody else uses them."""
    owners = packages_distributions()
    for name in PACKAGES:
        assert set(owners.get(name, ["jobsd"])) == {"jobsd"}


def test_our_packages_are_the_ones_imported():
    """From any folder, the names mean this checkout's packages."""
    code = "import recurrence, config, runners, scheduler, jobsd; print(*[m.__path__[0] for m in (recurrence, config, runners, scheduler, jobsd)])"
    said = subprocess.run(
        [sys.executable, "-P", "-c", code], cwd="/", capture_output=True, text=True, check=True
    ).stdout.split()
    assert [Path(path) for path in said] == [
        ROOT / n for n in ("recurrence", "config", "runners", "scheduler", "jobsd")
    ]


def test_the_lock_is_hashed_and_names_no_registry():
    """Every requirement has hashes; no address of a package index is committed."""
    text = (ROOT / "requirements.lock").read_text()
    names = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
    assert all(line.endswith("\\") for line in names)
    assert "://" not in text


def test_recurrence_imports_nothing_but_the_standard_library():
    """Without trigger and cron, the package needs only the standard library and zone data."""
    code = (
        "import sys, recurrence; "
        "bad = {'sqlalchemy', 'apscheduler', 'structlog', 'pydantic', 'yaml', 'httpx', 'asyncio'} & set(sys.modules); "
        "print(sorted(bad))"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert said == "[]\n"
