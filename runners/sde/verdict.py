"""What a command of SD Elements' tools came to, from its exit code and from what it printed.

Exit code 0 with a line `Done - Failed: reason` is a failure; lines `Error:` before `Done - Success` are warnings.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from runners.local.words import exit_words

MOST = 1000
"""Characters of a message."""

_KEPT = 8 * 1024
_FAILED = re.compile(rb"(?m)(?:^|[^\w\n])Done[ \t]+-[ \t]+Failed\b[ \t]*[:.-]*[ \t]*([^\n]*)")
_FAILED_LINE = re.compile(rb"(?m)^(?:[^\n]*[^\w\n])?Done[ \t]+-[ \t]+Failed\b[^\n]*")
_SUCCESS = re.compile(rb"(?m)(?:^|[^\w\n])Done[ \t]+-[ \t]+Success\b")
_ERROR = re.compile(rb"(?m)^[ \t]*Error:[ \t]*([^\n]*)")
_ESCAPES = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\x07\x1b\n]*(?:\x07|\x1b\\)?|[ -/]*[0-Z\\^-~])|\x1b")
_NOTHING = bytes(range(0x21)) + b"\x7f"
_UNSEEN = re.compile(
    r"[\0-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]"
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a command ended.

    Attributes:
        message: The plain reason, or what it warned of; empty where there is nothing to say.
    """

    succeeded: bool
    message: str = ""


class Heard:
    """What matters of one stream, whatever its size.

    Attributes:
        failed: Whether a line said `Done - Failed`; `reason` is what the last one said beside.
        succeeded: Whether a line said `Done - Success`.
        errors: How many lines began with `Error:`; `error` is the last one's text.
        last: The last line that is not blank and not that.
    """

    def __init__(self) -> None:
        self.failed = False
        self.succeeded = False
        self.errors = 0
        self.reason = self.error = self.last = b""

    def take(self, text: bytes, *, continued: bool = False) -> None:
        """Take whole lines; `continued`: the first is the rest of a line too long to be taken at once."""
        plain = _ESCAPES.sub(b"", text) if b"\x1b" in text else text
        plain = plain.replace(b"\r", b"\n")
        lines = b"." + plain if continued else plain
        # Each pattern is slow beside a look for its word, and there may be gigabytes without it.
        for found in _FAILED.finditer(lines) if b"Failed" in lines else ():
            self.failed = True
            self.reason = found[1].strip(_NOTHING)[:_KEPT] or self.reason
        for found in _ERROR.finditer(lines) if b"Error:" in lines else ():
            self.errors += 1
            self.error = found[1].strip(_NOTHING)[:_KEPT]
        self.succeeded = self.succeeded or (b"Success" in lines and _SUCCESS.search(lines) is not None)
        said = _FAILED_LINE.sub(b"", plain) if self.failed and b"Failed" in plain else plain
        self.last = said.rstrip(_NOTHING).rpartition(b"\n")[2].strip(_NOTHING)[:_KEPT] or self.last


def judge(code: int | None, success: Collection[int], out: Heard, err: Heard) -> Verdict:
    """The verdict on a command that ended by itself.

    Args:
        code: Exit code, or minus the signal that killed it; None if it would not die.
        success: Exit codes that mean success.
        out: Its standard output.
        err: Its standard error.
    """
    if code in success and not out.failed and not err.failed:
        return Verdict(succeeded=True, message=_warnings(out, err))
    last = printable(err.last) or printable(out.last)
    if code is None or code < 0:
        return Verdict(succeeded=False, message=printable(err.reason or out.reason) or exit_words(code, last))
    found = printable(err.reason) or printable(out.reason) or last
    return Verdict(succeeded=False, message=found or _wordless(code, success))


def _wordless(code: int, success: Collection[int]) -> str:
    return "it says Done - Failed, and not why" if code in success else exit_words(code, "")


def _warnings(out: Heard, err: Heard) -> str:
    count = out.errors + err.errors
    if not count:
        return ""
    done = "Done - Success" if out.succeeded or err.succeeded else "succeeded"
    last = printable(err.error if err.errors else out.error) or "without a text"
    return f"{done} ({count} {'warning' if count == 1 else 'warnings'}, last: {last})"


def printable(text: bytes) -> str:
    r"""`text` on one line, for people: no escape sequence, no control character; other bytes as `\xff`."""
    plain = _ESCAPES.sub(b"", text).decode("utf-8", "backslashreplace")
    return " ".join(_UNSEEN.sub("", plain).split())


def shortened(text: str) -> str:
    """`text`, cut to what a message may have."""
    return text if len(text) <= MOST else f"{text[: MOST - 1].rstrip()}…"
