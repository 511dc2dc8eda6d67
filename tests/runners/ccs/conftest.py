"""A request with every field, and the samples of the vendor's script."""

import copy
import json
from pathlib import Path

import pytest

DATA = Path(__file__).parent / "data"
MAIL = {"ToEmailAddress": "a@example.com", "FromEmailAddress": "ccs@example.com", "Subject": "S", "Body": "B\r\nC"}
WHOLE = {
    "JobType": "CollectionEvaluationJob",
    "JobDetails": {
        "AssetsResolutionInfo": [{"Id": "d387d8b5-6278-4bcb-83c7-b55d2072d2a8", "Type": "unix"}],
        "JobName": "Weekly – Linux",
        "Standards": ["6B020D29-5FE8-47D0-BD89-CCD3339A5EBE"],
        "AssetTimeOut": 30,
        "JobDescription": "All of them",
        "IsIncremental": True,
        "IncrementalPeriod": 7,
        "CollectionOnlyTimeOutHours": 3,
        "CollectionOnlyTimeOutMins": 30,
        "SuccessNotification": MAIL,
        "FailureNotification": MAIL | {"Subject": "F"},
        "ShouldSendSuccessNotification": "True",
        "ShouldSendFailureNotification": False,
        "ShouldSynchronizeResults": True,
        "Schedule": {"RunNow": False, "RunPeriodically": "true", "RecurrenceType": 1},
    },
}


@pytest.fixture
def body():
    """A Create Job request: (**changes of JobDetails; None leaves the field out) -> body."""

    def make(**changes):
        made = copy.deepcopy(WHOLE)
        made["JobDetails"] |= changes
        made["JobDetails"] = {name: value for name, value in made["JobDetails"].items() if value is not None}
        return made

    return make


@pytest.fixture
def mail():
    """A complete notification."""
    return dict(MAIL)


@pytest.fixture
def samples():
    """The bodies of the script on the vendor's page, in its order."""
    return [json.loads(line) for line in (DATA / "create_job.jsonl").read_text().splitlines()]
