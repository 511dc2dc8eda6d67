"""What is posted to jobs: every field, every fault in the framework's words, all at once."""

import pytest

from runners.sde.wire import InitiateJob, PostResult, named_id, parse_job, parse_job_request

REQUIRED = ["This field is required."]
NULL = ["This field may not be null."]
INTEGER = ["A valid integer is required."]
BOOLEAN = ["Must be a valid boolean."]
STRING = ["Not a valid string."]


def test_ready_chooses_the_meaning(request_body):
    """False initiates; true, or none, posts a result; what an initiated job came to is not read."""
    result = PostResult(connection=12, automatic=True, succeeded=True, result_message="Done")
    for changes in ({}, {"ready": True}, {"ready": "true"}, {"unknown": [{}]}):
        assert parse_job_request(request_body("job", **changes)) == result
    initiated = InitiateJob(connection=12, automatic=True)
    for changes in ({}, {"succeeded": ..., "result_message": ...}, {"succeeded": "0", "result_message": 5}):
        assert parse_job_request(request_body("job", ready=False, **changes)) == initiated
    assert parse_job_request(request_body("job", ready="False")) == initiated


def test_both_are_sent_as_the_page_has_them():
    """An initiated job has ready, a result has not; what is sent is read again."""
    for request in (
        InitiateJob(connection=1, automatic=True),
        PostResult(connection=1, automatic=False, succeeded=False, result_message="No route\nto host"),
    ):
        assert parse_job_request(request.wire()) == request
    assert InitiateJob(connection=1, automatic=True).wire() == {"connection": 1, "automatic": True, "ready": False}


@pytest.mark.parametrize(
    ("field", "value", "read"),
    [
        ("connection", "12", 12), ("connection", " 12 ", 12), ("connection", "12.0", 12), ("connection", 12.0, 12),
        ("connection", "1_2", 12), ("connection", 2**63 - 1, 2**63 - 1),
        *(("automatic", value, True) for value in (True, 1, 1.0, "1", "t", "T", "y", "Yes", "YES", "on", "ON", "true", "TRUE")),
        *(("automatic", value, False) for value in (False, 0, 0.0, "0", "f", "F", "n", "No", "off", "false", "FALSE")),
        ("result_message", "", ""), ("result_message", "  ", ""), ("result_message", " a\n b\n", "a\n b"),
        ("result_message", 5, "5"), ("result_message", 1.5, "1.5"), ("result_message", "ü\u2028\x1f", "ü"),
    ],
)  # fmt: skip
def test_what_is_taken_for_a_value(request_body, field, value, read):
    """As the framework's fields take it: numbers in texts, words for booleans, blanks around a text dropped."""
    assert getattr(parse_job_request(request_body("job", **{field: value})), field) == read


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("connection", ..., REQUIRED), ("connection", None, NULL), ("connection", "", NULL),
        *(("connection", value, INTEGER) for value in (True, 1.5, "a", " ", [1], {}, float("inf"), "\ud800")),
        ("connection", "1" * 1001, ["String value too large."]),
        ("connection", 0, ['Invalid pk "0" - object does not exist.']),
        ("connection", -1, ['Invalid pk "-1" - object does not exist.']),
        ("connection", 2**63, ['Invalid pk "9223372036854775808" - object does not exist.']),
        ("connection", 999, ['Invalid pk "999" - object does not exist.']),
        ("automatic", ..., REQUIRED), ("automatic", None, NULL),
        *(("automatic", value, BOOLEAN) for value in ("", "null", "yES", "2", 2, 0.5, [], {})),
        ("ready", None, NULL), ("ready", "no way", BOOLEAN), ("ready", [], BOOLEAN),
        ("succeeded", ..., REQUIRED), ("succeeded", None, NULL), ("succeeded", "maybe", BOOLEAN),
        ("result_message", ..., REQUIRED), ("result_message", None, NULL),
        *(("result_message", value, STRING) for value in (True, [], {})),
        ("result_message", "a\0b", ["Null characters are not allowed."]),
        ("result_message", "a\ud800", ["Surrogate characters are not allowed: U+D800."]),
    ],
)  # fmt: skip
def test_a_field_at_fault(request_body, refused, field, value, said):
    """It alone is told, in a list."""
    body = request_body("job", **{field: value})
    assert refused(lambda: parse_job_request(body, {12}.__contains__)) == {field: said}


def test_all_faults_are_told_at_once(refused):
    """Also those that need a look into the ledger."""
    assert refused(lambda: parse_job_request({})) == dict.fromkeys(
        ("connection", "automatic", "succeeded", "result_message"), REQUIRED
    )
    assert refused(lambda: parse_job_request({"ready": False})) == {"connection": REQUIRED, "automatic": REQUIRED}
    body = {"connection": "x", "automatic": 5, "ready": False, "succeeded": "x", "result_message": []}
    assert refused(lambda: parse_job_request(body)) == {
        "connection": INTEGER, "automatic": BOOLEAN, "succeeded": BOOLEAN, "result_message": STRING,
    }  # fmt: skip
    body = {"connection": 999, "automatic": "x", "ready": "x", "succeeded": None, "result_message": []}
    assert refused(lambda: parse_job_request(body, {12}.__contains__)) == {
        "connection": ['Invalid pk "999" - object does not exist.'], "automatic": BOOLEAN, "ready": BOOLEAN,
        "succeeded": NULL, "result_message": STRING,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("body", "kind"), [([], "list"), ("s", "str"), (5, "int"), (True, "bool"), (1.5, "float"), (None, None)]
)
def test_a_body_that_is_no_object(refused, body, kind):
    """It is told what it is; null is no data at all."""
    said = f"Invalid data. Expected a dictionary, but got {kind}." if kind else "No data provided"
    assert refused(lambda: parse_job_request(body)) == {"non_field_errors": [said]}


def test_no_id_is_beyond_what_a_ledger_holds(request_body, refused):
    """Nobody needs to be asked whether anything has such an id."""
    for key in (0, -1, 2**63):
        body = request_body("job", connection=key)
        assert refused(lambda body=body: parse_job_request(body)) == {
            "connection": [f'Invalid pk "{key}" - object does not exist.']
        }


def test_the_id_that_a_request_names():
    """As the request is going to be read; none where that finds a fault."""
    for value in (12, "12", 12.0, "12.0"):
        assert named_id({"connection": value}, "connection") == 12
    for body in ({}, [], None, *({"connection": value} for value in (None, True, 0, -1, 2**63, "a", 1.5, [], {}))):
        assert named_id(body, "connection") is None


@pytest.mark.parametrize(
    ("changes", "same"),
    [
        ({}, True), ({"automatic": False}, True), ({"result_message": " No  route\r\nto host "}, True),
        ({"result_message": "No route"}, False), ({"succeeded": True}, False), ({"ready": False}, False),
        ({"connection": 13}, False), ({"connection": 12}, True),
    ],
)  # fmt: skip
def test_a_result_is_known_again(changes, same):
    """By its connection, its outcome and its words, however blanks were changed on the way."""
    result = PostResult(connection=12, automatic=True, succeeded=False, result_message="No route\nto host")
    job = {"id": 5, "ready": True, **result.wire(), "connection": {"id": 12}} | changes
    assert result.is_of(parse_job(job)) is same
