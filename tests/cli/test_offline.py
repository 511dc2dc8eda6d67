"""check, next, explain, simulate and schema on files."""

import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import jsonschema
import pytest

JOBS = """\
  - name: weekly
    schedule: {start: 2026-01-02T22:00:00, weekly: {on: friday}, timezone: Europe/Berlin, window: 4h, rerun: {every: 1d, for: 3d}}
    run: &run {command: {argv: ["true"]}}
  - {name: quarter, schedule: {start: 2026-01-01T00:00:00, interval: 15m, until: 2030-01-01}, run: *run}
  - {name: unanchored, schedule: {interval: 1h}, run: *run}
  - {name: by-hand, run: *run}
  - {name: off, enabled: false, schedule: {daily: {}, at: "01:00"}, run: *run}
  - {name: ended, schedule: {start: 2020-01-01T00:00:00, once: true}, run: *run}
"""


@pytest.fixture
def path(jobs_yaml):
    """A valid file."""
    return jobs_yaml(JOBS)


def rows(found):
    return json.loads(found.stdout)


def test_check_counts_the_jobs_of_a_valid_file(jobsd, path):
    """The last line on standard output; what is odd goes to standard error, a line each with its place."""
    found = jobsd("check", path)
    assert re.fullmatch(r"6 jobs, valid \(\d+ warnings\)\n", found.stdout)
    assert all(re.match(rf"{path}:\d+:\d+: warning: ", line) for line in found.stderr.splitlines())
    assert 'job "ended": schedule: it never fires again' in found.stderr


def test_check_says_nothing_else_about_a_file_without_oddities(jobsd, jobs_yaml):
    """One job is one job."""
    found = jobsd("check", jobs_yaml("  - {name: x, run: {command: {argv: ['true']}}}\n"))
    assert (found.stdout, found.stderr) == ("1 job, valid\n", "")


def test_check_tells_every_fault_with_its_place(jobsd, jobs_yaml):
    """On standard error, a line each, exit code 1."""
    path = jobs_yaml("  - {name: X}\n  - {nmae: y, run: {command: {argv: []}}}\n")
    found = jobsd("check", path, exit_code=1)
    assert found.stdout == ""
    lines = found.stderr.splitlines()
    assert len(lines) >= 3
    assert all(re.match(rf"{path}:[34]:\d+: ", line) for line in lines)


def test_check_of_a_file_that_is_not_there(jobsd):
    """Refused with its name, not a trace."""
    assert jobsd("check", "none.yaml", exit_code=1).stderr == (
        "none.yaml:1:1: the file cannot be read: No such file or directory\n"
    )


@pytest.mark.parametrize("command", [["check"], ["next", "-c"], ["run", "-c"]])
def test_a_file_that_may_not_be_read_is_told_like_any_fault(command, path):
    """With its place and exit code 1: it is no wrong usage. Root gives up its right to read everything for this."""
    path.chmod(0)
    mortal = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    argv = [*mortal, sys.executable, "-m", "jobsd", *command, path]
    found = subprocess.run(argv, capture_output=True, text=True, timeout=20, check=False)
    assert (found.returncode, found.stderr) == (1, f"{path}:1:1: the file cannot be read: Permission denied\n")


def test_check_in_json(jobsd, jobs_yaml, path):
    """Valid or not, with the same exit codes."""
    assert rows(jobsd("check", path, "--json")) | {"warnings": []} == {
        "valid": True, "jobs": 6, "faults": [], "warnings": [],
    }  # fmt: skip
    found = rows(jobsd("check", jobs_yaml("  - {name: x}\n"), "--json", exit_code=1))
    assert not found["valid"]
    assert found["faults"][0] | {"message": ""} == {
        "file": str(path), "line": 3, "column": 5, "job": "x", "message": "",
    }  # fmt: skip


