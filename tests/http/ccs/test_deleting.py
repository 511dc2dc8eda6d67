"""Deleting: a job with its history, or its history only."""

import pytest

NEVER = {"RunNow": False}
HELD = "11111111-1111-1111-1111-111111111111"
EXECUTE = b'{"Operation": "execute"}'


@pytest.fixture
def executed(face, script, request_of):
    """A job with two ended job runs: JobID and JobRunIDs."""
    job = script.json("POST", "/jobs", request_of(Schedule=NEVER))["JobID"]
    runs = []
    for _ in range(2):
        runs.append(script.json("POST", f"/jobs/{job}", EXECUTE)["JobRunID"])
        face.house.ended(runs[-1])
    return job, runs


@pytest.mark.parametrize("query", ["", "&DeleteJob=False", "&deletejob=FALSE", "&DELETEJOB=0"])
@pytest.mark.parametrize("body", [b"\r", None])
def test_without_delete_job_only_the_history_goes(face, script, executed, query, body):
    """The job stays and fires; its runs and what they wrote are gone. The vendor's script sends one byte along."""
    job, runs = executed
    assert "2" in script.text("DELETE", f"/Jobs?jobid={job}{query}", body, status=200)
    assert script.json("GET", f"/jobs/{job}/jobruns?count=0") == []
    assert script.json("GET", f"/jobs/{job}")["LastRunStatus"] == 0
    assert not any((face.house.folder / "state" / "output" / run).exists() for run in runs)
    face.house.ended(script.json("POST", f"/jobs/{job}", EXECUTE)["JobRunID"])


@pytest.mark.parametrize("query", ["&DeleteJob=True", "&deletejob=true", "&DeleteJob=%20TRUE%20", "&DeleteJob=1"])
def test_with_delete_job_the_job_goes_and_its_name_is_free(script, request_of, executed, query):
    """Afterwards it is as if it had never been; a second time there is nothing to delete."""
    job, _ = executed
    assert script.text("DELETE", f"/jobs/?JobID={job.upper()}{query}", b"\r", status=200)
    assert script.call("GET", f"/jobs/{job}").status_code == 404
    assert script.call("GET", "/jobs?jobname=Weekly").status_code == 404
    assert script.json("GET", "/jobs?Attributes=JobName = Weekly") == []
    assert script.call("GET", f"/jobs/{job}/jobruns").status_code == 404
    for method, path, body in (
        ("DELETE", f"/jobs?jobid={job}&DeleteJob=True", b"\r"), ("POST", f"/jobs/{job}", EXECUTE),
        ("PATCH", "/jobs", {"JobID": job, "JobDetails": {"JobDescription": "x"}}),
    ):  # fmt: skip
        assert script.text(method, path, body, status=400)
    again = script.json("POST", "/jobs", request_of(Schedule=NEVER))["JobID"]
    assert again != job


def test_a_running_attempt_finishes(face, script, request_of):
    """The job is gone at once, its work is not cut off."""
    job = script.json("POST", "/jobs", request_of(assets=((HELD, "held"),), Schedule={}))["JobID"]
    (run,) = script.json("GET", f"/jobs/{job}/jobruns")
    face.house.ended(run["JobRunID"], "running")
    script.json("DELETE", f"/jobs?jobid={job}&DeleteJob=True")
    assert script.call("GET", f"/jobs/{job}").status_code == 404
    (face.house.folder / "go").touch()
    assert face.house.ended(run["JobRunID"])["state"] == "succeeded"


@pytest.mark.parametrize(
    "query", ["", "?jobid=", "?jobid=x", "?jobid={job}&DeleteJob=yes", "?DeleteJob=True", "?jobid={job}x"]
)
def test_what_is_to_be_deleted_must_be_said(script, executed, query):
    """400, and nothing is deleted."""
    job, runs = executed
    answer = script.json("DELETE", "/jobs" + query.format(job=job), b"\r", status=400)
    assert set(answer) == {"Message", "Errors"}
    assert len(script.json("GET", f"/jobs/{job}/jobruns?count=0")) == len(runs)
