"""Job statuses, operations and times on the wire."""

from datetime import UTC, datetime

import pytest

from runners.ccs.wire import (
    JobStatus,
    Operation,
    Status,
    WireFaults,
    format_moment,
    parse_job_runs,
    parse_job_status,
    parse_moment,
    parse_operation,
)

SAMPLE = {
    "JobRunID": "4f7415b1-303d-42cd-8b61-485485a1cb9c", "JobID": "24f58e54-5d94-45f8-97a8-ccb6d959233a",
    "CustomStatusText": "", "Exception": None, "JobStartTime": "2018-09-14T13:07:24.3474193Z",
    "JobEndTime": "0001-01-01T00:00:00", "JobSummary": None, "Status": 2, "ActivityStatusList": [],
}  # fmt: skip
END = datetime(2026, 1, 2, tzinfo=UTC)


def test_the_sample_of_the_page_is_read():
    """The seventh digit of a second is dropped; the year 0001 is "not set"."""
    status = parse_job_status(SAMPLE)
    assert status == JobStatus(
        job_run_id="4f7415b1-303d-42cd-8b61-485485a1cb9c", job_id="24f58e54-5d94-45f8-97a8-ccb6d959233a",
        status=Status.EXECUTING, started_at=datetime(2018, 9, 14, 13, 7, 24, 347419, tzinfo=UTC),
    )  # fmt: skip
    assert status.wire() == SAMPLE | {"JobStartTime": "2018-09-14T13:07:24.3474190Z"}
    assert list(status.wire()) == list(SAMPLE)


def test_bare_and_wrapped_are_the_same():
    """The page's structure wraps the status, its sample does not; unknown keys are ignored."""
    assert parse_job_status({"JobStatusInfo": SAMPLE | {"New": {}}, "Also": 1}) == parse_job_status(SAMPLE)
    assert parse_job_runs([SAMPLE, {"JobStatusInfo": SAMPLE}]) == (parse_job_status(SAMPLE),) * 2
    assert parse_job_runs(SAMPLE) == (parse_job_status(SAMPLE),)
    assert parse_job_runs([]) == ()


def test_what_is_not_documented_is_kept_as_it_came():
    """Items of ActivityStatusList; an exception that is no text, as JSON; characters no ledger takes, replaced."""
    whole = parse_job_status(
        SAMPLE | {"ActivityStatusList": [{"a": [1]}, None], "Exception": {"m": 1}, "JobSummary": "a\0\ud800"}
    )
    assert whole.activities == ({"a": [1]}, None)
    assert (whole.exception, whole.summary) == ('{"m": 1}', "a\ufffd\ufffd")
    assert parse_job_status(whole.wire()) == whole
    spare = parse_job_status({key: SAMPLE[key] for key in ("JobRunID", "JobID", "Status")})
    assert (spare.started_at, spare.ended_at, spare.activities, spare.custom_status_text) == (None, None, (), "")


@pytest.mark.parametrize(
    ("code", "ended_at", "ended"),
    [*((code, None, code in (4, 5, 7)) for code in range(8)), *((code, END, code >= 4) for code in range(8))],
)
def test_when_a_job_run_is_over(code, ended_at, ended):
    """Completed, faulted, aborted; a custom status only where its end is set."""
    status = parse_job_status(SAMPLE | {"Status": code, "JobEndTime": format_moment(ended_at)})
    assert (status.status, status.ended_at, status.ended) == (Status(code), ended_at, ended)


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"Status": 8}, ["Status"]), ({"Status": -1}, ["Status"]), ({"Status": "2"}, ["Status"]),
        ({"Status": None}, ["Status"]), ({"JobID": "x", "JobRunID": None}, ["JobRunID", "JobID"]),
        ({"JobStartTime": "soon"}, ["JobStartTime"]), ({"JobEndTime": 5}, ["JobEndTime"]),
    ],
)  # fmt: skip
def test_a_status_at_fault(change, fields):
    """Its fields are named; in a list with their place."""
    with pytest.raises(WireFaults) as raised:
        parse_job_status(SAMPLE | change)
    assert [fault.field for fault in raised.value.faults] == fields
    with pytest.raises(WireFaults) as raised:
        parse_job_runs([SAMPLE, SAMPLE | change, 3])
    assert [fault.field for fault in raised.value.faults] == [*(f"[1].{name}" for name in fields), "[2]"]


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2018-11-18T02:14:27.5120788-08:00", "2018-11-18T10:14:27.512078+00:00"),
        ("2018-09-14T13:07:24.3474193Z", "2018-09-14T13:07:24.347419+00:00"),
        ("2018-09-14T13:07:24.5", "2018-09-14T13:07:24.500000+00:00"),
        ("2018-09-14T13:07:24z", "2018-09-14T13:07:24+00:00"),
        ("2018-09-14T13:07:24.123456789Z", "2018-09-14T13:07:24.123456+00:00"),
        ("0001-01-01T00:00:00", None),
        ("0001-01-01T00:00:00+14:00", None),
    ],
)
def test_times_of_dotnet(text, instant):
    """Any number of digits; without an offset they are UTC."""
    assert parse_moment(text) == (instant and datetime.fromisoformat(instant))


@pytest.mark.parametrize(
    "text",
    ["", "2018-09-14", "2018-13-14T00:00:00", "2018-09-14T25:00:00Z", "2018-09-14T13:07:24+99:00",
     "9999-12-31T23:59:59-01:00", "2018-09-14T13:07:24.Z", "２018-09-14T13:07:24"],
)  # fmt: skip
def test_what_is_no_time(text):
    """It is refused, whatever is wrong with it."""
    with pytest.raises(ValueError, match=r"not|must"):
        parse_moment(text)


def test_times_are_written_with_seven_digits():
    """As the page's sample has them, also whole seconds and early years."""
    assert format_moment(END) == "2026-01-02T00:00:00.0000000Z"
    assert format_moment(datetime(2, 1, 1, tzinfo=UTC)) == "0002-01-01T00:00:00.0000000Z"
    assert format_moment(None) == "0001-01-01T00:00:00"


@pytest.mark.parametrize("word", ["execute", "Execute", "EXECUTE", " execute "])
def test_operations_are_read_in_any_case(word):
    """Other fields are ignored."""
    assert parse_operation({"Operation": word, "JobID": 1}) is Operation.EXECUTE
    assert parse_operation(Operation.ABORT.wire()) is Operation.ABORT


def test_what_is_no_operation():
    """It is told what there is."""
    for body, told in (
        ({"Operation": "pause"}, 'Operation: must be "execute" or "abort" (it is "pause")'),
        ({}, 'Operation: is missing: it must be "execute" or "abort"'),
        ({"Operation": ["execute"]}, 'Operation: must be "execute" or "abort" (it is a list)'),
        ([], "the body must be a JSON object (it is a list)"),
    ):
        with pytest.raises(WireFaults) as raised:
            parse_operation(body)
        assert str(raised.value) == told
