"""Recovery: what attempts of a dead daemon left running."""

import os
import signal
import subprocess
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

import pytest

from runners.local.environment import make_folder
from runners.local.leftovers import end_leftovers

DAEMON = """
import asyncio, sys
from datetime import datetime, timedelta, UTC
from pathlib import Path
from config.definitions import CommandRun, Configuration, JobDefinition, Settings
from runners.api import Execution, Stop
from runners.registry import Runners

class Clock:
    async def sleep(self, delay): await asyncio.sleep(delay.total_seconds())

run = CommandRun(argv=("/bin/sh", "-c", sys.argv[3]))
folder = Path(sys.argv[1])
async def main():
    await Runners({}).runner_for(run).execute(Execution(
        job=JobDefinition(name="j", run=run), configuration=Configuration(folder=folder, settings=Settings(), jobs={}),
        run_id="r", attempt=1, token=sys.argv[2], fire_time=datetime.now(UTC), deadline=None, assets=(), has_assets=False,
        folder=folder, stop=Stop(), report=None, data=None, clock=Clock(),
        rerun=False, told=0, memory=None, job_memory=None))
asyncio.run(main())
"""


@pytest.fixture
async def crashed(lab, until_true, carriers_of):
    """A daemon killed by -9 in the middle of a command; called with the command's script, gives its pids."""

    async def crash(script, count):
        argv = [sys.executable, "-c", DAEMON, lab.output, lab.token, script]
        environment = os.environ | {"TMPDIR": tempfile.gettempdir()}
        daemon = subprocess.Popen(argv, env=environment)
        log = lab.output / "output.log"
        await until_true(lambda: log.exists() and len(log.read_text().split()) == count)
        daemon.send_signal(signal.SIGKILL)
        daemon.wait()
        return [int(pid) for pid in log.read_text().split()]

    return crash


async def test_groups_of_dead_attempts_are_ended(lab, crashed, is_living, carriers_of):
    """After kill -9 of the daemon, its children are found by their token and ended, escaped and stubborn ones too."""
    script = "echo $$; (trap '' TERM; echo $$ >&2; sleep 600) & setsid sh -c 'echo $$; exec sleep 600' & wait; sleep 600"
    pids = await crashed(script, 3)
    assert any(map(is_living, pids))
    assert len(list((lab.folder / "tmp").iterdir())) == 1
    ended = await end_leftovers({lab.token, "other"}, kill_after=timedelta(milliseconds=300), clock=lab.clock)
    assert ended >= 3
    assert not any(map(is_living, pids))
    assert carriers_of(lab.token) == []


async def test_children_that_cleared_their_environment_go_with_their_parents(lab, crashed, is_living):
    """A descendant without the token is found by its ancestry, as long as an ancestor carries it."""
    pids = await crashed("env -i setsid sh -c 'echo $$; exec /bin/sleep 600' & echo $$; wait; sleep 600", 2)
    await end_leftovers([lab.token], kill_after=timedelta(seconds=10), clock=lab.clock)
    assert not any(map(is_living, pids))


async def test_nothing_of_other_tokens_is_touched(lab, is_living):
    """Processes of attempts that still live, and of nobody, are left alone."""
    child = subprocess.Popen(["/bin/sleep", "600"], env={"JOBSD_ATTEMPT": f"{lab.token}2"}, start_new_session=True)
    try:
        assert await end_leftovers([lab.token], kill_after=timedelta(seconds=10), clock=lab.clock) == 0
        assert await end_leftovers([], kill_after=timedelta(seconds=10), clock=lab.clock) == 0
        assert is_living(child.pid)
    finally:
        child.kill()
        child.wait()


async def test_their_folders_are_removed(lab):
    """The working folders of dead attempts go, those of others stay."""
    mine, other = make_folder(lab.token, None), make_folder("other", None)
    await end_leftovers([lab.token], kill_after=timedelta(seconds=10), clock=lab.clock)
    assert not mine.exists()
    assert Path(other).exists()
    other.rmdir()
