"""Answers that refuse, and what the bodies of a server's refusals say."""

import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runners.sde import wire
from runners.sde.wire import BadJsonError, WireFault, WireFaults, parse_json, said

DENIED = "You do not have permission to perform this action."
TOKEN = {"WWW-Authenticate": "Token"}


@pytest.mark.parametrize(
    ("answer", "status", "detail", "headers"),
    [
        (wire.INVALID_TOKEN, 401, "Invalid token.", TOKEN),
        (wire.INVALID_LOGIN, 401, "Invalid username/password.", TOKEN),
        (wire.NO_CREDENTIALS, 401, "Authentication credentials were not provided.", TOKEN),
        (wire.FORBIDDEN, 403, DENIED, {}),
        (wire.NOT_FOUND, 404, "Not found.", {}),
        (wire.INVALID_PAGE, 404, "Invalid page.", {}),
        (wire.method_not_allowed("DELETE", ["GET", "POST"]), 405, 'Method "DELETE" not allowed.', {"Allow": "GET, POST"}),
        (wire.unsupported_media_type("text/plain"), 415, 'Unsupported media type "text/plain" in request.', {}),
        (wire.throttled(timedelta(seconds=5)), 429, "Request was throttled. Expected available in 5 seconds.", {"Retry-After": "5"}),
        (wire.throttled(timedelta(seconds=0.2)), 429, "Request was throttled. Expected available in 1 second.", {"Retry-After": "1"}),
        (wire.throttled(timedelta(seconds=-1)), 429, "Request was throttled. Expected available in 0 seconds.", {"Retry-After": "0"}),
    ],
)  # fmt: skip
def test_answers_without_fields(answer, status, detail, headers):
    """Status, words and headers as clients compare them."""
    assert (answer.status, dict(answer.body), dict(answer.headers)) == (status, {"detail": detail}, headers)
    assert wire.method_not_allowed("\ud800", []).body["detail"] == 'Method "\ufffd" not allowed.'


def test_faults_stand_by_their_fields():
    """Several of one field in one list, those of an object inside it, those of none apart."""
    faults = WireFaults([
        WireFault(("a",), "1"), WireFault(("a",), "2"), WireFault((), "3"), WireFault(("b", "c"), "4"), WireFault(("b", "d"), "5"),
        WireFault(("b",), "6"), WireFault(("a", "e"), "7"),
    ])  # fmt: skip
    assert faults.answer.status == 400
    assert faults.answer.body == {
        "a": {"non_field_errors": ["1", "2"], "e": ["7"]}, "non_field_errors": ["3"],
        "b": {"c": ["4"], "d": ["5"], "non_field_errors": ["6"]},
    }  # fmt: skip
    assert str(faults) == "a: 1; a: 2; 3; b.c: 4; b.d: 5; b: 6; a.e: 7"


def test_very_many_faults_are_not_all_told_in_one_line():
    """The others are counted."""
    line = str(WireFaults([WireFault(("a",), str(number)) for number in range(50)]))
    assert line.endswith("a: 19; … (30 more)")


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (b"nul", "Expecting value: line 1 column 1 (char 0)"),
        (b'{"a": }', "Expecting value: line 1 column 7 (char 6)"),
        (b" ", "Expecting value: line 1 column 2 (char 1)"),
        (b"NaN", "Out of range float values are not JSON compliant: 'NaN'"),
        (b'{"a": -Infinity}', "Out of range float values are not JSON compliant: '-Infinity'"),
        (b"\xff", "'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"),
        (b"\xef\xbb\xbf{}", "Unexpected UTF-8 BOM (decode using utf-8-sig): line 1 column 1 (char 0)"),
        (b"[" * 100_000, "too deeply nested"),
    ],
)  # fmt: skip
def test_bodies_that_are_no_json(raw, told):
    """Told with the place; one that is too deep is no 500."""
    with pytest.raises(BadJsonError) as raised:
        parse_json(raw)
    assert (raised.value.answer.status, raised.value.answer.body) == (
        400,
        {"detail": f"JSON parse error - {told}"},
    )


def test_bodies_that_are_json():
    """An empty one is an empty object; of a name that is repeated the last counts."""
    assert (parse_json(b""), parse_json(b' {"a": [1], "a": 2}\n'), parse_json(b'"\xc3\xbc"')) == (
        {},
        {"a": 2},
        "ü",
    )


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"detail": "Not found."}', "Not found."),
        (b'{"message": "M", "error": "E", "detail": "D"}', "D"), (b'{"message": "M", "error": "E"}', "E"), (b'{"message": "M"}', "M"), (b'{"detail": "", "error": "E"}', "E"),
        (b'{"detail": ["A", "B"]}', "A B"),
        (b'{"connection": ["This field is required."], "x": {"y": ["No."]}}', "connection: This field is required.; x: y: No."),
        (b'{"a": 1}', ""), (b"{", ""), (b"[1]", ""), (b'["A", "B"]', "A B"), (b"null", ""), (b"5", ""), (b"", ""),
        (b"Bad gateway\n", "Bad gateway"), (b'"quoted"', "quoted"), (b"\xff oops", "\ufffd oops"),
        (b"<!doctype html>\n<html><head><TITLE lang=en>Server\n Error (500) &amp; more</title>", "Server Error (500) & more"),
        (b"<html><body>no title</body></html>", ""), (b'{"detail": "a\\u0000\\ud800b\\r\\nc"}', "a b c"),
        (b'{"detail": "' + b"x" * 400 + b'"}', "x" * 299 + "…"), (b"[" * 100_000, ""),
    ],
)  # fmt: skip
def test_what_a_refusal_says(body, words):
    """Detail, else error, else message, else the fields, else the page's title or the text; on one short line."""
    assert said(body) == words


@given(st.binary(max_size=60) | st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["detail", "error", "x"]), inner)).map(lambda value: json.dumps(value).encode()))  # fmt: skip
def test_any_body_says_something_short(body):
    """On one line, fit for a log."""
    words = said(body)
    assert len(words) <= 300
    assert words.splitlines() in ([], [words])
    words.encode()
