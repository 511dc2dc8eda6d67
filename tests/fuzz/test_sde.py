"""The served SDE API under made-up requests: an answer to each, and a ledger that is sound afterwards."""

import re

import httpx
import pytest

pytestmark = pytest.mark.acceptance

TOKEN = "of-the-fuzzer"
YAML = f"""
version: 1
settings: {{stop_timeout: 1s, kill_after: 1s, encryption_key: of a test, http: {{upload_limit: 16KiB}}}}
users:
  - name: fuzzer
    email: fuzzer@example.com
    token: {TOKEN}
    scope: control
    permissions: [edit-alm-connections, edit-verification-connections, edit-ldap-connections]
commands:
  sync: {{argv: [/bin/echo, "Done - Success"]}}
  answers: {{argv: [/bin/true]}}
sde_systems:
  jira: {{command: sync, test: answers, name: JIRA}}
  ldap: {{command: sync, test: answers}}
  fortify_file_upload: {{command: sync}}
jobs: []
"""
PREFIX = "/api/v2"
HEADERS = {"Authorization": f"Token {TOKEN}"}
LISTS = [
    "jobs",
    "connections/alm",
    "connections/analysis",
    "connections/ldap",
    "connectors/alm",
    "connectors/analysis",
]


def everything(daemon):
    """All that the face tells, without what time changes."""
    with httpx.Client(base_url=daemon.url + PREFIX, headers=HEADERS, trust_env=False, timeout=15) as client:
        found = {}
        for path in LISTS:
            for item in client.get(f"/{path}/").raise_for_status().json()["results"]:
                kept = {name: value for name, value in item.items() if name != "in_progress"}
                if path != "jobs":
                    found[path, item["id"]] = kept
                elif item["ready"]:
                    found[path, item["id"]] = kept | {"connection": item["connection"]["id"]}
        return found


def furnish(daemon):
    """Something of each kind; ids that there are."""
    with httpx.Client(base_url=daemon.url + PREFIX, headers=HEADERS, trust_env=False, timeout=15) as client:
        ids = []
        for kind in ("alm", "analysis"):
            jira = {"name": "Jira", "system": {"id": "jira"}, "params": {"alm_server": "jira.example.com"}}
            ids.append(client.post(f"/connectors/{kind}/", json=jira).json()["id"])
            one = {"alias": "A", "connector": ids[-1], "project": 1, "frequency": "daily", "params": {}}
            ids.append(client.post(f"/connections/{kind}/", json=one).json()["id"])
        ids.append(client.post("/connections/ldap/", json={"alias": "People", "params": {}}).json()["id"])
        result = {"connection": ids[1], "automatic": True, "succeeded": True, "result_message": "Done"}
        ids.append(client.post("/jobs/alm/", json=result).json()["id"])
    return ids


def test_nothing_that_is_sent_is_a_fault_of_ours(fuzzed, rain):
    """No 5xx, no answer that takes long, each as it is described; all that was accepted is there after a restart."""
    daemon = fuzzed(YAML)
    ids = furnish(daemon)
    with daemon.client() as client:
        document = client.get("/openapi.json").json()
    document["paths"] = {path: item for path, item in document["paths"].items() if path.startswith(PREFIX)}

    def check(case, answer):
        assert answer.status_code < 500, answer.text
        assert answer.elapsed < 10
        if answer.content:
            case.operation.validate_response(answer)
        if answer.status_code == 201:
            ids.append(answer.json()["id"])
        if answer.status_code >= 400:
            told = answer.json()
            assert isinstance(told, dict), answer.text
            assert told, answer.text
            assert set(told) == {"detail"} or answer.status_code == 400, answer.text

    answered, faults = rain(
        document, url=daemon.url, headers=HEADERS, check=check,
        known={
            "key": ids, "project": [1, 7, 2**63], "connection": ids, "connector": ids, "kind": ["alm", "analysis", "ldap"],
            "system": ["jira", {"id": "jira"}, "fortify_file_upload"], "alias": ["Team A"], "name": ["Jira"],
            "ready": [True, False, "true"], "automatic": [True, "false"], "succeeded": [True, False],
            "result_message": ["Done", ""], "params": [{}, {"alm_pass": "s"}], "frequency": ["daily", "manually"],
        },
    )  # fmt: skip
    assert not faults, "\n".join(faults)
    assert len(answered) >= 200
    assert {200, 201, 400, 404} <= set(answered)
    before = everything(daemon)
    assert daemon.stop() == 0
    daemon.start()
    assert everything(daemon).items() >= before.items()
    assert not re.findall(r"Traceback|runner_raised|trigger_failed|scheduling_loop_died", daemon.log())
