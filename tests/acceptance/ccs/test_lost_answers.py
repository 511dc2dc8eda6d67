"""Answers that come late, broken or not at all: nothing is done twice, nothing is given up."""

import pytest


def test_an_execute_whose_answer_is_lost_is_not_repeated(stand_in, drive, wire):
    """The connection breaks after it was taken: the latest job runs are read, and the new one is followed."""
    stand_in.hold("web-1")
    order = stand_in.order("drop_after", wire.execute)
    driver = drive("web-1")
    run_id = driver.trigger()
    stand_in.until_hit(order)
    driver.until_knows(run_id, "ccs_run")
    stand_in.release()
    run = driver.until(run_id)
    (job_run,) = stand_in.runs()
    assert (run["state"], run["memory"]["ccs_run"]) == ("succeeded", job_run["run_id"])


def test_an_execute_that_never_arrived_is_repeated(stand_in, drive, wire):
    """The connection breaks before it was taken: no new job run is there for half a minute, so it is sent again."""
    order = stand_in.order("drop_before", wire.execute)
    driver = drive("web-1")
    run = driver.until(driver.trigger(), seconds=60)
    assert stand_in.hits(order) == 1
    assert (run["state"], len(stand_in.runs())) == ("succeeded", 1)


@pytest.mark.parametrize("fault", ["drop_after", "garble"])
def test_a_create_whose_answer_is_lost_makes_one_job(stand_in, drive, wire, fault):
    """The job is found again by its name."""
    order = stand_in.order(fault, {"method": "POST", "path": "/jobs/?$"})
    driver = drive("web-1")
    run = driver.until(driver.trigger())
    assert stand_in.hits(order) == 1
    assert (run["state"], len(stand_in.runs())) == ("succeeded", 1)
    assert sorted(job["job"] for job in stand_in.process.get("/v1/jobs").json()) == ["nightly", "weekly"]


TROUBLES = (
    ("status", {"status": 500}),
    ("status", {"status": 503, "headers": {"Retry-After": "1"}}),
    ("garble", {}),
    ("garble", {"body": "[]", "times": 2}),  # at the third it is believed
    ("truncate", {}),
    ("drop_before", {}),
    ("drop_after", {}),
    ("delay", {"seconds": 6, "times": 1}),
)


def test_trouble_while_polling_is_waited_out(stand_in, drive, wire):
    """The job run goes on meanwhile; it is followed to its end, and nothing is executed again."""
    stand_in.hold("web-1")
    driver = drive("web-1")
    run_id = driver.trigger()
    driver.until_knows(run_id, "ccs_run")
    for fault, more in TROUBLES:
        stand_in.until_hit(stand_in.order(fault, wire.poll, **({"times": 2} | more)), more.get("times", 2))
        assert driver.run(run_id)["state"] == "running", fault
    stand_in.release()
    run = driver.until(run_id)
    assert (run["state"], run["attempts"], len(stand_in.runs())) == ("succeeded", 1, 1)


def test_an_abort_whose_answer_is_lost_is_confirmed(stand_in, drive, wire):
    """What counts is that the job run has ended."""
    stand_in.hold("web-1")
    driver = drive("web-1")
    run_id = driver.trigger()
    stand_in.until_running()
    driver.until_knows(run_id, "ccs_run")
    order = stand_in.order("drop_after", wire.abort)
    driver.process.post(f"/v1/runs/{run_id}/abort")
    assert driver.until(run_id)["state"] == "cancelled"
    assert stand_in.hits(order) == 1
    assert [job_run["state"] for job_run in stand_in.runs()] == ["cancelled"]
