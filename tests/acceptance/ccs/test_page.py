"""docs/rehearsal.md: the example works as it stands."""

import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/rehearsal.md").read_text()
PORTS = ("8650", "8651")


def blocks(kind):
    return re.findall(rf"^```{kind}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


@pytest.mark.skipif(shutil.which("curl") is None, reason="the example asks with curl")
def test_the_example_of_the_page(daemon, tmp_path, monkeypatch):
    """Both processes start, the lost answer does no harm, and the requests that came can be read."""
    monkeypatch.setenv("CCS_PASSWORD", "rehearsal")
    ports = dict(zip(PORTS, (free_port(), free_port()), strict=True))

    def placed(text):
        return re.sub("|".join(PORTS), lambda found: ports[found[0]], text)

    for name, text in zip(("stand-in.yaml", "jobs.yaml"), blocks("yaml"), strict=True):
        (tmp_path / name).write_text(placed(text))
    start, *asked = [re.findall(r"^\$ (.*)$", placed(block), re.MULTILINE) for block in blocks("console")]
    started = {}
    for line in start:
        words = shlex.split(line.removeprefix("CCS_PASSWORD=rehearsal "))
        assert words[0] == "jobsd"
        options = dict(zip(words[2::2], words[3::2], strict=True))
        folder = tmp_path / options["--state-dir"]
        folder.mkdir()
        one = daemon(tmp_path / options["-c"], folder=folder, command=words[1], listen=options["--listen"]).ready()
        (folder / "token").symlink_to(one.state / "token")
        (folder / "url").symlink_to(one.state / "url")
        started[words[1]] = one
    told = [shell(line, asked[0][0], tmp_path) for block in asked for line in block]
    assert [run["state"] for run in started["rehearse"].runs()] == ["succeeded"]
    assert [seen["fault"] for seen in json.loads(told[-1])].count("drop_after") == 1
    assert started["rehearse"].runs()[0]["run_id"] in told[-2]


def shell(line, function, folder):
    """What a line prints; `function` is defined beside it."""
    program = f'jobsd() {{ {shlex.quote(sys.executable)} -m jobsd "$@"; }}; {function}; {line}'
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run(
        ["/bin/sh", "-c", program],
        cwd=folder, env=environment | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, (line, done.stdout, done.stderr)
    return done.stdout
