"""How fast what is late starts: a bucket of starts, filled at `settings.catch_up_rate` by the daemon's clock."""

from __future__ import annotations

from datetime import datetime, timedelta

BURST_S = 1.0
"""The bucket holds what comes in so many seconds, and one start at the least."""

LOOK_S = 0.5
"""At least so long between two looks while something waits: of ten thousand that wait, a few start at each."""

_WHOLE = 1e-6


class Pace:
    """The bucket, full at first. A clock that was set back fills nothing, one that was set on fills it at most."""

    def __init__(self) -> None:
        self._rate = 0.0
        self._starts: float | None = None
        self._at: datetime | None = None

    def room(self, rate: float, now: datetime) -> int:
        """How many late starts there is room for at `now`; `rate` is in starts per second, above zero."""
        most = max(rate * BURST_S, 1.0)
        if self._starts is None or self._at is None:
            self._starts = most
        else:
            passed = max((now - self._at).total_seconds(), 0.0)
            self._starts = min(self._starts + passed * rate, most)
        self._rate, self._at = rate, now
        return int(self._starts + _WHOLE)

    def take(self, count: int) -> None:
        """So many late starts are made, of those that the last `room` gave."""
        if self._starts is not None:
            self._starts = max(self._starts - count, 0.0)

    def next_at(self) -> datetime:
        """When to look again for what the last `room` held up."""
        assert self._starts is not None  # noqa: S101 - asked for after `room`
        assert self._at is not None  # noqa: S101 - likewise
        wait = max((1.0 - self._starts) / self._rate, LOOK_S)
        return self._at + timedelta(seconds=wait)
