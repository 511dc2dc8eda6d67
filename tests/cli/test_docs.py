"""docs/cli.md says what the commands do."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from jobsd.cli.app import DAEMON, OFFLINE

PAGE = (Path(__file__).parents[2] / "docs/cli.md").read_text()
OF_FILES, OF_DAEMON = PAGE.split("## Asking the daemon")
CRONTAB = "# nightly\n0 2 * * * /usr/bin/backup\n"


def blocks(text, kind):
    return re.findall(rf"^```{kind}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def examples(text):
    """Each `$ command` with the lines under it."""
    for block in blocks(text, "console"):
        yield from re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE)


@pytest.fixture
def folder(tmp_path):
    """A folder with the page's file and a crontab."""
    (tmp_path / "jobs.yaml").write_text(blocks(PAGE, "yaml")[0])
    (tmp_path / "tab").write_text(CRONTAB)
    return tmp_path


def shell(command, folder, **environment):
    """Run an example as it stands, `jobsd` being this one."""
    program = f'jobsd() {{ {shlex.quote(sys.executable)} -m jobsd "$@"; }}; {command}'
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        ["/bin/sh", "-c", program], cwd=folder, env=kept | environment, capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize(
    ("command", "output"), [*examples(OF_FILES), *examples(OF_DAEMON.split("## Completion")[1])]
)
def test_an_example_for_a_file_prints_what_the_page_says(command, output, folder):
    """Where the page shows an output it is exact; every example succeeds."""
    if "imported.yaml" in command and "import " not in command:
        (folder / "imported.yaml").write_text(shell("jobsd import crontab tab", folder).stdout)
    found = shell(command, folder)
    assert found.returncode == 0, found.stderr
    assert not output or found.stdout == output


@pytest.mark.acceptance
def test_the_examples_for_the_daemon_succeed(start_daemon, folder):
    """One after the other, on the page's file; RUN is the run of the collection."""
    state = start_daemon(folder / "jobs.yaml")
    environment = {"STATE_DIRECTORY": str(state)}
    run = ""
    for command, _ in examples(OF_DAEMON.split("## Completion")[0]):
        found = shell(command.replace("RUN", run), folder, **environment)
        assert found.returncode == 0, (command, found.stderr)
        if command == "jobsd trigger weekly-linux-compliance":
            runs = json.loads(
                shell("jobsd runs --job weekly-linux-compliance --json", folder, **environment).stdout
            )
            run = runs[0]["run_id"]
    assert (folder / "results.csv").read_text().startswith("job,run_id")


def test_every_command_has_its_place_on_the_page():
    """None is left out."""
    for name in OFFLINE | DAEMON:
        assert re.search(rf"`{name}\b|jobsd {name}\b", PAGE), name
