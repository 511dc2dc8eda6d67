"""HTTP as this program speaks it: the one module that knows which client library that is."""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import httpx

from runners import points, trust

_CONNECTIONS = 4
_LIMITS = httpx.Limits(max_connections=_CONNECTIONS, max_keepalive_connections=2)
_ASYNC_LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=2)
"""`AsyncWeb` counts its connections itself: a request that is cancelled at two points of httpcore never gives the
place of its connection back, and four of them would leave the client without any."""
_CONNECT_S = 5.0

MOST = 64 * 1024 * 1024
"""Bytes of an answer beyond which it is not read on."""

Query = Sequence[tuple[str, str]]


class Unreachable(Exception):
    """No answer came: the connection broke, or it took too long. What was asked for may have been done."""


class NotSent(Unreachable):
    """Nobody listens there, or is trusted: nothing was asked for."""


class Body(Protocol):
    """What is sent bit by bit."""

    @property
    def content_type(self) -> str:
        """As its header says."""

    @property
    def length(self) -> int:
        """Of all of it, in bytes."""

    def pieces(self) -> AsyncIterator[bytes]:
        """All of it, in order. What it raises ends the request, which the server then has not got whole."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer: its status, its text, its headers by their names in lower case."""

    status: int
    body: bytes
    content_type: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    def json(self) -> Any:
        """The body as JSON. Raises ValueError if it is none."""
        try:
            return httpx.Response(self.status, content=self.body).json()
        except RecursionError:
            raise ValueError("it is nested too deeply") from None

    def retry_after(self, now: datetime) -> timedelta | None:
        """How long the server wants to be left alone, from `now` (aware); None where it does not say."""
        text = self.headers.get("retry-after", "").strip()
        if text.isascii() and text.isdigit() and len(text) < 9:
            return timedelta(seconds=int(text))
        try:
            until = parsedate_to_datetime(text)
        except ValueError:
            return None
        return max(until.replace(tzinfo=until.tzinfo or UTC) - now, timedelta(0))


@dataclass(frozen=True, slots=True)
class Stream:
    """An answer whose body comes bit by bit."""

    status: int
    chunks: Iterator[bytes]


