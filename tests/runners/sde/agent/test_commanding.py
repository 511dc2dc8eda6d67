"""The command of one connection: a real process, its standard input, its end, and what is kept of its words."""

import asyncio
import json
import os
import pwd
import sys
import uuid
from datetime import timedelta

import pytest

from runners.api import StopReason
from runners.sde.commanding import Done, Way

PARAMS = {"alm_pass": "hunter-22", "alm_project": "Größe 100%", "nested": {"a": [1, True, "x"]}, "flag": False}


def sh(body, *arguments):
    """A shell's argv."""
    return "/bin/sh", "-c", body, "sh", *arguments


async def test_ini_on_standard_input(host):
    """A tool that reads an INI finds every param; argv and environment have none of them."""
    done = await host.command_of(host.command(), PARAMS)
    assert done == Done(Way.SUCCEEDED, "", 0)
    (ran,) = host.ran()
    assert ran["params"].pop("nested") == '{"a": [1, true, "x"]}'
    assert ran["params"] == {"alm_pass": "hunter-22", "alm_project": "Größe 100%", "flag": "false"}
    assert ran["argv"] == ["sync_jira", "-I"]
    assert ran["env"]["JOBSD_ATTEMPT"] == host.lab.token
    assert ran["env"]["JOBSD_JOB"] == "weekly-linux"
    assert "hunter" not in json.dumps([ran["argv"], ran["env"]])
    assert host.lab.log == "Synchronizing Größe 100%\nDone - Success\n"


async def test_nothing_secret_is_visible_while_it_runs(host, until_true):
    """No process of it shows a secret in its command line or its environment, and no file has it in its name."""
    hold = host.lab.folder / "hold"
    hold.touch()
    secret = uuid.uuid4().hex
    until = {"act": "hold", "until": str(hold), "alm_pass": secret}

    def look():
        found = [pid for pid in os.listdir("/proc") if pid.isdigit()]
        seen = b""
        for pid in found:
            for name in ("cmdline", "environ"):
                try:
                    with open(f"/proc/{pid}/{name}", "rb") as file:
                        seen += file.read()
                except OSError:
                    continue
        return seen

    work = asyncio.ensure_future(host.command_of(host.command(), {**PARAMS, **until}))
    await until_true(host.ran, "the tool")
    assert secret.encode() not in look()
    assert list(host.lab.folder.rglob(f"*{secret}*")) == []
    hold.unlink()
    assert (await work).way is Way.SUCCEEDED


async def test_json_on_standard_input(host, python):
    """A command that reads JSON gets one object."""
    code = "import json, sys; assert json.load(sys.stdin) == json.loads(sys.argv[1])"
    command = host.command(python, "-c", code, json.dumps(PARAMS), stdin="json")
    assert (await host.command_of(command, PARAMS)).way is Way.SUCCEEDED


async def test_interpolating_reader(host, python):
    """`ini-escaped` is for readers that interpolate."""
    code = (
        "import configparser, sys; c = configparser.ConfigParser(); c.read_file(sys.stdin);"
        "print(c['global']['alm_project']); sys.exit(c['global']['alm_project'] != '50% %(x)s')"
    )
    command = host.command(python, "-X", "utf8", "-c", code, stdin="ini-escaped")
    assert (await host.command_of(command, {"alm_project": "50% %(x)s"})).way is Way.SUCCEEDED


async def test_without_a_form_standard_input_is_empty(host):
    """`stdin: none` gives nothing at all."""
    command = host.command(*sh('test -z "$(cat)"'))
    assert (await host.command_of(command, PARAMS)).way is Way.SUCCEEDED


async def test_params_that_cannot_be_handed_over(host):
    """Nothing is run; the reason names the key and shows no value."""
    done = await host.command_of(host.command(), {"alm_pass": "hunter\r\nadmin = true"})
    assert done.way is Way.FAILED
    assert "'alm_pass'" in done.message
    assert "hunter" not in done.message
    assert not done.retryable
    assert host.ran() == []


