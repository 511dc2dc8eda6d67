"""Instants and spans as the page says them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_UNITS = (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1))


def wall(instant: datetime | None, zone: str) -> str:
    """Wall time in `zone`: Mon 2026-11-23 02:30:00 CET."""
    return "" if instant is None else f"{instant.astimezone(ZoneInfo(zone)):%a %Y-%m-%d %H:%M:%S %Z}"


def utc(instant: datetime | None) -> str:
    """The instant in UTC: 2026-11-23 01:30:00Z."""
    return "" if instant is None else f"{instant.astimezone(UTC):%Y-%m-%d %H:%M:%SZ}"


def span(seconds: float) -> str:
    """A span in its two largest units: 1h 5min."""
    left = int(seconds)
    parts = []
    for unit, size in _UNITS:
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts[:2]) or "0s"


def apart(instant: datetime | None, now: datetime) -> str:
    """How far from `now`: in 5min, 2h ago; now within a second."""
    if instant is None:
        return ""
    away: timedelta = instant - now
    if abs(away) < timedelta(seconds=1):
        return "now"
    words = span(abs(away.total_seconds()))
    return f"in {words}" if away > timedelta(0) else f"{words} ago"