def test_next_has_the_fixed_json(jobsd, path):
    """job, fire_time, local, window_end, reruns: and nothing else."""
    assert rows(jobsd("next", "-c", path, "weekly", "-n", "2", "--after", "2026-10-17T00:00Z", "--json")) == [
        {"job": "weekly", "fire_time": "2026-10-23T20:00:00Z", "local": "2026-10-23T22:00:00+02:00",
         "window_end": "2026-10-24T00:00:00Z", "reruns": ["2026-10-24T20:00:00Z", "2026-10-25T21:00:00Z"]},
        {"job": "weekly", "fire_time": "2026-10-30T21:00:00Z", "local": "2026-10-30T22:00:00+01:00",
         "window_end": "2026-10-31T01:00:00Z", "reruns": ["2026-10-31T21:00:00Z", "2026-11-01T21:00:00Z"]},
    ]  # fmt: skip


def test_reruns_end_at_the_next_fire_time(jobsd, jobs_yaml):
    """The next run takes over, so no rerun is told at or after it."""
    text = "  - {name: x, schedule: {start: 2027-01-01T00:00:00, interval: 1h, rerun: {every: 20m, for: 3h}}, run: {command: {argv: ['true']}}}\n"
    (row,) = rows(jobsd("next", "-c", jobs_yaml(text), "-n", "1", "--after", "2026-12-31T23:59Z", "--json"))
    assert row["reruns"] == ["2027-01-01T00:20:00Z", "2027-01-01T00:40:00Z"]


def test_next_without_any_option_tells_ten_of_each_job(jobsd, path):
    """From now on, by fire time; remarks about jobs that never fire go to standard error."""
    found = jobsd("next", "-c", path, "--json")
    told = rows(found)
    counts = {name: sum(row["job"] == name for row in told) for name in ("weekly", "quarter", "unanchored")}
    assert counts == {"weekly": 10, "quarter": 10, "unanchored": 10}
    assert len(told) == 30
    times = [row["fire_time"] for row in told]
    assert times == sorted(times)
    assert datetime.fromisoformat(times[0]) > datetime.now(UTC) - timedelta(minutes=1)
    assert [line.split(":")[0] for line in jobsd("next", "-c", path).stderr.splitlines()] == [
        "by-hand",
        "off",
        "ended",
    ]


def test_next_until_tells_all_in_between(jobsd, path):
    """--after is exclusive, --until inclusive; a date is the whole day in the file's zone; -n still cuts."""

    def count(*arguments):
        return len(rows(jobsd("next", "-c", path, "quarter", "--json", *arguments)))

    assert count("--after", "2027-01-01T00:00Z", "--until", "2027-01-01T06:00Z") == 24
    assert count("--after", "2027-01-01T00:00:00+01:00", "--until", "2027-01-01") == 99
    assert count("--after", "2027-01-01", "--until", "2027-01-01") == 95
    assert count("--after", "2027-01-01", "--until", "2027-01-01", "-n", "3") == 3


def test_times_without_an_offset_are_of_the_file_s_zone(jobsd, jobs_yaml):
    """settings.timezone is what the operator lives in."""
    path = jobs_yaml(JOBS, head="version: 1\nsettings: {timezone: Asia/Kolkata}\n")
    (row,) = rows(jobsd("next", "-c", path, "quarter", "-n", "1", "--after", "2027-01-01T05:30", "--json"))
    assert row["fire_time"] == "2027-01-01T00:15:00Z"


def test_a_missing_start_is_provisional(jobsd, path):
    """Counted from now, and marked so in both forms."""
    (row,) = rows(jobsd("next", "-c", path, "unanchored", "-n", "1", "--json"))
    assert row["provisional"] is True
    apart = datetime.fromisoformat(row["fire_time"]) - datetime.now(UTC)
    assert timedelta(minutes=59) < apart <= timedelta(hours=1)
    text = jobsd("next", "-c", path, "unanchored", "-n", "1").stdout
    assert "unanchored*" in text
    assert "provisional" in text.splitlines()[-1]


