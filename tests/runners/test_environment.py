"""What a child is given, and what never reaches it."""

import json
import os

import pytest

from config.definitions import Collector, CollectRun, CommandRun
from runners.api import AssetRef
from runners.local.environment import remove_folder

SHOW = """import json, os, sys
print(json.dumps({"env": dict(os.environ), "cwd": os.getcwd(), "files": os.listdir("."), "umask": os.umask(0),
    "fds": sorted(int(fd) for fd in os.listdir("/proc/self/fd") if os.path.exists("/proc/self/fd/" + fd)),
    "sid": os.getsid(0) == os.getpid() == os.getpgrp(), "argv": sys.argv[1:]}))"""


@pytest.fixture
def daemon_environment(monkeypatch):
    """The environment of a daemon under systemd, full of what is not for children."""
    for name in list(os.environ):
        if name.startswith("LC_"):
            monkeypatch.delenv(name)
    secret = (
        "CREDENTIALS_DIRECTORY",
        "NOTIFY_SOCKET",
        "WATCHDOG_USEC",
        "WATCHDOG_PID",
        "JOBSD_TOKEN",
        "PYTHONPATH",
    )
    for name in (*secret, "LISTEN_FDS", "INVOCATION_ID", "LD_PRELOAD_X", "STATE_DIRECTORY"):
        monkeypatch.setenv(name, "secret")
    monkeypatch.setenv("LC_TIME", "C")
    monkeypatch.setenv("TZ", "Europe/Berlin")
    monkeypatch.setenv("TMPDIR", "/elsewhere")


async def test_a_command_gets_the_allowed_names_only(lab, daemon_environment):
    """Nothing of the daemon's environment passes but the allowed names; the definition's and ours are added.

    Rule: child-processes
    """
    run = CommandRun(argv=(lab.python("show.py", SHOW),), env={"MODE": "full", "JOBSD_ATTEMPT": "forged"})
    await lab.run(run)
    shown = json.loads(lab.log)
    env = shown["env"]
    env.pop("LC_CTYPE", None)  # set by Python itself where the locale is C
    assert env.keys() - {"HOME", "LANG", "USER", "LOGNAME"} == {
        "PATH", "LC_TIME", "TZ", "TMPDIR", "MODE", "JOBSD_JOB", "JOBSD_RUN_ID", "JOBSD_ATTEMPT",
    }  # fmt: skip
    assert env["JOBSD_ATTEMPT"] == lab.token
    assert (env["JOBSD_JOB"], env["JOBSD_RUN_ID"], env["TZ"]) == ("weekly-linux", "5d3f0b0e-run", "Europe/Berlin")


async def test_a_fresh_folder_and_nothing_else_open(lab, daemon_environment):
    """A child starts in an empty folder of its own, which goes with it, with umask 077, three files and a session.

    Rule: child-processes
    """
    await lab.run(CommandRun(argv=(lab.python("show.py", SHOW),)))
    shown = json.loads(lab.log)
    assert shown["cwd"] == shown["env"]["TMPDIR"]
    assert (shown["files"], shown["umask"], shown["fds"], shown["sid"]) == ([], 0o077, [0, 1, 2], True)
    assert lab.token not in shown["cwd"]
    assert not os.path.exists(shown["cwd"])


async def test_a_collector_knows_its_asset(lab, daemon_environment):
    """A collector has its asset in argument, environment and on stdin, whatever the id holds.

    Rule: protocol
    """
    asset = AssetRef("a b'; $(rm) {standard}/ü\n", "linux")
    show = lab.python("show.py", SHOW + "\nprint(sys.stdin.read())")
    collector = Collector(collect=(show, "{asset.id}", "{asset.type}:{job}:{run_id}", "{standard}"))
    await lab.run(CollectRun(type="CollectionJob"), (asset,), {"linux": collector})
    shown, stdin = (lab.data.newest_of[asset].path.read_text()).splitlines()
    assert json.loads(shown)["argv"] == [asset.id, "linux:weekly-linux:5d3f0b0e-run", "{standard}"]
    assert json.loads(shown)["env"]["JOBSD_ASSET"] == asset.id
    assert json.loads(shown)["env"]["JOBSD_ASSET_TYPE"] == "linux"
    assert json.loads(stdin) == {"id": asset.id, "type": "linux"}


async def test_folders_that_forbid_it_are_removed(lab):
    """What a child leaves in its folder goes, folders without permissions included."""
    await lab.run(CommandRun(argv=("/bin/sh", "-c", "mkdir -p a/b; touch a/b/c; chmod 0 a/b a")))


def test_removing_what_is_gone_is_no_error(tmp_path):
    """A folder that the child removed itself is fine."""
    remove_folder(tmp_path / "gone")
