"""What a look at a counterpart finds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at.

    Attributes:
        what: Its stable name: `reachable` (TLS included), `login`, `permission` and others of a counterpart's own.
        sound: Whether it is as it should be.
        text: What was found, for an operator; no credential is in it.
        advice: What to do about it; empty where nothing is to be done.
        warning: It is not sound, and jobs run all the same.
    """

    what: str
    sound: bool
    text: str
    advice: str = ""
    warning: bool = False
