"""Closures: stretches of time in which jobs that exclude a calendar do not fire. Pure values.

Occurrences know nothing of them: an excluded occurrence is a row of the ledger, never a gap. The planner applies
them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Closure:
    """A stretch in which the calendars of a job are closed without a break.

    Attributes:
        calendar: The name of the calendar that closes at `start` (of several, the first that the job names).
        title: What the calendar calls it ("Christmas Day"); empty where it has no name.
        start: The first closed instant, aware UTC, inclusive.
        end: The first open instant after it, aware UTC, exclusive; overlapping and touching closures are one.
    """

    calendar: str
    title: str
    start: datetime
    end: datetime


class Closures(Protocol):
    """The calendars that one job excludes, in the job's zone."""

    @property
    def digest(self) -> str:
        """SHA-256 of all that they close, hex: two with one digest close the same. Empty where nothing ever is."""

    def at(self, instant: datetime) -> Closure | None:
        """The closure that contains `instant`, or None."""

    def following(self, after: datetime, until: datetime) -> Closure | None:
        """The first closure whose start lies in (after, until], or None."""


class _Open:
    """No closure, ever."""

    digest = ""

    def at(self, instant: datetime) -> Closure | None:
        """None."""
        del instant
        return None

    def following(self, after: datetime, until: datetime) -> Closure | None:
        """None."""
        del after, until
        return None


ALWAYS_OPEN: Closures = _Open()
"""The closures of a job that excludes no calendar."""
