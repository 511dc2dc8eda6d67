"""Zone data: whether there is any, how old it is, whether the host's and the program's agree."""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterator
from datetime import datetime, timedelta
from importlib import metadata, resources
from pathlib import Path
from zoneinfo import ZoneInfo

from config.definitions import Configuration
from jobsd.doctor.finding import Finding, ok, warning

AREA = "zone"
AHEAD = timedelta(days=731)
STEP = timedelta(hours=6)
ADVICE = "bring the host's tzdata up to date (apt-get install --only-upgrade tzdata), then restart the daemon"


def examine(configuration: Configuration | None, now: datetime) -> Iterator[Finding]:
    """The data's versions, then every zone that the configuration uses."""
    packaged, system = metadata.version("tzdata"), system_version()
    where = f"of this host (version {system or 'unknown'})" if _folder() else "of the package"
    yield ok(AREA, "", f"the data {where} is used; the packaged one is {packaged}")
    for name in sorted(zones_of(configuration)) if configuration is not None else ():
        yield compared(name, now)


def zones_of(configuration: Configuration) -> set[str]:
    """Every zone in which something is reckoned."""
    schedules = (job.schedule for job in configuration.jobs.values() if job.schedule is not None)
    return {configuration.settings.timezone, *(schedule.zone for schedule in schedules)}


def compared(name: str, now: datetime) -> Finding:
    """Whether the data in use and the packaged one have the same coming two years of `name`."""
    used, packaged = ZoneInfo(name), _packaged(name)
    if packaged is None:
        found = "only this host knows it, the package does not"
        return warning(AREA, name, found, "use the zone's present name")
    at = now
    while at < now + AHEAD:
        if at.astimezone(used).utcoffset() != at.astimezone(packaged).utcoffset():
            found = f"this host's data and the packaged one differ from {at:%Y-%m-%d} on"
            return warning(AREA, name, found, ADVICE)
        at += STEP
    return ok(AREA, name, "known; this host and the package agree on the coming two years")


def system_version() -> str | None:
    """The version of the host's data; None where there is none, or it does not say."""
    folder = _folder()
    if folder is None:
        return None
    for name, prefix in (("tzdata.zi", "# version "), ("+VERSION", "")):
        try:
            with (folder / name).open(encoding="utf-8") as file:
                return file.readline().removeprefix(prefix).strip() or None
        except OSError:
            continue
    return None


def _folder() -> Path | None:
    return next((Path(folder) for folder in zoneinfo.TZPATH if (Path(folder) / "UTC").exists()), None)


def _packaged(name: str) -> ZoneInfo | None:
    try:
        with resources.files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as file:
            return ZoneInfo.from_file(file, key=name)
    except (OSError, ValueError):
        return None