class Web:
    """A client of one server: few connections, no redirect followed, time limits in seconds."""

    def __init__(
        self, base: str, *, headers: Mapping[str, str], timeout: float = 30.0, tls: ssl.SSLContext | None = None
    ) -> None:
        """`tls` says whom to trust (see runners/trust.py); by default whom the host trusts."""
        self._client = httpx.Client(
            base_url=base,
            headers=dict(headers),
            limits=_LIMITS,
            timeout=httpx.Timeout(timeout, connect=min(timeout, _CONNECT_S)),
            follow_redirects=False,
            trust_env=False,
            # Nothing is read for plain HTTP.
            verify=(tls or trust.system()) if base.startswith("https:") else False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def request(self, method: str, path: str, *, query: Query = (), json: Any = None) -> Answer:
        """Send one request. Raises Unreachable."""
        try:
            response = self._client.request(method, path, params=list(query), json=json)
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise _unreachable(error) from error
        return _answer(response, response.content)

    @contextmanager
    def stream(self, path: str, *, query: Query = ()) -> Iterator[Stream]:
        """GET a body that may go on for ever, without a time limit. Raises Unreachable, also on the way."""
        timeout = httpx.Timeout(None, connect=_CONNECT_S)
        try:
            with self._client.stream("GET", path, params=list(query), timeout=timeout) as response:
                yield Stream(response.status_code, response.iter_bytes())
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise _unreachable(error) from error


class _Limit:
    """The time for one request: for its answer, and for each piece of its body."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.timeout = asyncio.timeout(None)

    def extend(self) -> None:
        """Count from now on."""
        if not self.timeout.expired():
            self.timeout.reschedule(asyncio.get_running_loop().time() + self.seconds + _CONNECT_S)

    async def paced(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The pieces; the time counts anew from each."""
        async for piece in pieces:
            self.extend()
            yield piece
        self.extend()


class AsyncWeb:
    """A client of one server for an event loop: few connections, no redirect followed, bounded answers."""

    def __init__(
        self,
        base: str = "",
        *,
        headers: Mapping[str, str] | None = None,
        timeout: timedelta = timedelta(seconds=30),
        ca: Path | None = None,
        verify: bool = True,
        most: int = MOST,
        plain: bool = False,
    ) -> None:
        """Nothing is sent yet.

        Args:
            base: What every path is appended to; empty where whole URLs are requested.
            headers: Sent with every request.
            timeout: The longest wait for a connection, and then for a whole answer.
            ca: PEM file of the authorities to trust; the host's own store by default.
            verify: Whether certificates are verified.
            most: Bytes of an answer that are read.
            plain: Only plain HTTP will be spoken, so that nobody need be trusted; `base` says it too.

        Raises:
            NotSent: The PEM file cannot be read.
        """
        self._most = most
        self._limit = timeout.total_seconds()
        self._turn = asyncio.Semaphore(_CONNECTIONS)
        self._client = httpx.AsyncClient(
            base_url=base,
            headers=dict(headers or {}),
            limits=_ASYNC_LIMITS,
            timeout=httpx.Timeout(self._limit, connect=min(self._limit, _CONNECT_S), pool=None),
            follow_redirects=False,
            trust_env=False,
            verify=False if plain or is_plain(base) else _trusted(ca, verify=verify),
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Query = (),
        json: Any = None,
        content: bytes | None = None,
        body: Body | None = None,
        headers: Mapping[str, str] | None = None,
        within: timedelta | None = None,
    ) -> Answer:
        """Send one request, with `json`, the bytes `content` or the pieces of `body` as its body.

        It may take no longer than `within`, by default the client's timeout; each piece of `body` may.

        Raises:
            NotSent: Nothing was sent: it may be sent again.
            Unreachable: It was sent, and no answer is known: broken, too late, or larger than `most`.
        """
        limit = _Limit(self._limit if within is None else within.total_seconds())
        if body is not None:
            headers = {**(headers or {}), "Content-Type": body.content_type, "Content-Length": str(body.length)}
        try:
            request = self._client.build_request(
                method, path, params=list(query) or None, json=json, headers=dict(headers or {}),
                content=content if body is None else limit.paced(body.pieces()),
                timeout=httpx.Timeout(limit.seconds, connect=min(limit.seconds, _CONNECT_S), pool=None),
            )  # fmt: skip
            if not 0 <= (request.url.port or 0) < 65536:
                raise NotSent(f"{request.url.port} is not a port")
        except (httpx.InvalidURL, TypeError, ValueError) as error:
            raise NotSent(_words(error)) from error
        async with self._turn:
            return await self._send(request, limit)

    async def _send(self, request: httpx.Request, limit: _Limit) -> Answer:
        """The whole answer: each of its bytes may come in time and the whole still never end."""
        try:
            async with limit.timeout:
                limit.extend()
                points.passing("send.before")
                response = await self._client.send(request, stream=True)
                try:
                    answer = _answer(response, await self._body(response))
                finally:
                    await response.aclose()
                points.passing("send.after")
                return answer
        except TimeoutError:
            raise Unreachable(f"no whole answer within {limit.seconds:g} s") from None
        except (httpx.TransportError, httpx.DecodingError, httpx.InvalidURL) as error:
            raise _unreachable(error) from error

    async def _body(self, response: httpx.Response) -> bytes:
        if "," in response.headers.get("content-encoding", ""):
            raise Unreachable("the answer is compressed more than once: nobody knows how large it is")
        parts, size = [], 0
        async for part in response.aiter_bytes():
            size += len(part)
            if size > self._most:
                raise Unreachable(f"the answer is larger than {self._most} bytes")
            parts.append(part)
        return b"".join(parts)


def is_plain(url: str) -> bool:
    """Whether `url` is spoken to in plain HTTP; for TLS the host's authorities are read, which takes long."""
    return url.startswith("http:")


def _trusted(ca: Path | None, *, verify: bool) -> ssl.SSLContext:
    """What certificates are verified against. Raises NotSent."""
    if not verify:
        return trust.anybody()
    try:
        return trust.system() if ca is None else trust.authorities(ca)
    except OSError as error:  # an SSLError is one
        raise NotSent(f"{ca} cannot be read as a PEM file of authorities: {error.strerror or error}") from None


def _answer(response: httpx.Response, body: bytes) -> Answer:
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Answer(response.status_code, body, headers.get("content-type", ""), headers)


def _unreachable(error: Exception) -> Unreachable:
    """Whether anything was sent: only while connecting it is certain that nothing was."""
    early = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
    kind = NotSent if isinstance(error, (*early, httpx.InvalidURL)) else Unreachable
    return kind(_words(error))


def _words(error: Exception) -> str:
    """What went wrong; some exceptions say nothing, and that no address answered says neither which nor why."""
    if not isinstance(error, httpx.ConnectError):
        return str(error) or type(error).__name__
    url = error.request.url
    cause: BaseException = error
    while (deeper := cause.__cause__ or cause.__context__) is not None:
        cause = deeper
    why = str(cause) or type(cause).__name__
    if isinstance(cause, OSError) and not isinstance(cause, ssl.SSLError) and cause.errno is not None:
        why = os.strerror(cause.errno) if cause.errno > 0 else cause.strerror or why
    return f"no connection to {url.scheme}://{url.netloc.decode('ascii')}: {why}"
