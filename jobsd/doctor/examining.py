"""Every examination, side by side, each within its time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from datetime import datetime
from itertools import chain

from config import ConfigError
from jobsd.doctor import (
    access,
    clock,
    file,
    folder,
    heartbeats,
    listener,
    mail,
    programs,
    reports,
    secrets,
    servers,
    serving,
    zones,
)
from jobsd.doctor.apart import apart
from jobsd.doctor.finding import Finding, fail
from jobsd.doctor.patient import Patient
from scheduler.clock import SystemClock

LIMIT_S = 20.0
"""Most seconds for one area: what takes longer has failed."""


async def examine(patient: Patient) -> AsyncIterator[Finding]:
    """Everything, area by area in a fixed order; an area comes as soon as those before it have."""
    now = SystemClock().now()
    looks = [asyncio.create_task(_apart(area, look)) for area, look in _local(patient, now).items()]
    looks += [asyncio.create_task(_servers(patient)), asyncio.create_task(mail.examine(patient, now))]
    looks.append(asyncio.create_task(heartbeats.examine(patient)))
    try:
        for look in looks:
            for finding in await look:
                yield finding
    finally:
        for look in looks:
            look.cancel()


def _local(patient: Patient, now: datetime) -> dict[str, Callable[[], Iterable[Finding]]]:
    return {
        file.AREA: lambda: file.examine(patient, now),
        secrets.AREA: lambda: secrets.examine(patient),
        access.AREA: lambda: chain(access.examine(patient), reports.examine(patient)),
        folder.AREA: lambda: folder.examine(patient),
        programs.AREA: lambda: programs.examine(patient),
        listener.AREA: lambda: listener.examine(patient, now),
        serving.AREA: lambda: serving.examine(patient),
        zones.AREA: lambda: zones.examine(patient.configuration, now),
        clock.AREA: lambda: [clock.synchronised()],
    }


def faults(error: ConfigError, now: datetime) -> Iterator[Finding]:
    """Of a file that is refused: its faults, and what can be looked at beside it."""
    yield from file.faults(error)
    yield from zones.examine(None, now)
    yield clock.synchronised()


async def _apart(area: str, look: Callable[[], Iterable[Finding]]) -> list[Finding]:
    """What `look` finds up to its end, or up to what it could not go beyond."""
    found: list[Finding] = []
    try:
        async with asyncio.timeout(LIMIT_S):
            await apart(lambda: found.extend(look()))
    except TimeoutError:
        advice = "look for a file system that does not answer (df, mount)"
        return [*found, fail(area, "", f"not examined: it took longer than {LIMIT_S:g} s", advice)]
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        advice = "run it as the daemon's user, or as root"
        return [*found, fail(area, "", f"not examined: {where}{error.strerror or error}", advice)]
    return found


async def _servers(patient: Patient) -> list[Finding]:
    every = patient.configuration.servers.items()
    looked = await asyncio.gather(*(servers.examine(patient, name, server) for name, server in every))
    told = [one.told for one in looked if one.told is not None]
    return [finding for one in looked for finding in one.findings] + list(clock.against(told))
