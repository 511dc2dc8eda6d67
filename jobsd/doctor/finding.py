"""What an examination finds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Health(StrEnum):
    """How grave a finding is: a warning does not keep the daemon from its work, a failure does."""

    OK = "ok"
    WARNING = "warning"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at.

    Attributes:
        area: What it belongs to: file, secret, server, clock, zone, ledger, access, program, mail, heartbeat,
            listener, sde.
        name: Which one of its area; may be empty.
        health: How it is.
        found: What was seen, in words; never holds a secret.
        advice: What to do about it; empty where nothing is to be done.
    """

    area: str
    name: str
    health: Health
    found: str
    advice: str = ""


def ok(area: str, name: str, found: str) -> Finding:
    """Nothing is to be done."""
    return Finding(area, name, Health.OK, found)


def warning(area: str, name: str, found: str, advice: str) -> Finding:
    """It works, but not for long, not safely, or nobody can tell."""
    return Finding(area, name, Health.WARNING, found, advice)


def fail(area: str, name: str, found: str, advice: str) -> Finding:
    """The daemon, or a part of its work, cannot go on like this."""
    return Finding(area, name, Health.FAIL, found, advice)
