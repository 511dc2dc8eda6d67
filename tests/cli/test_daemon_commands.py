"""The commands that ask a daemon, against a real one."""

import json
import os
import signal
import stat

import pytest

WEEKLY = "weekly-linux-compliance"
pytestmark = pytest.mark.acceptance


def told(found):
    return json.loads(found.stdout)


@pytest.fixture
def incomplete(ask):
    """A run of the collection: two assets are done, one failed, one was unreachable."""
    run = told(ask("trigger", WEEKLY, "--wait", "--json", exit_code=1))
    assert run["state"] == "incomplete"
    yield run
    ask("abort", run["run_id"])


def test_the_token_and_the_address_are_for_the_daemon_s_user_only(state):
    """Mode 0600: who can read the token can control the daemon."""
    for name in ("url", "token"):
        assert stat.S_IMODE((state / name).stat().st_mode) == 0o600


def test_jobs_lists_the_definitions(ask):
    """With the next fire time in the job's zone; jobs without one, and disabled ones, say so."""
    found = {job["job"]: job for job in told(ask("jobs", "--json"))}
    assert found[WEEKLY]["timezone"] == "Europe/Berlin"
    assert found[WEEKLY]["local"][11:19] == "22:00:00"
    lines = {line.split()[0]: line for line in ask("jobs").stdout.splitlines()}
    assert " 22:00 +0" in lines[WEEKLY]
    assert " in " in lines[WEEKLY]
    assert "never" in lines["fine"]
    assert "disabled" in lines["sealed"]


def test_next_and_explain_ask_the_daemon(ask):
    """The same JSON as offline; the daemon knows the start, so nothing is provisional."""
    rows = told(ask("next", WEEKLY, "-n", "2", "--after", "2026-10-17T00:00Z", "--json"))
    assert rows[0] == {
        "job": WEEKLY, "fire_time": "2026-10-23T20:00:00Z", "local": "2026-10-23T22:00:00+02:00",
        "window_end": "2026-10-24T00:00:00Z", "reruns": ["2026-10-24T20:00:00Z", "2026-10-25T21:00:00Z"],
    }  # fmt: skip
    assert len(told(ask("next", "faulty", "--after", "2027-01-01", "--until", "2027-01-01", "--json"))) == 23
    assert "Every week on Friday at 22:00" in ask("explain", WEEKLY).stdout
    cut = ask("next", "faulty", "--after", "2027-01-01", "--until", "2027-12-31")
    assert "only the first 1000 are shown" in cut.stderr


def test_why_is_a_sentence_and_rules(ask, incomplete):
    """Of what is, what was and what comes; a time without an offset is the job's, and one without seconds its minute."""
    now = ask("why", WEEKLY).stdout
    assert now.startswith(f"It is incomplete: run {incomplete['run_id'][:8]}, due ")
    assert "\nasked    it was asked for by " in now
    assert f"All of it: jobsd show {incomplete['run_id'][:8]}" in now
    coming = told(ask("why", WEEKLY, "--at", "2026-12-25T22:00", "--json"))
    assert (coming["verdict"], coming["occurrence"]["fire_time"]) == ("will_run", "2026-12-25T21:00:00Z")
    assert [rule["rule"] for rule in coming["rules"]] == ["definition", "catch_up", "overlap", "window", "rerun"]
    assert told(ask("why", "fine", "--at", "2020-01-01", "--json"))["verdict"] == "unknown"
    assert "there is no job 'nobody'" in ask("why", "nobody", exit_code=1).stderr


def test_the_ledger_is_checked_beside_the_daemon(ask, state):
    """It is sound, and the daemon that writes it is not disturbed."""
    assert told(ask("db", "check", "--state-dir", state, "--json"))["sound"] is True


def test_trigger_waits_for_the_end(ask):
    """Exit code 0 if the run succeeded, 1 if it did not; without --wait the run is told at once."""
    assert " of fine is succeeded\n" in ask("trigger", "fine", "--wait").stdout
    assert " of faulty is failed: exit code 3" in ask("trigger", "faulty", "--wait", exit_code=1).stdout
    assert told(ask("trigger", "coloured", "--json"))["job"] == "coloured"


def test_an_act_is_refused_in_the_daemon_s_words(ask):
    """Exit code 1, one line."""
    assert ask("trigger", "none", exit_code=1).stderr == "there is no job 'none'\n"
    assert "disabled" in ask("trigger", "sealed", exit_code=1).stderr
    assert "not paused" in ask("resume", "fine", exit_code=1).stderr
    assert ask("show", "no-such-run", exit_code=1).stderr.count("\n") == 1
    assert "over already" in ask("pause", "fine", "--until", "2020-01-01", exit_code=1).stderr


