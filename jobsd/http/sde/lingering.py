"""Answers to requests whose body was not read to its end: nothing more is taken in, and the answer still arrives.

To close at once would not do: what the client has sent and nobody read makes the kernel reset the connection,
and a client that is still sending may never see why.
"""

from __future__ import annotations

import asyncio
import contextlib

from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

SMALL = 64 * 1024
"""Bytes of a body that nobody wanted are read up to this many, so that the connection can go on."""

MOST = 8 * 1024 * 1024
"""Bytes that are read and thrown away, at the most, after the answer: some clients send all before they read."""

LINGER_S = 2.0
"""Seconds in which the client has to see the answer and stop sending."""


class Body:
    """The body of one request, watched on its way to whoever reads it."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self._headers = {name: value for name, value in scope["headers"]}  # noqa: C416 - the pairs are lists at times
        self._receive = receive
        length = self._headers.get(b"content-length", b"0")
        self._length = int(length) if length.isdigit() and len(length) < 20 else MOST
        self.ended = not self._length and b"transfer-encoding" not in self._headers

    async def receive(self) -> Message:
        """The next of it, as ASGI has it."""
        message = await self._receive()
        if message["type"] != "http.request" or not message.get("more_body", False):
            self.ended = True
        return message

    @property
    def small(self) -> bool:
        """Whether it is short, and is sent without waiting for our leave."""
        known = b"transfer-encoding" not in self._headers and b"expect" not in self._headers
        return known and self._length <= SMALL

    async def drop(self, most: int, seconds: float) -> None:
        """Read and forget: to the end, `most` bytes, or so long."""
        dropped = 0
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not self.ended and dropped < most:
                    dropped += len((await self.receive()).get("body", b""))


async def respond(response: Response, scope: Scope, body: Body, send: Send) -> None:
    """Send an answer. Where much of the body is still to come, the connection is closed after it, in good time."""
    if not body.ended and body.small:
        await body.drop(SMALL, LINGER_S)
    if body.ended:
        await response(scope, body.receive, send)
        return

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message["headers"], (b"connection", b"close")]
        await send({**message, "more_body": True} if message["type"] == "http.response.body" else message)

    await response(scope, body.receive, sending)
    begun = asyncio.get_running_loop().time()
    await body.drop(MOST, LINGER_S)
    if not body.ended:  # it goes on sending, into buffers that nobody empties: leave it the time to read
        await asyncio.sleep(max(0.0, begun + LINGER_S - asyncio.get_running_loop().time()))
    await send({"type": "http.response.body", "body": b"", "more_body": False})
