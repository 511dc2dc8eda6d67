"""The whole of what a child started ends with it. That nothing is left is checked after every test."""

import asyncio
import ctypes
import gc
import os
import resource
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import timedelta

import pytest

from config.definitions import CommandRun
from runners.api import Ended, Outcome, StopReason
from runners.local import orphans, proc, process
from runners.local.ending import Cause, Ending
from runners.local.family import Family
from runners.local.looks import look_now
from runners.local.output import Log, Share
from runners.registry import Runners

SHORT = timedelta(milliseconds=300)


def sh(script, **keys):
    """A command that is a shell script."""
    return CommandRun(argv=("/bin/sh", "-c", script), **keys)


async def stopped(lab, run, until_true, children, **settings):
    """Run until `children` pids stand in the log, then stop."""
    running = asyncio.ensure_future(lab.run(run, **settings))
    await until_true(lambda: (lab.output / "output.log").exists() and len(lab.log.split()) == children, "pids")
    lab.stop.request(StopReason.CANCEL)
    return await running, [int(pid) for pid in lab.log.split()]


async def test_term_comes_first(lab, until_true):
    """A command that answers TERM ends by its own means, long before `kill_after`."""
    script = "trap 'echo asked; exit 0' TERM; echo 1; while :; do sleep 0.05; done"
    running = asyncio.ensure_future(lab.run(sh(script), kill_after=timedelta(hours=1)))
    await until_true(lambda: (lab.output / "output.log").exists() and lab.log)
    lab.stop.request(StopReason.CANCEL)
    outcome = await running
    assert outcome.ended is Ended.STOPPED
    assert lab.log.endswith("asked\n")


async def test_a_family_that_ignores_term_is_killed(lab, until_true, is_living):
    """Forked children that ignore TERM are killed with their parent `kill_after` later."""
    script = (
        "trap '' TERM; for i in 1 2 3; do sh -c 'trap \"\" TERM; echo $$; while :; do sleep 1; done' & done; wait"
    )
    outcome, pids = await stopped(lab, sh(script), until_true, 3, kill_after=SHORT)
    assert outcome.ended is Ended.STOPPED
    assert not any(map(is_living, pids))


async def test_kill_after_is_of_the_daemons_clock(lab, manual, until_true, is_living):
    """KILL comes when `kill_after` of the daemon's clock has passed, not before."""
    lab.clock = manual
    running = asyncio.ensure_future(lab.run(sh("trap '' TERM; echo $$; while :; do sleep 0.1; done")))
    await until_true(lambda: (lab.output / "output.log").exists() and lab.log)
    lab.stop.request(StopReason.CANCEL)
    await until_true(lambda: manual.sleeping(timedelta(seconds=10)), "the wait for kill_after")
    manual.advance(timedelta(seconds=9))
    await asyncio.sleep(0.1)
    assert is_living(int(lab.log))
    manual.advance(timedelta(seconds=1))
    assert (await running).ended is Ended.STOPPED
    assert not is_living(int(lab.log))


@pytest.mark.parametrize("escape", ["setsid", "env -i setsid", "env -i setsid setsid -f"])
async def test_a_process_that_left_the_group_is_ended(lab, until_true, is_living, escape):
    """A child that left group and session is found by its environment, or as a descendant if it cleared that."""
    script = (
        f"{escape} /bin/sh -c 'trap \"\" TERM; echo $$; while :; do /bin/sleep 1; done' & echo $$; wait; sleep 600"
    )
    outcome, pids = await stopped(lab, sh(script), until_true, 2, kill_after=SHORT)
    assert outcome.ended is Ended.STOPPED
    assert not any(map(is_living, pids))


@pytest.mark.parametrize("escape", ["", "setsid", "env -i setsid", "cd /; env -i setsid"])
async def test_what_a_child_leaves_behind_is_ended(lab, is_living, escape):
    """A command that ends by itself succeeds, and what it left in the background is ended, wherever it went."""
    started = time.monotonic()
    outcome = await lab.run(
        sh(f"{escape} /bin/sh -c 'echo $$; exec /bin/sleep 600' & while ! kill -0 $!; do :; done; sleep 0.2")
    )
    assert outcome.ended is Ended.COMPLETED
    assert lab.log.strip()
    assert not is_living(int(lab.log))
    assert time.monotonic() - started < 8


