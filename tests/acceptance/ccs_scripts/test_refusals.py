"""What is refused is refused whole: every fault at once, and nothing is stored."""

import pytest

pytestmark = pytest.mark.acceptance

GUID = "d387d8b5-6278-4bcb-83c7-b55d2072d2a8"
UNIX = "symc-csm-AssetSystem-Asset-Unix-Machine"
GOOD = {"AssetsResolutionInfo": [{"Id": GUID, "Type": UNIX}], "JobName": "Refused", "Standards": [GUID]}
FAULTS = {
    "AssetsResolutionInfo[1].Id": {
        "AssetsResolutionInfo": [{"Id": GUID, "Type": UNIX}, {"Id": "web-1", "Type": UNIX}]
    },
    "JobName": {"JobName": "  "},
    "Standards": {"Standards": []},
    "AssetTimeOut": {"AssetTimeOut": 501},
    "IncrementalPeriod": {"IncrementalPeriod": 101},
    "CollectionOnlyTimeOutHours": {"CollectionOnlyTimeOutHours": 1001},
    "CollectionOnlyTimeOutMins": {"CollectionOnlyTimeOutMins": 60},
    "ShouldSynchronizeResults": {"ShouldSynchronizeResults": "yes"},
    "SuccessNotification": {"ShouldSendSuccessNotification": "true"},
    "FailureNotification.Body": {
        "ShouldSendFailureNotification": True,
        "FailureNotification": {"ToEmailAddress": "a@b.c", "FromEmailAddress": "a@b.c", "Subject": "s"},
    },
    "Schedule.EndJobRunTimeInterval": {
        "Schedule": {"EndJobRunConfigured": True, "EndJobRunTimeInterval": "24:00:00"}
    },
}


def stored(served):
    """Every name that the daemon has."""
    return {job["job"] for job in served.process.get("/v1/jobs", removed=True).json()}


def refused(served, details, job_type="CollectionJob"):
    """The answer's faults by their field."""
    told = served.call("POST", "/jobs", json={"JobDetails": details, "JobType": job_type}, status=400).json()
    assert set(told) == {"Message", "Errors"}
    assert told["Message"]
    assert all(set(error) == {"Field", "Message"} and error["Message"] for error in told["Errors"])
    return [error["Field"] for error in told["Errors"]]


def test_all_faults_come_at_once_and_nothing_is_stored(served):
    """One request with a fault in each field: each is told, in the answer's documented shape."""
    before = stored(served)
    whole = dict(GOOD)
    for change in FAULTS.values():
        whole |= change
    assert set(refused(served, whole, "collectionjob")) == {*FAULTS, "JobType"}
    for field, change in FAULTS.items():
        assert refused(served, GOOD | change) == [field]
    assert stored(served) == before


def test_an_unknown_type_is_named(served):
    """The message says which, and what there is."""
    details = GOOD | {
        "AssetsResolutionInfo": [{"Id": "1169462b-e9bd-46f4-827a-7ac9b1a220d1", "Type": "symc-oracle"}]
    }
    told = served.call(
        "POST", "/jobs", json={"JobDetails": details, "JobType": "CollectionJob"}, status=400
    ).json()
    assert "symc-oracle" in str(told)
    assert UNIX in str(told)


def test_a_name_is_taken_once(served):
    """Without regard to case, jobs of the file included; the same name is free again after the deletion."""
    body = {
        "JobDetails": GOOD | {"JobName": "Once Only", "Schedule": {"RunNow": False}},
        "JobType": "CollectionJob",
    }
    job = served.call("POST", "/jobs", json=body).json()["JobID"]
    for name in ("ONCE only", "From-The-File"):
        again = {**body, "JobDetails": {**body["JobDetails"], "JobName": name}}
        assert name.lower() in served.call("POST", "/jobs", json=again, status=400).json()["Message"].lower()
    served.call("DELETE", f"/jobs?jobid={job}&DeleteJob=True")
    served.call("POST", "/jobs", json=body)


@pytest.mark.parametrize(
    "body", [b"", b"\r", b"[]", b'"x"', b"{", b"\xff\xfe{}", b'{"a":1,"a":2}', b"[" * 5000, b'{"x":1e999}']
)
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_no_json_is_a_400(served, method, body):
    """With a message, never a 500."""
    assert served.call(method, "/jobs", data=body, status=400).json()["Message"]


def test_unknown_guids(served):
    """404 where something is read, 400 where something is to be done."""
    gone = "00000000-0000-4000-8000-000000000000"
    for method, path, body, status in [
        ("GET", f"/jobs/{gone}", None, 404),
        ("GET", f"/jobs/{gone}/jobruns", None, 404),
        ("GET", "/jobs?jobname=nobody", None, 404),
        ("POST", f"/jobs/{gone}", {"Operation": "execute"}, 400),
        ("POST", f"/jobs/{gone}", {"Operation": "abort"}, 400),
        ("POST", f"/jobs/{gone}", {"Operation": "pause"}, 400),
        ("PATCH", "/jobs", {"JobDetails": {"JobName": "x"}, "JobID": gone}, 400),
        ("DELETE", f"/jobs?jobid={gone}&DeleteJob=True", None, 400),
        ("GET", "/nothing", None, 404),
        ("PUT", "/jobs", None, 405),
    ]:
        told = served.call(method, path, json=body, status=status).json()
        assert told["Message"], (method, path)


def test_without_a_token(served):
    """401 in the face's own shape, for none, a wrong one, and the daemon's native one."""
    native = (served.process.state / "token").read_text()
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Bearer {native}"}):
        answer = served.send("GET", f"/jobs/{GUID}", headers=headers)
        assert answer.status_code == 401
        assert answer.json()["Message"]


def test_without_the_permissions(served, odd_passwords):
    """403 with the documented text for every call, whether or not there is what it names."""
    body = {"JobDetails": GOOD, "JobType": "CollectionJob"}
    token = served.log_in("0", odd_passwords[0])["access_token"]
    for method, path, sent in [
        ("POST", "/jobs", body),
        ("PATCH", "/jobs", {"JobDetails": {"JobName": "x"}, "JobID": GUID}),
        ("POST", f"/jobs/{GUID}", {"Operation": "execute"}),
        ("POST", f"/jobs/{GUID}", {"Operation": "abort"}),
        ("GET", f"/jobs/{GUID}", None),
        ("GET", f"/jobs/{GUID}/jobruns", None),
        ("GET", "/jobs?(Attributes=JobName = x)", None),
        ("DELETE", f"/jobs?jobid={GUID}&DeleteJob=True", None),
    ]:
        answer = served.call(method, path, json=sent, status=403, token=token)
        assert answer.json() == {"Message": "You are not authorized to perform this task. Access is denied."}


def test_only_the_creator_deletes(served):
    """Another user with every permission may execute and change the job, and gets the same 403."""
    body = {"JobDetails": GOOD | {"JobName": "Mine", "Schedule": {"RunNow": False}}, "JobType": "CollectionJob"}
    job = served.call("POST", "/jobs", json=body).json()["JobID"]
    second = served.log_in("second")["access_token"]
    served.call("POST", f"/jobs/{job}", json={"Operation": "execute"}, token=second)
    assert served.ended(job)["Status"] == 4
    for whole in ("True", "False"):
        served.call("DELETE", f"/jobs?jobid={job}&DeleteJob={whole}", status=403, token=second)
    served.call("DELETE", f"/jobs?jobid={job}&DeleteJob=True")
