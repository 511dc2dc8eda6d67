"""The daemon as commands talk to it: its `/v1` JSON, or Failed with one clear line."""

from __future__ import annotations

import contextlib
import json
import os
import urllib.parse
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, TypeVar

import click

from jobsd.cli.files import Failed
from jobsd.cli.finding import START, Place, find

if TYPE_CHECKING:
    from ssl import SSLContext

    from runners.web import Answer, Web

Query = Sequence[tuple[str, str]]
Command = TypeVar("Command", bound=Callable[..., Any])

UNAUTHORIZED = 401
UNTRUSTED = "CERTIFICATE_VERIFY_FAILED"
QUICK_S = 1.0

_CA = "jobsd.cli.ca"


def _remember(ctx: click.Context, _param: click.Parameter, value: str | None) -> None:
    ctx.meta[_CA] = value


def url_option(command: Command) -> Command:
    """The options that say which daemon: --url is the command's `url`; `connect` finds --ca by itself."""
    authorities = click.option(
        "--ca", metavar="FILE", expose_value=False, callback=_remember,
        help="PEM file of the certificates to trust; default: see docs/cli.md.",
    )  # fmt: skip
    url = click.option("--url", metavar="URL", help="The daemon's address; default: found, see docs/cli.md.")
    return url(authorities(command))


def quoted(part: str) -> str:
    """`part` as one segment of a path."""
    return urllib.parse.quote(part, safe="")


def connect(url: str | None) -> Daemon:
    """The daemon at `url`, or where it is found. Raises Failed."""
    return Daemon(find(url, os.environ, click.get_current_context().meta.get(_CA)))


def quiet_jobs(url: str | None) -> list[dict[str, Any]]:
    """The daemon's jobs, for completion: nothing if it cannot be asked at once."""
    try:
        asked = Daemon(find(url, os.environ), timeout=QUICK_S)
        with contextlib.closing(asked):
            found: list[dict[str, Any]] = asked.get("/v1/jobs")
    except Failed:
        return []
    return found


class Daemon:
    """One daemon at `place`; time limits in seconds."""

    def __init__(self, place: Place, *, timeout: float = 30.0) -> None:
        self.place = place
        self._timeout = timeout
        self._web: Web | None = None

    def close(self) -> None:
        """Close the connections; at the end of a command that happens by itself."""
        if self._web is not None:
            self._web.close()

    def get(self, path: str, query: Query = ()) -> Any:
        """The JSON at `path`. Raises Failed."""
        return self._value(self._send("GET", path, query))

    def text(self, path: str, query: Query = ()) -> str:
        """The text at `path`. Raises Failed."""
        answer = self._send("GET", path, query)
        self._raise_for(answer)
        return answer.body.decode(errors="replace")

    def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """The JSON that answers an act. Raises Failed with the daemon's text if it is refused."""
        return self._value(self._send("POST", path, body=body or {}))

    @contextmanager
    def stream(self, path: str, query: Query = ()) -> Iterator[Iterator[bytes]]:
        """The body at `path`, bit by bit. Raises Failed."""
        from runners.web import Unreachable  # noqa: PLC0415 - see `_client`

        try:
            with self._client().stream(path, query=query) as stream:
                if stream.status != 200:
                    self._refused(stream.status, b"".join(stream.chunks))
                yield stream.chunks
        except Unreachable as error:
            raise self._unreachable(error) from None

    def _client(self) -> Web:
        # Loaded late: most commands never need it, and it takes longer to load than they take to run.
        from runners.web import Web  # noqa: PLC0415

        if self._web is None:
            headers = {"User-Agent": f"jobsd-cli/{version('jobsd')}", "Accept": "application/json"}
            if self.place.token:
                headers["Authorization"] = f"Bearer {self.place.token}"
            self._web = Web(self.place.url, headers=headers, timeout=self._timeout, tls=self._trust())
            if (context := click.get_current_context(silent=True)) is not None:
                context.call_on_close(self._web.close)
        return self._web

    def _trust(self) -> SSLContext | None:
        """Whom to trust; None: whom the host trusts."""
        from runners import trust  # noqa: PLC0415 - see `_client`

        file, load = self.place.authorities, trust.authorities
        if file is None:
            file, load = self.place.certificate, trust.exactly
        if file is None or not self.place.url.startswith("https:"):
            return None
        try:
            return load(file)
        except OSError as error:
            raise Failed(f"{file}: no certificate can be read from it: {error.strerror or error}") from None

    def _send(self, method: str, path: str, query: Query = (), body: Any = None) -> Answer:
        from runners.web import Unreachable  # noqa: PLC0415 - see `_client`

        try:
            return self._client().request(method, path, query=query, json=body)
        except Unreachable as error:
            raise self._unreachable(error) from None

    def _value(self, answer: Answer) -> Any:
        self._raise_for(answer)
        if answer.status == 204 or not answer.body:
            return None
        try:
            return answer.json()
        except ValueError:
            raise Failed(f"{self.place.url} is no jobsd: its answer is not JSON") from None

    def _raise_for(self, answer: Answer) -> None:
        if answer.status >= 300:
            self._refused(answer.status, answer.body)

    def _refused(self, status: int, body: bytes) -> None:
        told = _error_text(body)
        if status == UNAUTHORIZED:
            why = self.place.no_token or "the token is not one of this daemon's"
            raise Failed(
                f"{self.place.url} wants a token ({why}): "
                "run this as the daemon's user or as root, or set $JOBSD_TOKEN to one of settings.http.tokens"
            )
        raise Failed(told or f"{self.place.url} answered {status}")

    def _unreachable(self, error: Exception) -> Failed:
        if UNTRUSTED in str(error):
            return Failed(
                f"{self.place.url} is not trusted ({error}): name its authority, a PEM file, by --ca or $JOBSD_CA"
            )
        return Failed(f"no daemon answers at {self.place.url} (from {self.place.source}; {error}): {START}")


def _error_text(body: bytes) -> str:
    """`error` of the daemon's JSON, with its `detail` where that is text."""
    try:
        found = json.loads(body)
    except ValueError:
        return ""
    if not isinstance(found, dict):
        return ""
    error, detail = found.get("error"), found.get("detail")
    words = [str(error)] if error else []
    words += [str(detail)] if isinstance(detail, str) and detail != error else []
    return ": ".join(words)
