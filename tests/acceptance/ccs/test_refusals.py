"""What the server refuses: the run fails with its words."""


def test_an_account_without_the_right_to_execute(daemon, tmp_path, drive, stand_in):
    """403 with the documented text."""
    stand_in.permit("view-all-jobs", "view-standards", "view-assets")
    jobs = {job["job"]: job for job in stand_in.process.get("/v1/jobs").json()}
    driver = drive(what=jobs["nightly"]["guid"])
    run = driver.until(driver.trigger())
    assert run["state"] == "failed"
    assert "You are not authorized to perform this task. Access is denied." in run["reason"]
    assert stand_in.runs() == []


def test_details_that_the_server_does_not_accept(stand_in, drive, wire):
    """400 with its fields: an asset type that nobody collects there."""
    told = wire.details("web-1")
    told["AssetsResolutionInfo"].append({"Id": "9aaaaaaa-0000-4000-8000-000000000000", "Type": "mainframe"})
    driver = drive(what=told)
    run = driver.until(driver.trigger())
    assert run["state"] == "failed"
    assert "mainframe" in run["reason"]
    assert stand_in.runs() == []


def test_an_execute_that_is_refused(stand_in, drive, wire):
    """400 by order: failed with the server's words, and nothing is tried again without being asked to."""
    driver = drive("web-1")
    order = stand_in.order("status", wire.execute, status=400, body={"Message": "The job is locked."}, times=None)
    run = driver.until(driver.trigger())
    assert (run["state"], stand_in.hits(order)) == ("failed", 1)
    assert "The job is locked." in run["reason"]


def test_a_job_that_the_server_does_not_know(stand_in, drive):
    """Given by its id: it is not made, the run fails and names it."""
    driver = drive(what="0aaaaaaa-0000-4000-8000-00000000dead")
    run = driver.until(driver.trigger())
    assert run["state"] == "failed"
    assert run["reason"]
    assert stand_in.runs() == []
