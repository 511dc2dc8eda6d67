"""Either side ends in the middle of a job run and comes back: one job run, followed to its end."""


def test_the_driver_is_killed_before_it_reads_the_answer_to_execute(stand_in, drive, wire):
    """SIGKILL between sending and reading: after its start exactly one job run exists, and is followed to its end."""
    stand_in.hold("web-1")
    order = stand_in.order("delay", wire.execute, seconds=20, when="after")
    driver = drive("web-1")
    run_id = driver.trigger()
    stand_in.until_hit(order)
    stand_in.until_running()
    driver.process.kill()
    driver.start()
    job_run = driver.until_knows(run_id, "ccs_run")
    stand_in.release()
    run = driver.until(run_id)
    assert run["state"] == "succeeded"
    assert [(one["run_id"], one["state"]) for one in stand_in.runs()] == [(job_run, "succeeded")]


def test_the_driver_is_killed_while_it_polls(stand_in, drive):
    """The same job run is found again by its id.

    Rule: crash-elsewhere
    """
    stand_in.hold("web-1")
    driver = drive("web-1")
    run_id = driver.trigger()
    job_run = driver.until_knows(run_id, "ccs_run")
    driver.process.kill()
    driver.start()
    stand_in.release()
    run = driver.until(run_id)
    assert (run["state"], run["memory"]["ccs_run"]) == ("succeeded", job_run)
    assert [one["run_id"] for one in stand_in.runs()] == [job_run]


def test_the_driver_is_stopped_while_it_polls(stand_in, drive, wire):
    """SIGTERM: nothing is aborted there; after its start the same job run is followed."""
    stand_in.hold("web-1")
    aborts = stand_in.order("count", wire.abort)
    driver = drive("web-1")
    run_id = driver.trigger()
    job_run = driver.until_knows(run_id, "ccs_run")
    assert driver.process.stop() == 0
    assert stand_in.until_running()["run_id"] == job_run
    driver.start()
    stand_in.release()
    run = driver.until(run_id)
    assert (run["state"], run["memory"]["ccs_run"]) == ("succeeded", job_run)
    assert (len(stand_in.runs()), stand_in.hits(aborts)) == (1, 0)


def test_the_server_is_restarted_in_the_middle_of_a_run(stand_in, drive):
    """Its collection goes on under the same JobRunID; the driver waits for it and follows."""
    stand_in.hold("web-2")
    driver = drive("web-1", "web-2")
    run_id = driver.trigger()
    job_run = driver.until_knows(run_id, "ccs_run")
    stand_in.process.until(lambda: stand_in.collected() == ["web-1"])
    stand_in.stop()
    assert driver.run(run_id)["state"] == "running"
    stand_in.start()
    stand_in.release()
    run = driver.until(run_id)
    assert (run["state"], run["attempts"], run["memory"]["ccs_run"]) == ("succeeded", 1, job_run)
    assert [one["run_id"] for one in stand_in.runs()] == [job_run]
    assert stand_in.collected() == ["web-1", "web-2"]


def test_the_window_ends_while_the_driver_is_down(stand_in, drive, settled):
    """After its start the job run is ended there, and what is left waits for the rerun."""
    stand_in.hold("web-1")
    driver = drive(
        "web-1", schedule="{once: true, start: 2020-01-01T00:00:00, window: 5s, rerun: {every: 60s, for: 120s}}"
    )
    run_id = driver.trigger()
    driver.until_knows(run_id, "ccs_run")
    driver.process.kill()
    settled(lambda: [one["state"] for one in stand_in.runs()], 5.5)
    driver.start()
    assert driver.until(run_id, "incomplete")["reason"] == "the window closed"
    assert [one["state"] for one in stand_in.runs()] == ["cancelled"]


def test_the_driver_is_stopped_before_its_abort_is_confirmed(stand_in, drive, wire):
    """SIGTERM is not held up for ever by a server that does not take the abort; the next start goes on with it."""
    stand_in.hold("web-1")
    driver = drive("web-1")
    run_id = driver.trigger()
    driver.until_knows(run_id, "ccs_run")
    order = stand_in.order("drop_before", wire.abort, times=None)
    driver.process.post(f"/v1/runs/{run_id}/abort")
    stand_in.until_hit(order)
    assert driver.process.stop() == 0
    stand_in.take_back()
    assert stand_in.until_running()
    driver.start()
    assert driver.until(run_id)["state"] == "cancelled"
    assert [one["state"] for one in stand_in.runs()] == ["cancelled"]


RETRY = "retry: {attempts: 3, backoff: 1h}"


def between_two_tries(stand_in, drive, wire):
    """A run that waits for its next try, because a poll was refused; its job run goes on."""
    stand_in.hold("web-1")
    driver = drive("web-1", more=RETRY)
    run_id = driver.trigger()
    driver.until_knows(run_id, "ccs_run")
    stand_in.order("status", wire.poll, status=409, times=5)
    driver.until(run_id, "retrying")
    assert stand_in.until_running()
    return driver, run_id


def test_an_abort_between_two_tries_ends_the_job_run(stand_in, drive, wire):
    """No attempt is at work, the job run is: it is ended there, then the run is cancelled, without waiting for the try."""
    driver, run_id = between_two_tries(stand_in, drive, wire)
    driver.process.post(f"/v1/runs/{run_id}/abort")
    run = driver.until(run_id)
    assert run["state"] == "cancelled"
    assert run["reason"].startswith("aborted by ")
    assert [one["state"] for one in stand_in.runs()] == ["cancelled"]


def test_a_job_that_is_disabled_between_two_tries(stand_in, drive, wire):
    """Its job run is ended there, then its run is cancelled."""
    driver, run_id = between_two_tries(stand_in, drive, wire)
    driver.write(wire.details("web-1"), more="enabled: false")
    driver.reload()
    run = driver.until(run_id)
    assert (run["state"], run["reason"]) == ("cancelled", "the job was disabled")
    assert [one["state"] for one in stand_in.runs()] == ["cancelled"]


def test_the_driver_is_killed_before_its_abort_is_confirmed(stand_in, drive, wire):
    """An operator's abort holds: after its start the job run is ended there, then the run is cancelled."""
    stand_in.hold("web-1")
    driver = drive("web-1")
    run_id = driver.trigger()
    driver.until_knows(run_id, "ccs_run")
    order = stand_in.order("drop_before", wire.abort, times=None)
    driver.process.post(f"/v1/runs/{run_id}/abort")
    stand_in.until_hit(order)
    driver.process.kill()
    stand_in.take_back()
    assert stand_in.until_running()
    driver.start()
    assert driver.until(run_id)["state"] == "cancelled"
    assert [one["state"] for one in stand_in.runs()] == ["cancelled"]
