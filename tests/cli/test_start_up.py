"""The command as a whole: what it loads, how it helps, how it ends."""

import importlib
import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import click
import pytest

from jobsd.cli.app import DAEMON, OFFLINE

TABLE = OFFLINE | DAEMON
HEAVY = ("fastapi", "sqlalchemy", "rich", "httpx", "uvicorn", "config", "yaml", "pydantic", "apscheduler")
ACTS = {"run", "rehearse", "hash-password", "completion", "import", "db"}

LOADED = """
import sys
from jobsd.cli import main
try:
    main()
except SystemExit as ended:
    print(ended.code, [name for name in {heavy!r} if name in sys.modules], file=sys.stderr)
"""

EVERY_MINUTE = (
    "  - {name: x, schedule: {start: 2026-01-01T00:00:00, interval: 1m}, run: {command: {argv: ['true']}}}\n"
)


def loaded(*arguments, heavy=HEAVY):
    program = [sys.executable, "-c", LOADED.format(heavy=heavy), *map(str, arguments)]
    return subprocess.run(program, capture_output=True, text=True, check=True).stderr.strip()


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["completion", "zsh"]])
def test_help_loads_nothing_heavy(arguments):
    """No command is imported for the list of commands."""
    assert loaded(*arguments) == "0 []"


def test_an_offline_command_loads_neither_server_nor_client_nor_rich(jobs_yaml):
    """What is asked of a file alone needs no HTTP, no database, no drawing."""
    heavy = ("fastapi", "sqlalchemy", "rich", "httpx", "uvicorn")
    assert loaded("next", "-c", jobs_yaml(EVERY_MINUTE), heavy=heavy) == "0 []"


def test_help_of_a_running_command_does_not_load_the_daemon():
    """`jobsd run --help` is fast too."""
    assert loaded("run", "--help", heavy=("fastapi", "sqlalchemy", "uvicorn", "apscheduler")) == "0 []"


@pytest.mark.parametrize("name", TABLE)
def test_every_command_is_there_with_help_and_an_example(name, jobsd):
    """The table of the lazy group names real commands; each help text ends in an example of that command."""
    module, attribute = TABLE[name][0].split(":")
    command = getattr(importlib.import_module(module), attribute)
    assert command.name == name
    help_text = jobsd(name, "--help").stdout
    assert "Example:" in help_text
    assert f"jobsd {name}" in help_text.split("Example:")[1]
    if name not in ACTS:
        assert "--json" in help_text


def test_the_sections_of_the_help_name_every_command(jobsd):
    """With one line of help each, none cut off at 80 columns."""
    text = jobsd("--help").stdout
    for name, (_, line) in TABLE.items():
        assert any(row.split()[0] == name and row.endswith(line) for row in text.splitlines() if row.strip()), name


@pytest.mark.parametrize(("wrong", "right"), [("nxt", "next"), ("simulat", "simulate"), ("tigger", "trigger")])
def test_an_unknown_command_suggests_the_near_miss(wrong, right, jobsd):
    """Exit code 2, as for every wrong usage."""
    assert f"Did you mean '{right}'" in jobsd(wrong, exit_code=2).stderr


@pytest.mark.parametrize("wrong", ["here", "127.0.0.1:", "127.0.0.1:99999"])
def test_run_refuses_an_address_that_is_none(wrong, jobsd, jobs_yaml):
    """Exit code 2 and nothing started; port 99999 is not taken for 34463."""
    found = jobsd("run", "-c", jobs_yaml(EVERY_MINUTE), "--listen", wrong, exit_code=2)
    assert f"'{wrong}' is not HOST:PORT; write 127.0.0.1:8642" in found.stderr
    assert not Path(".jobsd").exists()


def test_an_unknown_option_is_wrong_usage(jobsd):
    """Exit code 2, on standard error."""
    found = jobsd("next", "--jsn", exit_code=2)
    assert "--json" in found.stderr
    assert not found.stdout


def test_a_reader_that_goes_away_is_no_fault_to_talk_about(process, jobs_yaml):
    """`jobsd next … | head -1` says nothing on standard error."""
    one = process("next", "-c", jobs_yaml(EVERY_MINUTE), "-n", "200000", "--json")
    assert one.stdout.readline() == "[\n"
    one.stdout.close()
    assert one.stderr.read() == ""
    assert one.wait(20) == 1