def test_a_run_is_read_back_whole(ask, incomplete):
    """Attempts, assets with their results, events; by the beginning of its id, and by its number."""
    short = incomplete["run_id"][:13]
    found = told(ask("show", short, "--json"))
    assert found == told(ask("show", str(incomplete["run_no"]), "--json"))
    assert {asset["asset_id"]: asset["state"] for asset in found["asset_list"]} == {
        "ok-1": "done", "ok-2": "done", "bad": "failed", "gone": "unreachable",
    }  # fmt: skip
    assert [attempt["ended"] for attempt in found["attempt_list"]] == ["completed"]
    assert found["events"][0]["name"] == "open"
    text = ask("show", short).stdout
    assert f"jobsd results {short[:8]}\n" in text
    assert "assets      4: 2 done, 1 failed, 1 unreachable" in text
    assert "    fail  cis/b\n        too \\x1b[1mopen\n" in text
    assert "cis/a" not in text
    assert "    pass  cis/a\n" in ask("show", short, "--all").stdout
    assert "\x1b" not in text


def test_results_come_as_csv(ask, incomplete):
    """A line for each check, one for each asset without any."""
    lines = ask("show", incomplete["run_id"], "--csv").stdout.splitlines()
    assert lines[0].startswith("job,run_id,fire_time,asset_id")
    assert len(lines) == 1 + 2 * 2 + 2
    assert "choose one" in ask("show", incomplete["run_id"], "--csv", "--json", exit_code=2).stderr


def test_runs_filters_and_tells_reasons(ask, incomplete):
    """By job, by state, by time; newest first; the reason stands under its run."""
    rows = told(ask("runs", "--job", WEEKLY, "--state", "incomplete", "--json"))
    assert rows[0]["run_id"] == incomplete["run_id"]
    assert rows[0]["assets"] | {"x": 0} == {
        "total": 4, "done": 2, "open": 0, "fresh": 0, "failed": 1, "timed_out": 0, "unreachable": 1, "x": 0,
    }  # fmt: skip
    assert told(ask("runs", "--job", WEEKLY, "--state", "missed", "--json")) == []
    assert incomplete["run_id"] in [row["run_id"] for row in told(ask("runs", "--since", "1h", "--json"))]
    assert told(ask("runs", "--since", "2099-01-01", "--json")) == []
    assert len(told(ask("runs", "-n", "1", "--json"))) == 1
    assert "no runs" in ask("runs", "--since", "2099-01-01").stdout
    text = ask("runs", "--job", WEEKLY).stdout.splitlines()
    assert text[1].startswith(incomplete["run_id"][:8])
    assert text[1].split()[-2:] == ["incomplete", "2/4"]
    assert text[2] == "    " + incomplete["reason"]
    assert max(map(len, text)) <= 80
    assert max(map(len, ask("jobs").stdout.splitlines())) <= 80


def test_a_rerun_takes_what_is_left(ask, incomplete):
    """The incomplete run itself goes on with the two assets that are not done."""
    again = told(ask("rerun", incomplete["run_id"], "--wait", "--json", exit_code=1))
    assert (again["run_id"], again["state"], again["attempts"]) == (incomplete["run_id"], "incomplete", 2)
    starts = {
        asset["asset_id"]: asset["starts"] for asset in told(ask("show", again["run_id"], "--json"))["asset_list"]
    }
    assert starts == {"ok-1": 1, "ok-2": 1, "bad": 2, "gone": 2}


def test_coverage_counts_assets_and_results(ask, incomplete):
    """Half of the assets are covered; the newest results are summed up."""
    found = told(ask("coverage", WEEKLY, "--json"))
    assert (found["share"], found["counts"]["done"], found["results"]["fail"]) == (0.5, 2, 2)
    lines = ask("coverage", WEEKLY).stdout.splitlines()
    assert lines[0].startswith(f"{WEEKLY}: 50% of 4 assets covered: 2 done, 1 failed, 1 unreachable")
    assert lines[1].startswith("known since 20")
    assert lines[2] == "newest results: 2 pass, 2 fail"
    assert any(line.split()[:3] == ["ok-1", "host", "done"] for line in lines)
    assert ask("coverage", "fine").stdout == "fine has no assets\n"
    assert incomplete["run_id"][:8] in lines[0]


def test_logs_pass_the_output_on(ask, process, state):
    """Byte by byte into a pipe; --attempt takes one, and refuses one that was not made."""
    run = told(ask("trigger", "fine", "--wait", "--json"))["run_id"]
    assert sorted(ask("logs", run).stdout.split()) == ["one", "two"]
    assert ask("logs", run, "--attempt", "1").stdout == ask("logs", run).stdout
    assert "no attempt 2" in ask("logs", run, "--attempt", "2", exit_code=1).stderr
    assert "one" in told(ask("logs", run, "--json"))["log"]
    assert "leave one out" in ask("logs", run, "--json", "-f", exit_code=2).stderr
    red = told(ask("trigger", "coloured", "--wait", "--json"))["run_id"]
    assert ask("logs", red).stdout == "red \x1b[31m text\n"


def on_terminal(process, state, *arguments):
    """What a command prints on a terminal."""
    ours, theirs = os.openpty()
    one = process(*arguments, stdout=theirs, stderr=theirs, env={"TERM": "xterm", "STATE_DIRECTORY": str(state)})
    os.close(theirs)
    seen = b""
    try:
        while piece := os.read(ours, 65536):
            seen += piece
    except OSError:  # Linux's word for the end of a terminal
        pass
    finally:
        os.close(ours)
    return one.wait(20), seen.decode()


