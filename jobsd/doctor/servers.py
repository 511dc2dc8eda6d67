"""The counterparts under `servers:`, each as far as can be looked at without changing anything there."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass

from config.definitions import CcsServer, SdeServer, Server
from config.secrets import SecretError
from jobsd.doctor.certificate import judged
from jobsd.doctor.clock import Told
from jobsd.doctor.finding import Finding, fail, ok, warning
from jobsd.doctor.patient import Patient
from jobsd.doctor.reach import NotReached, reach
from runners import finding as looked
from runners import trust
from runners.ccs import doctor as ccs
from runners.sde import doctor as sde

AREA = "server"
LIMIT_S = 15.0
"""Most seconds for one look at a server, however long its `timeout`."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found at a server, and what it said of the time."""

    findings: tuple[Finding, ...]
    told: Told | None = None


async def examine(patient: Patient, name: str, server: Server) -> Looked:
    """Reach one server; then what its own API tells to our account."""
    limit = min(server.timeout.total_seconds(), LIMIT_S)
    try:
        context = _context(patient, server)
        async with asyncio.timeout(limit):
            reached = await reach(server.url, context)
    except NotReached as error:
        return Looked((fail(AREA, name, str(error), error.advice),))
    except TimeoutError:
        advice = "look whether the server is up, at the port, and at firewalls"
        return Looked((fail(AREA, name, f"no answer within {limit:g} s", advice),))
    except OSError as error:  # ssl.SSLError among them
        found = f"ca: {patient.relative(server.ca or '')}: {error.strerror or error}"
        return Looked((fail(AREA, name, found, "name a PEM file of the authority's certificate"),))
    findings = [ok(AREA, name, f"reached at {reached.address}")]
    if reached.certificate is None:
        found = f"it is spoken to in plain HTTP: its {_secret(server)} travels in the clear"
        findings.append(warning(AREA, name, found, "write https:// in its url"))
    else:
        findings.append(judged(AREA, name, reached.certificate, reached.at, whose="its certificate"))
    if not server.verify:
        found = f"its certificate is not verified: whoever is in between reads its {_secret(server)}"
        findings.append(warning(AREA, name, found, "write verify: true and name its authority (ca: FILE.pem)"))
    findings += (
        await _ccs(patient, name, server) if isinstance(server, CcsServer) else await _sde(patient, name, server)
    )
    told = None if reached.date is None else Told(name, reached.date, reached.at)
    return Looked(tuple(findings), told)


async def _ccs(patient: Patient, name: str, server: CcsServer) -> list[Finding]:
    """Login and the right to read jobs: that the server is reached is known."""
    try:
        server.password.resolve(patient.environ)
    except SecretError:
        found = "not logged in: its password cannot be had"
        return [fail(AREA, name, found, f"see the secret servers.{name}.password above")]
    try:
        async with asyncio.timeout(LIMIT_S):
            asked = await ccs.examine(server, folder=patient.configuration.folder, environ=patient.environ)
    except TimeoutError:
        return [fail(AREA, name, f"no login within {LIMIT_S:g} s", "look at the server's own log")]
    return [_finding(name, one) for one in asked if not (one.sound and one.what == "reachable")]


async def _sde(patient: Patient, name: str, server: SdeServer) -> list[Finding]:
    """The token, and what it may see: that the server is reached is known."""
    try:
        server.token.resolve(patient.environ)
    except SecretError:
        found = "not asked: its token cannot be had"
        return [fail(AREA, name, found, f"see the secret servers.{name}.token above")]
    try:
        async with asyncio.timeout(LIMIT_S):
            asked = await sde.examine(name, patient.configuration, environ=patient.environ)
    except TimeoutError:
        return [
            fail(AREA, name, f"not everything was answered within {LIMIT_S:g} s", "look at the server's own log")
        ]
    return [_finding(name, one) for one in asked if not (one.sound and one.what == "reachable")]


def _secret(server: Server) -> str:
    return "password" if isinstance(server, CcsServer) else "token"


def _finding(name: str, one: looked.Finding) -> Finding:
    if one.sound:
        return ok(AREA, name, one.text)
    return (warning if one.warning else fail)(AREA, name, one.text, one.advice)


def _context(patient: Patient, server: Server) -> ssl.SSLContext:
    """Whom to trust. Raises OSError for an authority's file that cannot be read."""
    if not server.verify:
        return trust.anybody()
    return trust.authorities(patient.relative(server.ca)) if server.ca else trust.system()