def test_the_table_of_next_has_both_clocks(jobsd, path):
    """Weekday, local time with its offset, UTC where it differs, how far away, window and reruns beneath."""
    lines = jobsd("next", "-c", path, "weekly", "-n", "1", "--after", "2030-03-23").stdout.splitlines()
    assert lines[0].split() == ["LOCAL", "UTC", "JOB"]
    assert re.fullmatch(r"Fri 2030-03-29 22:00 \+01:00  2030-03-29 21:00Z  in \d+ days  weekly", lines[1])
    assert lines[2:] == [
        "    stops 2030-03-30 02:00 +01:00",
        "    reruns 2030-03-30 22:00 +01:00, 2030-03-31 22:00 +02:00",
    ]


def test_an_unknown_job_is_refused_with_the_near_miss(jobsd, path):
    """Exit code 1, for every command that takes jobs of a file."""
    for arguments in (
        ["next", "-c", path],
        ["explain", "-c", path],
        ["simulate", "-c", path, "--from", "2027-01-01", "--to", "2027-01-02"],
    ):
        told = jobsd(*arguments, "wekly", exit_code=1).stderr
        assert told == f'there is no job "wekly" in {path} (did you mean "weekly"?)\n'


def test_an_impossible_time_is_wrong_usage(jobsd, path):
    """With what is allowed."""
    assert "write 2026-11-27" in jobsd("next", "-c", path, "--after", "tomorrow", exit_code=2).stderr
    assert (
        "--to lies before"
        in jobsd("simulate", "-c", path, "--from", "2027-01-02", "--to", "2027-01-01", exit_code=2).stderr
    )


def test_a_faulty_file_is_told_by_every_command(jobsd, jobs_yaml):
    """Each fault on a line of its own, exit code 1."""
    path = jobs_yaml("  - {name: X}\n")
    for arguments in (
        ["next", "-c", path],
        ["explain", "-c", path, "x"],
        ["simulate", "-c", path, "--from", "2027-01-01", "--to", "2027-01-02"],
    ):
        assert jobsd(*arguments, exit_code=1).stderr.startswith(f"{path}:3:")


def test_explain_is_one_sentence(jobsd, path):
    """And in JSON with its job and zone; a job without a schedule has a sentence too."""
    sentence = (
        "Every week on Friday at 22:00 (Europe/Berlin), from Friday 2 January 2026, each run for up to 4 hours, "
        "what is left rerun every day for 3 days."
    )
    assert jobsd("explain", "-c", path, "weekly").stdout == sentence + "\n"
    assert rows(jobsd("explain", "-c", path, "weekly", "--json")) == {
        "job": "weekly", "schedule": sentence, "timezone": "Europe/Berlin",
    }  # fmt: skip
    assert jobsd("explain", "-c", path, "by-hand").stdout == "Never by itself.\n"
    assert "provisional" in jobsd("explain", "-c", path, "unanchored").stderr


SIMULATED = """\
  - {name: a, schedule: {start: 2027-01-01T10:00:00, daily: {}, window: 2h}, limits: [net], run: &run {command: {argv: ["true"]}}}
  - {name: b, schedule: {start: 2027-01-01T11:00:00, daily: {}, window: 1h}, limits: [net], run: *run}
  - {name: c, schedule: {start: 2027-01-01T10:00:30, daily: {}}, run: *run}
  - {name: d, schedule: {start: 2027-01-01T00:00:00, interval: 16h, window: 20h}, run: *run}
"""


@pytest.fixture
def simulated(jobs_yaml):
    """Four jobs; d's windows overlap each other."""
    return jobs_yaml(SIMULATED, head="version: 1\nsettings: {limits: {net: 1}, max_running: 2}\n")


