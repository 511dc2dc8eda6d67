"""Where commands beside the daemon look for its secrets."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

CREDENTIALS = Path("/run/credentials/jobsd.service")
"""Where systemd keeps the credentials of the running unit, for root to read."""


def with_credentials(environ: Mapping[str, str]) -> dict[str, str]:
    """`environ`; outside the unit with its credentials where they can be seen."""
    known = dict(environ)
    if "CREDENTIALS_DIRECTORY" not in known and _is_folder(CREDENTIALS):
        known["CREDENTIALS_DIRECTORY"] = str(CREDENTIALS)
    return known


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False