async def test_a_leftover_that_holds_stdout_does_not_hang_us(lab, is_living):
    """A background process that keeps the output open, and ignores TERM, holds nothing up beyond `kill_after`."""
    script = "(trap '' TERM; echo $$; while :; do sleep 0.1; done) & sleep 0.2"
    assert (await asyncio.wait_for(lab.run(sh(script), kill_after=SHORT), 10)).ended is Ended.COMPLETED


async def test_others_work_is_left_alone(lab, tmp_path, until_true, is_living):
    """Ending one command touches no process of another, its orphans included, and none of somebody else's children."""
    other = tmp_path / "other"
    other.mkdir()
    first = asyncio.ensure_future(
        lab.run(sh(f"echo begun; while ! [ -e {other}/go ]; do sleep 0.02; done; setsid sleep 600 & exit 0"))
    )
    await until_true(lambda: (lab.output / "output.log").exists() and lab.log)
    mine = subprocess.Popen(["/bin/sleep", "600"])
    foreign = subprocess.Popen(["/bin/sleep", "600"], start_new_session=True)
    run = sh("cd /; env -i setsid sleep 600 & echo $!; (env -i setsid sh -c 'echo $$; exec sleep 600' &); wait")
    execution = replace(lab.execution(run), token="another", folder=other)
    beside = asyncio.ensure_future(Runners({}).runner_for(run).execute(execution))
    await until_true(
        lambda: (other / "output.log").exists() and len((other / "output.log").read_text().split()) == 2
    )
    pids = [int(pid) for pid in (other / "output.log").read_text().split()]
    (other / "go").touch()
    try:
        assert (await first).ended is Ended.COMPLETED
        assert list(map(is_living, [*pids, mine.pid, foreign.pid])) == [True] * 4
    finally:
        lab.stop.request(StopReason.CANCEL)
        await beside
        for child in (mine, foreign):
            child.kill()
            child.wait()
    assert not any(map(is_living, pids))


async def test_an_end_of_its_own_counts_before_a_stop(lab, until_true):
    """A child that has ended as the stop arrives has done its work: the stop did not end it."""
    ending, log = Ending(), Log(lab.output / "log")
    share = Share(log, 100)
    program = process.Program(argv=("/bin/sh", "-c", "sleep 0.3; exit 1"), token=lab.token)
    patience = process.Patience(lab.clock, timedelta(0))
    running = asyncio.ensure_future(
        process.run(program, stdout=share.stream(), stderr=share.stream(), ending=ending, patience=patience)
    )
    await until_true(lambda: running.done() or orphans._book.started)
    (pid,) = orphans._book.started
    while (found := proc.entry(pid)) and not found.dead:
        time.sleep(0.01)
    ending.request(Cause.STOP)
    assert await running == process.Exited(1)
    log.close()


async def test_one_that_leaves_its_group_meanwhile_is_signalled(tmp_path, until_true, is_living):
    """A process that calls setsid between the look and the signal gets the signal in its new group."""
    script = """import os, sys, time
if os.fork():
    time.sleep(600)
open(sys.argv[1] + "/forked", "w").write(str(os.getpid()))
while not os.path.exists(sys.argv[1] + "/go"): time.sleep(0.01)
os.setsid()
open(sys.argv[1] + "/left", "w").close()
time.sleep(600)"""
    child = subprocess.Popen([sys.executable, "-c", script, tmp_path], start_new_session=True)
    try:
        await until_true(lambda: (tmp_path / "forked").exists() and (tmp_path / "forked").read_text())
        family = Family(child.pid, [])
        members = family.living(look_now())
        assert len(members) == 2
        (tmp_path / "go").touch()
        await until_true((tmp_path / "left").exists)
        family.signal(members, signal.SIGTERM)
        await until_true(lambda: not any(map(is_living, members)))
    finally:
        child.kill()
        child.wait()


