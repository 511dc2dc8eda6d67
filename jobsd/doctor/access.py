"""Who may read and write what belongs to the daemon."""

from __future__ import annotations

import os
import pwd
import stat
from collections.abc import Iterator
from pathlib import Path

from config.secrets import readable_by_others
from jobsd.doctor.finding import Finding, fail, ok, warning
from jobsd.doctor.patient import Patient
from jobsd.doctor.secrets import secrets_of
from jobsd.state import UnsupportedLedger

AREA = "access"
PRIVATE = ("ledger.db", "ledger.db-wal", "ledger.db-shm", "lock", "token", "url", "output", "data", "uploads")


def examine(patient: Patient) -> Iterator[Finding]:
    """The state folder and what is in it, the secrets' files, the account that looks."""
    try:
        folder = patient.ledger().parent
    except UnsupportedLedger:
        return
    if folder.is_dir():
        yield from _folder(folder)
    for where, secret in secrets_of(patient.configuration):
        if secret.source == "file":
            yield _secret(where, Path(secret.reference))


def _folder(folder: Path) -> Iterator[Finding]:
    status = folder.stat()
    owner, mode, name = status.st_uid, stat.S_IMODE(status.st_mode), str(folder)
    if mode & 0o077:
        found = f"others may enter it (mode {mode:04o}): collected data and output are in it"
        yield fail(AREA, name, found, f"run chmod 700 {folder}")
    else:
        yield ok(AREA, name, f"only {user(owner)} may enter it")
    strangers = sorted(p.name for p in map(folder.joinpath, PRIVATE) if p.exists() and p.stat().st_uid != owner)
    if strangers:
        found = f"{', '.join(strangers)} belong{'s' if len(strangers) == 1 else ''} to somebody else"
        yield fail(AREA, name, found, f"stop the daemon, run chown -R {user(owner)}: {folder}, start it again")
    if owner != os.geteuid():
        found = f"it belongs to {user(owner)}, and this looks as {user(os.geteuid())}: rights may differ"
        yield warning(AREA, name, found, f"run it as that user: runuser -u {user(owner)} -- jobsd doctor -c FILE")


def _secret(where: str, path: Path) -> Finding:
    try:
        if readable_by_others(path):
            return fail(AREA, where, f"others may read {path}", f"run chmod 600 {path}")
    except OSError as error:
        return fail(AREA, where, f"{path}: {error.strerror}", "make the file, with mode 600")
    return ok(AREA, where, f"only its owner may read {path}")


def user(uid: int) -> str:
    """The name of a user of this host, else the number."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
