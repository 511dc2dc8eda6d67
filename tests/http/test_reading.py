"""Every reading route: its shape and its values."""

import csv
import io
from dataclasses import replace

import pytest

from scheduler.model import Actor, By

RUN_KEYS = {
    "run_id", "run_no", "job", "kind", "fire_time", "local", "timezone", "state", "status", "reason", "attempts", "window_end",
    "started_at", "ended_at", "assets", "occurrences", "last_fire_time", "parent_run", "moved_from", "stop_requested_at",
    "stop_reason",
}  # fmt: skip
ASSET_KEYS = {"total", "done", "open", "fresh", "failed", "timed_out", "unreachable"}


def test_a_job_has_its_schedule_its_next_fire_time_and_its_last_run(told):
    """The next fire time is given in UTC and in the job's zone, over the change of clocks."""
    jobs = {job["job"]: job for job in told.get("/v1/jobs")}
    assert list(jobs) == ["hello", "nightly", "off", "waiting"]
    nightly = jobs["nightly"]
    assert set(nightly) == {
        "job", "guid", "job_no", "origin", "creator", "description", "enabled", "defined", "schedule", "timezone",
        "known_since", "next_fire_time", "local", "next_excluded", "last_run", "paused", "labels", "coverage",
    }  # fmt: skip
    assert nightly["next_fire_time"] == "2026-03-08T07:30:00Z"
    assert nightly["local"] == "2026-03-08T03:30:00-04:00"
    assert "Every day at 02:30" in nightly["schedule"]
    assert nightly["labels"] == {"team": "audit"}
    assert nightly["last_run"]["run_id"] == told.collected["run_id"]
    assert set(nightly["last_run"]) == RUN_KEYS
    assert jobs["hello"]["next_fire_time"] is None
    assert (jobs["off"]["enabled"], jobs["off"]["next_fire_time"]) == (False, None)
    assert jobs["waiting"]["paused"] == {
        "since": "2026-03-07T12:00:00Z", "until": "2026-03-31T22:00:00Z", "note": "audit", "by": "local",
    }  # fmt: skip
    assert told.get("/v1/jobs/NIGHTLY") == nightly


def test_jobs_come_in_pages_by_name(told):
    """`after` and `limit` page through the jobs."""
    assert [job["job"] for job in told.get("/v1/jobs?limit=2")] == ["hello", "nightly"]
    assert [job["job"] for job in told.get("/v1/jobs?limit=2&after=Nightly")] == ["off", "waiting"]


def test_coverage_says_where_each_asset_stands(told):
    """Last state, last covered, age and results of each asset, and the counts over all."""
    coverage = told.get("/v1/jobs/nightly/coverage")
    assert coverage["counts"] == {
        "total": 3, "done": 2, "fresh": 0, "open": 0, "failed": 0, "timed_out": 0, "unreachable": 1, "never": 0,
    }  # fmt: skip
    assert coverage["share"] == pytest.approx(2 / 3)
    assert coverage["results"] == {"pass": 2, "fail": 2, "unknown": 0, "error": 0, "notapplicable": 0}
    one, _, three = coverage["assets"]
    assert (one["asset_id"], one["state"], one["age_s"]) == ("web-1", "done", 0.0)
    assert one["covered_by"] == one["run_id"] == told.collected["run_id"]
    assert (three["state"], three["covered_at"], three["age_s"]) == ("unreachable", None, None)
    nightly = told.get("/v1/jobs/nightly")
    assert coverage["known_since"] == nightly["known_since"] <= told.collected["fire_time"]
    summary = nightly["coverage"]
    assert summary == {key: coverage[key] for key in ("counts", "share", "run_id", "results")}
    empty = told.get("/v1/jobs/hello")["coverage"]
    assert (empty["counts"]["total"], empty["share"], empty["run_id"]) == (0, None, None)


def test_coming_fire_times_have_windows_and_reruns(told):
    """Rerun times lie before the next fire time; `n` counts for each job."""
    one = told.get("/v1/jobs/nightly/next?n=1&after=2026-03-07T12:00:00Z")
    assert one == [
        {
            "job": "nightly",
            "fire_time": "2026-03-08T07:30:00Z",
            "local": "2026-03-08T03:30:00-04:00",
            "timezone": "America/New_York",
            "window_end": "2026-03-08T08:30:00Z",
            "reruns": ["2026-03-08T13:30:00Z", "2026-03-08T19:30:00Z", "2026-03-09T01:30:00Z"],
            "excluded": None,
            "moved_to": None,
            "moved_from": None,
        }
    ]
    assert told.get("/v1/jobs/nightly/next?n=1") == one
    assert len(told.get("/v1/jobs/nightly/next")) == 10
    both = told.get("/v1/next?n=2")
    assert [(entry["job"], entry["fire_time"]) for entry in both] == [
        ("nightly", "2026-03-08T07:30:00Z"),
        ("nightly", "2026-03-09T06:30:00Z"),
        ("waiting", "2026-03-13T07:30:00Z"),
        ("waiting", "2026-03-20T07:30:00Z"),
    ]
    some = told.get("/v1/next?job=waiting&until=2026-03-20T07:30:00Z")
    assert [entry["fire_time"] for entry in some] == ["2026-03-13T07:30:00Z", "2026-03-20T07:30:00Z"]
    assert told.get("/v1/jobs/off/next") == []


