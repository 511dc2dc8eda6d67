"""The clients of all SDE servers, kept from one use to the next."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from config.definitions import SdeServer
from runners.sde.client import Client


class Clients:
    """One client for each server as it is defined; all of one event loop."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        """`environ` is where tokens are looked for."""
        self._environ = environ
        self._kept: dict[str, tuple[SdeServer, Path, Client]] = {}
        self._former: list[Client] = []

    def of(self, name: str, server: SdeServer, folder: Path) -> Client:
        """The client of the server of that name; a changed definition begins a new one.

        A relative `ca` is from `folder`.
        """
        kept = self._kept.get(name)
        if kept is None or kept[:2] != (server, folder):
            if kept is not None:
                self._former.append(kept[2])  # it may be in use
            kept = self._kept[name] = (server, folder, Client(server, folder=folder, environ=self._environ))
        return kept[2]

    async def aclose(self) -> None:
        """Close all of them."""
        kept, self._kept = [client for _, _, client in self._kept.values()], {}
        former, self._former = self._former, []
        for client in (*former, *kept):
            await client.aclose()
