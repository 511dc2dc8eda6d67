"""One jobsd drives another: the whole story of a job."""

import json


def test_a_job_is_created_executed_and_followed_to_its_end(stand_in, drive):
    """Its JobID and JobRunID, and the last status with its summary, are there to be read on the driver's side."""
    driver = drive("web-1", "web-2")
    run_id = driver.trigger()
    run = driver.until(run_id)
    assert (run["state"], run["attempts"]) == ("succeeded", 1)
    (job_run,) = stand_in.runs()
    assert job_run["state"] == "succeeded"
    assert stand_in.collected() == ["web-1", "web-2"]
    memory = run["memory"]
    assert memory["ccs_run"] == job_run["run_id"]
    status = json.loads(memory["ccs_status"])
    assert (status["Status"], status["JobRunID"], status["JobID"]) == (4, memory["ccs_run"], memory["ccs_job"])
    assert {"CustomStatusText", "Exception", "JobSummary", "ActivityStatusList"} <= set(status)
    (job,) = stand_in.process.get("/v1/jobs").json()[-1:]
    assert job["job"] == "weekly"


def test_a_job_given_by_its_id_is_executed_and_never_altered(stand_in, drive):
    """A job of the stand-in's own file, which the API may execute and not change.

    Rule: ccs-reruns
    """
    jobs = {job["job"]: job for job in stand_in.process.get("/v1/jobs").json()}
    driver = drive(what=jobs["nightly"]["guid"])
    assert driver.until(driver.trigger())["state"] == "succeeded"
    assert [run["job"] for run in stand_in.runs()] == ["nightly"]
    assert stand_in.requests("PATCH", "") == []


def test_the_window_ends_the_run_there_and_the_rerun_takes_the_rest(stand_in, drive):
    """Abort, confirmed by the job run's end; later another job run, incremental: only what was left is collected."""
    stand_in.hold("web-2")
    schedule = "{once: true, start: 2020-01-01T00:00:00, window: 4s, rerun: {every: 9s, for: 60s}}"
    driver = drive("web-1", "web-2", schedule=schedule)
    run_id = driver.trigger()
    stand_in.process.until(lambda: stand_in.collected() == ["web-1"])
    run = driver.until(run_id, "incomplete")
    (first,) = stand_in.runs()
    assert first["state"] == "cancelled"
    stand_in.release()
    run = driver.until(run_id, "succeeded", "failed", "expired")
    assert (run["state"], run["attempts"]) == ("succeeded", 2)
    first, second = stand_in.runs()
    assert (first["state"], second["state"]) == ("cancelled", "succeeded")
    assert (second["assets"]["fresh"], second["assets"]["done"]) == (1, 1)
    assert stand_in.collected() == ["web-1", "web-2"]
    assert json.loads(run["memory"]["ccs_status"])["JobRunID"] == second["run_id"]


def test_an_operators_abort_ends_the_run_there(stand_in, drive):
    """The driver's run is cancelled when the job run has ended."""
    stand_in.hold("web-1")
    driver = drive("web-1")
    run_id = driver.trigger()
    stand_in.until_running()
    driver.until_knows(run_id, "ccs_run")
    driver.process.post(f"/v1/runs/{run_id}/abort")
    run = driver.until(run_id)
    assert run["state"] == "cancelled"
    assert [job_run["state"] for job_run in stand_in.runs()] == ["cancelled"]


def test_a_changed_definition_changes_the_job_there(stand_in, drive, wire):
    """By PATCH: there is still one job, and it collects what the file says now."""
    driver = drive("web-1")
    assert driver.until(driver.trigger())["state"] == "succeeded"
    driver.write(wire.details("web-1", "web-3"))
    driver.reload()
    assert driver.until(driver.trigger())["state"] == "succeeded"
    assert sorted(job["job"] for job in stand_in.process.get("/v1/jobs").json()) == ["nightly", "weekly"]
    assert len({run["job"] for run in stand_in.runs()}) == 1
    assert len(stand_in.requests("PATCH", "/jobs")) == 1
    assert stand_in.collected() == ["web-1", "web-1", "web-3"]
