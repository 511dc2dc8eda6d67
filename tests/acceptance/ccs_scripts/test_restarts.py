"""What clients hold, their tokens and GUIDs, outlives the daemon."""

import pytest

pytestmark = pytest.mark.acceptance

ASSET, STANDARD = "d387d8b5-6278-4bcb-83c7-b55d2072d2a8", "6b020d29-5fe8-47d0-bd89-ccd3339a5ebe"


def test_kill_9_between_two_calls(started):
    """The tokens stay good, the job is there with its history and its coming fire times, and runs."""
    first = started()
    tokens = first.log_in()
    details = {
        "AssetsResolutionInfo": [{"Id": ASSET, "Type": "symc-csm-AssetSystem-Asset-Unix-Machine"}],
        "JobName": "Of Old", "Standards": [STANDARD],
        "Schedule": {"RunPeriodically": True, "RunEveryNDays": True, "RepeatDays": 2, "StartDate": "2019-01-05T04:10:27"},
    }  # fmt: skip
    job = first.call("POST", "/jobs", json={"JobDetails": details, "JobType": "CollectionJob"}).json()["JobID"]
    ran = first.ended(job)
    coming = first.cli("next", "Of Old")
    first.process.kill()

    second = started(first.process.folder)
    second.token = tokens["access_token"]
    assert second.job_runs(job, count=0) == [ran]
    assert second.call("GET", f"/jobs/{job}").json()["JobDetails"]["Schedule"] == details["Schedule"]
    assert second.cli("next", "Of Old") == coming
    form = f"grant_type=refresh_token&refresh_token={tokens['refresh_token']}"
    renewed = second.send("POST", "/oauth/tokens", data=form).json()
    run = second.call("POST", f"/jobs/{job}", json={"Operation": "execute"}, token=renewed["access_token"]).json()
    assert second.ended(job)["JobRunID"] == run["JobRunID"] != ran["JobRunID"]
