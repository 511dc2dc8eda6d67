"""Completion in a real bash on a terminal, of the names that an API gave its jobs."""

import os
import pty
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from config.definitions import CommandRun, JobDefinition
from scheduler.model import Actor, By

NAME = "Weekly Audit's $1 ätt"


@pytest.fixture
def bash(house, tmp_path):
    """A bash with jobsd's completion beside a daemon with the job `NAME`: (text typed) -> the words it had then."""
    house.dispatcher.decode = lambda _origin, source, _configuration: JobDefinition(
        name=source["name"], run=CommandRun(argv=("true",))
    )
    house.call(house.service.control.create("ccs", {"name": NAME}, Actor("alice", By.API)))
    binary = Path(sys.executable).parent / "jobsd"
    script = subprocess.run([binary, "completion", "bash"], check=True, capture_output=True, text=True).stdout
    (tmp_path / "rc").write_text(f"{script}\nbind 'set enable-bracketed-paste off'\nPS1='ready> '\n")
    out = tmp_path / "words"
    out.write_text("")

    def complete(typed):
        main, side = pty.openpty()
        environment = {
            "PATH": f"{binary.parent}:/usr/bin:/bin",
            "JOBSD_URL": house.url,
            "LC_ALL": "C.UTF-8",
            "TERM": "dumb",
        }
        argv = [shutil.which("bash"), "--noprofile", "--rcfile", tmp_path / "rc", "-i"]
        shell = subprocess.Popen(
            argv, stdin=side, stdout=side, stderr=side, env=environment, cwd=tmp_path, start_new_session=True
        )
        os.close(side)
        try:
            wait_for(main, "ready> ")
            # the completed words are looked at, not run: the line becomes a printf's by going to its beginning
            os.write(main, typed.encode() + b"\t")
            wait_for(main, "ätt")
            os.write(main, b"\x01printf '%s\\n' > words \x05\n")
            deadline = time.monotonic() + 15
            while not out.read_text().endswith("\n"):
                assert time.monotonic() < deadline
                time.sleep(0.02)
        finally:
            shell.kill()
            shell.wait()
            os.close(main)
        return out.read_text().splitlines()

    return complete


def wait_for(terminal, text):
    """Read the terminal until `text` has come; a bell says that the daemon was too slow for it: TAB again."""
    shown, deadline = b"", time.monotonic() + 30
    while text.encode() not in shown:
        assert time.monotonic() < deadline, shown
        if select.select([terminal], [], [], 0.5)[0]:
            got = os.read(terminal, 4096)
            shown += got
            if b"\a" in got:
                os.write(terminal, b"\t")


@pytest.mark.parametrize("typed", ["jobsd coverage W", 'jobsd coverage "Weekly A', "jobsd runs --job W"])
def test_bash_quotes_the_names_that_it_completes(bash, typed):
    """One word comes of it, whatever the name is made of and whichever quote was begun."""
    assert bash(typed)[-1] == NAME
