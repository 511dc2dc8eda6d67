"""The state folder: where the ledger, the output, the local token, the daemon's address and certificate are."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from config.definitions import Settings

CERTIFICATE = "certificate.pem"
"""In the state folder: the listener's certificate, for the command line of this host; none for plain HTTP."""


class UnsupportedLedger(Exception):
    """The configured ledger is of a kind that this program does not drive."""


def ledger_path(settings: Settings, environ: Mapping[str, str] = os.environ) -> Path:
    """The ledger's file, absolute: the configured one, else in $STATE_DIRECTORY, else in ./.jobsd.

    Raises UnsupportedLedger for anything but SQLite.
    """
    if settings.ledger is None:
        first = environ.get("STATE_DIRECTORY", "").split(":")[0]
        return (Path(first) if first else Path(".jobsd")).resolve() / "ledger.db"
    prefix = "sqlite:///"
    if not settings.ledger.startswith(prefix):
        raise UnsupportedLedger(
            f"settings.ledger: {settings.ledger.split(':')[0]}: this version keeps its ledger in SQLite: "
            "sqlite:////ABSOLUTE/PATH/ledger.db"
        )
    return Path(settings.ledger.removeprefix(prefix)).resolve()


def write_private(path: Path, text: str) -> None:
    """Write `text` to `path`, readable by this user only (0600), in one step."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
