"""Each fault as a client meets it, over a real connection to a stand-in of its own process."""

import time

import httpx
import pytest

JOBS = {"method": "get", "path": "^/v1/JOBS$"}
TRIGGER = {"method": "POST", "path": "/trigger$"}


def runs(stand_in):
    return len(stand_in.http.get("/v1/runs").json())


def trigger(stand_in):
    return stand_in.http.post("/v1/jobs/hello/trigger", json={})


def until_ended(stand_in):
    """The next trigger is refused while a run is active."""
    final = {"succeeded", "failed"}
    while any(run["state"] not in final for run in stand_in.http.get("/v1/runs").json()):
        time.sleep(0.02)


def test_every_answer_says_that_it_is_a_rehearsal(stand_in):
    """Ours and refusals alike; the log says so at the start."""
    assert stand_in.logged("rehearsal")["level"] == "warning"
    for path in ("/healthz", "/v1/jobs", "/nothing", "/rehearsal/faults"):
        assert stand_in.http.get(path).headers["X-Jobsd-Rehearsal"] == "true"
    assert httpx.post(stand_in.url + "/v1/jobs", trust_env=False).headers["X-Jobsd-Rehearsal"] == "true"


def test_a_status_instead_of_the_answer(stand_in):
    """The request is not carried out; a fault is played as often as ordered, then all is as usual."""
    before = runs(stand_in)
    stand_in.order(
        {"match": TRIGGER, "fault": "status", "status": 503, "headers": {"Retry-After": "1"}, "times": 2}
    )
    for _ in range(2):
        answer = trigger(stand_in)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
        assert answer.json() == {"Message": "Rehearsal: Service Unavailable"}
    assert runs(stand_in) == before
    assert trigger(stand_in).status_code == 200
    assert runs(stand_in) == before + 1
    until_ended(stand_in)


def test_a_status_in_place_of_the_answer_to_what_was_done(stand_in):
    """With `when: after` the request is carried out, and its own answer is never seen."""
    before = runs(stand_in)
    stand_in.order({"match": TRIGGER, "fault": "status", "status": 500, "when": "after", "body": "oops"})
    answer = trigger(stand_in)
    assert (answer.status_code, answer.text) == (500, "oops")
    assert runs(stand_in) == before + 1
    (seen,) = stand_in.requests(method="post")
    assert (seen["answered"], seen["status"], seen["fault"]) == (200, 500, "status")
    until_ended(stand_in)


def test_the_connection_breaks_before_the_request_is_carried_out(stand_in):
    """Not one byte comes back, and nothing was done."""
    before = runs(stand_in)
    stand_in.order({"match": TRIGGER, "fault": "drop_before"})
    assert stand_in.raw("POST", "/v1/jobs/hello/trigger", b"{}") == b""
    assert runs(stand_in) == before
    (seen,) = stand_in.requests(method="POST")
    assert (seen["answered"], seen["status"], seen["fault"]) == (None, None, "drop_before")


def test_the_connection_breaks_after_the_request_was_carried_out(stand_in):
    """Not one byte comes back, and all was done."""
    before = runs(stand_in)
    stand_in.order({"match": TRIGGER, "fault": "drop_after"})
    with pytest.raises(httpx.RemoteProtocolError):
        trigger(stand_in)
    assert runs(stand_in) == before + 1
    (seen,) = stand_in.requests(method="POST")
    assert (seen["answered"], seen["status"]) == (200, None)
    until_ended(stand_in)


def test_a_body_that_breaks_off(stand_in):
    """The head promises the whole, half of it comes; the next connection is served."""
    stand_in.order({"match": JOBS, "fault": "truncate"})
    head, _, body = stand_in.raw().partition(b"\r\n\r\n")
    whole = stand_in.http.get("/v1/jobs").content
    assert f"content-length: {len(whole)}".encode() in head.lower()
    assert body == whole[: len(whole) // 2]
    stand_in.order({"match": JOBS, "fault": "truncate", "keep": 0})
    assert stand_in.raw().partition(b"\r\n\r\n")[2] == b""


def test_another_body(stand_in):
    """The answer keeps its status; its body is none of ours."""
    stand_in.order({"match": JOBS, "fault": "garble"}, {"match": JOBS, "fault": "garble", "body": '{"a": '})
    assert stand_in.http.get("/v1/jobs").text.startswith("<html>")
    answer = stand_in.http.get("/v1/jobs")
    assert (answer.status_code, answer.text) == (200, '{"a": ')


@pytest.mark.parametrize(("when", "done"), [("before", False), ("after", True)])
def test_a_late_answer(stand_in, when, done):
    """It comes whole; whether the request was carried out by then is ordered. Others are served meanwhile."""
    before = runs(stand_in)
    stand_in.order({"match": TRIGGER, "fault": "delay", "seconds": 1.5, "when": when})
    with pytest.raises(httpx.ReadTimeout):
        stand_in.http.post("/v1/jobs/hello/trigger", json={}, timeout=0.7)
    assert runs(stand_in) == before + done
    (seen,) = stand_in.requests(method="POST")
    assert (seen["answered"], seen["status"]) == (200 if done else None, None)
    deadline = time.monotonic() + 10
    while stand_in.requests(method="POST")[0]["status"] is None:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert runs(stand_in) == before + 1
    until_ended(stand_in)


def test_faults_leave_no_complaint_in_the_log(stand_in):
    """Broken connections are no faults of the server's: uvicorn says nothing; each fault is a line of ours."""
    stand_in.order({"match": JOBS, "fault": "drop_before"}, {"match": JOBS, "fault": "truncate"})
    stand_in.raw()
    stand_in.raw()
    line = stand_in.logged("rehearsal_fault")
    assert set(line) >= {"fault", "order", "method", "path"}
    stand_in.order({"match": JOBS, "fault": "garble"})
    stand_in.http.get("/v1/jobs")
    stand_in.until_logged("rehearsal_fault", fault="garble")
    assert not [line for line in stand_in.lines if line["event"] == "library_message"]
