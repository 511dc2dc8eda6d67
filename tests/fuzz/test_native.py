"""`/v1` under made-up requests: whatever comes, an answer in its shape, and a daemon that goes on."""

import pytest

pytestmark = pytest.mark.acceptance

YAML = """
version: 1
settings: {stop_timeout: 1s, kill_after: 1s}
collectors:
  host:
    collect: [/bin/sh, -c, 'test "$1" = ok || exit 75', -, "{asset.id}"]
    evaluate: [/bin/echo, '{"results": [{"check": "a", "result": "pass", "message": ""}]}']
jobs:
  - name: fleet
    schedule: {start: 2026-01-02T22:00:00, weekly: {on: friday}, window: 4h, rerun: {every: 1d, for: 3d}}
    run: {collect: {assets: [{id: ok, type: host}, {id: gone, type: host}], standards: [cis]}}
  - name: hello
    run: {command: {argv: [/bin/echo, hello]}}
  - name: sleepy
    schedule: {interval: 15m}
    run: {command: {argv: [/bin/sleep, "2"]}}
"""
ENDLESS = {"/v1/events"}
"""A stream that goes on for ever: no answer to wait for."""


def test_nothing_that_is_sent_is_a_fault_of_ours(fuzzed, rain):
    """No 5xx, no answer that takes long, every refusal in the one shape, and the ledger is sound afterwards."""
    daemon = fuzzed(YAML)
    with daemon.client() as client:
        document = client.get("/openapi.json").json()
        for name in ("fleet", "hello"):
            client.post(f"/v1/jobs/{name}/trigger")
        runs = [run["run_id"] for run in client.get("/v1/runs").json()]
        headers = {"Authorization": client.headers["Authorization"]}
    document["paths"] = {path: item for path, item in document["paths"].items() if path.startswith("/v1")}
    log = document["paths"]["/v1/runs/{key}/log"]["get"]
    log["parameters"] = [one for one in log["parameters"] if one["name"] != "follow"]  # waits for the run's end

    def check(case, answer):
        assert answer.status_code < 500, answer.text
        assert answer.elapsed < 10
        if answer.status_code >= 400:
            assert set(answer.json()) == {"error", "detail"}, answer.text
        elif answer.headers["content-type"][0] == "application/json":
            case.operation.validate_response(answer)

    answered, faults = rain(
        document, url=daemon.url, headers=headers, check=check, without=ENDLESS,
        known={"name": ["fleet", "hello", "sleepy"], "key": [*runs, "1", "2"]},
    )  # fmt: skip
    assert not faults, "\n".join(faults)
    assert len(answered) >= 200
    assert {200, 400, 404, 409} <= set(answered)
    log = daemon.log()
    assert "Traceback" not in log
    assert daemon.stop() == 0
