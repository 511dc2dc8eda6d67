"""Tells open streams that something was committed. Each reads what it wants itself, so none can fall behind."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

MOST_STREAMS = 64
"""Streams open at the same time."""


class TooManyStreams(Exception):
    """No further stream can be opened now."""


class News:
    """One stream's view of the hub: whether anything happened since it last looked."""

    def __init__(self) -> None:
        self._happened = asyncio.Event()

    def tell(self) -> None:
        """Something happened."""
        self._happened.set()

    def forget(self) -> None:
        """Call it before looking: what happens from now on counts."""
        self._happened.clear()

    async def wait(self, seconds: float) -> bool:
        """Whether something happened within `seconds`; returns as soon as it does."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._happened.wait()
        return self._happened.is_set()


class Hub:
    """All open streams of one server. `publish` may be called in any thread, everything else in the HTTP loop."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._streams: set[News] = set()
        self._closed = False

    def bind(self, loop: asyncio.AbstractEventLoop) -> None:
        """Name the loop in which the streams live."""
        self._loop = loop

    def publish(self, events: Sequence[Any] = ()) -> None:
        """Something was committed; a listener of the ledger."""
        del events
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: no stream is left
                self._loop.call_soon_threadsafe(self._tell)

    def close(self) -> None:
        """End all streams, in any thread."""
        self._closed = True
        self.publish()

    def closed(self) -> bool:
        """Whether all streams are to end."""
        return self._closed

    def check_room(self) -> None:
        """Raise TooManyStreams if no stream may be opened."""
        if len(self._streams) >= MOST_STREAMS:
            raise TooManyStreams(f"{MOST_STREAMS} streams are open: close one, or try later")

    @contextlib.contextmanager
    def listening(self) -> Iterator[News]:
        """A stream's news, for as long as it is open."""
        news = News()
        self._streams.add(news)
        try:
            yield news
        finally:
            self._streams.discard(news)

    def _tell(self) -> None:
        for news in self._streams:
            news.tell()
