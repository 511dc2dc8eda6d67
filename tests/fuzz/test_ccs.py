"""The served CCS API under made-up requests: an answer to each, and a ledger that is sound afterwards."""

import re
from pathlib import Path

import httpx
import pytest
import yaml

from config.passwords import hash_password

pytestmark = pytest.mark.acceptance

PAGE = Path(__file__).with_name("ccs_page.yaml")
YAML = rf"""
version: 1
settings: {{timezone: America/Los_Angeles, stop_timeout: 1s, kill_after: 1s}}
users:
  - name: CORP\fuzzer
    password_hash: {hash_password("secret")}
    permissions: [view-standards, view-assets, manage-jobs, collect-data, evaluate-standards, view-evaluation-results,
                  view-all-jobs, access-asset-system, access-standards]
collectors:
  symc-host:
    collect: [/bin/echo, "{{asset.id}}"]
    evaluate: [/bin/echo, '{{"results": [{{"check": "a", "result": "pass", "message": ""}}]}}']
jobs: []
"""
BASE = "/ccs/api/v1"
MINIMAL = {
    "AssetsResolutionInfo": [{"Id": "d387d8b5-6278-4bcb-83c7-b55d2072d2a8", "Type": "symc-host"}],
    "Standards": ["6b020d29-5fe8-47d0-bd89-ccd3339a5ebe"],
}


def created(client, name, **schedule):
    """The JobID of a new job."""
    details = MINIMAL | {"JobName": name, "Schedule": {"RunNow": False} | schedule}
    answer = client.post(f"{BASE}/jobs", json={"JobDetails": details, "JobType": "CollectionEvaluationJob"})
    assert answer.status_code == 200, answer.text
    return answer.json()["JobID"]


def known_jobs(daemon):
    """Every job that the daemon has, as `/v1` tells it, without what time changes."""
    with daemon.client() as client:
        rows = client.get("/v1/jobs", params={"removed": True}).json()
    return {row["guid"]: (row["job"], row["schedule"], row["defined"], row["description"]) for row in rows}


def test_nothing_that_is_sent_is_a_fault_of_ours(fuzzed, rain):
    """No 5xx, no answer that takes long; refusals say why; every job that was accepted is there after a restart."""
    daemon = fuzzed(YAML)
    form = r"grant_type=password&username=CORP\fuzzer&password=secret"
    tokens = httpx.post(f"{daemon.url}{BASE}/oauth/tokens", content=form, trust_env=False).json()
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    with httpx.Client(base_url=daemon.url, headers=headers, trust_env=False, timeout=15) as client:
        jobs = [created(client, name) for name in ("Test_Job11", "Another", "A third")]
        runs = [
            client.post(f"{BASE}/jobs/{job}", json={"Operation": "execute"}).json()["JobRunID"] for job in jobs
        ]

    ids = [*jobs, *runs, jobs[0].upper()]

    def check(case, answer):
        assert answer.status_code < 500, answer.text
        assert answer.elapsed < 10
        if answer.status_code >= 400:
            told = answer.json()
            assert isinstance(told["Message"], str), answer.text
            assert told["Message"], answer.text
            assert set(told) <= {"Message", "Errors"}, answer.text
        elif answer.status_code == 204:
            assert not answer.content
        elif case.method == "POST":
            ids.extend(value for name, value in answer.json().items() if name in ("JobID", "JobRunID"))

    answered, faults = rain(
        yaml.safe_load(PAGE.read_text()), url=daemon.url, headers=headers, check=check,
        known={"id": ids, "jobid": ids, "JobID": ids},
    )  # fmt: skip
    assert not faults, "\n".join(faults)
    assert len(answered) >= 200
    assert {200, 400, 404} <= set(answered)
    before = known_jobs(daemon)
    assert daemon.stop() == 0
    daemon.start()
    assert known_jobs(daemon) == before
    assert not re.findall(r"Traceback|runner_raised|trigger_failed|scheduling_loop_died", daemon.log())
