"""Disks that are full or read-only, and a ledger that another process holds: said, survived, caught up."""

import contextlib
import os
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

import pytest

TICK = """
version: 1
jobs:
  - name: tick
    schedule: {{interval: 1s}}
    run: {{command: {{argv: [/bin/sh, -c, 'echo x >> {ticks}']}}}}
  - name: once
    run: {{command: {{argv: [/bin/sh, -c, 'head -c 300000 /dev/zero | tr "\\0" x']}}}}
"""


def mounted(*argv):
    """Run a mount; where this host refuses mounts to us, the test says so and is skipped."""
    done = subprocess.run(argv, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"NOT TESTED: this host refuses `{' '.join(map(str, argv))}`: {done.stderr.strip()}")


@pytest.fixture
def mount(request):
    """A function that mounts something on a folder; all is unmounted when everything else has ended."""
    if os.geteuid():
        pytest.skip("NOT TESTED: only root mounts file systems")
    with contextlib.ExitStack() as held:

        def mount(folder, *options):
            folder.mkdir(parents=True, exist_ok=True)
            mounted("mount", *options, folder)
            held.callback(subprocess.run, ["umount", "--lazy", folder], check=True)
            return folder

        yield mount


@pytest.fixture
def small(mount, tmp_path):
    """A function that mounts a small disk in memory on a folder of the test."""
    return lambda name, size="1m": mount(tmp_path / name, "-t", "tmpfs", "-o", f"size={size}", "tmpfs")


@pytest.fixture
def disk_daemon(mount, daemon):
    """`daemon`, ended before anything is unmounted."""
    return daemon


def fill(folder):
    """Take all the room of a disk; returns the file that has it."""
    hog = folder / "hog"
    with hog.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(b"x" * 4096):
            pass
    return hog


def unready(p):
    """What /readyz says is wrong; None while nothing is."""
    answer = p.get("/readyz")
    return None if answer.status_code == 200 else " ".join(answer.json()["reasons"])


def starts(p, begin):
    """How many attempts the log tells of from its line `begin` on."""
    return sum(line["event"] == "attempt_started" for line in p.lines[begin:])


def test_a_full_disk_of_the_ledger_is_survived(disk_daemon, small, tmp_path):
    """Nothing starts that is not on the disk; the log and /readyz say so; with room again, what was due is caught up.

    A start on a disk that is full, or read-only, is refused in words.
    """
    state, ticks = small("state"), tmp_path / "ticks"
    text = TICK.format(ticks=ticks)
    p = disk_daemon(text).ready()
    p.logged("run_succeeded", job="tick")
    hog = fill(state)
    assert "full" in p.logged("ledger_not_writable")["reason"]
    assert "cannot be written: no run starts" in p.until(lambda: unready(p))
    seen = len(p.lines)
    time.sleep(2.2)  # fire times pass
    assert starts(p, seen) == 0
    with p.client() as client:
        assert client.post("/v1/jobs/once/trigger").status_code == 503
    hog.unlink()
    p.logged("ledger_writable_again", after=seen)
    p.logged("run_succeeded", after=seen, job="tick")
    assert unready(p) is None
    fired = [run for run in p.runs("tick") if run["kind"] == "fire"]
    first, last = (time_of(run) for run in (fired[0], fired[-1]))
    assert sum(run["occurrences"] for run in fired) == round(last - first) + 1
    assert {run["state"] for run in fired[:-1]} == {"succeeded", "missed"}
    p.kill()
    hog = fill(state)
    refused(disk_daemon(text), "full", "No space")
    hog.unlink()
    mounted("mount", "-o", "remount,ro", state)
    refused(disk_daemon(text), "Read-only file system")


def refused(p, *reasons):
    """See that a daemon did not start, and said why in its log."""
    assert p.process.wait(20) == 1
    reason = p.logged("start_refused", 5)["reason"]
    assert any(word in reason for word in reasons), reason
    assert "[SQL" not in reason
    assert "Traceback" not in p.stderr


def time_of(run):
    """The last fire time that a run's row stands for, in seconds."""
    return datetime.fromisoformat(run["last_fire_time"] or run["fire_time"]).timestamp()


def test_output_that_has_no_room_is_said_in_the_run_s_reason(disk_daemon, small, tmp_path):
    """The command did its work and its output is not whole; no room for a folder is a failure, in words."""
    small("state", "16m")
    output = small("state/output", "128k,nr_inodes=16")
    ticks = tmp_path / "ticks"
    p = disk_daemon(TICK.format(ticks=ticks).replace("interval: 1s", "interval: 1h")).ready()
    run = p.trigger("once")
    line = p.logged("run_succeeded", job="once")
    assert line["reason"] == "its output could not be kept whole: No space left on device"
    assert p.logged("output_lost", run_id=run["run_id"])["reason"] == "No space left on device"
    hog = fill(output)
    with contextlib.suppress(OSError):  # no room for a folder either
        for number in range(16):
            (output / f"file-{number}").touch()
    run = p.trigger("once")
    line = p.logged("run_failed", run_id=run["run_id"])
    assert line["reason"].startswith("its output cannot be kept: No space left on device (")
    assert not [line for line in p.lines if line["event"] == "runner_raised"]
    hog.unlink()
    for path in output.glob("file-*"):
        path.unlink()
    p.trigger("tick")
    p.logged("run_succeeded", job="tick")
    assert p.stop() == 0


THIEF = """
import sqlite3, sys
ledger = sqlite3.connect(sys.argv[1], isolation_level=None)
ledger.execute("BEGIN IMMEDIATE")
print("mine", flush=True)
sys.stdin.read()
"""


def test_a_ledger_that_is_held_or_turns_read_only_is_told(disk_daemon, mount, tmp_path):
    """Another process that holds it is waited for, and what was due is caught up.

    A disk that turns read-only under open files, as ext4 does after an error: nothing starts, and SIGTERM ends it.
    """
    image = tmp_path / "image"
    with image.open("wb") as file:
        file.truncate(16 * 1024 * 1024)
    mounted("mkfs.ext4", "-q", "-F", image)
    state = mount(tmp_path / "state", "-o", "loop,errors=remount-ro", image)
    p = disk_daemon(TICK.format(ticks=tmp_path / "ticks")).ready()
    p.logged("run_succeeded", job="tick")
    argv = [sys.executable, "-c", THIEF, p.state / "ledger.db"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as thief:
        assert thief.stdout.readline() == "mine\n"
        assert "locked" in p.logged("ledger_not_writable")["reason"]
        assert "cannot be written" in p.until(lambda: unready(p))
        seen = len(p.lines)
    p.logged("ledger_writable_again", after=seen)
    p.logged("run_succeeded", after=seen, job="tick")
    assert {run["state"] for run in p.runs("tick")[:-1]} == {"succeeded", "missed"}
    (device,) = [line.split()[0] for line in Path("/proc/mounts").read_text().splitlines() if f" {state} " in line]
    seen = len(p.lines)
    Path(f"/sys/fs/ext4/{Path(device).name}/trigger_fs_error").write_text("a test\n")
    p.logged("ledger_not_writable", after=seen)
    assert "cannot be written" in p.until(lambda: unready(p))
    seen = len(p.lines)
    time.sleep(1.2)  # a fire time passes
    assert starts(p, seen) == 0
    assert p.stop() == 0