def test_explain_is_one_sentence(told):
    """The schedule in words."""
    assert told.get("/v1/explain/hello")["schedule"] == "Never by itself: it has no schedule."
    assert told.get("/v1/explain/nightly")["schedule"].startswith("Every day at 02:30 (America/New_York)")


def test_a_run_is_found_by_guid_prefix_and_number(told):
    """The GUID, its beginning in either case, and the number name the same run."""
    run = told.collected
    for key in (run["run_id"], run["run_id"][:13], run["run_id"][:13].upper(), str(run["run_no"])):
        assert told.get(f"/v1/runs/{key}")["run_id"] == run["run_id"]


def test_a_run_in_detail(told):
    """A run has its attempts, its journal with the actors, and the next rerun."""
    run = told.collected
    assert set(run) == RUN_KEYS | {"attempt_list", "events", "deliveries", "next_rerun_at", "memory"}
    assert set(run["assets"]) == ASSET_KEYS
    assert (run["state"], run["status"], run["kind"]) == ("incomplete", 3, "manual")
    assert run["assets"] | {"total": 3, "done": 2, "unreachable": 1} == run["assets"]
    assert run["local"].endswith("-05:00")
    assert run["next_rerun_at"].startswith("2026-03-07T18:00:00")
    (attempt,) = run["attempt_list"]
    assert set(attempt) == {"number", "cause", "started_at", "ended_at", "ended", "reason", "exit_code"}
    assert (attempt["number"], attempt["cause"], attempt["ended"]) == (1, "manual", "completed")
    assert [event["name"] for event in run["events"]] == ["open", "start", "leave"]
    assert run["events"][0] | {"actor": "local", "by": "api", "origin": "127.0.0.1"} == run["events"][0]
    assert told.get(f"/v1/runs/{run['run_id']}/attempts") == run["attempt_list"]
    assert told.get(f"/v1/runs/{run['run_id']}/events") == run["events"]


def test_the_assets_of_a_run_have_their_results(told):
    """Assets in the run's order, each with its reason and its results."""
    one, _, three = told.get(f"/v1/runs/{told.collected['run_id']}/assets")
    assert set(one) == {
        "asset_id", "asset_type", "state", "reason", "attempt", "starts", "started_at", "ended_at", "results",
    }  # fmt: skip
    assert (one["asset_id"], one["state"], one["starts"]) == ("web-1", "done", 1)
    assert one["results"] == [
        {"standard": "cis", "check": "ports", "result": "pass", "message": ""},
        {"standard": "cis", "check": "files", "result": "fail", "message": "=1+1 <b>open</b>"},
    ]
    assert (three["state"], three["results"]) == ("unreachable", [])
    assert "gone" in three["reason"]


def test_results_as_csv_hold_no_formulas(told, bearer):
    """One line for each result; a text that a spreadsheet would run is marked as text."""
    answer = told.http.get(f"/v1/runs/{told.collected['run_no']}/results.csv", headers=bearer)
    assert answer.headers["content-type"].startswith("text/csv")
    assert 'filename="nightly-' in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(row["asset_id"], row["check"], row["result"]) for row in rows] == [
        ("web-1", "ports", "pass"),
        ("web-1", "files", "fail"),
        ("web-2", "ports", "pass"),
        ("web-2", "files", "fail"),
        ("web-3", "", ""),
    ]
    assert rows[1]["message"] == "'=1+1 <b>open</b>"
    assert rows[4]["asset_state"] == "unreachable"


