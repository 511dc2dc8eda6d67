"""Whatever JSON comes: a value or WireFaults, and every answer can be sent."""

import copy
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recurrence.ccs import FIELDS
from runners.ccs.wire import (
    WireFaults,
    parse_create_job,
    parse_created,
    parse_job_runs,
    parse_job_status,
    parse_operation,
    parse_tokens,
    parse_update_job,
)
from runners.ccs.wire.reading import DETAILS

GUID = "d387d8b5-6278-4bcb-83c7-b55d2072d2a8"
WORDS = st.sampled_from([
    "", "true", "False", GUID, "2026-01-02T03:04:05", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00", "1.00:00",
    "9999999.23:59:59", "execute", "CollectionJob", "a@example.com", "\ud800", "\0", "x\n",
])  # fmt: skip
SCALARS = (
    st.none() | st.booleans() | st.integers(-3, 8) | st.sampled_from([31, 1000, 10**6, 10**30, -(10**30)])
    | st.floats() | WORDS | st.text(st.characters(exclude_categories=[]), max_size=8)
)  # fmt: skip
NAMES = st.sampled_from([
    *FIELDS, *DETAILS, "JobDetails", "JobType", "JobID", "JobRunID", "Operation", "Status", "JobStatusInfo", "Id",
    "Type", "ToEmailAddress", "FromEmailAddress", "Subject", "Body", "JobStartTime", "JobEndTime", "access_token",
    "ActivityStatusList", "Exception", "expires_in",
])  # fmt: skip
KEYS = NAMES | st.text(st.characters(exclude_categories=[]), max_size=4)
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=6))
BLOCK = st.dictionaries(st.sampled_from(FIELDS), SCALARS)
GOOD = {"AssetsResolutionInfo": [{"Id": GUID, "Type": "t"}], "JobName": "n", "Standards": [GUID]}
PARSERS = [
    parse_create_job, parse_update_job, parse_created, parse_job_status, parse_job_runs, parse_operation, parse_tokens,
]  # fmt: skip


def read(parser, value):
    """What was read, or None where it was refused; either can be sent. The value stays as it was."""
    before = copy.deepcopy(value)
    try:
        found = parser(value)
    except WireFaults as faults:
        json.dumps(faults.body(), ensure_ascii=False).encode()
        return None
    finally:
        assert repr(value) == repr(before)
    return found


@pytest.mark.parametrize("parser", PARSERS)
@settings(deadline=None)
@given(value=JSON)
def test_no_json_value_breaks_a_parser(parser, value):
    """Nothing but WireFaults is raised."""
    read(parser, value)


@settings(deadline=None, max_examples=300)
@given(block=BLOCK, changes=st.dictionaries(st.sampled_from(DETAILS), JSON, max_size=3))
def test_what_is_accepted_can_be_sent_and_read_again(block, changes):
    """Requests that are nearly right, with any Schedule block."""
    body = {"JobDetails": GOOD | {"Schedule": block} | changes, "JobType": "CollectionJob"}
    job = read(parse_create_job, body)
    update = read(parse_update_job, {"JobDetails": changes, "JobID": GUID})
    if job is not None:
        sent = json.dumps(job.wire(), ensure_ascii=False, allow_nan=False).encode()
        assert parse_create_job(json.loads(sent)) == job
    if job is not None and update is not None:
        json.dumps(update.wire(), ensure_ascii=False, allow_nan=False).encode()
        assert read(update.applied, job.details) is not None
