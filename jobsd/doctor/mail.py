"""The mail server: connected to and logged in at; nothing is sent."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from datetime import datetime

import aiosmtplib

from config.definitions import Smtp
from config.secrets import SecretError
from jobsd.doctor.apart import apart
from jobsd.doctor.certificate import judged
from jobsd.doctor.finding import Finding, fail, ok, warning
from jobsd.doctor.patient import Patient
from jobsd.doctor.reach import NotReached, resolved
from jobsd.notify.mail import TLS_PORT, client_of

AREA = "mail"
LIMIT_S = 15.0


async def examine(patient: Patient, now: datetime) -> list[Finding]:
    """Connect, STARTTLS, login, as a notification would. Nothing without `settings.smtp`."""
    smtp = patient.configuration.settings.smtp
    if smtp is None:
        return []
    name = f"{smtp.host}:{smtp.port}"
    try:
        client = await apart(lambda: client_of(smtp, patient.configuration.folder, patient.environ))
    except SecretError:
        found = "not logged in: its password cannot be had"
        return [fail(AREA, name, found, "see the secret settings.smtp.password above")]
    except OSError as error:  # ssl.SSLError among them
        found = f"settings.smtp.ca: {patient.relative(smtp.ca or '')}: {error.strerror or error}"
        return [fail(AREA, name, found, "name a PEM file of the authority's certificate")]
    try:
        async with asyncio.timeout(LIMIT_S):
            await resolved(smtp.host, smtp.port)
            return [*_exposed(smtp, name), *await _spoken(client, smtp, name, now)]
    except NotReached as error:
        return [fail(AREA, name, str(error), error.advice)]
    except TimeoutError:
        return [fail(AREA, name, f"no answer within {LIMIT_S:g} s", "look at the host, the port, firewalls")]


async def _spoken(client: aiosmtplib.SMTP, smtp: Smtp, name: str, now: datetime) -> list[Finding]:
    try:
        await client.connect()
        return [ok(AREA, name, _said(smtp)), *_certificate(client, name, now)]
    except aiosmtplib.SMTPAuthenticationError as error:
        found = f"it refuses the login of {smtp.username}: {error.code}"
        return [fail(AREA, name, found, "look at settings.smtp.username and password")]
    except (aiosmtplib.SMTPException, OSError) as error:
        return [fail(AREA, name, _why(error), "look at the host, the port, starttls, and its certificate")]
    finally:
        with contextlib.suppress(aiosmtplib.SMTPException, OSError):
            await client.quit(timeout=2)
        client.close()


def _said(smtp: Smtp) -> str:
    how = "by TLS" if smtp.port == TLS_PORT else "by STARTTLS" if smtp.starttls else "without encryption"
    return f"reached {how}{f', logged in as {smtp.username}' if smtp.username else ''}"


def _certificate(client: aiosmtplib.SMTP, name: str, now: datetime) -> Iterator[Finding]:
    shown = client.get_transport_info("ssl_object")
    der = None if shown is None else shown.getpeercert(binary_form=True)
    if der is not None:
        yield judged(AREA, name, der, now, whose="its certificate")


def _exposed(smtp: Smtp, name: str) -> Iterator[Finding]:
    if not smtp.starttls and smtp.port != TLS_PORT:
        whose = "its password and every mail travel" if smtp.username else "every mail travels"
        yield warning(AREA, name, f"{whose} in the clear", "write settings.smtp.starttls: true")
    elif not smtp.verify:
        found = "its certificate is not verified: whoever is in between reads along"
        yield warning(AREA, name, found, "write verify: true and name its authority (ca: FILE.pem)")


def _why(error: Exception) -> str:
    cause = error.__cause__ or error
    return str(cause) or type(cause).__name__
