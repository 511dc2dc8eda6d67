"""The logins of all servers, kept from one execution to the next."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from config.definitions import CcsServer
from runners.ccs.session import Session


@dataclass(slots=True)
class _Kept:
    session: Session
    server: CcsServer
    folder: Path
    users: int = 0


class Sessions:
    """One session for each server as it is defined; a changed definition begins a new one."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._kept: dict[str, _Kept] = {}

    @asynccontextmanager
    async def use(self, name: str, server: CcsServer, *, folder: Path) -> AsyncIterator[Session]:
        """The session of the server of that name; one of an older definition ends with its last user."""
        kept = self._kept.get(name)
        if kept is None or (kept.server, kept.folder) != (server, folder):
            new = _Kept(Session(server, folder=folder, environ=self._environ), server, folder)
            self._kept[name] = new
            if kept is not None and not kept.users:
                await kept.session.aclose()
            kept = new
        kept.users += 1
        try:
            yield kept.session
        finally:
            kept.users -= 1
            if not kept.users and self._kept.get(name) is not kept:
                await kept.session.aclose()

    async def aclose(self) -> None:
        """Close all of them."""
        kept, self._kept = list(self._kept.values()), {}
        for one in kept:
            await one.session.aclose()
