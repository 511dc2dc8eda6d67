"""Faults of a configuration file: where, in which job, and what is allowed instead."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable
from dataclasses import dataclass

_SHOWN = 60


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One fault; sorts in file order.

    Attributes:
        file: As it was given on the command line.
        line: From 1.
        column: From 1, in characters.
        job: Name of the job it belongs to, or None.
        message: What is wrong and what is allowed, one line.
    """

    file: str
    line: int
    column: int
    job: str | None
    message: str

    def __str__(self) -> str:
        """`FILE:LINE:COLUMN: job "x": message`, without the job's part where there is none."""
        return f"{self.file}:{self.line}:{self.column}: {self.text}"

    @property
    def text(self) -> str:
        """The part behind the place."""
        return self.message if self.job is None else f"job {quoted(self.job)}: {self.message}"


class ConfigError(Exception):
    """A configuration that is refused whole; `faults` holds every fault in file order, at least one."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults: tuple[Fault, ...] = tuple(sorted(faults, key=lambda fault: (fault.line, fault.column)))
        super().__init__("\n".join(str(fault) for fault in self.faults))


def quoted(value: str, *, most: int = _SHOWN) -> str:
    """`value` in double quotes on one line, shortened to `most` characters so that it fits a message."""
    short = value if len(value) <= most else value[: most - 1] + "…"
    return json.dumps(short, ensure_ascii=False)


def near_miss(wrong: str, allowed: Iterable[str]) -> str:
    """` (did you mean "x"?)` for the closest allowed word, or nothing."""
    found = difflib.get_close_matches(wrong[:_SHOWN].lower(), list(allowed), n=1, cutoff=0.6)
    return f" (did you mean {quoted(found[0])}?)" if found and found[0] != wrong else ""


def listed(words: Iterable[str], *, most: int = 40) -> str:
    """Words with commas between; beyond `most` only how many there are more."""
    every = list(words)
    tail = f", … ({len(every) - most} more)" if len(every) > most else ""
    return ", ".join(every[:most]) + tail
