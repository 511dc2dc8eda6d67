"""The HTTP listener: its address, its certificate, whether its own daemon already has it."""

from __future__ import annotations

import errno
import ipaddress
import socket
import stat
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from config.definitions import Tls
from jobsd.doctor.certificate import SOON
from jobsd.doctor.finding import Finding, fail, ok, warning
from jobsd.doctor.patient import Patient
from jobsd.http.tls import BadCertificate, prove
from jobsd.state import UnsupportedLedger
from scheduler.ledger.looking import holder

AREA = "listener"
_WHY = {
    errno.EADDRINUSE: ("another program has it", "end that program (ss -ltnp), or choose another port"),
    errno.EACCES: ("a port below 1024 is for root", "choose one above, or give the unit CAP_NET_BIND_SERVICE"),
    errno.EADDRNOTAVAIL: ("this host does not have that address", "write one of `ip addr`, or 0.0.0.0"),
}


def examine(patient: Patient, now: datetime) -> Iterator[Finding]:
    """The address, then who can read along, then the certificate."""
    http = patient.configuration.settings.http
    yield _address(patient, http.listen)
    if http.tls is not None:
        yield from _certificate(http.tls, patient.configuration.folder, now)
        return
    if not _is_loopback(http.listen):
        found = "it is open to others in plain HTTP: tokens and passwords travel in the clear"
        yield warning(AREA, http.listen, found, "write settings.http.tls, or listen on 127.0.0.1")
    if any(user.password_hash is not None for user in patient.configuration.users):
        found = "users may log in by password, and CCS clients speak HTTPS, which it does not"
        yield warning(AREA, http.listen, found, "write settings.http.tls: {certificate: …, key: …}")


def _address(patient: Patient, listen: str) -> Finding:
    host, _, port = listen.rpartition(":")
    if port == "0":
        return ok(AREA, listen, "the system chooses a free port")
    error = _tried(host.removeprefix("[").removesuffix("]"), int(port))
    if error is None:
        return ok(AREA, listen, "it is free")
    if error.errno == errno.EADDRINUSE and (pid := _own_daemon(patient, int(port))) is not None:
        return ok(AREA, listen, f"its own daemon listens there{f' (pid {pid})' if pid else ''}")
    found, advice = _WHY.get(error.errno or 0, (error.strerror or str(error), "write another address"))
    return fail(AREA, listen, found, advice)


def _tried(host: str, port: int) -> OSError | None:
    """What stands against the address. It is never listened at: a daemon that starts now is not in the way."""
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, socket.SOCK_STREAM) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind(address)
    except OSError as error:
        return error
    return None


def _own_daemon(patient: Patient, port: int) -> int | None:
    """The pid of the daemon of this state folder, if it listens at `port`; 0 where its pid cannot be seen."""
    try:
        folder = patient.ledger().parent
        written = urlsplit((folder / "url").read_text().strip())
        return holder(folder) if written.port == port else None
    except (OSError, ValueError, UnsupportedLedger):
        return None


def _certificate(tls: Tls, folder: Path, now: datetime) -> Iterator[Finding]:
    try:
        proven = prove(tls, folder)
    except BadCertificate as error:
        yield fail(AREA, "tls", str(error), "renew the certificate, or name the files that belong together")
        return
    left = proven.expires_at - now
    found = f"certificate and key belong together, valid until {proven.expires_at:%Y-%m-%d}"
    if left < SOON:
        advice = "renew the certificate; a reload (SIGHUP) takes the new one"
        yield warning(AREA, "tls", f"{found}, {left.days} days from now", advice)
    else:
        yield ok(AREA, "tls", found)
    key = folder / tls.key
    if key.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
        yield warning(AREA, "tls", f"others may read the key {key}", f"run chmod 600 {key}")


def _is_loopback(listen: str) -> bool:
    host = listen.rpartition(":")[0].removeprefix("[").removesuffix("]")
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return host == "localhost"