def test_logs_do_not_drive_the_reader_s_terminal(ask, process, state):
    """A job's escape sequences are shown, not obeyed."""
    run = told(ask("trigger", "coloured", "--wait", "--json"))["run_id"]
    assert on_terminal(process, state, "logs", run) == (0, "red \\x1b[31m text\r\n")


def test_waiting_shows_the_assets_on_a_terminal(ask, process, state):
    """A bar while it lasts, the run's sentence at the end."""
    code, seen = on_terminal(process, state, "trigger", WEEKLY, "--wait")
    assert code == 1
    assert "/4 assets" in seen
    assert "is incomplete, assets 2/4" in seen
    ask("abort", told(ask("runs", "--job", WEEKLY, "-n", "1", "--json"))[0]["run_id"])


def test_logs_follow_until_the_run_has_ended(ask, process, state):
    """What is printed appears while the run goes on; the abort ends it."""
    run = told(ask("trigger", "slow-too", "--json"))["run_id"]
    one = process("logs", run, "-f", env={"STATE_DIRECTORY": str(state)})
    assert one.stdout.readline() == "begun\n"
    assert one.poll() is None
    assert "its work is being stopped" in ask("abort", run[:13]).stdout
    assert one.wait(20) == 0
    assert one.stderr.read() == ""


def test_an_interrupted_wait_leaves_the_run_alone(ask, process, state):
    """Ctrl-C says how to find it, and exits 130."""
    ours, theirs = os.openpty()
    environment = {"TERM": "xterm", "STATE_DIRECTORY": str(state)}
    one = process("trigger", "slow", "--wait", stdout=theirs, stderr=theirs, env=environment)
    os.close(theirs)
    try:
        seen = b""
        while b"slow running" not in seen:
            seen += os.read(ours, 65536)
        one.send_signal(signal.SIGINT)
        assert one.wait(20) == 130
        said = os.read(ours, 65536).decode()
    finally:
        os.close(ours)
    (running,) = told(ask("runs", "--job", "slow", "--state", "running", "--json"))
    assert f"run {running['run_id']} goes on: `jobsd show {running['run_id'][:8]}`" in said
    ask("abort", running["run_id"])


def test_pause_and_resume(ask):
    """Until an instant or for a duration, with a note that the list shows; resume tells the next fire time."""
    assert "is paused until 20" in ask("pause", WEEKLY, "--until", "2h", "--note", "net\x1b works").stdout
    (line,) = [line for line in ask("jobs").stdout.splitlines() if "paused" in line]
    assert line.startswith("    paused by local until ")
    assert line.endswith("net\\x1b works")
    assert told(ask("pause", WEEKLY, "--json"))["paused"]["until"] is None
    lines = ask("resume", WEEKLY, "--catch-up").stdout.splitlines()
    assert "is resumed, next " in lines[0]
    assert lines[1:] == ["the pause has passed over nothing: there is nothing to catch up"]
    assert told(ask("jobs", "--json"))[-1]["paused"] is None


def test_events_name_the_command_line(ask):
    """Who did it, by what: local, by the CLI."""
    run = told(ask("trigger", "fine", "--wait", "--json"))["run_id"]
    opened = told(ask("show", run, "--json"))["events"][0]
    assert (opened["actor"], opened["by"]) == ("local", "cli")


def test_without_a_token_one_line_says_what_to_do(command, state, monkeypatch, tmp_path):
    """Reading is open on loopback, acts and output are not."""
    monkeypatch.chdir(tmp_path)
    ask = command(JOBSD_URL=(state / "url").read_text())
    assert told(ask("jobs", "--json"))
    refused = ask("trigger", "fine", exit_code=1).stderr
    assert "wants a token ($JOBSD_TOKEN is not set): run this as the daemon's user" in refused
    assert refused.count("\n") == 1
    wrong = command(JOBSD_URL=(state / "url").read_text(), JOBSD_TOKEN="wrong")
    assert "the token is not one of this daemon's" in wrong("jobs", exit_code=1).stderr


def test_names_of_jobs_complete_from_the_daemon(process, state):
    """Without -c the daemon is asked."""
    environment = {
        "_JOBSD_COMPLETE": "bash_complete",
        "COMP_WORDS": "jobsd trigger we",
        "COMP_CWORD": "2",
        "STATE_DIRECTORY": str(state),
    }
    assert process(env=environment).communicate()[0].split() == [f"plain,{WEEKLY}"]
    del environment["STATE_DIRECTORY"]
    assert process(env=environment).communicate()[0].strip() == ""


def test_run_refuses_a_faulty_file(process, jobs_yaml):
    """Faults on standard error, exit code 1, nothing started."""
    one = process("run", "-c", jobs_yaml("  - {name: X}\n"))
    _, said = one.communicate(timeout=20)
    assert one.returncode == 1
    assert '"X" is not a name' in said
