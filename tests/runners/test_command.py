"""`run.command`, with real programs."""

import asyncio
import json
import os
from datetime import timedelta

import pytest

from config.definitions import CommandRun
from runners.api import Ended, Outcome, StopReason


def sh(script, **keys):
    """A command that is a shell script."""
    return CommandRun(argv=("/bin/sh", "-c", script), **keys)


async def test_success_keeps_both_streams_in_one_log(lab):
    """What a command prints on either stream is in output.log, and exit code 0 completes it."""
    outcome = await lab.run(sh("echo out; echo err >&2"))
    assert outcome == Outcome(Ended.COMPLETED, exit_code=0)
    assert sorted(lab.log.splitlines()) == ["err", "out"]
    assert (lab.output / "output.log").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("script", "reason", "code"),
    [
        ("echo first >&2; echo 'no route to host' >&2; echo out; exit 3", "exit code 3: no route to host", 3),
        ("exit 7", "exit code 7", 7),
        ("kill -SEGV $$", "killed by SIGSEGV", None),
        (r"printf 'tab\there \033[1mbold\377' >&2; exit 1", "exit code 1: tab?here ?[1mbold\ufffd", 1),
    ],
)
async def test_failure_says_how_and_the_last_it_said(lab, script, reason, code):
    """An exit code that is no success, or a signal, fails the attempt with the last line of stderr; again may help."""
    assert await lab.run(sh(script)) == Outcome(Ended.FAILED, reason, retryable=True, exit_code=code)


async def test_other_exit_codes_may_be_success(lab):
    """`success` names the exit codes that complete a command."""
    assert await lab.run(sh("exit 4", success=(0, 4))) == Outcome(Ended.COMPLETED, exit_code=4)


@pytest.mark.parametrize(
    ("argv", "reason"),
    [
        (("jobsd-no-such-program",), "'jobsd-no-such-program' cannot be started: No such file or directory"),
        (("./missing.sh",), "cannot be started: No such file or directory"),
        (("./plain.txt",), "cannot be started: Permission denied"),
        (("./garbage",), "cannot be started: Exec format error"),
        (
            ("./alien.sh",),
            "alien.sh' cannot be started: the interpreter that its first line names is not on this host",
        ),
        (("/bin/echo", "a\0b"), "'/bin/echo' cannot be started: embedded null byte"),
    ],
)
async def test_what_cannot_be_started_is_said_plainly(lab, argv, reason):
    """A program that is missing, or cannot be executed, fails the attempt; trying again would not help."""
    (lab.folder / "plain.txt").write_text("echo no")
    (lab.folder / "plain.txt").chmod(0o600)
    (lab.folder / "garbage").write_text("\1\2\3")
    (lab.folder / "garbage").chmod(0o700)
    (lab.folder / "alien.sh").write_text("#!/no/such/interpreter\n")
    (lab.folder / "alien.sh").chmod(0o700)
    outcome = await lab.run(CommandRun(argv=argv))
    assert (outcome.ended, outcome.retryable) == (Ended.FAILED, False)
    assert reason in outcome.reason


async def test_a_relative_program_is_found_beside_the_yaml(lab):
    """A program with a slash resolves from the configuration's folder, whatever the working folder.

    Rule: child-processes
    """
    name = lab.script("bin.sh", "echo here")
    assert (await lab.run(CommandRun(argv=(name,)))).ended is Ended.COMPLETED
    assert lab.log == "here\n"


async def test_placeholders_stay_inside_their_argument(lab):
    """Placeholders are replaced within an argument, once; a value is never split, and other braces stay.

    Rule: child-processes
    """
    name = lab.python("show.py", "import json, sys; print(json.dumps(sys.argv[1:]))")
    argv = (name, "{job} and {run_id}", "{attempt}", "{fire_time}", "{asset.id}", "{print $1}", "{folder}")
    await lab.run(CommandRun(argv=argv))
    assert json.loads(lab.log) == [
        "weekly-linux and 5d3f0b0e-run",
        "2",
        "2026-11-22T12:00:00+00:00",
        "{asset.id}",
        "{print $1}",
        str(lab.folder),
    ]


async def test_stdin_is_fed(lab):
    """The text of `stdin` arrives whole, and then its end."""
    await lab.run(sh("wc -c", stdin="é" * 500_000))
    assert lab.log.strip() == "1000000"


@pytest.mark.parametrize("script", ["exit 0", "exec 0<&-; echo closed"])
async def test_a_child_need_not_read_its_stdin(lab, script):
    """A command that never reads, or closes its stdin, is no error however much there was."""
    assert (await lab.run(sh(script, stdin="x" * 3_000_000))).ended is Ended.COMPLETED


async def test_without_stdin_there_is_its_end(lab):
    """A command that reads without being given anything does not wait."""
    assert (await lab.run(sh("cat"))).ended is Ended.COMPLETED


async def test_time_out(lab, manual, until_true, carriers_of):
    """At its time-out, by the daemon's clock, a command is ended and failed; again may help."""
    lab.clock = manual
    running = asyncio.ensure_future(lab.run(sh("sleep 600", timeout=timedelta(hours=1))))
    await until_true(lambda: carriers_of(lab.token))
    manual.advance(timedelta(minutes=59))
    assert not running.done()
    manual.advance(timedelta(minutes=1))
    assert await running == Outcome(Ended.FAILED, "timed out after 1h", retryable=True)


async def test_stop(lab, until_true, carriers_of):
    """A stop ends a command and says why it was asked for."""
    running = asyncio.ensure_future(lab.run(sh("sleep 600")))
    await until_true(lambda: carriers_of(lab.token))
    lab.stop.request(StopReason.WINDOW_END)
    assert await running == Outcome(Ended.STOPPED, "stopped: the run window is over")


async def test_a_stop_before_the_start_starts_nothing(lab):
    """Asked to stop beforehand, a command is never started."""
    lab.stop.request(StopReason.SHUTDOWN)
    assert (await lab.run(sh("touch $JOBSD_JOB; echo started"))).ended is Ended.STOPPED
    assert lab.log == ""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become somebody else")
async def test_run_as(lab, monkeypatch):
    """`run_as` changes user, group, groups, HOME and USER, and the working folder is that user's own.

    Rule: child-processes
    """
    monkeypatch.setattr("tempfile.tempdir", "/tmp")
    script = 'id -u; id -g; id -G; echo $HOME $USER $LOGNAME; touch "$TMPDIR/mine" && stat -c %a . && pwd'
    outcome = await lab.run(sh(script, run_as="nobody"))
    lines = lab.log.splitlines()
    assert outcome.ended is Ended.COMPLETED, lab.log
    assert lines[:4] == ["65534", "65534", "65534", "/nonexistent nobody nobody"]
    assert lines[4] == "700"
    assert not os.path.exists(lines[5])


async def test_run_as_nobody_known(lab):
    """A user that this host does not have fails the attempt for good."""
    outcome = await lab.run(sh("true", run_as="no-such-user"))
    assert outcome == Outcome(Ended.FAILED, "there is no user 'no-such-user' on this host (run_as)")
