"""Reaching a server: its address, TCP, TLS, the time it tells."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from jobsd.doctor.apart import apart
from scheduler.clock import SystemClock

_HEAD = "HEAD {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: jobsd-doctor\r\nConnection: close\r\n\r\n"
_HEADERS = 100
"""Lines of an answer's head at the most."""


class NotReached(Exception):
    """The server cannot be had: no such name, nobody listens, no TLS. `advice` says what to look at."""

    def __init__(self, found: str, advice: str) -> None:
        super().__init__(found)
        self.advice = advice


@dataclass(frozen=True, slots=True)
class Reached:
    """A server that was reached.

    Attributes:
        certificate: The one it showed, as DER; None without TLS.
        date: What its Date header said, aware UTC; None if it said nothing.
        at: This host's time when that came.
    """

    address: str
    certificate: bytes | None
    date: datetime | None
    at: datetime


async def reach(url: str, tls: ssl.SSLContext, *, ask: bool = True) -> Reached:
    """Connect to the server of `url` and ask for its head; `tls` says whom to trust. Raises NotReached.

    Without `ask` nothing is asked for: to call the address is to tell something. The caller bounds the time.
    """
    parts = urlsplit(url)
    host, secure = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    address = await resolved(host, port)
    async with _connected(host, address, port, tls if secure else None) as (reader, writer):
        shown: ssl.SSLObject | None = writer.get_extra_info("ssl_object")
        certificate = None if shown is None else shown.getpeercert(binary_form=True)
        if not ask:
            return Reached(address, certificate, None, SystemClock().now())
        writer.write(_HEAD.format(path=parts.path or "/", host=parts.netloc.rpartition("@")[2]).encode())
        date = await _date(reader)
        return Reached(address, certificate, date, SystemClock().now())


async def resolved(host: str, port: int) -> str:
    """The first address of `host`. Raises NotReached."""
    try:
        found = await apart(lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise NotReached(f"the name {host} has no address: {why}", "look at the name and at DNS") from None
    return str(found[0][4][0])


@contextlib.asynccontextmanager
async def _connected(
    host: str, address: str, port: int, tls: ssl.SSLContext | None
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    name = host if tls is not None else None
    try:
        reader, writer = await asyncio.open_connection(address, port, ssl=tls, server_hostname=name)
    except ssl.SSLCertVerificationError as error:
        found = f"its certificate is not believed: {error.verify_message}"
        raise NotReached(found, "name its authority (ca: FILE.pem), or renew its certificate") from None
    except ssl.SSLError as error:
        found = f"TLS fails at {address} port {port}: {error.reason or error}"
        raise NotReached(found, "look whether that port speaks TLS, and which versions") from None
    except OSError as error:
        why = error.strerror or str(error) or type(error).__name__
        found = f"nobody can be reached at {address} port {port}: {why}"
        raise NotReached(found, "look whether the server is up, at the port, and at firewalls") from None
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def _date(reader: asyncio.StreamReader) -> datetime | None:
    """The Date header of the answer that comes, whatever else it says."""
    with contextlib.suppress(OSError, ValueError):
        for _ in range(_HEADERS):
            line = await reader.readline()
            name, _, value = line.decode("latin-1").partition(":")
            if name.strip().lower() == "date":
                return parsedate_to_datetime(value.strip()).astimezone(UTC)
            if not line.strip():
                break
    return None
