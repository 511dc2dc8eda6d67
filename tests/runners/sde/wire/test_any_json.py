"""Whatever JSON comes: a value or what the wire raises, and every answer can be sent."""

import copy
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runners.sde import wire
from runners.sde.wire import Kind, Shape, WireError

WORDS = st.sampled_from([
    "", "true", "False", "12", "1.0", "daily", "jira", "a@example.com", "2026-01-02T03:04:05Z", "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00", "\ud800", "\0", "x\n",
])  # fmt: skip
SCALARS = (
    st.none() | st.booleans() | st.integers(-3, 8) | st.sampled_from([2**63, 10**30, -(10**30)])
    | st.floats() | WORDS | st.text(st.characters(exclude_categories=[]), max_size=8)
)  # fmt: skip
NAMES = st.sampled_from([
    "id", "connection", "automatic", "ready", "succeeded", "result_message", "last_run", "user", "triggered_by", "attachment", "name",
    "system", "params", "inaccessible", "alias", "frequency", "command", "project", "connector", "debug_mode", "in_progress",
    "is_file_upload", "last_job", "email", "role", "groups", "last_login", "results", "count", "next", "success", "message",
])  # fmt: skip
KEYS = NAMES | st.text(st.characters(exclude_categories=[]), max_size=4)
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=7))
BODIES = st.dictionaries(NAMES, JSON, max_size=9) | JSON
GOOD = {
    "id": 1, "connection": 12, "automatic": True, "ready": True, "succeeded": False, "result_message": "", "name": "N",
    "alias": "A", "system": {"id": "jira"}, "params": {}, "connector": 1, "project": 2, "email": "a@example.com", "success": True,
}  # fmt: skip


def listing_of_jobs(answer):
    """A list of jobs."""
    return wire.parse_listing(answer, wire.parse_job)


REQUESTS = {
    "job": wire.parse_job_request,
    "connector": wire.parse_connector_request,
    "connector patch": lambda body: wire.parse_connector_request(body, partial=True),
    **{f"{kind} connection": lambda body, kind=kind: wire.parse_connection_request(body, kind) for kind in Kind},
    **{
        f"{kind} patch": lambda body, kind=kind: wire.parse_connection_request(body, kind, partial=True)
        for kind in Kind
    },
    "connector trial": wire.parse_connector_trial,
    "connection trial": wire.parse_connection_trial,
}
ANSWERS = {
    "job": (wire.parse_job, lambda job: job.wire(Kind.ALM, params=True, expand={"user"})),
    "job of ldap": (wire.parse_job, lambda job: job.wire(Kind.LDAP, params=True)),
    "last job": (wire.parse_job, lambda job: job.as_last().wire()),
    "connection": (
        wire.parse_connection,
        lambda one: one.wire(Kind.ALM, Shape.LISTED, params=True, last_job=True),
    ),
    "connector": (wire.parse_connector, lambda one: one.wire(params=True)),
    "user": (wire.parse_user, lambda one: one.wire()),
    "project": (wire.parse_project, lambda one: one.wire()),
    "trial": (wire.parse_trial_result, lambda one: one.wire()),
    "jobs": (listing_of_jobs, lambda listing: [str(fault) for fault in listing.faults]),
}


def read(parse, value):
    """What was read, or None where it was refused; the refusal can be sent. The value stays as it was."""
    before = copy.deepcopy(value)
    try:
        found = parse(value)
    except WireError as error:
        sent(error.answer.body)
        str(error).encode()
        return None
    finally:
        assert repr(value) == repr(before)
    return found


def sent(value):
    """As an answer sends it."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False).encode()


@pytest.mark.parametrize("parse", REQUESTS.values(), ids=REQUESTS)
@settings(deadline=None, max_examples=50)
@given(body=BODIES, changes=st.dictionaries(NAMES, JSON, max_size=2))
def test_no_request_breaks_a_parser(parse, body, changes):
    """It is refused, or what was read can be sent and is read again; also where it is nearly right."""
    for value in (body, GOOD | changes):
        found = read(parse, value)
        if found is not None:
            assert parse(json.loads(sent(found.wire()))) == found


@pytest.mark.parametrize(("parse", "write"), ANSWERS.values(), ids=ANSWERS)
@settings(deadline=None, max_examples=50)
@given(body=BODIES, changes=st.dictionaries(NAMES, JSON, max_size=2))
def test_no_answer_breaks_a_parser(parse, write, body, changes):
    """It is refused or read; a list that is none is refused."""
    for value in (body, GOOD | changes, {"results": [body, GOOD | changes]}):
        found = read(parse, value)
        if found is not None:
            write(found)
