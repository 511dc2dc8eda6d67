"""The listener's certificate: proven before it is shown to anybody, and changed while the listener serves."""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from config.definitions import Tls

_ROUNDS = 8
"""Turns after which a handshake in memory is over; TLS 1.3 needs three."""

_BEFORE_KEY = re.compile(r"-+BEGIN [A-Z ]*PRIVATE KEY")


class BadCertificate(OSError):
    """Certificate and key cannot be used; the text names the file."""


@dataclass(frozen=True, slots=True)
class Proven:
    """Certificate and key with which a TLS handshake succeeds now.

    Attributes:
        certificate: The server's own certificate, as PEM.
        expires_at: Its last instant, aware UTC.
    """

    context: ssl.SSLContext
    certificate: str
    expires_at: datetime


def prove(files: Tls, folder: Path) -> Proven:
    """Read certificate and key (paths from `folder`) and shake hands with them, as a client would.

    Raises:
        BadCertificate: One cannot be read, they do not belong together, or a client would refuse them: expired,
            not valid yet, made for another purpose than a server.
    """
    certificate, key = folder / files.certificate, folder / files.key
    for name, path in (("certificate", certificate), ("key", key)):
        _readable(name, path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
    except ssl.SSLError as error:
        raise BadCertificate(_what_is_wrong(certificate, key, error)) from error
    return _proven(context, certificate)


class Listener:
    """The context that the server listens with: each new connection is shown the certificate of now."""

    def __init__(self, proven: Proven) -> None:
        self._now = proven.context
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        # Called in every handshake, also where the client names no server.
        self.context.sni_callback = self._choose

    def show(self, proven: Proven) -> None:
        """From now on, this one; connections that are open keep what they have."""
        self._now = proven.context

    def _choose(self, connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        connection.context = self._now


def _readable(name: str, path: Path) -> None:
    try:
        with path.open("rb"):
            pass
    except OSError as error:
        raise BadCertificate(f"settings.http.tls.{name}: {path}: {error.strerror}") from error


def _no_password() -> str:
    raise BadCertificate("settings.http.tls.key: it is encrypted; write a key without a passphrase, mode 0600")


def _what_is_wrong(certificate: Path, key: Path, error: ssl.SSLError) -> str:
    """OpenSSL's reasons name no file: which one it was is found by trying."""
    if error.reason == "KEY_VALUES_MISMATCH":
        return f"settings.http.tls: {key} is not the key of the first certificate in {certificate}"
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(certificate)
    except ssl.SSLError:
        return f"settings.http.tls.certificate: {certificate} holds no certificate in PEM"
    if not _BEFORE_KEY.search(key.read_text(errors="replace")):
        return f"settings.http.tls.key: {key} holds no private key in PEM"
    return f"settings.http.tls: {certificate}, {key}: {error.reason or error}"


def _proven(context: ssl.SSLContext, path: Path) -> Proven:
    stranger = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    stranger.check_hostname = False
    stranger.verify_mode = ssl.CERT_NONE
    pem = ssl.DER_cert_to_PEM_cert(_shaken(context, stranger).getpeercert(binary_form=True) or b"")
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False  # names are the client's own affair
    client.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    client.load_verify_locations(cadata=pem)
    try:
        told = _shaken(context, client).getpeercert()
    except ssl.SSLCertVerificationError as error:
        raise BadCertificate(f"settings.http.tls.certificate: {path}: {error.verify_message}") from error
    assert told  # noqa: S101 - it was verified, so it is told
    seconds = ssl.cert_time_to_seconds(str(told["notAfter"]))
    return Proven(context, pem, datetime.fromtimestamp(seconds, UTC))


def _shaken(server: ssl.SSLContext, client: ssl.SSLContext) -> ssl.SSLObject:
    """The client's side of a handshake in memory. Raises ssl.SSLError."""
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = (
        client.wrap_bio(back, there, server_side=False),
        server.wrap_bio(there, back, server_side=True),
    )
    for _ in range(_ROUNDS):
        waiting = 0
        for end in ends:
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                waiting += 1
        if not waiting:
            break
    return ends[0]
