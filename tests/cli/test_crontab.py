"""`jobsd import crontab`: what comes out means what cron did."""

import json
import subprocess
from pathlib import Path

import pytest

import config
from jobsd.cli.crontab import Comment, Entry, Untold, read_crontab

LINES = [
    # line, cron text, command, standard input
    ("0 5 * * 1 tar -zcf /b.tgz /home/", "0 5 * * 1", "tar -zcf /b.tgz /home/", None),
    ("*/10\t*  * * mon-fri\t cd /srv &&  ./x.sh", "*/10 * * * mon-fri", "cd /srv &&  ./x.sh", None),
    ("0 4 8-14 * sun /x # no comment here", "0 4 8-14 * sun", "/x # no comment here", None),
    ("@hourly x", "0 * * * *", "x", None),
    ("@daily x", "0 0 * * *", "x", None),
    ("@midnight x", "0 0 * * *", "x", None),
    ("@weekly x", "0 0 * * 0", "x", None),
    ("@monthly x", "0 0 1 * *", "x", None),
    ("@yearly x", "0 0 1 1 *", "x", None),
    ("@annually x", "0 0 1 1 *", "x", None),
    (r"5 4 * * * date +\%F", "5 4 * * *", "date +%F", None),
    ("5 4 * * * mail bob%Dear Bob,%%bye", "5 4 * * *", "mail bob", "Dear Bob,\n\nbye\n"),
    (r"5 4 * * * cat%100\%%", "5 4 * * *", "cat", "100%\n\n"),
    ("-5 4 * * * quiet", "5 4 * * *", "quiet", None),
    ("0 0 * * 7 x", "0 0 * * 7", "x", None),
]  # fmt: skip


@pytest.mark.parametrize(("line", "cron", "command", "stdin"), LINES)
def test_a_line_becomes_its_time_its_command_and_its_input(line, cron, command, stdin):
    """As crontab(5) reads it: nicknames, percent signs, white space."""
    (entry, *rest) = read_crontab(line, system=False)
    assert isinstance(entry, Entry)
    assert (entry.cron, entry.command, entry.stdin, entry.user) == (cron, command, stdin, None)
    assert rest == []


UNTOLD = [
    ("@reboot x", "@reboot: boot time has no counterpart; a systemd unit has"),
    ("@fortnightly x", "@fortnightly: not a time known here"),
    ("61 * * * * x", "cron text '61 * * * *': Bad minute"),
    ("* * * *", "it is neither a time with a command nor NAME=value"),
    ("* * * * *", "there is no command"),
    ("some words", "it is neither a time with a command nor NAME=value"),
    ("MAILTO=ops@example.com", "MAILTO has no counterpart (output is kept, not mailed"),
    ("START_HOURS_RANGE=3-22", "START_HOURS_RANGE has no counterpart (cron's own)"),
    ("CRON_TZ=Nowhere/Town", "'Nowhere/Town' is no known time zone"),
    ("* * * * * a\udcffb", "it is not UTF-8 text"),
]


@pytest.mark.parametrize(("line", "why"), UNTOLD)
def test_a_line_without_a_counterpart_says_why(line, why):
    """Nothing is dropped silently, nothing is guessed."""
    (untold,) = read_crontab(line, system=False)
    assert isinstance(untold, Untold)
    assert (untold.line, untold.text) == (1, line)
    assert untold.why.startswith(why), untold.why


def test_assignments_hold_for_the_lines_below():
    """SHELL, CRON_TZ and RANDOM_DELAY mean what they mean to cron; other names are the command's environment."""
    text = 'A = "x y"\n* * * * * one\nSHELL=/bin/bash\nCRON_TZ=Europe/Berlin\nA=\'z\'\n"B"=1\nRANDOM_DELAY=6\nMAILTO=""\n* * * * * two\n'
    one, two, _ = (part for part in read_crontab(text, system=False) if not isinstance(part, Untold))
    assert (one.around.env, one.around.shell, one.around.zone, one.around.delay) == (
        {"A": "x y"},
        "/bin/sh",
        None,
        0,
    )
    assert (two.around.env, two.around.shell, two.around.zone, two.around.delay) == (
        {"A": "z", "B": "1"}, "/bin/bash", "Europe/Berlin", 6,
    )  # fmt: skip


def test_the_comment_right_above_describes_a_job():
    """Other comments stay comments: those apart from a job, and jobs that were switched off."""
    text = "# a page\n\n# nightly\n# backup\n0 5 * * * one\n#0 6 * * * off\n0 7 * * * two\n"
    assert [part.comments if isinstance(part, Entry) else part.text for part in read_crontab(text, system=False)] == [
        "a page", "", ("nightly", "backup"), "0 6 * * * off", (), "",
    ]  # fmt: skip


