"""Placeholders in arguments, and durations and endings in words."""

from __future__ import annotations

import re
import signal
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from runners.api import StopReason

_PLACEHOLDER = re.compile(r"\{([a-z_.]+)\}")
_UNITS = (("d", 86400), ("h", 3600), ("m", 60))

STOPPED = {
    StopReason.WINDOW_END: "stopped: the run window is over",
    StopReason.CANCEL: "stopped: cancelled",
    StopReason.SHUTDOWN: "stopped: the daemon shuts down",
    StopReason.NEW_OCCURRENCE: "stopped: the next run begins",
    StopReason.NEXT_RERUN: "stopped: the next rerun is due",
    StopReason.CLOSURE: "stopped: a calendar's closure began",
}


def filled(argv: Sequence[str], values: Mapping[str, str], folder: Path) -> tuple[str, ...]:
    """`argv` with its placeholders replaced, each inside its argument; other braces stay as they are.

    A relative program with a slash is found from `folder`.
    """
    program, *arguments = (_PLACEHOLDER.sub(lambda m: values.get(m[1], m[0]), argument) for argument in argv)
    return (str(folder / program) if "/" in program else program, *arguments)


def duration(span: timedelta) -> str:
    """`span` as the YAML writes it: 90s is 1m 30s."""
    seconds = span.total_seconds()
    parts = []
    for unit, size in _UNITS:
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count:.0f}{unit}")
    if seconds or not parts:
        parts.append(f"{seconds:g}s")
    return " ".join(parts)


def exit_words(code: int | None, last_line: str) -> str:
    """How a process ended badly, with the last it said: `exit code 3: cannot connect`."""
    if code is None:
        how = "could not be ended"
    elif code >= 0:
        how = f"exit code {code}"
    else:
        how = f"killed by {_signal_name(-code)}"
    return f"{how}: {last_line}" if last_line else how


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
