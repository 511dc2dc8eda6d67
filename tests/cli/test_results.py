"""`jobsd results`: what the checks of a run say, and `jobsd doctor` beside a running daemon."""

import csv
import io
import json

import pytest


@pytest.fixture
def run(ask):
    """The id of a run with two assets done and two left; it is over, so that other tests may trigger the job."""
    listed = ("runs", "--job", "weekly-linux-compliance", "--state", "cancelled", "--json")
    found = [row for row in json.loads(ask(*listed).stdout) if row["assets"]["done"] == 2]
    if found:
        return found[0]["run_id"]
    made = json.loads(ask("trigger", "weekly-linux-compliance", "--wait", "--json", exit_code=1).stdout)
    ask("abort", made["run_id"])
    return made["run_id"]


def test_the_table_has_the_sums_then_the_results_then_what_was_not_judged(ask, run):
    """Control characters of collectors are made visible."""
    text = ask("results", run).stdout
    lines = [line.split() for line in text.splitlines()]
    assert lines[0][:4] == ["run", run[:8], "of", "weekly-linux-compliance,"]
    assert ["STANDARD", "ASSETS", "CLEAN", "PASS", "FAIL", "UNKNOWN", "ERROR", "NOTAPPLICABLE"] in lines
    assert ["cis", "2", "0", "2", "2", "0", "0", "0"] in lines
    assert ["ok-1", "cis", "a", "pass"] in lines
    assert "    too \\x1b[1mopen" in text
    assert ["gone", "host", "unreachable"] in lines
    assert ["bad", "host", "failed"] in lines
    assert "collect: exit code 3: broken" in text


def test_only_what_does_not_pass(ask, run):
    """The sums stay whole, and who was not evaluated is still there."""
    found = json.loads(ask("results", run, "--failed", "--json").stdout)
    assert [(line["asset_id"], line["check"]) for line in found["results"]] == [
        ("ok-1", "b"),
        ("ok-2", "b"),
        ("bad", None),
        ("gone", None),
    ]
    assert found["standards"][0]["results"]["pass"] == 2


def test_csv_for_programs_and_for_spreadsheets(ask, run):
    """The same lines; the one for spreadsheets begins with the mark of UTF-8."""
    plain = ask("results", run, "--csv", "--asset", "ok-2").stdout_bytes
    marked = ask("results", run, "--excel", "--asset", "ok-2").stdout_bytes
    assert marked == b"\xef\xbb\xbf" + plain
    rows = list(csv.DictReader(io.StringIO(plain.decode())))
    assert [(row["asset_id"], row["standard"], row["check"]) for row in rows] == [
        ("ok-2", "cis", "a"),
        ("ok-2", "cis", "b"),
    ]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--standard", "cjs"], "no results of the standard 'cjs'; it has 'cis'"),
        (["--asset", "ok-3"], "the run has no asset 'ok-3'"),
    ],
)
@pytest.mark.parametrize("output", [[], ["--json"], ["--csv"]])
def test_what_the_run_does_not_have_must_not_look_clean(options, words, output, ask, run):
    """An unknown standard or asset is refused in every output, not answered with nothing."""
    found = ask("results", run, *options, *output, exit_code=1)
    assert words.replace("'", "") in found.stderr.replace('"', "").replace("'", "")
    assert found.stdout == ""


def test_two_outputs_at_once_are_wrong_usage(ask, run):
    """JSON and CSV."""
    ask("results", run, "--json", "--csv", exit_code=2)


def test_a_run_without_assets_says_so(ask):
    """A command has no results."""
    ask("trigger", "fine", "--wait")
    (newest, *_) = json.loads(ask("runs", "--job", "fine", "--json").stdout)
    assert "it has no assets" in ask("results", newest["run_id"]).stdout


def test_the_doctor_beside_the_running_daemon(ask, state, tmp_path):
    """Its address and its ledger are its own; another program's would be a failure."""
    port = (state / "url").read_text().rpartition(":")[2].strip()
    file = tmp_path / "jobs.yaml"
    file.write_text(
        f"version: 1\nsettings: {{http: {{listen: '127.0.0.1:{port}'}}}}\n"
        "jobs:\n  - {name: x, run: {command: {argv: ['true']}}}\n"
    )
    found = json.loads(ask("doctor", "-c", file, "--state-dir", state, "--json").stdout)["findings"]
    pid = (state / "lock").read_text()
    assert f"a daemon has it (pid {pid})" in [one["found"] for one in found if one["area"] == "ledger"]
    assert [one["found"] for one in found if one["area"] == "listener"] == [
        f"its own daemon listens there (pid {pid})"
    ]
    found = ask("doctor", "-c", file, "--state-dir", tmp_path / "other", exit_code=1)
    assert "another program has it" in found.stdout
