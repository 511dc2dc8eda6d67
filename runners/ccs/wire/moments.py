"""DateTime of .NET: seven digits of a second, and the year 0001 for "not set"."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_FORM = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)?", re.ASCII)
_NOT_SET = "0001-01-01T00:00:00"


def parse_moment(text: str) -> datetime | None:
    """An aware UTC instant; None for any time of the year 0001. Without an offset it is read as UTC.

    Raises:
        ValueError: The text is no such time.
    """
    match = _FORM.fullmatch(text.strip())
    if match is None:
        raise ValueError("not YYYY-MM-DDThh:mm:ss with or without a fraction and an offset or Z")
    wall, fraction, offset = match.groups()
    moment = datetime.fromisoformat(f"{wall}.{(fraction or '0').ljust(6, '0')[:6]}{(offset or 'Z').upper()}")
    if moment.year == 1:
        return None
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("not within the years 1 to 9999") from None


def format_moment(moment: datetime | None) -> str:
    """Seven digits and Z, as `2018-09-14T13:07:24.3474193Z`; None is the first instant of the year 0001."""
    if moment is None:
        return _NOT_SET
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "0Z"
