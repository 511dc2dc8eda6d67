"""The acts: what they do, when they are refused, who is written down."""

import sqlite3
import threading
import time

from scheduler.ledger import queries


def test_trigger_opens_a_run_that_runs(house):
    """The answer is the new run; it is carried out."""
    run = house.post("/v1/jobs/HELLO/trigger")
    assert (run["job"], run["kind"], run["attempts"]) == ("hello", "manual", 0)
    done = house.ended(run["run_id"])
    assert (done["state"], done["attempt_list"][0]["exit_code"]) == ("succeeded", 0)


def test_a_second_trigger_is_refused_while_a_run_is_active(house):
    """409, and the text names the run and what can be done."""
    run = house.ran("waiting", "running")
    error = house.post("/v1/jobs/waiting/trigger", status=409)["error"]
    assert run["run_id"] in error
    assert "abort" in error


def test_abort_ends_a_running_run_and_is_repeatable(house):
    """The stop is on record at once; aborting the cancelled run again changes nothing."""
    run = house.ran("waiting", "running")
    asked = house.post(f"/v1/runs/{run['run_id'][:8]}/abort")
    assert asked["stop_reason"] == "cancel"
    assert asked["stop_requested_at"] is not None
    done = house.ended(run["run_id"])
    assert (done["state"], done["status"]) == ("cancelled", 7)
    assert house.post(f"/v1/runs/{run['run_id']}/abort")["state"] == "cancelled"
    over = house.ran("hello")
    assert "has ended already" in house.post(f"/v1/runs/{over['run_id']}/abort", status=409)["error"]


def test_rerun_takes_what_is_left(house):
    """An incomplete run makes a second attempt over the one asset that is left."""
    run = house.ran("nightly", "incomplete")
    house.post(f"/v1/runs/{run['run_id']}/rerun")
    done = house.until(lambda: (r := house.get(f"/v1/runs/{run['run_id']}"))["state"] == "incomplete" and r)
    assert [attempt["cause"] for attempt in done["attempt_list"]] == ["manual", "manual"]
    starts = {a["asset_id"]: a["starts"] for a in house.get(f"/v1/runs/{run['run_id']}/assets")}
    assert starts == {"web-1": 1, "web-2": 1, "web-3": 2}
    complete = house.ran("hello")
    again = house.post(f"/v1/runs/{complete['run_id']}/rerun")
    assert again["parent_run"] == complete["run_id"]
    house.ended(again["run_id"])


def test_pause_and_resume(house):
    """A pause has a note and an end or none; resuming a job that is not paused is refused."""
    job = house.post("/v1/jobs/nightly/pause", json={"note": "freeze"})
    assert job["paused"] == {"since": "2026-03-07T12:00:00Z", "until": None, "note": "freeze", "by": "local"}
    assert house.post("/v1/jobs/nightly/pause")["paused"]["note"] is None
    assert house.post("/v1/jobs/nightly/resume", json={"catch_up": 1}, status=400)["error"]
    resumed = house.post("/v1/jobs/nightly/resume", json={"catch_up": True})
    assert (resumed["paused"], resumed["caught_up_by"]) == (None, None)
    assert "not paused" in house.post("/v1/jobs/nightly/resume", status=409)["error"]
    assert (
        "would be over"
        in house.post("/v1/jobs/nightly/pause", json={"until": "2020-01-01T00:00:00Z"}, status=409)["error"]
    )


def test_bad_bodies_are_refused(house):
    """An instant without an offset, an unknown key, no JSON, too much of it: 4xx in our shape, and no pause."""
    path = "/v1/jobs/nightly/pause"
    assert "timezone" in house.post(path, json={"until": "2027-01-01T00:00:00"}, status=400)["error"]
    assert "Extra inputs" in house.post(path, json={"untill": "2027-01-01T00:00:00Z"}, status=400)["error"]
    assert "application/json" in house.post(path, content=b"note=x", status=400)["error"]
    assert set(house.post(path, json={"note": "x" * 100_000}, status=413)) == {"error", "detail"}
    assert house.get("/v1/jobs/nightly")["paused"] is None


