"""The vendor's own sample scripts, run as they stand on their pages: each does what its comments say."""

import csv
import io
import json
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

pytestmark = pytest.mark.acceptance

PAYLOADS = {"minimal": 0, "run now": 1, "scheduled": 2, "several assets": 3, "with mails": 4}
ASSET, SECOND_ASSET = "d387d8b5-6278-4bcb-83c7-b55d2072d2a8", "1169462b-e9bd-46f4-827a-7ac9b1a220d1"
PAGE_JOB = "0b3b6ac7-acc9-42f1-9db9-bf89d7bd6e16"
PAGE_RUN = "a348fb16-6d5b-4de3-bfd3-13f214a01538"
SCRIPT = (Path(__file__).parent / "data/create_job_script.txt").read_text()


def payload_lines():
    """The lines that set the payload, in the page's order, without the sign that comments them out."""
    lines = [line for line in SCRIPT.splitlines() if line.lstrip("#").startswith('payload = "{')]
    return [line.lstrip("#") for line in lines]


def chosen(which):
    """The edit that makes this payload the one in use: the first is, each other is commented out."""
    lines = payload_lines()
    return lines[0] + "\n", lines[PAYLOADS[which]] + "\n"


def create(served, which, *edits):
    """Run the Create Job script with this payload; the JobID."""
    status, told, output = served.script("create_job", chosen(which), *edits)
    assert status is not None, output
    assert status[1] == "200", output
    assert list(told) == ["JobID"]
    return told["JobID"]


def operate(served, operation, guid):
    """Run the Job Operation script; (status, what it printed first)."""
    edits = [(f"/jobs/{PAGE_JOB}", f"/jobs/{guid}")]
    if operation == "abort":  # the two lines of execute go, the two of abort come in
        execute, abort = (
            rf'payload = "{{\r\n\"Operation\":\"{word}\"\r\n}}\r\n"' for word in ("execute", "abort")
        )
        url = 'url = "https://" + HostName + ":" + PortNumber + "/ccs/api/v1/jobs/'
        edits = [
            (f'{url}{PAGE_JOB}"\n', ""), (f"{execute}\n", ""),
            (f"#{url}{PAGE_RUN}", f"{url}{guid}"), (f"#{abort}", abort),
        ]  # fmt: skip
    status, told, output = served.script("job_operation", *edits)
    assert status is not None, output
    return int(status[1]), told


def test_the_page_has_five_payloads():
    """The scripts' texts are whole: what each payload asks for."""
    payloads = [json.loads(eval(line.partition(" = ")[2])) for line in payload_lines()]  # noqa: S307 - our own file
    names = ["Test_Job11", "A1_CollectionJob_RUNOW", "A1_CollectionJob_ScheduleRun", "A1_CollectionJob_MultipleAssets",
             "A1_CollectionJob_RUNOW_WithNotifications"]  # fmt: skip
    assert [payload["JobDetails"]["JobName"] for payload in payloads] == names


def test_the_minimal_job_is_created_and_does_not_run(served):
    """Its comment: It will only create the job. The Job Operation script runs it, and its results can be read."""
    job = create(served, "minimal")
    assert served.job_runs(job, count=0) == []
    status, begun = operate(served, "execute", job)
    assert status == 200
    assert begun["JobID"] == job
    assert begun["Status"] in (1, 2)
    assert begun["JobEndTime"] == "0001-01-01T00:00:00"
    assert begun["CustomStatusText"] == ""
    assert (begun["Exception"], begun["ActivityStatusList"]) == (None, [])

    ended = served.ended(job)
    assert (ended["JobRunID"], ended["Status"]) == (begun["JobRunID"], 4)
    assert datetime.fromisoformat(ended["JobEndTime"]) >= datetime.fromisoformat(ended["JobStartTime"])
    (asset,) = served.process.get(f"/v1/runs/{ended['JobRunID']}/assets").json()
    assert (asset["asset_id"], asset["state"]) == ("web-1", "done")
    assert {(one["standard"], one["check"], one["result"]) for one in asset["results"]} == {
        ("cis-linux", "ssh", "pass"),
        ("cis-linux", "root", "fail"),
    }
    rows = list(csv.DictReader(io.StringIO(served.process.get(f"/v1/runs/{ended['JobRunID']}/results.csv").text)))
    assert {row["check"] for row in rows} == {"ssh", "root"}
    details = served.call("GET", f"/jobs/{job}").json()
    assert details["JobName"] == "Test_Job11"
    assert details["JobType"] == "CollectionEvaluationJob"


