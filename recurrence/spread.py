"""A job's own share of a span, so that jobs of one time of day do not all fire at once."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256


def spread_offset(name: str, span: timedelta) -> timedelta:
    """Whole seconds in [0, span), told by `name` alone: the same every time, on every machine.

    Raises:
        ValueError: `span` is negative.
    """
    if span < timedelta(0):
        raise ValueError(f"a spread must not be negative, not {span}")
    seconds = int(span.total_seconds())
    if seconds == 0:
        return timedelta(0)
    return timedelta(seconds=int.from_bytes(sha256(name.encode()).digest()[:8]) % seconds)
