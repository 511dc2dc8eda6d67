"""Names of time zones: IANA names as they are, Windows names mapped, anything else refused with a way out."""

from __future__ import annotations

import re
from difflib import get_close_matches
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from tzlocal.windows_tz import win_tz

_OFFSET = re.compile(r"(?:UTC|GMT|Z)?\s*([+-])(\d{1,2})(?::?(\d{2}))?$", re.IGNORECASE)
# Where many people live at each offset that is common in the wild; any other offset gets the general advice.
_ZONE_AT = {
    "-10:00": "Pacific/Honolulu",
    "-09:00": "America/Anchorage",
    "-08:00": "America/Los_Angeles",
    "-07:00": "America/Denver",
    "-06:00": "America/Chicago",
    "-05:00": "America/New_York",
    "-04:00": "America/Halifax",
    "-03:30": "America/St_Johns",
    "-03:00": "America/Sao_Paulo",
    "+00:00": "UTC",
    "+01:00": "Europe/Berlin",
    "+02:00": "Europe/Athens",
    "+03:00": "Europe/Istanbul",
    "+03:30": "Asia/Tehran",
    "+04:00": "Asia/Dubai",
    "+04:30": "Asia/Kabul",
    "+05:00": "Asia/Karachi",
    "+05:30": "Asia/Kolkata",
    "+05:45": "Asia/Kathmandu",
    "+06:00": "Asia/Dhaka",
    "+06:30": "Asia/Yangon",
    "+07:00": "Asia/Bangkok",
    "+08:00": "Asia/Singapore",
    "+09:00": "Asia/Tokyo",
    "+09:30": "Australia/Adelaide",
    "+10:00": "Australia/Sydney",
    "+10:30": "Australia/Lord_Howe",
    "+12:00": "Pacific/Auckland",
    "+12:45": "Pacific/Chatham",
}


@lru_cache(maxsize=1)
def _known() -> dict[str, str]:
    """Every accepted name in lower case, with the IANA name it stands for."""
    names = {name.casefold(): zone for name, zone in win_tz.items()}
    names.update((name.casefold(), name) for name in available_timezones())
    return names


def resolve_zone(name: str) -> str:
    """The IANA name for `name`, which is an IANA or a Windows name, in any case.

    Raises:
        ValueError: `name` is a fixed offset, which knows no DST (the message names a zone to use instead), or
            no known zone (the message names the nearest one, if any is near).
    """
    wanted = name.strip()
    zone = _known().get(wanted.casefold())
    if zone is not None:
        return zone
    offset = _OFFSET.fullmatch(wanted)
    if offset is not None:
        sign, hours, minutes = offset.groups()
        near = _ZONE_AT.get(f"{sign}{int(hours):02}:{minutes or '00'}")
        advice = f"name a zone, such as {near}" if near else "name a zone, such as Europe/Berlin"
        raise ValueError(f"{name!r} is a fixed offset, not a time zone: {advice}")
    near_misses = get_close_matches(wanted.casefold(), _known(), n=1, cutoff=0.7)
    hint = f": did you mean {_spelling(near_misses[0])}?" if near_misses else ""
    raise ValueError(f"{name!r} is no known time zone (IANA or Windows name){hint}")


def _spelling(folded: str) -> str:
    """The usual spelling of a name found by its lower case."""
    windows = {windows_name.casefold(): windows_name for windows_name in win_tz}
    return windows.get(folded, _known()[folded])


def load_zone(name: str) -> ZoneInfo:
    """The zone named `name` by its IANA name.

    Raises:
        ValueError: there is no such zone; as `resolve_zone`.
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        resolve_zone(name)
        raise ValueError(f"{name!r} is not the IANA name of a time zone: use {resolve_zone(name)}") from None
