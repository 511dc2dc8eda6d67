"""The quick start's programs against jobsd's protocol, on this very host."""

import os
import stat
import time
from pathlib import Path

import pytest

from config.definitions import JobType
from config.loading import load

ASPECTS = ("files", "accounts", "network", "packages", "sshd", "kernel", "mounts")
STANDARDS = ("baseline", "hardening")


@pytest.mark.parametrize("aspect", ASPECTS)
def test_ordinary_user_collects_and_evaluates(ordinary, aspect):
    """As an ordinary user every collector and every evaluation ends well, and no check is an error."""
    data = ordinary.collect(aspect, stdin=f'{{"id": "localhost-{aspect}", "type": "{aspect}"}}')
    assert data.data["asset"] == f"localhost-{aspect}"
    for standard in STANDARDS:
        verdicts = ordinary.evaluate(standard, data.out).verdicts
        assert "error" not in {result for result, _ in verdicts.values()}, verdicts


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
@pytest.mark.parametrize("aspect", ASPECTS)
def test_root_knows_everything(me, aspect):
    """As root no check is unknown, nor an error."""
    data = me.collect(aspect).out
    for standard in STANDARDS:
        verdicts = me.evaluate(standard, data).verdicts
        assert not {"unknown", "error"} & {result for result, _ in verdicts.values()}, verdicts


def test_ordinary_user_is_told_what_is_hidden(ordinary):
    """What /etc/shadow holds is unknown to an ordinary user, and the message says what to do about it."""
    result, message = ordinary.evaluate("baseline", ordinary.collect("accounts").out).verdicts[
        "accounts.no-empty-password"
    ]
    if "x" not in {line.split(":")[1] for line in Path("/etc/passwd").read_text().splitlines()}:
        pytest.skip("this host keeps no password in /etc/shadow")
    assert result == "unknown"
    assert "/etc/shadow" in message
    assert "as root" in message


def test_whole_collection_is_fast(me):
    """Everything, one after the other, takes a few seconds of a run's window of 20."""
    started = time.monotonic()
    for aspect in ASPECTS:
        data = me.collect(aspect).out
        for standard in STANDARDS:
            assert me.evaluate(standard, data).code == 0
    assert time.monotonic() - started < 15  # 2 s on an idle machine; the margin is for busy ones


def test_collector_without_a_host_is_unreachable(me, tmp_path):
    """A root without a system in it ends with exit code 75, which jobsd reruns, and says so."""
    done = me.collect("files", root=tmp_path / "none")
    assert (done.code, done.out) == (75, "")
    assert "no host below" in done.err


def test_unknown_standard_fails_and_names_the_known(me):
    """A standard that does not exist is a failure of the evaluation, with the names that do."""
    done = me.evaluate("cis-1", {"aspect": "kernel"})
    assert (done.code, done.out) == (1, "")
    assert "'cis-1'" in done.err
    assert "baseline, hardening" in done.err


def test_standard_is_no_path(me):
    """A standard's name cannot lead out of the folder of standards."""
    assert me.evaluate("../standards/baseline", {"aspect": "kernel"}).code == 1


@pytest.mark.parametrize("data", ["", "not JSON", "[]", "{}", '"text"'])
def test_foreign_data_fails(me, data):
    """Data that no collector of ours printed is a failure, not a verdict, and not a traceback."""
    done = me.evaluate("baseline", data)
    assert (done.code, done.out) == (1, "")
    assert "not what a collector" in done.err
    assert "Traceback" not in done.err


def test_damaged_data_is_an_error_of_each_check(me):
    """Data of a known aspect without its facts gives results of kind error, and exit code 0."""
    verdicts = me.evaluate("baseline", {"aspect": "kernel"}).verdicts
    assert {result for result, _ in verdicts.values()} == {"error"}


def test_standard_without_rules_for_an_aspect_says_so(me):
    """An aspect that a standard does not speak of is not applicable."""
    assert me.evaluate("baseline", {"aspect": "weather"}).verdicts == {
        "weather.none": ("notapplicable", "baseline has no rule for weather")
    }


def test_unreadable_aspect_is_unknown(me):
    """Data that says it could not be collected at all makes every check unknown, with the reason."""
    verdicts = me.evaluate("baseline", {"aspect": "mounts", "unreadable": "Permission denied"}).verdicts
    assert {result for result, _ in verdicts.values()} == {"unknown"}
    assert all("Permission denied" in message for _, message in verdicts.values())


@pytest.mark.parametrize("file", ["quickstart.yaml", "openscap/openscap.yaml"])
def test_yaml_names_programs_that_run(me, file):
    """The YAML is valid, without a warning; its programs exist, are executable, and begin with a `#!` line."""
    configuration = load(me.examples / file)
    assert configuration.warnings == ()
    for collector in configuration.collectors.values():
        for program in (collector.collect[0], collector.evaluate[0]):
            path = configuration.folder / program
            assert path.stat().st_mode & stat.S_IXUSR, path
            assert path.read_text().startswith("#!/"), path


def test_quickstart_shows_window_and_rerun(me):
    """The first job runs every minute, has a window and a rerun within that minute, and several assets."""
    job = next(iter(load(me.examples / "quickstart.yaml").jobs.values()))
    assert job.run.type is JobType.COLLECTION_EVALUATION
    assert {asset.type for asset in job.run.assets} == set(ASPECTS)
    assert set(job.run.standards) == set(STANDARDS)
    assert job.schedule.rule.every.total_seconds() == 60
    assert job.schedule.window <= job.schedule.rerun.every < job.schedule.rerun.period


@pytest.mark.parametrize("aspect", ASPECTS)
def test_programs_start_by_their_first_line(ordinary, aspect):
    """Started by name alone, as the YAML does, a collector and the evaluator find their Python and their modules."""
    if ordinary.run(["python3", "-c", "import tomllib"]).code:
        pytest.skip("python3 is older than 3.11 here")
    data = ordinary.run([ordinary.examples / "quickstart/collect" / f"{aspect}.py", "here"])
    assert data.data["aspect"] == aspect
    assert ordinary.run([ordinary.examples / "quickstart/evaluate.py", "baseline"], data.out).verdicts