def test_simulate_counts_fires_minutes_and_overlaps(jobsd, simulated):
    """Over two whole days: --from and --to are both inclusive, a window's end is not part of it.

    d fires on the 1st at 00:00 and 16:00 and on the 2nd at 08:00, its windows are open until 20:00 of the 1st, 12:00
    and 04:00 of the days after.
    """
    found = rows(jobsd("simulate", "-c", simulated, "--from", "2027-01-01", "--to", "2027-01-02", "--json"))
    assert (found["from"], found["to"]) == ("2027-01-01T00:00:00Z", "2027-01-02T23:59:59Z")
    assert found["total"] == 9 == len(found["fires"])
    assert {job["job"]: job["fires"] for job in found["jobs"]} == {"a": 2, "b": 2, "c": 2, "d": 3}
    assert found["busiest_minutes"][0] == {"minute": "2027-01-01T10:00:00Z", "fires": 2, "jobs": {"a": 1, "c": 1}}
    assert {tuple(one["jobs"]): (one["times"], one["first_at"]) for one in found["overlaps"]} == {
        ("a", "b"): (2, "2027-01-01T11:00:00Z"),
        ("a", "d"): (3, "2027-01-01T10:00:00Z"),
        ("b", "d"): (3, "2027-01-01T11:00:00Z"),
        ("d", "d"): (2, "2027-01-01T16:00:00Z"),
    }
    assert found["peak"] == {"windows": 4, "at": "2027-01-02T11:00:00Z"}
    assert found["limits"] == {"net": {"windows": 2, "at": "2027-01-01T11:00:00Z"}}


def test_windows_that_touch_do_not_overlap(jobsd, jobs_yaml):
    """A window ends before the fire time at which the next one begins."""
    path = jobs_yaml(
        "  - {name: a, schedule: {start: 2027-01-01T00:00:00, interval: 2h, window: 1h}, run: &run {command: {argv: ['true']}}}\n"
        "  - {name: b, schedule: {start: 2027-01-01T01:00:00, interval: 2h, window: 1h}, run: *run}\n"
    )
    found = rows(jobsd("simulate", "-c", path, "--from", "2027-01-01", "--to", "2027-01-01", "--json"))
    assert (found["overlaps"], found["peak"]["windows"]) == ([], 1)


def test_simulate_in_words(jobsd, simulated):
    """Every fire, then the sums; what exceeds max_running or a limit is said."""
    span = ["--from", "2027-01-01", "--to", "2027-01-02"]
    lines = jobsd("simulate", "-c", simulated, *span).stdout.splitlines()
    fires = [line.split()[-1] for line in lines[1 : lines.index("")] if not line.startswith(" ")]
    assert fires == ["d", "a", "c", "b", "d", "d", "a", "c", "b"]
    summary = jobsd("simulate", "-c", simulated, *span, "--summary").stdout
    assert summary.splitlines() == lines[lines.index("") + 1 :]
    assert "9 fires from 2027-01-01 00:00Z to 2027-01-02 23:59:59Z" in summary
    assert "At most 4 windows at once, 2027-01-02 11:00Z: more than max_running, 2, so some wait" in summary
    assert "Limit net: 2 windows at once, 2027-01-01 11:00Z, for 1 place" in summary
    assert "d with itself (window 20h, overlap: skip)" in summary


def test_simulate_says_which_jobs_never_fire(jobsd, path):
    """On standard error, so that the summary stays what it is."""
    told = jobsd("simulate", "-c", path, "--from", "2027-01-01", "--to", "2027-01-02", "--summary").stderr
    assert told == "by-hand: never fires by itself\noff: is disabled\n"


def test_the_schema_is_one_for_editors(jobsd):
    """It accepts a valid file and refuses a misspelt key."""
    schema = json.loads(jobsd("schema").stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    job = {"name": "x", "schedule": {"interval": "1h"}, "run": {"command": {"argv": ["true"]}}}
    jsonschema.validate({"version": 1, "jobs": [job]}, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"version": 1, "jobs": [job | {"scedule": {}}]}, schema)
