"""The samples of the vendor's pages, and one of each request."""

import copy
import json
from pathlib import Path

import pytest

from runners.sde.wire import WireError

DATA = Path(__file__).parent / "data" / "samples.jsonl"
PARAMS = {"alm_server": "jira.example.com", "alm_pass": "secret", "sde_min_priority": 7}
REQUESTS = {
    "job": {"connection": 12, "automatic": True, "succeeded": True, "result_message": "Done"},
    "connector": {"name": "Jira", "system": {"id": "jira"}, "inaccessible": True, "params": PARAMS},
    "connection": {
        "alias": "Team A", "connector": 1, "project": 2, "frequency": "daily", "debug_mode": True, "params": PARAMS,
    },
    "connector trial": {"name": "Jira", "system": {"id": "jira"}, "params": PARAMS},
    "connection trial": {"alias": "Team A", "connector": 1, "project": 2, "system": {"id": "jira"}, "params": PARAMS},
}  # fmt: skip


@pytest.fixture(scope="session")
def samples():
    """Every JSON body of the pages: page (jobs, older, connections), method, path, kind (request, answer), body."""
    return [json.loads(line) for line in DATA.read_text().splitlines()]


@pytest.fixture
def request_body():
    """A sound request: (name, **changes; ... leaves a field out) -> body."""

    def make(name, /, **changes):
        made = copy.deepcopy(REQUESTS[name]) | changes
        return {key: value for key, value in made.items() if value is not ...}

    return make


@pytest.fixture
def refused():
    """What a call is refused with: (callable) -> the body that is answered."""

    def call(read):
        with pytest.raises(WireError) as raised:
            read()
        return raised.value.answer.body

    return call