def test_a_system_crontab_names_a_user_before_the_command(jobsd, tmp_path):
    """The user becomes run_as; a group behind it has no counterpart."""
    (tmp_path / "crontab").write_text("17 * * * * root cd / && run-parts /etc/cron.hourly\n@daily www:web x\n")
    found = jobsd("import", "crontab", "crontab", "--system", "--timezone", "UTC")
    (job,) = loaded(found, tmp_path).values()
    assert (job.name, job.run.run_as) == ("run-parts", "root")
    assert job.run.argv == ("/bin/sh", "-c", "cd / && run-parts /etc/cron.hourly")
    assert found.stderr == "crontab:2: not taken over: user 'www:web': a group or login class has no counterpart\n"


def test_etc_crontab_is_known_to_be_a_system_crontab(jobsd):
    """/etc/cron.d too; --user says otherwise."""
    for path in (Path("/etc/crontab"), *Path("/etc/cron.d").glob("[a-z]*")):
        if path.exists():
            text = jobsd("import", "crontab", path).stdout
            assert ("run_as" in text) == ("argv" in text)


def loaded(found, folder):
    (folder / "made.yaml").write_text(found.stdout)
    return config.load(folder / "made.yaml").jobs


NASTY = r"""
SHELL=/bin/bash
WHO="the world"
# quote " and \ and ünïcode 🦀
0 5 * * * printf '\%s|' "$WHO" 'a"b' {job} ${JOBSD_RUN_ID:-none} 100\%
0 5 * * * cat; echo '{folder} {x}'%line one%line two
*/5 1,2 * 1-6 mon FOO=1 sh -c 'echo "$0: 🦀"'
0 6 * * * printf off
1 1 1 1 1 : yes no null 0x1f 1e3
"""


def test_the_yaml_passes_the_check_and_the_commands_print_what_they_did(jobsd, tmp_path):
    """Whatever characters they have: each argv is run and prints what the shell would print under cron."""
    (tmp_path / "tab").write_text(NASTY)
    found = jobsd("import", "crontab", "tab", "--timezone", "Eastern Standard Time")
    assert found.stderr == ""
    jobs = loaded(found, tmp_path)
    assert list(jobs) == ["printf", "cat", "sh", "printf-2", "job"]
    assert jobs["printf"].description == 'quote " and \\ and ünïcode 🦀'
    assert {job.schedule.zone for job in jobs.values()} == {"America/New_York"}
    assert jobsd("check", "made.yaml").stdout.startswith("5 jobs, valid")

    def printed(name):
        run = jobs[name].run
        argv = [part.replace("{job}", "REPLACED").replace("{folder}", "REPLACED") for part in run.argv]
        ran = subprocess.run(argv, input=run.stdin or "", env={"PATH": "/usr/bin:/bin"} | dict(run.env), capture_output=True, text=True, check=True)  # fmt: skip
        return ran.stdout

    assert printed("printf") == 'the world|a"b|{job}|none|100%|'
    assert printed("cat") == "line one\nline two\n{folder} {x}\n"
    assert printed("sh") == "sh: 🦀\n"


def test_what_cron_does_not_do_is_switched_off(jobsd, tmp_path):
    """Cron neither catches up nor keeps runs from overlapping."""
    (tmp_path / "tab").write_text("* * * * * x\n")
    (job,) = loaded(jobsd("import", "crontab", "tab"), tmp_path).values()
    assert (job.overlap, job.catch_up.policy) == ("allow", "none")


def test_untold_lines_are_reported_and_kept_as_comments(jobsd, tmp_path):
    """FILE:LINE on standard error; the rest is printed, exit code 0."""
    (tmp_path / "tab").write_text("@reboot first\n@daily second\nbad line\n")
    found = jobsd("import", "crontab", "tab")
    assert [line.split(": ")[:2] for line in found.stderr.splitlines()] == [
        ["tab:1", "not taken over"],
        ["tab:3", "not taken over"],
    ]
    assert "  # @reboot first\n" in found.stdout
    assert list(loaded(found, tmp_path)) == ["second"]


def test_standard_input_and_an_empty_crontab(jobsd, tmp_path):
    """`crontab -l | jobsd import crontab -`; without jobs the file is valid too."""
    assert list(loaded(jobsd("import", "crontab", "-", input="@daily /usr/bin/x\n"), tmp_path)) == ["x"]
    assert loaded(jobsd("import", "crontab", "-", input="# nothing\n"), tmp_path) == {}


def test_a_crontab_that_cannot_be_read_is_refused(jobsd):
    """By name; an unknown zone is wrong usage."""
    assert jobsd("import", "crontab", "none", exit_code=1).stderr.startswith("none: the file cannot be read")
    assert "Nowhere" in jobsd("import", "crontab", "-", "--timezone", "Nowhere", exit_code=2).stderr


def test_every_comment_is_kept(jobsd, tmp_path):
    """Also one that would break the YAML's lines."""
    (tmp_path / "tab").write_text("# a\x0bb\n\n@daily x\n")
    found = jobsd("import", "crontab", "tab")
    assert "  # a\\x0bb\n" in found.stdout
    assert len(loaded(found, tmp_path)) == 1
    assert json.dumps(Comment("x").text) == '"x"'
