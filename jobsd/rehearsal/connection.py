"""A connection that can be broken from inside the application: ASGI itself knows no such thing."""

from __future__ import annotations

import asyncio

from starlette.types import Receive, Scope
from uvicorn.protocols.http.h11_impl import H11Protocol

_KEY = "jobsd.rehearsal.transport"


class Connection(H11Protocol):
    """uvicorn's connection, whose transport is in the state of each of its requests."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Keep the transport where requests find it."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, _KEY: transport}


class Line:
    """The connection of one request."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        """Takes the transport out of the request's state."""
        self._transport: asyncio.Transport = scope["state"].pop(_KEY)
        self._receive = receive

    async def cut(self) -> None:
        """Break it at once; what was not sent yet is lost. Returns when uvicorn has noticed."""
        self._transport.abort()
        await self._gone()

    async def close(self) -> None:
        """Close it after what was written. Returns when uvicorn has noticed."""
        self._transport.close()
        await self._gone()

    async def _gone(self) -> None:
        # Left before that, uvicorn would miss an answer and write an error of ours into the log.
        while (await self._receive())["type"] != "http.disconnect":
            pass
