"""What a command came to, from its exit code and its lines."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runners.sde.verdict import MOST, Heard, Verdict, judge, printable, shortened


def heard(text):
    """A stream that printed `text`."""
    found = Heard()
    if text:
        found.take(text)
    return found


@pytest.mark.parametrize(
    ("code", "out", "err", "succeeded", "message"),
    [
        # Success.
        (0, b"", b"", True, ""),
        (0, b"working\nDone - Success", b"", True, ""),
        (0, b"working", b"WARNING: slow", True, ""),
        (0, b"Error: T21 not found\nDone - Success", b"", True, "Done - Success (1 warning, last: T21 not found)"),
        (
            0,
            b"Error: T21 not found\nok\nError: T22 not found \nDone - Success\n",
            b"",
            True,
            "Done - Success (2 warnings, last: T22 not found)",
        ),
        (0, b"Done - Success", b"Error: a\n  Error: b", True, "Done - Success (2 warnings, last: b)"),
        (0, b"Error: a", b"", True, "succeeded (1 warning, last: a)"),
        (0, b"Error:", b"", True, "succeeded (1 warning, last: without a text)"),
        (0, b"No Error: here", b"", True, ""),
        (3, b"", b"", True, ""),
        # Exit code 0 that is none.
        (0, b"Done - Failed: cannot log in", b"", False, "cannot log in"),
        (0, b"", b"Done - Failed: cannot log in", False, "cannot log in"),
        (0, b"Done - Failed: cannot log in\nbye", b"a later line", False, "cannot log in"),
        (0, b"INFO:root:Done - Failed: x", b"", False, "x"),
        (0, b"12:00:01 [sync] Done - Failed: x", b"", False, "x"),
        (0, b"\x1b[31mDone - \x1b[1mFailed\x1b[0m: x\x1b[0m", b"", False, "x"),
        (0, b"10 %\r20 %\rDone - Failed: x\r\n", b"", False, "x"),
        (0, b"Done - Failed", b"the disk is full\n", False, "the disk is full"),
        (0, b"trouble\nDone - Failed\n", b"", False, "trouble"),
        (0, b"Done - Failed", b"", False, "it says Done - Failed, and not why"),
        (0, b"Done - Failed:   \n", b"\n \n", False, "it says Done - Failed, and not why"),
        (0, b"Done - Success\nDone - Failed: late", b"", False, "late"),
        (0, b"Done - Failed: first\nDone - Failed: second", b"", False, "second"),
        (0, b"Done - Failed: first\nDone - Failed", b"", False, "first"),
        (3, b"Done - Failed: x", b"", False, "x"),
        # No such line.
        (0, b"NotDone - Failed: x", b"", True, ""),
        (0, b"Done - Failedness: x", b"", True, ""),
        (0, b"Done\n- Failed: x", b"", True, ""),
        # Exit codes.
        (1, b"out", b"first\nlast of err\n\n", False, "last of err"),
        (1, b"first\nlast of out\n", b"", False, "last of out"),
        (1, b"last of out\n", b"  \n\t\n", False, "last of out"),
        (1, b"10 %\r20 %\r", b"", False, "20 %"),
        (1, b"", b"", False, "exit code 1"),
        (1, b"\n\n", b"\n", False, "exit code 1"),
        (1, b"", b"Done - Failed: told", False, "told"),
        (2, b"", b"Traceback\nValueError: x\n", False, "ValueError: x"),
        # Signals.
        (-9, b"", b"", False, "killed by SIGKILL"),
        (-9, b"", b"at work", False, "killed by SIGKILL: at work"),
        (-9, b"Done - Failed: x", b"", False, "x"),
        (None, b"", b"", False, "could not be ended"),
    ],
)
def test_verdicts(code, out, err, succeeded, message):
    """Success is an exit code of the list and no line of failure; the message is the plain reason."""
    assert judge(code, (0, 3) if code == 3 and succeeded else (0,), heard(out), heard(err)) == Verdict(
        succeeded=succeeded, message=message
    )


def test_pieces():
    """What is said in one piece does not depend on how many pieces it comes in."""
    whole, parts = heard(b"Error: a\nx\nDone - Failed: why\nlast"), Heard()
    for line in (b"Error: a", b"x", b"Done - Failed: why", b"", b"last", b"  "):
        parts.take(line)
    assert vars(whole) == vars(parts)
    assert parts.last == b"last"


def test_the_rest_of_a_long_line_is_no_new_line():
    """`Error:` counts at the beginning of a line only."""
    found = Heard()
    found.take(b"Error: x")
    found.take(b"Error: y\nError: z", continued=True)
    assert (found.errors, found.error) == (2, b"z")


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"a\tb  c", "a b c"),
        (b"\xff\xfe caf\xc3\xa9", "\\xff\\xfe café"),
        (b"\x1b[1;31mred\x1b[0m \x1b]0;title\x07x\x1b(B", "red x"),
        (b"a\x00b\x07c\x08\x7f", "abc"),
        ("a\u202eb\u200fc\u2028d\ufeff".encode(), "abc d"),
        (b"\x1b[", "["),
        (b"\xc2\x9b31m", "31m"),
        (b"  ", ""),
    ],
)
def test_printable(raw, text):
    """One line, without escape sequences and control characters; bytes that are no text can still be read."""
    assert printable(raw) == text


@given(st.binary())
def test_anything_is_printable(raw):
    """Whatever was printed: no control character is left, and a ledger takes it."""
    text = printable(raw)
    assert not any(ord(c) < 32 or 127 <= ord(c) < 160 or "\ud800" <= c <= "\udfff" for c in text)
    text.encode()


@given(st.lists(st.sampled_from([b"Done - Failed", b": x", b"\n", b"\r", b"Error: y", b"\x1b[0m", b"\xff", b" "])))
def test_a_line_of_failure_is_never_a_success(parts):
    """Wherever the line stands alone, the command has failed, and there is a message."""
    text = b"".join([b"\n", *parts, b"\n"])
    verdict = judge(0, (0,), heard(text), Heard())
    alone = [line.strip() for line in text.replace(b"\r", b"\n").split(b"\n")]
    if any(line in (b"Done - Failed", b"Done - Failed: x") for line in alone):
        assert not verdict.succeeded
    assert verdict.succeeded or verdict.message


def test_shortened():
    """A message has 1,000 characters at most; one that is cut says so."""
    assert shortened("a" * MOST) == "a" * 1000
    assert shortened("a" * 1001) == "a" * 999 + "…"
    assert len(shortened("ä " * 5000)) <= 1000