@pytest.mark.parametrize("arguments", [["schema"], ["next", "-n", "9", "-c"], ["next", "--json", "-c"]])
def test_an_output_that_cannot_be_written_is_told_in_one_line(arguments, process, jobs_yaml):
    """A full disk behind standard output: exit code 1, no trace of Python's."""
    files = [jobs_yaml(EVERY_MINUTE)] if arguments[-1] == "-c" else []
    with Path("/dev/full").open("w") as full:
        one = process(*arguments, *files, stdout=full)
        assert one.communicate(timeout=20)[1] == "the output cannot be written: No space left on device\n"
    assert one.returncode == 1


def test_a_closed_standard_output_is_no_fault(jobs_yaml):
    """`jobsd next >&-` says nothing, as with /dev/null."""
    line = 'exec "$0" -m jobsd next -c "$1" >&-'
    argv = ["/bin/sh", "-c", line, sys.executable, jobs_yaml(EVERY_MINUTE)]
    found = subprocess.run(argv, stderr=subprocess.PIPE, text=True, timeout=20, check=False)
    assert (found.returncode, found.stderr) == (0, "")


def test_an_interrupt_is_quiet_and_exits_130(process, jobs_yaml):
    """Ctrl-C leaves no trace of Python's."""
    one = process("next", "-c", jobs_yaml(EVERY_MINUTE), "-n", "2000000", "--json")
    assert one.stdout.readline() == "[\n"
    one.send_signal(signal.SIGINT)
    _, told = one.communicate(timeout=20)
    assert one.returncode == 130
    assert told.strip() == ""


def on_terminal(process, *arguments, **environment):
    """What a command prints on a terminal."""
    ours, theirs = pty.openpty()
    one = process(*arguments, stdout=theirs, stderr=theirs, env={"TERM": "xterm", "COLUMNS": "80"} | environment)
    os.close(theirs)
    told = b""
    try:
        while piece := os.read(ours, 65536):
            told += piece
    except OSError:  # Linux's word for the end of a terminal
        pass
    finally:
        os.close(ours)
    one.wait(20)
    return told.decode()


def test_colours_are_for_terminals_without_no_color(process, jobs_yaml):
    """Headings are grey on a terminal; NO_COLOR and a pipe have plain text."""
    path = jobs_yaml(EVERY_MINUTE)
    assert "\x1b[90mLOCAL" in on_terminal(process, "next", "-c", path, "-n", "1")
    assert "\x1b" not in on_terminal(process, "next", "-c", path, "-n", "1", NO_COLOR="1")
    assert "\x1b" not in process("next", "-c", path, "-n", "1").communicate()[0]


def test_long_work_shows_a_bar_on_a_terminal_only(process, jobs_yaml):
    """Two months of minutes take long enough for one; standard output has no trace of it."""
    arguments = [
        "simulate",
        "-c",
        jobs_yaml(EVERY_MINUTE),
        "--from",
        "2027-01-01",
        "--to",
        "2027-03-01",
        "--summary",
    ]
    assert "simulating" in on_terminal(process, *arguments)
    out, err = process(*arguments).communicate()
    assert "simulating" not in out + err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_the_shell_s_script(shell, jobsd):
    """The script asks the program itself."""
    assert f"{shell}_complete" in jobsd("completion", shell).stdout


def completed(process, words):
    environment = {
        "_JOBSD_COMPLETE": "bash_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split(" ")) - 1),
    }
    return process(env=environment).communicate()[0].split()


def test_names_of_jobs_complete_from_the_file(process, jobs_yaml):
    """Commands, and names of the jobs in the file given by -c; a faulty file completes to nothing."""
    assert "plain,simulate" in completed(process, "jobsd sim")
    path = jobs_yaml(EVERY_MINUTE + EVERY_MINUTE.replace("x,", "yellow,"))
    assert completed(process, f"jobsd next -c {path} y") == ["plain,yellow"]
    path.write_text("jobs: [")
    assert completed(process, f"jobsd next -c {path} y") == []


def test_the_group_is_what_click_expects():
    """Other tools (documentation, tests) can walk the commands."""
    app = importlib.import_module("jobsd.cli.app").app
    context = click.Context(app)
    assert [name for name in app.list_commands(context) if app.get_command(context, name)] == list(TABLE)
    assert json.dumps(app.to_info_dict(context)["commands"]["next"]["name"]) == '"next"'
