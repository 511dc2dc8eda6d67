"""Instants as the command line reads and writes them."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import click

from config.values import parse_duration
from scheduler.clock import SystemClock

_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)
_MINUTE = timedelta(minutes=1)
_SPANS = ((_DAY, "day"), (timedelta(hours=1), "h"), (_MINUTE, "min"), (_SECOND, "s"))


class Moment(click.ParamType[datetime | date]):
    """A date, or a date and time, with an offset or without; a duration too if it can count from now.

    `direction`: -1 takes `2h` as two hours ago, 1 as in two hours, 0 refuses it.
    """

    name = "ISO"

    def __init__(self, direction: int = 0) -> None:
        self.direction = direction

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime | date:
        """The date, or the datetime, naive where it has no offset."""
        if isinstance(value, date):
            return value
        text = str(value)
        with contextlib.suppress(ValueError):
            return date.fromisoformat(text) if len(text) == 10 else datetime.fromisoformat(text)
        try:
            span = parse_duration(text) if self.direction else None
            found = None if span is None else now() + self.direction * span
        except (ValueError, OverflowError):
            found = None
        if found is None:
            also = ", or a duration such as 2h or 3d" if self.direction else ""
            shapes = "2026-11-27, 2026-11-27T22:00 or 2026-11-27T22:00:00+01:00"
            self.fail(f"{text!r} is not an ISO time; write {shapes}{also}", param, ctx)
        return found


def now() -> datetime:
    """The present instant, aware UTC."""
    return SystemClock().now()


def as_instant(moment: datetime | date, zone: tzinfo, *, end: bool = False) -> datetime:
    """`moment` as an instant; without an offset it is wall time in `zone`.

    A bare date is its first second, or the last one of that day if `end`.
    """
    if isinstance(moment, datetime):
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=zone).astimezone(UTC)
    start = datetime.combine(moment + _DAY if end else moment, time(), tzinfo=zone).astimezone(UTC)
    return start - _SECOND if end else start


def utc_text(instant: datetime) -> str:
    """ISO 8601 in UTC with Z, fractions only where there are any: as in every JSON."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def local_text(instant: datetime, zone: str) -> str:
    """ISO 8601 as wall time of `zone` with its offset."""
    return instant.astimezone(ZoneInfo(zone)).isoformat()


def parsed(text: str | None) -> datetime | None:
    """An instant out of the daemon's JSON."""
    return None if text is None else datetime.fromisoformat(text)


def zone_of(thing: Mapping[str, Any]) -> tzinfo:
    """The zone of a job, a run or a fire time out of the daemon's JSON."""
    return ZoneInfo(thing["timezone"])


def is_utc(instant: datetime, zone: tzinfo) -> bool:
    """Whether the clocks of `zone` show UTC at that instant."""
    return not instant.astimezone(zone).utcoffset()


def wall(instant: datetime, zone: tzinfo) -> str:
    """`2026-11-27 22:00 +01:00`; seconds only where there are any, and `Z` for UTC."""
    local = instant.astimezone(zone)
    offset = f"{local:%z}"
    sign = "Z" if is_utc(instant, zone) else f" {offset[:3]}:{offset[3:5]}"
    return f"{local:%Y-%m-%d} {clock(instant, zone)}{sign}"


def clock(instant: datetime, zone: tzinfo) -> str:
    """The time of day; seconds only where there are any."""
    local = instant.astimezone(zone)
    return f"{local:%H:%M:%S}" if local.second else f"{local:%H:%M}"


def relative(instant: datetime, since: datetime) -> str:
    """`in 4 min`, `in 1h 50m`, `3 days ago`, `now`: whole units, rounded down."""
    apart = abs(instant - since)
    for unit, name in _SPANS:
        count, rest = divmod(apart, unit)
        if count:
            words = f"{count} {name}" + ("s" if name == "day" and count > 1 else "")
            if name == "h" and rest >= _MINUTE:
                words = f"{count}h {rest // _MINUTE}m"
            return f"in {words}" if instant > since else f"{words} ago"
    return "now"


def length(span: timedelta) -> str:
    """A length of time in its two largest units: `1d 4h`, `3m 20s`, `0s`."""
    seconds = int(span.total_seconds())
    parts = []
    for unit, size in (("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)):
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts[:2]) or "0s"
