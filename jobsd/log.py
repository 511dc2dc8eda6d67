"""The log: structlog lines on standard output, JSON where it is not a terminal.

docs/logs.md lists every event. Libraries' own records come out in the same form.
"""

from __future__ import annotations

import io
import logging
import sys
from typing import TextIO, cast

import structlog
from structlog.typing import EventDict, Processor

_SHARED: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


class Unbreakable(io.TextIOBase):
    """A stream that drops what cannot be written: a reader that went away must not stop the daemon."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str, /) -> int:
        """Write and flush; whatever is in the way, the text is dropped."""
        try:
            try:
                self._stream.write(text)
            except UnicodeEncodeError:  # half characters, from a counterpart's words or a file's name
                encoding = self._stream.encoding or "utf-8"
                self._stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
            self._stream.flush()
        except (OSError, ValueError):  # ValueError: the stream is closed
            return 0
        return len(text)

    def flush(self) -> None:
        """Nothing is held back."""


def configure(stream: TextIO | None = None) -> None:
    """Send all logging to `stream` (standard output): readable on a terminal, JSON lines elsewhere."""
    given = stream or sys.stdout
    readable = given.isatty()
    out = cast("TextIO", Unbreakable(given))
    render: list[Processor]
    if readable:
        # A plain traceback: a fine one would show the variables of each call, and with them tokens and params.
        plain = structlog.dev.plain_traceback
        render = [structlog.dev.ConsoleRenderer(sort_keys=False, exception_formatter=plain)]
    else:
        render = [
            structlog.processors.format_exc_info,
            _in_order,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ]
    structlog.configure(
        processors=[*_SHARED, structlog.processors.StackInfoRenderer(), *render],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(file=out),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*_SHARED, _from_library],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)


def _in_order(_logger: object, _name: str, line: EventDict) -> EventDict:
    """When, how grave, what: first in every line, so that a person can read a column of them."""
    first = {key: line.pop(key) for key in ("timestamp", "level", "event") if key in line}
    return {**first, **line}


def _from_library(_logger: object, _name: str, line: EventDict) -> EventDict:
    """A library's record under one stable event name, its words as the reason."""
    record = line.get("_record")
    line["reason"] = line.pop("event")
    line["event"] = "library_message"
    line["logger"] = record.name if record is not None else ""
    return line