def test_runs_are_filtered_and_paged(told):
    """Newest first; by job, state and time; `before` goes on where a page ended."""
    newest, oldest = told.get("/v1/runs")
    assert [newest["job"], oldest["job"]] == ["hello", "nightly"]
    assert told.get("/v1/runs?limit=1") == [newest]
    assert told.get(f"/v1/runs?limit=1&before={newest['run_id']}") == [oldest]
    assert told.get(f"/v1/runs?before={oldest['run_no']}") == []
    assert told.get("/v1/runs?job=Nightly") == [oldest]
    assert told.get("/v1/runs?state=succeeded&state=failed") == [newest]
    assert told.get("/v1/runs?since=2026-03-07T12:00:01Z") == []
    assert told.get("/v1/runs?since=2026-03-07T13:00:00%2B01:00") == [newest, oldest]


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/v1/jobs/nobody", 404, "there is no job 'nobody'"),
        ("/v1/jobs/nobody/next", 404, "there is no job"),
        ("/v1/jobs/nobody/coverage", 404, "there is no job"),
        ("/v1/explain/nobody", 404, "there is no job"),
        ("/v1/next?job=nobody", 404, "there is no job"),
        ("/v1/runs?job=nobody", 404, "there is no job"),
        ("/v1/runs?before=zzz", 404, "there is no run zzz"),
        ("/v1/runs/zzz", 404, "there is no run zzz"),
        ("/v1/runs/%25", 404, "there is no run"),
        ("/v1/runs/999999999999999999999999", 404, "there is no run"),
        ("/v1/runs/1/log?attempt=7", 404, "no attempt 7"),
        ("/v1/nothing", 404, "/openapi.json"),
        ("/v1/runs?limit=0", 400, "limit"),
        ("/v1/runs?limit=many", 400, "limit"),
        ("/v1/runs?state=asleep", 400, "state"),
        ("/v1/runs?since=yesterday", 400, "since"),
        ("/v1/runs?since=2026-03-07T12:00:00", 400, "timezone"),
        ("/v1/runs?since=0001-01-01T00:00:00%2B14:00", 400, "out of range"),
        ("/v1/next?n=0", 400, "n:"),
        ("/v1/runs/1/log?attempt=0", 400, "attempt"),
    ],
)
def test_what_cannot_be_answered_says_why(told, path, status, words):
    """Unknown names are 404, bad parameters 400; each in the one error shape."""
    body = told.get(path, status=status)
    assert set(body) == {"error", "detail"}
    assert words in body["error"]


def test_a_slash_at_the_end_is_the_same_route(told, bearer):
    """Both forms answer; nothing is redirected."""
    for path in ("/v1/jobs", "/v1/runs", "/healthz", "/readyz"):
        assert told.http.get(path + "/", headers=bearer, follow_redirects=False).status_code == 200


def test_the_openapi_document_says_what_is_there(told):
    """Every route of /v1 is described, with its own error shape."""
    document = told.get("/openapi.json")
    assert {
        "/v1/jobs", "/v1/jobs/{name}", "/v1/jobs/{name}/coverage", "/v1/jobs/{name}/next", "/v1/jobs/{name}/why", "/v1/jobs/{name}/trigger",
        "/v1/jobs/{name}/pause", "/v1/jobs/{name}/resume", "/v1/next", "/v1/explain/{name}", "/v1/runs",
        "/v1/runs/{key}", "/v1/runs/{key}/attempts", "/v1/runs/{key}/assets", "/v1/runs/{key}/events",
        "/v1/runs/{key}/results", "/v1/runs/{key}/results.csv", "/v1/runs/{key}/log", "/v1/runs/{key}/abort",
        "/v1/runs/{key}/rerun",
        "/v1/deliveries", "/v1/deliveries/{key}", "/v1/deliveries/{key}/resend", "/v1/events", "/v1/journal", "/healthz", "/readyz",
    } == {path for path in document["paths"] if not path.startswith(("/ccs/", "/api/"))}  # fmt: skip
    responses = document["paths"]["/v1/jobs"]["get"]["responses"]
    assert set(responses) == {"200", "4XX", "5XX"}
    assert responses["4XX"]["content"]["application/json"]["schema"]["$ref"].endswith("/ErrorView")


def test_a_job_that_is_no_longer_defined_keeps_its_history(house):
    """It leaves the list, and can still be read by name with its last schedule."""
    run = house.ran("hello")
    left = house.configuration.jobs.items()
    without = {name: job for name, job in left if name != "hello"}
    changed = replace(house.configuration, jobs=without)
    house.call(house.dispatcher.install(changed, Actor("tester", By.SIGNAL)))
    assert "hello" not in [job["job"] for job in house.get("/v1/jobs")]
    assert "hello" in [job["job"] for job in house.get("/v1/jobs?removed=true")]
    job = house.get("/v1/jobs/hello")
    assert (job["defined"], job["enabled"], job["last_run"]["run_id"]) == (False, False, run["run_id"])
    assert house.get(f"/v1/runs/{run['run_id']}")["state"] == "succeeded"
    assert "there is no job" in house.post("/v1/jobs/hello/trigger", status=404)["error"]


def test_a_schedule_that_raises_takes_no_other_job_down(house):
    """The job is listed without a next fire time; the others and the page are as before."""

    class Broken:
        """A rule that no arithmetic knows."""

    schedule = replace(house.configuration.jobs["nightly"].schedule)
    object.__setattr__(schedule, "rule", Broken())
    broken = {
        **house.dispatcher.definitions,
        "nightly": replace(house.configuration.jobs["nightly"], schedule=schedule),
    }
    sound = house.dispatcher.definitions
    house.dispatcher.definitions = broken
    try:
        jobs = {job["job"]: job["next_fire_time"] for job in house.get("/v1/jobs")}
        assert jobs["nightly"] is None
        assert jobs["waiting"] is not None
        assert {entry["job"] for entry in house.get("/v1/next")} == {"waiting"}
        assert house.http.get("/").status_code == 200
    finally:
        house.dispatcher.definitions = sound
