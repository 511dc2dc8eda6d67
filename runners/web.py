"""HTTP as this program speaks it: the one module that knows which client library that is."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import httpx

from runners import trust

_LIMITS = httpx.Limits(max_connections=4, max_keepalive_connections=2)

Query = Sequence[tuple[str, str]]


class Unreachable(Exception):
    """No answer came: nobody listens there, the connection broke, or it took too long."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer: its status, its text."""

    status: int
    body: bytes
    content_type: str

    def json(self) -> Any:
        """The body as JSON. Raises ValueError if it is none."""
        return httpx.Response(self.status, content=self.body).json()


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
            timeout=httpx.Timeout(timeout, connect=min(timeout, 5.0)),
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
            raise Unreachable(_words(error)) from error
        return Answer(response.status_code, response.content, response.headers.get("content-type", ""))

    @contextmanager
    def stream(self, path: str, *, query: Query = ()) -> Iterator[Stream]:
        """GET a body that may go on for ever, without a time limit. Raises Unreachable, also on the way."""
        timeout = httpx.Timeout(None, connect=5.0)
        try:
            with self._client.stream("GET", path, params=list(query), timeout=timeout) as response:
                yield Stream(response.status_code, response.iter_bytes())
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise Unreachable(_words(error)) from error


def _words(error: Exception) -> str:
    """What went wrong; some exceptions say nothing."""
    return str(error) or type(error).__name__
