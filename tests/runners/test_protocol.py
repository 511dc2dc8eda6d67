"""What an evaluator may print."""

import json

import pytest

from runners.api import CheckResult, Verdict
from runners.local.protocol import ProtocolError, results

GOOD = {"check": "c", "result": "pass"}


def test_every_verdict_in_order():
    """All five verdicts are read, in their order, the message being optional."""
    lines = [{"check": f"c{verdict.value}", "result": verdict.value, "message": "ü"} for verdict in Verdict]
    found = results(json.dumps({"results": [*lines, GOOD]}).encode(), "cis")
    assert found[:-1] == tuple(CheckResult("cis", f"c{verdict.value}", verdict, "ü") for verdict in Verdict)
    assert found[-1] == CheckResult("cis", "c", Verdict.PASS, "")


def test_no_results_are_results():
    """A standard without a check that applies may print an empty list."""
    assert results(b'{"results": []}\n', "cis") == ()


@pytest.mark.parametrize(
    ("raw", "fault"),
    [
        (b"", "the output is empty; expected one JSON object"),
        (b" \n", "the output is empty; expected one JSON object"),
        (b"\xff{}", "the output is not UTF-8 (byte 0)"),
        (b"hello", "the output is not JSON: Expecting value: line 1 column 1 (char 0)"),
        (b'{"results": []} {}', "the output is not JSON: Extra data: line 1 column 17 (char 16)"),
        (b"[" * 100_000, "the output is not JSON that can be read: "),
        (b"1" * 10_000, "the output is not JSON that can be read: "),
        (b"[]", "the output is not an object but a list"),
        (b"null", "the output is not an object but null"),
        (b"{}", "the output has no results"),
        (b'{"results": [], "score": 1}', "the output has the unknown key 'score'; allowed: results"),
        (b'{"results": {}}', "results is not a list but an object"),
        (b'{"results": ["x"]}', "results[0] is not an object but a text"),
        (b'{"results": [{"check": "c"}]}', "results[0] has no result"),
        (b'{"results": [{}]}', "results[0] has no check, result"),
        (
            b'{"results": [{"check": "c", "result": "pass", "sev": 1}]}',
            "results[0] has the unknown key 'sev'; allowed: check, message, result",
        ),
        (
            b'{"results": [{"check": "c", "result": "failed"}]}',
            "results[0].result is 'failed'; allowed are pass, fail, unknown, error, notapplicable",
        ),
        (b'{"results": [{"check": "c", "result": true}]}', "results[0].result is True; allowed are"),
        (b'{"results": [{"check": "c", "result": []}]}', "results[0].result is []; allowed are"),
        (b'{"results": [{"check": 3, "result": "pass"}]}', "results[0].check is not a text but a number"),
        (b'{"results": [{"check": " ", "result": "pass"}]}', "results[0].check is empty"),
        (
            b'{"results": [{"check": "c", "result": "pass", "message": false}]}',
            "results[0].message is not a text but a boolean",
        ),
        (
            json.dumps({"results": [GOOD | {"check": "c" * 501}]}).encode(),
            "results[0].check has 501 characters; allowed are 500",
        ),
        (
            json.dumps({"results": [GOOD | {"message": "m" * 16385}]}).encode(),
            "results[0].message has 16385 characters; allowed are 16384",
        ),
        (
            rb'{"results": [{"check": "a\u0000", "result": "pass"}]}',
            "results[0].check holds a character that is no text",
        ),
        (
            rb'{"results": [{"check": "\ud800", "result": "pass"}]}',
            "results[0].check holds a character that is no text",
        ),
        (json.dumps({"results": [GOOD, GOOD]}).encode(), "results[1].check 'c' was there before"),
    ],
)
def test_faults(raw, fault):
    """Anything else is refused with the place, what stands there and what is allowed."""
    with pytest.raises(ProtocolError) as caught:
        results(raw, "cis")
    assert str(caught.value).startswith(fault)
