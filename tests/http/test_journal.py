"""`/v1/journal` against a real server, and `jobsd journal`: who did what, when and from where."""

import pytest
from click.testing import CliRunner

from config.definitions import CommandRun, JobDefinition
from jobsd.cli.app import app
from scheduler.model import Actor, By

ALICE = Actor("CORP\\alice", By.API, "192.0.2.7")


@pytest.fixture
def kept(house):
    """A house in which alice made a job, had it run, and deleted its history; `kept.guid` is the job's."""
    house.dispatcher.decode = lambda _origin, source, _configuration: JobDefinition(
        name=source["name"], run=CommandRun(argv=("true",))
    )
    house.guid = house.call(house.service.control.create("ccs", {"name": "Weekly Audit"}, ALICE)).guid
    house.ran(house.guid)
    house.call(house.service.control.delete_history(house.guid, ALICE))
    return house


def cli(house, *arguments):
    """What `jobsd journal` prints."""
    found = CliRunner(env={"JOBSD_URL": house.url, "NO_COLOR": "1"}).invoke(app, ["journal", *arguments])
    assert found.exit_code == 0, found.output
    return found.stdout


def test_the_journal_says_who_did_what_from_where(kept):
    """Newest first; of one job by name or GUID, of a deleted one by GUID; runs go with their history, its job stays."""
    for key in ("weekly%20AUDIT", kept.guid):
        events = kept.get(f"/v1/journal?job={key}")
        assert [event["name"] for event in events] == ["history_deleted", "record"]
    assert {(e["actor"], e["by"], e["origin"], e["job"]) for e in events} == {
        ("CORP\\alice", "api", "192.0.2.7", "Weekly Audit"),
    }
    kept.call(kept.service.control.remove(kept.guid, ALICE))
    names = [event["name"] for event in kept.get(f"/v1/journal?job={kept.guid}")]
    assert names == ["remove", "history_deleted", "history_deleted", "record"]


def test_acts_leaves_out_what_the_clock_did(kept):
    """A trigger is an act, the start that follows is none."""
    run = kept.ran("hello")
    acts = kept.get("/v1/journal?acts=true")
    assert [(event["name"], event["run_id"]) for event in acts[:3]] == [
        ("open", run["run_id"]), ("history_deleted", None), ("record", None),
    ]  # fmt: skip
    assert "clock" not in {event["by"] for event in acts}
    assert {"start", "succeed"} < {event["name"] for event in kept.get("/v1/journal?job=hello")}


def test_the_journal_comes_in_pages(kept):
    """`before` an event's id, as many as asked for; what cannot be is refused."""
    whole = kept.get("/v1/journal")
    assert [event["event_id"] for event in whole] == sorted((event["event_id"] for event in whole), reverse=True)
    assert kept.get(f"/v1/journal?before={whole[1]['event_id']}") == whole[2:]
    assert kept.get("/v1/journal?limit=2") == whole[:2]
    assert "there is no job" in kept.get("/v1/journal?job=nobody", status=404)["error"]
    assert kept.get("/v1/journal?before=0", status=400)["error"].startswith("before")


def test_the_command_line_shows_the_journal(kept):
    """A line for each event: when, what, job, by whom from where, why."""
    first, second = cli(kept, "--acts", "-n", "2").splitlines()[1:]
    assert "history_deleted" in first
    assert "CORP\\alice api 192.0.2.7" in first
    assert first.rstrip().endswith("Z")
    assert second.split()[2:5] == ["record", "Weekly", "Audit"]
    assert cli(kept, "--json", "--job", kept.guid).count("event_id") == 2
