"""Whose certificate a client of ours takes for the server's."""

from __future__ import annotations

import ssl
from pathlib import Path

_NO_CHECK_TIME = 0x200000
"""OpenSSL's X509_V_FLAG_NO_CHECK_TIME, which the ssl module does not name."""


def system() -> ssl.SSLContext:
    """Whom this host trusts: its certificate store, where operators put their own authority."""
    return ssl.create_default_context()


def authorities(path: Path) -> ssl.SSLContext:
    """Certificates under those in the PEM file at `path`, or themselves among them; the server's name must fit.

    Raises OSError (ssl.SSLError is one) for a file that cannot be read or holds no certificate.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.load_verify_locations(path)
    return context


def exactly(path: Path) -> ssl.SSLContext:
    """The one certificate in the PEM file at `path`, whatever name and dates it bears. Raises as `authorities`."""
    context = authorities(path)
    context.check_hostname = False
    context.verify_flags |= ssl.VerifyFlags(_NO_CHECK_TIME)
    return context


def anybody() -> ssl.SSLContext:
    """Any certificate: whoever is in between reads and writes along."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
