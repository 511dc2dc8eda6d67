"""Mail by SMTP: one connection for one mail, its recipients answered for one by one.

What can change by itself or by an operator's hand (no connection, a certificate, the account, 4xx) is tried again;
what the server will say again to the same mail (5xx) is refused with its words.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from email.headerregistry import Address
from pathlib import Path
from typing import Any

import aiosmtplib

from config.definitions import Smtp
from config.secrets import SecretError
from jobsd.notify.message import address, needs_utf8, written
from runners import points, trust
from scheduler.ledger.deliveries import Delivery
from scheduler.outbox import Delivered, Later, Refused, Result

TIMEOUT_S = 30.0
"""Longest wait for one answer of the server."""

TLS_PORT = 465
"""On this port the connection is TLS from its first byte."""

_ACCOUNT = frozenset({530, 534, 535, 538})
"""Answers about who we are, not about the mail: an operator mends the account."""


@dataclass(slots=True)
class _Progress:
    """Who has the mail, and who was refused, in whose words."""

    delivered: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> _Progress:
        found = body.get("progress") or {}
        return cls(list(found.get("delivered", ())), dict(found.get("refused", {})))

    def plain(self) -> dict[str, Any]:
        return {"delivered": self.delivered, "refused": self.refused}


async def send(delivery: Delivery, smtp: Smtp | None, folder: Path) -> Result:
    """Make one try at a mail; a relative path of `smtp.ca` is from `folder`."""
    if smtp is None:
        return Refused("there is no mail server: write settings.smtp")
    sender = delivery.body.get("sender") or smtp.sender
    if sender is None:
        return Refused("the mail has no sender: write settings.smtp.sender")
    if not delivery.body["to"]:
        return Refused("the mail has no recipient")
    progress = _Progress.of(delivery.body)
    known = _recipients(delivery.body["to"], progress)
    waiting = [text for text in known if text not in progress.delivered and text not in progress.refused]
    if not waiting:
        return _told(progress, {})
    try:
        origin = address(sender)
        mail = written(delivery, origin, known.values())
    except ValueError as error:
        return Refused(f"this cannot be written as a mail: {error}", progress.plain())
    try:
        client = await asyncio.to_thread(client_of, smtp, folder, os.environ)  # it reads files
    except SecretError as error:
        return Later(f"the password cannot be had: {error}", progress=progress.plain())
    except OSError as error:
        return Later(f"settings.smtp.ca cannot be read: {error.strerror or error}", progress=progress.plain())
    points.passing("mail.before")
    answers = await _transmit(client, origin, {text: known[text] for text in waiting}, mail)
    points.passing("mail.after")
    if isinstance(answers, Refused | Later):
        return type(answers)(answers.reason, progress=progress.plain())
    return _settled(progress, waiting, answers)


def _recipients(to: Sequence[str], progress: _Progress) -> dict[str, Address]:
    """The addresses as they were written, read; what is none is refused."""
    known = {}
    for text in to:
        try:
            known[text] = address(text)
        except ValueError as error:
            progress.refused.setdefault(text, str(error))
    return known


def client_of(smtp: Smtp, folder: Path, environ: Mapping[str, str]) -> aiosmtplib.SMTP:
    """A client that logs in when it connects; not connected yet. Raises SecretError, OSError."""
    implicit = smtp.port == TLS_PORT
    context: ssl.SSLContext | None = None
    if implicit or smtp.starttls:
        if not smtp.verify:
            context = trust.anybody()
        else:
            context = trust.system() if smtp.ca is None else trust.authorities(folder / smtp.ca)
    return aiosmtplib.SMTP(
        hostname=smtp.host,
        port=smtp.port,
        username=smtp.username,
        password=None if smtp.password is None else smtp.password.resolve(environ),
        use_tls=implicit,
        start_tls=smtp.starttls and not implicit,
        tls_context=context,
        timeout=TIMEOUT_S,
    )


_Answers = dict[str, aiosmtplib.SMTPResponse]


async def _transmit(
    client: aiosmtplib.SMTP, sender: Address, to: Mapping[str, Address], mail: bytes
) -> _Answers | Refused | Later:
    """Hand the mail over. The answers for those who did not get it, by the address as it was written."""
    utf8 = needs_utf8((sender, *to.values()))
    specs = {one.addr_spec: text for text, one in to.items()}
    try:
        await client.connect()
        try:
            errors, _ = await client.sendmail(
                sender.addr_spec, list(specs), mail, mail_options=["smtputf8", "body=8bitmime"] if utf8 else []
            )
        except aiosmtplib.SMTPRecipientsRefused as error:
            errors = {one.recipient: aiosmtplib.SMTPResponse(one.code, one.message) for one in error.recipients}
        finally:
            await _leave(client)
    except aiosmtplib.SMTPAuthenticationError as error:
        return Later(f"the mail server does not take the account: {_words(error.code, error.message)}")
    except aiosmtplib.SMTPNotSupported as error:
        return Refused(f"the mail server cannot take this mail: {error.message}")
    except (aiosmtplib.SMTPSenderRefused, aiosmtplib.SMTPDataError) as error:
        words = f"the mail server answers {_words(error.code, error.message)}"
        return Refused(words) if _for_ever(error.code) else Later(words)
    except aiosmtplib.SMTPResponseException as error:
        return Later(f"the mail server answers {_words(error.code, error.message)}")
    except (aiosmtplib.SMTPException, OSError) as error:
        return Later(f"the mail server cannot be used: {str(error) or type(error).__name__}")
    except ValueError as error:  # an address that the library does not put on the wire
        return Refused(str(error))
    return {specs[spec]: answer for spec, answer in errors.items()}


async def _leave(client: aiosmtplib.SMTP) -> None:
    """Say good-bye; what goes wrong now changes nothing about the mail."""
    with contextlib.suppress(aiosmtplib.SMTPException, OSError):
        await client.quit(timeout=2)
    client.close()


def _settled(progress: _Progress, waiting: Sequence[str], answers: _Answers) -> Result:
    later: dict[str, str] = {}
    for text in waiting:
        if text not in answers:
            progress.delivered.append(text)
        elif _for_ever(answers[text].code):
            progress.refused[text] = _words(*answers[text])
        else:
            later[text] = _words(*answers[text])
    return _told(progress, later)


def _told(progress: _Progress, later: Mapping[str, str]) -> Result:
    """What became of the whole mail."""
    if later:
        return Later(_each(later), progress=progress.plain())
    if progress.refused:
        others = f"; delivered to {', '.join(progress.delivered)}" if progress.delivered else ""
        return Refused(_each(progress.refused) + others, progress=progress.plain())
    return Delivered()


def _each(answers: Mapping[str, str]) -> str:
    return "; ".join(f"{text}: {words}" for text, words in answers.items())


def _for_ever(code: int) -> bool:
    return code >= 500 and code not in _ACCOUNT


def _words(code: int, message: str) -> str:
    return f"{code} {' '.join(message.split())}"