async def test_placeholders_of_our_own_only(host):
    """Job, run and connection may stand in arguments; nothing that a server says does."""
    body = 'echo "$@" >&2; exit 1'
    command = host.command(
        *sh(body, "{job}", "{run_id}", "{attempt}", "{connection}", "{kind}", "{alm_pass}", "{alias}")
    )
    done = await host.command_of(command, {"alm_pass": "hunter-22"})
    assert done.message == "weekly-linux 5d3f0b0e-run 2 12 alm {alm_pass} {alias}"


@pytest.mark.parametrize(
    ("body", "way", "message", "code"),
    [
        ("echo a; echo b >&2; exit 3", Way.FAILED, "b", 3),
        ("echo a; exit 3", Way.FAILED, "a", 3),
        ("exit 3", Way.FAILED, "exit code 3", 3),
        ("echo working >&2; kill -9 $$", Way.FAILED, "killed by SIGKILL: working", None),
        ("echo 'Done - Failed: no such project'", Way.FAILED, "no such project", 0),
        ("echo 'Done - Failed: no such project' >&2", Way.FAILED, "no such project", 0),
        ("echo 'Error: x'; echo 'Done - Success'", Way.SUCCEEDED, "Done - Success (1 warning, last: x)", 0),
        ("echo fine >&2", Way.SUCCEEDED, "", 0),
        (
            "printf 'no \\377\\376 text \\033[31mred\\033[0m\\a' >&2; exit 1",
            Way.FAILED,
            "no \\xff\\xfe text red",
            1,
        ),
        ("printf 'no line end' >&2; exit 1", Way.FAILED, "no line end", 1),
        ("exec /nonexistent/x", Way.FAILED, "sh: 1: exec: /nonexistent/x: not found", 127),
    ],
)
async def test_ends(host, body, way, message, code):
    """The verdict on real exits, signals and words."""
    assert await host.command_of(host.command(*sh(body)), {"a": "b"}) == Done(way, message, code)


async def test_other_codes_of_success(host):
    """`success` has the exit codes that count."""
    command = host.command(*sh("exit 4"), success=[0, 4])
    assert await host.command_of(command, {"a": "b"}) == Done(Way.SUCCEEDED, "", 4)


async def test_a_program_that_cannot_be_started(host):
    """The reason says why."""
    done = await host.command_of(host.command("/nonexistent/sde.py"), {"a": "b"})
    assert done == Done(
        Way.FAILED, "'/nonexistent/sde.py' cannot be started: No such file or directory", None, False
    )


async def test_an_account_that_is_not_there(host):
    """`run_as` of an account that this host has not."""
    done = await host.command_of(host.command("/bin/true", run_as="nosuchuser"), {"a": "b"})
    assert (done.way, done.message) == (Way.FAILED, "there is no user 'nosuchuser' on this host (run_as)")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another user")
async def test_another_account(host):
    """`run_as` runs it as that user, who can read its params."""
    for folder in (host.lab.folder, *host.lab.folder.parents):
        if folder.stat().st_uid == os.geteuid() and not folder.stat().st_mode & 0o001:
            folder.chmod(folder.stat().st_mode | 0o011)
    command = host.command(*sh("id -un >&2; cat >&2; echo >&2; id -un >&2; exit 1"), stdin="json", run_as="nobody")
    done = await host.command_of(command, {"a": "b"})
    assert done.message == pwd.getpwnam("nobody").pw_name
    assert '{"a": "b"}' in host.lab.log


async def test_environment_is_an_allow_list(host, monkeypatch):
    """Nothing of the daemon's environment passes but a few names; the command's own `env` is added."""
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "/secret")
    monkeypatch.setenv("SDE_TOKEN", "secret")
    await host.command_of(host.command(env={"SDE_HOME": "/x"}), {"a": "b"})
    (ran,) = host.ran()
    assert ran["env"]["SDE_HOME"] == "/x"
    allowed = {"PATH", "HOME", "LANG", "TZ", "USER", "LOGNAME", "TMPDIR", "SDE_HOME"}
    ours = {"JOBSD_ATTEMPT", "JOBSD_JOB", "JOBSD_RUN_ID"}
    assert {name for name in ran["env"] if not name.startswith("LC_")} <= allowed | ours


