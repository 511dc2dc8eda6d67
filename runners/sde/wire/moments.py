"""Instants: ISO 8601 with Z, a fraction of six digits where there is one; they are read with any offset."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_FORM = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))?([Zz]|[+-]\d\d:?\d\d)?", re.ASCII)


def parse_moment(text: str) -> datetime:
    """An aware UTC instant; without an offset it is read as UTC, digits after the sixth are dropped.

    Raises:
        ValueError: The text is no such time.
    """
    match = _FORM.fullmatch(text.strip())
    if match is None:
        raise ValueError("not YYYY-MM-DDThh:mm:ss with or without a fraction and an offset or Z")
    day, clock, fraction, offset = match.groups()
    moment = datetime.fromisoformat(
        f"{day}T{clock}.{(fraction or '0').ljust(6, '0')[:6]}{(offset or 'Z').upper()}"
    )
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("not within the years 1 to 9999") from None


def format_moment(moment: datetime | None) -> str | None:
    """As `2015-04-15T20:27:24.396442Z`, or without a fraction where it is 0; None stays None."""
    if moment is None:
        return None
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
