"""The place for something between the connections and the application. The daemon itself puts nothing there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Protocol

from starlette.types import ASGIApp

from jobsd.http.access import Access


class Layer(Protocol):
    """What a variant of the daemon puts around its HTTP application.

    Attributes:
        connection: The class that reads and writes one connection, one of uvicorn's or made of it.
    """

    connection: type[asyncio.Protocol]

    def claim(self, ledger: Path) -> None:
        """Called before the ledger at this path is opened. Raises UnsupportedLedger if it must not be."""

    def wrap(self, app: ASGIApp, access: Access, now: Callable[[], datetime]) -> ASGIApp:
        """The application to be served instead of `app`; `now` is the daemon's present instant."""
