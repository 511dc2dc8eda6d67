"""Steps of the clock and sleeps of the machine, as they show between two looks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from scheduler.clock import Clock

LEAST = timedelta(seconds=1)
"""What is smaller is not told: clocks are also kept right little by little."""

_CLOSE = timedelta(milliseconds=50)
_TRIES = 5


@dataclass(frozen=True, slots=True)
class Look:
    """One look at the clock.

    Attributes:
        now: Aware UTC.
        step: By how much the clock was set on (positive) or back since the look before; zero if it was not.
        suspended: How long the machine was suspended since then; zero if it was not.
    """

    now: datetime
    step: timedelta = timedelta(0)
    suspended: timedelta = timedelta(0)


class Steps:
    """Looks at a clock, and tells what it shows from what has passed."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._before: tuple[datetime, timedelta, timedelta] | None = None

    def look(self) -> Look:
        """The clock as it is now; the first look knows no step."""
        now, passed, awake = read = self._read()
        before, self._before = self._before, read
        if before is None:
            return Look(now)
        step = (now - before[0]) - (passed - before[1])
        suspended = (passed - before[1]) - (awake - before[2])
        nothing = timedelta(0)
        return Look(now, step if abs(step) >= LEAST else nothing, suspended if suspended >= LEAST else nothing)

    def _read(self) -> tuple[datetime, timedelta, timedelta]:
        """The clock and what has passed, at one instant: a process may be stopped between two looks."""
        for _ in range(_TRIES):
            earlier, _ = self._clock.passed()
            now = self._clock.now()
            passed, awake = self._clock.passed()
            if passed - earlier < _CLOSE:
                break
        return now, passed, awake
