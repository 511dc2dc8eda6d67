"""Texts with a meaning of their own: durations, rates, sizes, dates, times of day. No nodes here."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from typing import TypeVar

_UNITS: dict[str, int] = {"w": 604800, "d": 86400, "h": 3600, "m": 60, "s": 1}
_SHORT = re.compile("".join(rf"(?:([0-9]{{1,9}}){unit})?" for unit in _UNITS))
_ISO = re.compile(
    r"P(?:([0-9]{1,9})W)?(?:([0-9]{1,9})D)?"
    r"(?:T(?=[0-9])(?:([0-9]{1,9})H)?(?:([0-9]{1,9})M)?(?:([0-9]{1,9})S)?)?"
)
_RATE = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?)/([smhd])")
_SIZE = re.compile(r"([0-9]{1,15}) ?(B|kB|KB|MB|GB|TB|KiB|MiB|GiB|TiB)")
_BYTES: dict[str, int] = {"B": 1, **{f"{p}B": 1000 ** (i + 1) for i, p in enumerate("KMGT")}, "kB": 1000}
_BYTES |= {f"{p}iB": 1024 ** (i + 1) for i, p in enumerate("KMGT")}
_ORIGIN = re.compile(r"([a-z]+://)(?:[^/?#]*@)?([^/?#]*)")
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9]))?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]([01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,7})?)?"
    r"(?:[Zz]|[-+](?:[01][0-9]|2[0-3]):?[0-5][0-9])?"
)

_Day = TypeVar("_Day", date, datetime)

DURATION_PATTERN = f"(?=.){_SHORT.pattern}|(?=P.){_ISO.pattern}"
RATE_PATTERN = _RATE.pattern
SIZE_PATTERN = _SIZE.pattern
TIME_PATTERN = _TIME.pattern
DATE_PATTERN = _DATE.pattern
MOMENT_PATTERN = _MOMENT.pattern


def parse_duration(text: str) -> timedelta:
    """`90s`, `15m`, `4h`, `1d`, `1w`, combined in that falling order (`1h30m`), or ISO 8601 (`PT15M`, `P1D`).

    Raises:
        ValueError: Any other text, or more than timedelta holds.
    """
    match = _SHORT.fullmatch(text) or _ISO.fullmatch(text)
    if match is None or not any(match.groups()):
        raise ValueError(text)
    seconds = sum(int(n) * size for n, size in zip(match.groups(), _UNITS.values(), strict=True) if n)
    try:
        return timedelta(seconds=seconds)
    except OverflowError:
        raise ValueError(text) from None


def format_duration(duration: timedelta) -> str:
    """The shortest text that `parse_duration` reads back; whole seconds."""
    rest = int(duration.total_seconds())
    parts = []
    for unit, size in _UNITS.items():
        if unit == "w" and rest % size:
            continue
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def origin(url: str) -> str:
    """Scheme, host and port of a URL: what may be shown of one whose path may be a secret."""
    found = _ORIGIN.match(url)
    return "".join(found.groups()) if found else ""


def parse_rate(text: str) -> float:
    """`20/s`, `100/m`, `5/h`, `1/d` as a number per second, above zero.

    Raises:
        ValueError: Any other text.
    """
    match = _RATE.fullmatch(text)
    if match is None or float(match[1]) <= 0:
        raise ValueError(text)
    return float(match[1]) / _UNITS[match[2]]


def parse_size(text: str) -> int:
    """`64MiB`, `10MB` as bytes.

    Raises:
        ValueError: Any other text.
    """
    match = _SIZE.fullmatch(text)
    if match is None:
        raise ValueError(text)
    return int(match[1]) * _BYTES[match[2]]


def format_size(size: int) -> str:
    """The shortest exact text in bytes of 1024."""
    for unit in ("TiB", "GiB", "MiB", "KiB"):
        if size and size % _BYTES[unit] == 0:
            return f"{size // _BYTES[unit]}{unit}"
    return f"{size}B"


def parse_time(text: str) -> time:
    """`HH:MM` or `HH:MM:SS`, naive.

    Raises:
        ValueError: Any other text.
    """
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError(text)
    return time(int(match[1]), int(match[2]), int(match[3] or 0))


def parse_date(text: str) -> date:
    """`YYYY-MM-DD`.

    Raises:
        ValueError: Any other text, or no such day of the years 1900 to 2999.
    """
    if not _DATE.fullmatch(text):
        raise ValueError(text)
    return _in_reach(date.fromisoformat(text))


def parse_moment(text: str) -> datetime:
    """`YYYY-MM-DDTHH:MM[:SS[.fraction]]`, aware if an offset or Z follows; the fraction is dropped.

    Raises:
        ValueError: Any other text, or no such day of the years 1900 to 2999.
    """
    if not _MOMENT.fullmatch(text):
        raise ValueError(text)
    return _in_reach(datetime.fromisoformat(text.upper()).replace(microsecond=0))


def _in_reach(day: _Day) -> _Day:
    """Far from the ends of the calendar, where a zone's offset has no room."""
    if not 1900 <= day.year <= 2999:
        raise ValueError(day.isoformat())
    return day
