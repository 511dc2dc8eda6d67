"""Where the output of children goes: to files, up to a limit, in pieces, never into memory."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from runners.api import Outcome, Report

_CHUNK = 64 * 1024
_LAST_DRAIN = 32
_LINE = 16 * 1024
_QUOTED = 300


class Sink(Protocol):
    """Takes what a child prints."""

    def write(self, chunk: bytes) -> None:
        """Take the next piece; never raises for a full disk or a limit."""


class Pump:
    """Moves a child's output from a pipe to a sink, a piece at each turn of the event loop."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        """Open the pipe. Raises OSError."""
        self._loop = asyncio.get_running_loop()
        self._reading, self.writing = os.pipe()
        os.set_blocking(self._reading, False)
        self._attached = True
        self._loop.add_reader(self._reading, self._move)

    def _move(self) -> None:
        try:
            chunk = os.read(self._reading, _CHUNK)
        except BlockingIOError:
            return
        if chunk:
            self._sink.write(chunk)
        else:
            self._detach()

    def _detach(self) -> None:
        self._loop.remove_reader(self._reading)
        self._attached = False

    def close_writing(self) -> None:
        """The child has its own copy of the writing end, or never will."""
        os.close(self.writing)

    def close(self) -> None:
        """Take what is in the pipe now and end; a process that still holds it open is not waited for."""
        for _ in range(_LAST_DRAIN):
            if not self._attached:
                break
            try:
                chunk = os.read(self._reading, _CHUNK)
            except BlockingIOError:
                break
            if not chunk:
                break
            self._sink.write(chunk)
        self._detach()
        os.close(self._reading)


class DataFile:
    """A new file for data that is whole or worthless: beyond `limit` bytes it is given up.

    Attributes:
        fault: Why the file is not whole, in words for an operator; empty while it is.
    """

    def __init__(self, path: Path, limit: int, limit_name: str, given_up: Callable[[], None]) -> None:
        """Create the file, readable by this user only. Raises OSError; `given_up` is called at the first fault."""
        self.path = path
        self.fault = ""
        self._left = limit
        self._excess = f"printed more than {limit} bytes ({limit_name})"
        self._given_up = given_up
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)

    def write(self, chunk: bytes) -> None:
        """Append `chunk`, or drop it once the file is given up."""
        if self.fault:
            return
        self._left -= len(chunk)
        if self._left < 0:
            self._give_up(self._excess)
            return
        try:
            write_all(self._file, chunk)
        except OSError as error:
            self._give_up(f"its output cannot be kept: {error.strerror}")

    def _give_up(self, fault: str) -> None:
        self.fault = fault
        os.ftruncate(self._file, 0)
        self._given_up()

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


class Log:
    """The one readable log of an attempt."""

    def __init__(self, path: Path) -> None:
        """Open it for appending, readable by this user only. Raises OSError."""
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self.fault = ""

    def write(self, text: bytes) -> None:
        """Append; a full disk is noted in `fault` and costs the text, not the work."""
        try:
            write_all(self._file, text)
        except OSError as error:
            self.fault = self.fault or str(error.strerror)

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


class Share:
    """The part of a log that one piece of work may fill, and its mark on every line.

    What is beyond `limit` bytes is dropped, and one line says so.
    """

    def __init__(self, log: Log, limit: int, prefix: str = "") -> None:
        self.prefix = prefix.encode(errors="replace")
        self._log = log
        self._limit = limit
        self._left = limit
        self._in_line = False

    def write(self, text: bytes) -> None:
        """Append `text` as far as the share reaches."""
        if self._left < 0 or not text:
            return
        self._left -= len(text)
        kept = text if self._left >= 0 else text[: self._left]
        self._log.write(kept)
        self._in_line = not kept.endswith(b"\n") if kept else self._in_line
        if self._left < 0:
            self._end_line()
            self.say(f"output beyond {self._limit} bytes is dropped here (settings.output_limit)")

    def _end_line(self) -> None:
        if self._in_line:
            self._log.write(b"\n")
        self._in_line = False

    def say(self, text: str) -> None:
        """Append a line of our own, outside the limit."""
        self._log.write(self.prefix + text.encode(errors="replace") + b"\n")

    def stream(self) -> LogStream:
        """A sink for one child's output."""
        return LogStream(self)


class LogStream:
    """One stream of a child, written to its share of the log; with a prefix, in whole lines."""

    def __init__(self, share: Share) -> None:
        self._share = share
        self._partial = b""
        self._last = b""

    def write(self, chunk: bytes) -> None:
        """Take the next piece."""
        text = self._partial + chunk
        whole, newline, self._partial = text.rpartition(b"\n")
        if newline:
            self._remember(whole)
        if not self._share.prefix:
            self._share.write(chunk)
        elif newline:
            self._put(whole)
        if len(self._partial) > _LINE:
            self._break_line()

    def _put(self, lines: bytes) -> None:
        prefix = self._share.prefix
        self._share.write(prefix + lines.replace(b"\n", b"\n" + prefix) + b"\n")

    def _break_line(self) -> None:
        self._remember(self._partial)
        if self._share.prefix:
            self._put(self._partial)
        self._partial = b""

    def _remember(self, lines: bytes) -> None:
        last = lines[-_LINE:].rstrip().rpartition(b"\n")[2].strip()
        self._last = last[:_QUOTED] or self._last

    def close(self) -> None:
        """Write a last line without an end."""
        if self._partial:
            self._break_line()

    @property
    def last_line(self) -> str:
        """The last line that is not blank, cut and made printable; empty if there was none."""
        text = self._last.decode(errors="replace")
        return "".join(character if character.isprintable() else "?" for character in text)


def with_loss(outcome: Outcome, log: Log, report: Report) -> Outcome:
    """`outcome` as it is to be told: where `log` could not be kept whole, its reason says so, and the log does."""
    if not log.fault:
        return outcome
    report.warn("output_lost", reason=log.fault)
    lost = f"its output could not be kept whole: {log.fault}"
    return replace(outcome, reason=f"{outcome.reason}; {lost}" if outcome.reason else lost)


def write_all(file: int, text: bytes) -> None:
    """Write all of `text`. Raises OSError."""
    view = memoryview(text)
    while view:
        view = view[os.write(file, view) :]
