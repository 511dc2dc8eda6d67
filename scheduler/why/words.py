"""Instants and runs in words."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from config.values import format_duration
from scheduler.model import RunRow

_SHORT = 8
_SECOND = timedelta(seconds=1)


def when(instant: datetime, zone: str) -> str:
    """`2026-11-27 22:00 +01:00` in `zone`; seconds only where there are any, `Z` for UTC."""
    try:
        local = instant.astimezone(ZoneInfo(zone))
    except OverflowError:  # at the ends of the calendar
        local = instant
    clock = f"{local:%H:%M:%S}" if local.second else f"{local:%H:%M}"
    offset = f"{local:%z}"
    return f"{local:%Y-%m-%d} {clock}" + (f" {offset[:3]}:{offset[3:5]}" if local.utcoffset() else "Z")


def span(length: timedelta) -> str:
    """A length of time in whole seconds: `90s`, `4h`."""
    return format_duration(max(length - length % _SECOND, _SECOND))


def named(run: RunRow) -> str:
    """`run 5f3a9c21`."""
    return f"run {run.run_id[:_SHORT]}"