async def test_time_limit_ends_the_whole_group(host, carriers_of):
    """After `timeout` all that it started is ended, and the message says how long it had."""
    command = host.command(timeout=timedelta(seconds=0.7))
    done = await host.command_of(command, {"act": "hang"})
    assert done == Done(Way.TIMED_OUT, "timed out after 0.7s")
    assert carriers_of(host.lab.token) == []


async def test_a_stop_ends_it(host, carriers_of, until_true):
    """A stop says nothing about the command's work."""
    work = asyncio.ensure_future(host.command_of(host.command(), {"act": "hang"}))
    await until_true(host.ran, "the tool")
    host.lab.stop.request(StopReason.WINDOW_END)
    assert await work == Done(Way.STOPPED)
    assert carriers_of(host.lab.token) == []


async def test_secrets_are_masked(host):
    """Neither the message nor the log has a secret that the command printed, in whichever spelling."""
    body = "cat; echo 'login of svc with p%40ss/1 failed (cCVAIHNzLzE)' >&2; echo 'with p@ss/1' >&2; exit 1"
    command = host.command(*sh(body), stdin="ini")
    done = await host.command_of(command, {"alm_user": "svc", "alm_pass": "p@ss/1"}, prefix="[alm 12] ")
    assert done.message == "with ***"
    assert host.lab.log == (
        "[alm 12] [global]\n[alm 12] alm_user = svc\n[alm 12] alm_pass = ***\n"
        "[alm 12] login of svc with *** failed (cCVAIHNzLzE)\n[alm 12] with ***\n"
    )


async def test_a_secret_between_escape_sequences(host):
    """What a terminal would show as the secret is masked in the message too."""
    command = host.command(*sh(r"printf 'with hunt\033[1mer-22 not\n' >&2; exit 1"))
    assert (await host.command_of(command, {"alm_pass": "hunter-22"})).message == "with *** not"


async def test_a_long_line_cuts_no_secret(host, python):
    """A line that is too long for one piece has its secrets masked wherever the pieces end."""
    code = "import sys\nfor n in range(300): sys.stdout.write('x' * (n + 131) + 'hunter-22')\nsys.stdout.flush()"
    done = await host.command_of(host.command(python, "-c", code), {"alm_pass": "hunter-22"})
    assert done.way is Way.SUCCEEDED
    assert host.lab.log.count("***") == 300
    assert "hunter" not in host.lab.log.replace("\n", "")


async def test_huge_output_is_bounded(host, python):
    """Only so much is kept in the log, and in memory; the verdict is found at the end of it."""
    host.settings = {"output_limit": 100_000}
    code = (
        "import sys\nfor _ in range(300): sys.stdout.write('line\\n' * 20000); sys.stderr.write('x' * 10000)\n"
        "print('Done - Failed: ' + 'y' * 5000)"
    )
    done = await host.command_of(host.command(python, "-c", code), {"a": "b"})
    assert done.message == "y" * 999 + "…"
    assert done.exit_code == 0
    size = os.stat(host.lab.output / "output.log").st_size
    assert 100_000 <= size < 100_200
    assert "output beyond 100000 bytes is dropped here" in host.lab.log


async def test_a_line_of_failure_across_pieces(host, python):
    """The verdict does not depend on where a long line is cut."""
    code = "import sys\nsys.stdout.write('z' * {0} + ' Done - Failed: why\\n')"
    for before in range(16380, 16460, 16):
        done = await host.command_of(host.command(python, "-c", code.format(before)), {"a": "b"})
        assert done.way is Way.FAILED, before


async def test_output_that_never_ends_a_line(host, python):
    """Lines ended by carriage returns, as progress is shown, are lines."""
    code = "import sys\nsys.stdout.write('\\r'.join(f'{n} %' for n in range(20000)) + '\\rDone - Failed: at the end\\r')"
    done = await host.command_of(host.command(python, "-c", code), {"a": "b"})
    assert done.message == "at the end"


def test_the_interpreter_is_this_one(python):
    """Commands in one line run under the interpreter of the tests."""
    assert python == sys.executable
