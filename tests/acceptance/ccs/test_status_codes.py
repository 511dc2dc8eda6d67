"""Every status that a job run can have, as the driver understands it."""

import json

import pytest


def status_of(run):
    return json.loads(run["memory"].get("ccs_status") or "{}")


@pytest.mark.parametrize(
    ("code", "more", "state", "reason"),
    [
        (4, {}, "succeeded", ""),
        (5, {"exception": "no agent answers"}, "failed", "no agent answers"),
        (6, {"text": "Parked by policy", "ended": True}, "failed", "Parked by policy"),
        (7, {}, "failed", "aborted on the server"),
    ],
    ids=["completed", "faulted", "custom", "aborted"],
)
def test_a_status_that_ends_the_run(stand_in, drive, wire, code, more, state, reason):
    """The run ends with what the server says, and the status stays readable."""
    stand_in.hold("web-1")
    driver = drive("web-1")
    stand_in.order("job_status", wire.poll, status=code, times=None, **more)
    run = driver.until(driver.trigger())
    assert run["state"] == state
    assert reason in run["reason"]
    assert status_of(run)["Status"] == code
    assert len(stand_in.runs()) == 1


def test_statuses_that_do_not(stand_in, drive, wire):
    """The run is followed further; what the server says of it can be read meanwhile."""
    stand_in.hold("web-1")
    driver = drive("web-1")
    run_id = driver.trigger()
    for code, text in ((0, ""), (1, ""), (3, ""), (6, "Waiting for a site"), (2, "")):
        order = stand_in.order(
            "job_status", wire.poll, status=code, times=None, **({"text": text} if text else {})
        )
        run = driver.process.until(
            lambda code=code: found if status_of(found := driver.run(run_id)).get("Status") == code else None
        )
        assert status_of(run)["CustomStatusText"] == text
        stand_in.until_hit(order, 2)
        assert driver.run(run_id)["state"] == "running"
        stand_in.take_back()
    stand_in.release()
    run = driver.until(run_id)
    assert (run["state"], status_of(run)["Status"], run["attempts"]) == ("succeeded", 4, 1)
