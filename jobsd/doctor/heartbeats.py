"""The receivers of heartbeats: connected to and not called, because a call would tell that all is well."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from config.definitions import Configuration
from config.values import origin
from jobsd.doctor.apart import apart
from jobsd.doctor.certificate import judged
from jobsd.doctor.finding import Finding, fail, ok, warning
from jobsd.doctor.patient import Patient
from jobsd.doctor.reach import NotReached, reach
from runners import trust

AREA = "heartbeat"
LIMIT_S = 10.0
AT_ONCE = 16
"""Receivers that are looked at at the same time."""


async def examine(patient: Patient) -> list[Finding]:
    """Each receiver once, whoever's addresses it has; of an address only scheme, host and port are told."""
    users: dict[str, list[str]] = {}
    for whose, url in _addresses(patient.configuration):
        users.setdefault(origin(url), []).append(whose)
    room = asyncio.Semaphore(AT_ONCE)
    looked = await asyncio.gather(*(_looked(server, whose, room) for server, whose in users.items()))
    return [finding for found in looked for finding in found]


def _addresses(configuration: Configuration) -> Iterator[tuple[str, str]]:
    """Each address with whose it is."""
    if configuration.settings.heartbeat is not None:
        yield "settings.heartbeat", configuration.settings.heartbeat.url
    for name, job in configuration.jobs.items():
        if job.notify.heartbeat is not None:
            for url in {job.notify.heartbeat.url, job.notify.heartbeat.failure} - {None}:
                yield f"the job {name}", url or ""


async def _looked(server: str, whose: list[str], room: asyncio.Semaphore) -> list[Finding]:
    try:
        async with room, asyncio.timeout(LIMIT_S):
            reached = await reach(server, await apart(trust.system), ask=False)
    except NotReached as error:
        return [fail(AREA, server, f"{error}, for {_named(whose)}", error.advice)]
    except TimeoutError:
        advice = "look whether the server is up, at the port, and at firewalls"
        return [fail(AREA, server, f"no connection within {LIMIT_S:g} s, for {_named(whose)}", advice)]
    except ValueError:
        return [
            fail(AREA, server, f"this is no address of a server, for {_named(whose)}", "look at its host and port")
        ]
    findings = [ok(AREA, server, f"reached at {reached.address}, for {_named(whose)}; nothing was called")]
    if reached.certificate is None:
        found = "it is spoken to in plain HTTP: whoever is in between reads the addresses, and can call them"
        return [*findings, warning(AREA, server, found, "write https:// in the url")]
    return [*findings, judged(AREA, server, reached.certificate, reached.at, whose="its certificate")]


def _named(whose: list[str]) -> str:
    """Whose addresses they are, in a few words."""
    known = list(dict.fromkeys(whose))
    more = f" and {len(known) - 3} more" if len(known) > 3 else ""
    return ", ".join(known[:3]) + more