def test_refused_acts_say_why(house):
    """A disabled job and unknown names; a wrong method."""
    assert "disabled" in house.post("/v1/jobs/off/trigger", status=409)["error"]
    assert "there is no job" in house.post("/v1/jobs/nobody/trigger", status=404)["error"]
    assert "there is no job" in house.post("/v1/jobs/nobody/pause", status=404)["error"]
    assert "there is no run" in house.post("/v1/runs/zzz/abort", status=404)["error"]
    assert "there is no run" in house.post("/v1/runs/zzz/rerun", status=404)["error"]
    assert "POST is not possible" in house.post("/v1/jobs", status=405)["error"]


def test_who_acted_stands_in_the_journal(build):
    """The token's name, API or CLI by the User-Agent, and the peer's address."""
    house = build(tokens="{name: ops, token: operators-token, scope: control}")
    house.start()
    headers = {"Authorization": "Bearer operators-token", "User-Agent": "jobsd-cli/0.1"}
    run = house.http.post("/v1/jobs/hello/trigger", headers=headers).json()
    (opened, *_) = house.get(f"/v1/runs/{run['run_id']}/events")
    assert (opened["actor"], opened["by"], opened["origin"]) == ("ops", "cli", "127.0.0.1")
    house.ended(run["run_id"])


def test_a_stuck_scheduling_loop_gives_503_and_nothing_happens_later(house):
    """An act is answered within about 2 s; what was refused so is never done. Reading goes on."""
    before = house.ledger.read(queries.last_event_id)
    with house.blocked():
        began = time.monotonic()
        error = house.post("/v1/jobs/hello/trigger", status=503)["error"]
        assert time.monotonic() - began < 2.5
        assert "nothing was done" in error
        assert len(house.get("/v1/jobs")) == 4
    passed = threading.Event()
    house.loop.call_soon_threadsafe(passed.set)
    assert passed.wait(10)
    assert house.ledger.read(queries.last_event_id) == before


def test_a_stuck_scheduling_loop_is_not_ready(build):
    """/readyz turns to 503 and says why, /healthz stays 200; both recover with the loop. The page has a banner.

    Rule: blocked-loop
    """
    house = build(stale_s=2.5)
    house.start()
    assert house.get("/readyz") == {"ready": True, "reasons": []}
    with house.blocked():
        house.until(lambda: len(house.http.get("/readyz").json()["reasons"]) == 2)
        body = house.get("/readyz", status=503)
        assert body["ready"] is False
        assert "the scheduling loop has not moved" in body["reasons"][0]
        assert "the alarm clock has not moved" in body["reasons"][1]
        assert house.http.get("/healthz").text == "ok\n"
        assert "The daemon is not ready" in house.http.get("/").text
    house.until(lambda: house.http.get("/readyz").status_code == 200)


def test_a_ledger_that_cannot_be_written_is_not_ready_and_acts_get_503(house):
    """While writing fails, acts are refused and /readyz says so; both recover."""
    other = sqlite3.connect(house.ledger.path, isolation_level=None)
    for table in ("health", "events"):
        other.execute(f"ALTER TABLE {table} RENAME TO {table}_hidden")
    assert "ledger cannot be used" in house.post("/v1/jobs/hello/trigger", status=503)["error"]
    body = house.until(lambda: (r := house.http.get("/readyz")).status_code == 503 and r.json())
    assert "cannot be written" in body["reasons"][0]
    for table in ("health", "events"):
        other.execute(f"ALTER TABLE {table}_hidden RENAME TO {table}")
    other.close()
    house.until(lambda: house.http.get("/readyz").status_code == 200)
    assert house.ran("hello")["state"] == "succeeded"
