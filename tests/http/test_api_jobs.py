"""Jobs made through an API beside those of the file: in `/v1`, on the page, on the command line."""

import pytest
from click.testing import CliRunner

from config.definitions import CommandRun, JobDefinition
from jobsd.cli.app import app
from scheduler.ledger import schema
from scheduler.model import Actor, By

NAME = "Audit / Monday #1"
CREATOR = "CORP\\alice <b>"


@pytest.fixture
def made(house):
    """A house with a job of an API; `made.run` is a run of it that remembers a counterpart."""
    house.dispatcher.decode = lambda _origin, source, _configuration: JobDefinition(
        name=source["name"], run=CommandRun(argv=("true",))
    )
    actor = Actor(CREATOR, By.API)
    house.row = house.call(house.service.control.create("ccs", {"name": NAME}, actor))
    house.run = house.ran(house.row.guid)
    values = {"run_no": house.run["run_no"], "name": "ccs_run", "value": "6f1c <i>"}
    house.call(house.ledger.write(lambda c: c.execute(schema.run_memory.insert().values(values))))
    return house


def cli(house, *arguments):
    """What `jobsd` prints."""
    found = CliRunner(env={"JOBSD_URL": house.url, "NO_COLOR": "1"}).invoke(app, arguments)
    assert found.exit_code == 0, found.output
    return found.stdout


def test_a_job_says_where_it_is_from_and_who_made_it(made):
    """Those of the file are yaml's and have no creator."""
    jobs = {job["job"]: (job["origin"], job["creator"]) for job in made.get("/v1/jobs")}
    assert (jobs[NAME], jobs["nightly"]) == (("ccs", CREATOR), ("yaml", None))


def test_a_name_with_slashes_is_found_by_name_and_by_guid(made):
    """Everything that is asked of a job by name works on a name that an API took verbatim."""
    for key in ("Audit%20%2F%20Monday%20%231", made.row.guid):
        assert made.get(f"/v1/jobs/{key}")["job"] == NAME
        assert made.get(f"/v1/jobs/{key}/coverage")["job"] == NAME
        assert made.get(f"/v1/jobs/{key}/next") == []
        assert made.get(f"/v1/explain/{key}")["job"] == NAME
        assert [run["job"] for run in made.get("/v1/runs", params={"job": NAME})] == [NAME]
        assert made.post(f"/v1/jobs/{key}/pause")["paused"] is not None
        assert made.post(f"/v1/jobs/{key}/resume")["paused"] is None
    assert made.get("/v1/jobs/no/such/job", status=404)["error"] == "there is no job 'no/such/job'"


def test_a_run_says_what_is_remembered_of_its_counterpart(made):
    """By the runner's names; a run that remembers nothing says so."""
    assert made.get(f"/v1/runs/{made.run['run_id']}")["memory"] == {"ccs_run": "6f1c <i>"}
    assert made.ran("hello")["memory"] == {}


def test_the_page_shows_both_escaped(made):
    """Whatever names and values are made of."""
    index = made.http.get("/").text
    assert "Made through ccs by CORP\\alice &lt;b&gt;" in index
    shown = made.http.get(f"/runs/{made.run['run_id']}").text
    assert "<dt>ccs run</dt><dd>6f1c &lt;i&gt;</dd>" in shown


def test_the_command_line_shows_both(made):
    """Under the job, and in a table of the run."""
    assert f"{NAME}" in cli(made, "jobs")
    assert f"    made through ccs by {CREATOR}" in cli(made, "jobs")
    shown = cli(made, "show", made.run["run_id"]).split("\n\n")
    assert ["MEMORY   VALUE", "ccs_run  6f1c <i>"] in [part.splitlines() for part in shown]


def test_a_deleted_job_is_listed_among_the_removed_only(made):
    """Its row stays, under another name and without its history."""
    made.call(made.service.control.remove(made.row.guid, Actor("x", By.API)))
    assert NAME not in {job["job"] for job in made.get("/v1/jobs")}
    removed = {job["guid"]: job for job in made.get("/v1/jobs", params={"removed": "true"})}[made.row.guid]
    assert removed["job"] == f"{NAME} (deleted {made.row.guid[:8]})"
    assert (removed["defined"], removed["last_run"], removed["creator"]) == (False, None, None)
    made.get(f"/v1/runs/{made.run['run_id']}", status=404)
