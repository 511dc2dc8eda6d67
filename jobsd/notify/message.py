"""A delivery as a mail. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime

from scheduler.ledger.deliveries import Delivery

_LINE = 900
"""Longest line that is sent as it stands; mail allows 998 bytes."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_NAMED = re.compile(r"([^<>]*)<([^<>]+)>")
_PLAIN = re.compile(r"[\t\n\x20-\x7e]*")


def address(text: str) -> Address:
    """`name@host`, or `Somebody <name@host>`; a domain that is not ASCII in its ASCII form.

    Raises:
        ValueError: It is none, or holds what could reach other lines of the mail.
    """
    named = _NAMED.fullmatch(text.strip())
    display, bare = (named[1].strip(' "'), named[2]) if named else ("", text.strip())
    local, at, domain = bare.rpartition("@")
    if not (local and at and domain) or _CONTROL.search(text) or re.search(r"[\s<>,;]", local + domain):
        raise ValueError(f"{text!r} is no address")
    try:
        ascii_domain = domain if domain.isascii() else domain.encode("idna").decode()
        if local.isascii():
            return Address(display, addr_spec=f"{local}@{ascii_domain}")
        return Address(display, local, ascii_domain)  # the other way refuses what SMTPUTF8 can name
    except (MessageError, IndexError, UnicodeError) as error:
        raise ValueError(f"{text!r} is no address") from error


def needs_utf8(addresses: Iterable[Address]) -> bool:
    """Whether one of them can only be named to a server that speaks SMTPUTF8."""
    return not all(one.addr_spec.isascii() for one in addresses)


def written(delivery: Delivery, sender: Address, to: Iterable[Address]) -> bytes:
    """The mail with CRLF line ends; the same bytes for the same delivery, whenever it is sent.

    Raises:
        ValueError: Its text cannot be written as UTF-8.
    """
    recipients = tuple(to)
    policy = SMTPUTF8 if needs_utf8((sender, *recipients)) else SMTP
    message = EmailMessage(policy)
    message["From"] = sender
    message["To"] = recipients
    message["Subject"] = _CONTROL.sub(" ", str(delivery.body["subject"]))
    message["Date"] = format_datetime(delivery.since_at)
    message["Message-ID"] = f"<{delivery.delivery_id}@{sender.domain}>"
    message["Auto-Submitted"] = "auto-generated"
    text = str(delivery.body["text"]).replace("\r\n", "\n").replace("\r", "\n")
    simple = _PLAIN.fullmatch(text) and all(len(line) <= _LINE for line in text.split("\n"))
    message.set_content(
        text, charset="us-ascii" if simple else "utf-8", cte="7bit" if simple else "quoted-printable"
    )
    return message.as_bytes()
