"""Public holidays of countries and their parts."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from importlib.metadata import version
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from config.calendars.spans import Span, days_of
from config.faults import listed, near_miss, quoted

if TYPE_CHECKING:
    from holidays import HolidayBase

LANGUAGE = "en_US"
"""Of the names, where the country has them in it: never the language of the host's settings."""


class UnknownCountryError(ValueError):
    """There is no such country or part of it; its text says what to write."""


@dataclass(frozen=True)
class Holidays:
    """One of `countries:`, such as DE or US-NY.

    Raises:
        UnknownCountryError: It is not known, when it is made.
    """

    code: str
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Refuse what is unknown."""
        _known(self.code)

    @property
    def digest(self) -> str:
        """The country and whose word on it."""
        return f"{self.code} {version('holidays')}"

    def spans(self, zone: ZoneInfo, first: date, last: date) -> Iterator[Span]:
        """The holidays among these days, days in lieu included."""
        with self._lock:
            found = sorted(_known(self.code, range(first.year, last.year + 1)).items())
        return (days_of(zone, day, day, title) for day, title in found if first <= day <= last)


def _known(code: str, years: range | None = None) -> HolidayBase:
    import holidays  # noqa: PLC0415 - a twentieth of a second, for files that use it

    country, _, part = code.partition("-")
    try:
        return holidays.country_holidays(country, subdiv=part or None, years=years, language=LANGUAGE)
    except NotImplementedError:
        raise UnknownCountryError(_advice(code)) from None


def _advice(code: str) -> str:
    import holidays  # noqa: PLC0415 - likewise

    known = holidays.list_supported_countries(include_aliases=False)
    country, _, part = code.partition("-")
    if country not in known:
        return (
            f"{quoted(code)} is no country whose holidays are known; write its ISO 3166 code, such as DE or US-NY"
        )
    parts = sorted(name for name in known[country] if name.isascii() and (name.isupper() or name.isdigit()))
    if not parts:
        return f"the holidays of {country} are the same everywhere; write {country}"
    names = [f"{country}-{name}" for name in parts]
    return f"{quoted(part)} is no part of {country}; write one of {listed(names)}{near_miss(code, names)}"