async def test_without_descriptors_it_may_be_tried_again(lab):
    """Where no more files can be opened, the attempt fails with that reason, and again may help."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    highest = max(int(name) for name in os.listdir("/proc/self/fd"))
    filling = [os.open(os.devnull, os.O_RDONLY) for _ in range(highest + 1)]
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(filling) + 4, limits[1]))
        outcome = await lab.run(sh("true"))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        for file in filling:
            os.close(file)
    assert outcome == Outcome(Ended.FAILED, "'/bin/sh' cannot be started: Too many open files", retryable=True)


async def test_cancellation_ends_everything(lab, until_true, is_living):
    """Cancelling an execution's task leaves no process behind."""
    running = asyncio.ensure_future(lab.run(sh("setsid sleep 600 & echo $!; echo $$; wait; sleep 600")))
    await until_true(lambda: (lab.output / "output.log").exists() and len(lab.log.split()) == 2)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert not any(is_living(int(pid)) for pid in lab.log.split())


async def test_a_second_cancellation_kills_at_once(lab, until_true, is_living):
    """Cancelled again while it waits for `kill_after`, an execution kills without waiting."""
    script = "trap '' TERM; echo $$; while :; do sleep 0.1; done"
    running = asyncio.ensure_future(lab.run(sh(script), kill_after=timedelta(hours=1)))
    await until_true(lambda: (lab.output / "output.log").exists() and lab.log)
    running.cancel()
    await asyncio.sleep(0.3)
    assert is_living(int(lab.log))
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await until_true(lambda: not is_living(int(lab.log)))
    await until_true(lambda: orphans.sweep() == 0 and not orphans._book.abandoned)


async def test_without_a_subreaper(lab, is_living):
    """Where orphans go to init, what left group and session is still found by its environment."""
    ctypes.CDLL(None).prctl(36, 0, 0, 0, 0)
    orphans._book.subreaper = False
    assert (await lab.run(sh("sleep 0.1; setsid sleep 600 & echo $!; exit 0"))).ended is Ended.COMPLETED
    assert not is_living(int(lab.log))


async def test_without_a_subreaper_no_child_is_taken_for_an_orphan(lab, until_true, is_living):
    """Where nothing is adopted, a child that other code started meanwhile is never taken for ours."""
    ctypes.CDLL(None).prctl(36, 0, 0, 0, 0)
    orphans._book.subreaper = False
    running = asyncio.ensure_future(lab.run(sh("echo begun; sleep 0.3")))
    await until_true(lambda: (lab.output / "output.log").exists() and lab.log)
    foreign = subprocess.Popen(["/bin/sleep", "600"], start_new_session=True, env={})
    try:
        await running
        assert is_living(foreign.pid)
    finally:
        foreign.kill()
        foreign.wait()


async def test_orphans_that_end_by_themselves_are_waited_for(lab, until_true):
    """An orphan's zombie goes away in time, and children of others are left to them."""
    foreign = subprocess.Popen(["/bin/true"])
    theirs = await asyncio.create_subprocess_exec("/bin/sh", "-c", "sleep 0.5; exit 9", start_new_session=True)
    await lab.run(sh("(setsid sh -c 'sleep 0.2' &) ; sleep 1"))
    await until_true(lambda: orphans.sweep() or not _strange_zombies(foreign.pid))
    assert foreign.wait() == 0
    assert await theirs.wait() == 9


async def test_a_sweep_leaves_the_dead_of_others_to_them(until_true):
    """A child of somebody else who has not waited for it yet is not waited for in his place."""
    child = subprocess.Popen(["/bin/sh", "-c", "exit 7"], start_new_session=True)
    await until_true(lambda: (found := proc.entry(child.pid)) and found.dead)
    assert orphans.sweep() == 0
    assert orphans.sweep() == 0
    assert child.wait() == 7


def _strange_zombies(*known):
    entries = [proc.entry(pid) for pid in proc.children() or () if pid not in known]
    return [one for one in entries if one and one.dead and one.session != os.getsid(0)]


async def test_many_children_one_after_the_other(lab):
    """Short commands leak no descriptor and no process."""
    await lab.run(sh("true"))
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        await lab.run(sh("cat", stdin="x"))
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) == before
    assert orphans._book.started == {}


def test_the_table_reads_awkward_names(tmp_path):
    """A process whose name holds spaces and parentheses is read rightly."""
    program = tmp_path / "a) R (b c"
    program.symlink_to("/bin/sleep")
    child = subprocess.Popen([program, "600"], start_new_session=True)
    try:
        found = proc.entry(child.pid)
        assert found is not None
        assert (found.parent, found.group, found.session) == (os.getpid(), child.pid, child.pid)
        assert not found.dead
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
    assert proc.entry(child.pid) is None
