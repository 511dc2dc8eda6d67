"""Ordering faults, and what is told of them and of the requests."""

import httpx
import pytest

JOBS = {"path": "/v1/jobs"}


def test_nothing_is_told_or_taken_without_a_control_token(stand_in):
    """Not even on a loopback listener that is open for reading."""
    for method, path in (("GET", "faults"), ("POST", "faults"), ("DELETE", "faults"), ("GET", "requests")):
        answer = httpx.request(method, f"{stand_in.url}/rehearsal/{path}", trust_env=False)
        assert answer.status_code == 401
        assert "error" in answer.json()


@pytest.mark.parametrize(
    ("fault", "word"),
    [
        ({"fault": "sabotage"}, "drop_before"),
        ({}, "fault"),
        ({"fault": "status"}, "status"),
        ({"fault": "status", "status": 99}, "200"),
        ({"fault": "delay", "seconds": 0}, "greater than 0"),
        ({"fault": "drop_after", "times": 0}, "1"),
        ({"fault": "drop_after", "tiems": 1}, "tiems"),
        ({"fault": "drop_after", "match": {"path": "("}}, "regular expression"),
        ({"fault": "job_status", "status": 8}, "status"),
        ({"fault": "delay", "seconds": 1, "when": "later"}, "before"),
    ],
)
def test_an_order_that_makes_no_sense_is_refused(stand_in, fault, word):
    """With a text that names the place; nothing of the whole order is taken."""
    answer = stand_in.http.post("/rehearsal/faults", json=[{"fault": "drop_after"}, fault])
    assert answer.status_code == 400
    assert word in answer.text
    assert stand_in.http.get("/rehearsal/faults").json() == []


def test_orders_are_told_with_their_hits_and_taken_back(stand_in):
    """One by its number, or all; the first of several that fit is played; `skip` lets some pass."""
    first, second = stand_in.order(
        {"match": JOBS, "fault": "status", "status": 500, "skip": 1},
        {"match": JOBS, "fault": "status", "status": 502, "times": None},
    )
    assert [stand_in.http.get("/v1/jobs").status_code for _ in range(3)] == [502, 500, 502]
    told = stand_in.http.get("/rehearsal/faults").json()
    assert [(one["id"], one["hits"]) for one in told] == [(first["id"], 1), (second["id"], 2)]
    assert stand_in.http.delete(f"/rehearsal/faults/{second['id']}").json() == {"deleted": 1}
    assert stand_in.http.delete(f"/rehearsal/faults/{second['id']}").status_code == 404
    assert stand_in.http.get("/v1/jobs").status_code == 200
    assert stand_in.http.delete("/rehearsal/faults").json() == {"deleted": 1}


def test_requests_are_told_without_what_they_carried(stand_in):
    """Method, path and statuses, by method and path if wanted; no header, query or body."""
    stand_in.http.get("/v1/runs?limit=1")
    stand_in.http.post("/v1/jobs/nobody/trigger", json={"secret": "s3cret"})
    first, second = stand_in.requests()
    assert {key: first[key] for key in ("method", "path", "status", "answered", "fault")} == {
        "method": "GET", "path": "/v1/runs", "status": 200, "answered": 200, "fault": "",
    }  # fmt: skip
    assert second["status"] == 404
    assert stand_in.requests(path="NOBODY") == [second]
    assert stand_in.requests(method="get") == [first]
    assert "s3cret" not in stand_in.http.get("/rehearsal/requests").text
    assert stand_in.http.get("/rehearsal/requests", params={"path": "("}).status_code == 400
    assert stand_in.http.delete("/rehearsal/requests").json() == {"deleted": 2}


def test_requests_are_counted_by_what_they_carried(stand_in):
    """An order that only counts, by body too; faults still apply to what it counts."""
    stand_in.order(
        {"match": {"method": "POST", "body": '"note": *"ab"'}, "fault": "count"},
        {"match": {"method": "POST"}, "fault": "status", "status": 418},
    )
    for note in ("ab", "cd", "ab"):
        stand_in.http.post("/v1/jobs/nobody/trigger", json={"note": note})
    count, fault = stand_in.http.get("/rehearsal/faults").json()
    assert (count["hits"], fault["hits"]) == (2, 1)


def test_a_long_body_is_passed_on_whole(stand_in):
    """The layer looks at the beginning; the application judges the whole."""
    stand_in.order({"match": {"body": "nothing-like-it"}, "fault": "status", "status": 418})
    answer = stand_in.http.post("/v1/jobs/hello/trigger", content=b"x" * 3_000_000)
    assert answer.status_code == 413


def test_the_desk_describes_itself(stand_in):
    """Every fault stands in its OpenAPI document."""
    told = stand_in.http.get("/rehearsal/openapi.json").json()
    assert {"Delay", "Answer", "DropBefore", "DropAfter", "Truncate", "Garble", "JobStatus", "Count"} <= set(
        told["components"]["schemas"]
    )
