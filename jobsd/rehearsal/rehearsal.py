"""What makes a daemon a stand-in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import structlog
from starlette.types import ASGIApp

from jobsd.http.access import Access
from jobsd.rehearsal.book import Book
from jobsd.rehearsal.connection import Connection
from jobsd.rehearsal.control import desk
from jobsd.rehearsal.layer import Rehearsed
from jobsd.state import UnsupportedLedger

MARKER = "rehearsal"
"""A file beside the ledger of a stand-in."""

_log = structlog.get_logger()


class Rehearsal:
    """The layer that `jobsd rehearse` puts around the daemon's HTTP application. Orders end with the process."""

    connection: type[asyncio.Protocol] = Connection

    def claim(self, ledger: Path) -> None:
        """Take a state folder for rehearsals. Raises UnsupportedLedger where a daemon keeps its ledger."""
        marker = ledger.with_name(MARKER)
        if ledger.exists() and not marker.exists():
            raise UnsupportedLedger(
                f"{ledger} is the ledger of a daemon that is no rehearsal: give another folder, --state-dir DIR"
            )
        ledger.parent.mkdir(parents=True, exist_ok=True)
        marker.touch()
        _log.warning("rehearsal", reason="this is a stand-in for rehearsals and tests: it gives faults to order")

    def wrap(self, app: ASGIApp, access: Access, now: Callable[[], datetime]) -> ASGIApp:
        """`app` with faults to order."""
        book = Book()
        return Rehearsed(app, desk(book, access), book, now)