def test_run_now_runs_at_once(served):
    """Its comment: It will create the job and run the job. Once, although StartDate is years back."""
    job = create(served, "run now")
    ended = served.ended(job)
    assert ended["Status"] == 4
    assert len(served.job_runs(job, count=0)) == 1
    (run,) = served.process.runs("A1_CollectionJob_RUNOW")
    assert run["kind"] == "run_now"
    assert run["assets"]["done"] == 1
    assert served.process.get("/v1/jobs/A1_CollectionJob_RUNOW/next").json() == []


def test_a_scheduled_job_fires_by_its_block(served):
    """Every 50 days from 2019-01-05 04:10:27 Los Angeles, on the wall clock, whatever the season."""
    job = create(served, "scheduled")
    assert served.job_runs(job, count=0) == []
    coming = served.cli("next", "A1_CollectionJob_ScheduleRun", "-n", "20")
    assert [entry["local"][10:19] for entry in coming] == ["T04:10:27"] * 20
    zone = ZoneInfo("America/Los_Angeles")
    now = datetime.now(zone)
    days = (date(2019, 1, 5) + timedelta(days=50 * k) for k in range(1000))
    due = [datetime(day.year, day.month, day.day, 4, 10, 27, tzinfo=zone) for day in days]
    expected = [moment for moment in due if moment > now][:20]
    assert [datetime.fromisoformat(entry["fire_time"]) for entry in coming] == expected
    assert len({moment.utcoffset() for moment in expected}) == 2


def test_several_assets_are_all_collected(served):
    """One is in the table of assets, the other is its GUID."""
    job = create(served, "several assets")
    ended = served.ended(job)
    assert ended["Status"] == 4
    found = served.process.get(f"/v1/runs/{ended['JobRunID']}/assets").json()
    assert {(asset["asset_id"], asset["state"]) for asset in found} == {("web-1", "done"), (SECOND_ASSET, "done")}


def test_the_mails_sample_as_it_stands(served):
    """Its booleans are texts, RunNow and RunOnce both true: it runs once, now; what was asked for is kept.

    Its addresses are none: that harms the mail, not the job.
    """
    job = create(served, "with mails", ("A1_CollectionJob_RUNOW_WithNotifications", "As_It_Stands"))
    assert served.ended(job)["Status"] == 4
    assert len(served.job_runs(job, count=0)) == 1
    assert served.process.get("/v1/jobs/As_It_Stands/next").json() == []
    details = served.call("GET", f"/jobs/{job}").json()["JobDetails"]
    assert (
        details["SuccessNotification"]["Subject"] == "Collection-Evaluation-Reporting job completed successfully"
    )
    assert details["FailureNotification"]["Body"] == "Failure notification message"
    assert (details["ShouldSendSuccessNotification"], details["ShouldSendFailureNotification"]) == (True, True)


def test_the_mails_sample_with_addresses(served):
    """Its comment: You need to configure your notifications. Then the mail of success goes out, once, and no other."""
    job = create(
        served, "with mails", ("[email protected]", "auditors@example.com"), ("A1_CollectionJob_RUNOW_", "A2_")
    )
    assert served.ended(job)["Status"] == 4
    ((to, mail),) = served.process.until(lambda: list(served.mailbox.mails))
    assert to == ["auditors@example.com"]
    assert mail["From"] == "auditors@example.com"
    assert mail["Subject"] == "Collection-Evaluation-Reporting job completed successfully"
    assert "Success notification message" in mail.get_payload()


def test_a_long_run_is_aborted(served):
    """The Job Operation script's second half: 204 without a body, and the run ends as Aborted."""
    job = create(served, "minimal", ("Test_Job11", "Slow"), (ASSET, "5107E000-0000-4000-8000-000000000001"))
    status, begun = operate(served, "execute", job)
    assert status == 200
    assert operate(served, "abort", begun["JobRunID"].upper()) == (204, "")
    assert served.ended(job)["Status"] == 7
    assert operate(served, "abort", begun["JobRunID"]) == (204, "")


def test_a_wrong_password_ends_the_script(served):
    """It says what it says of every status but 200."""
    status, _, output = served.script("create_job", password="wrong")
    assert status is None
    assert "Token Generation Failed" in output
