"""The HTTP server: uvicorn in a thread and event loop of its own."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import os
import socket
import threading
from collections.abc import Iterator

import uvicorn

from config.definitions import Configuration, Http, Scope
from config.secrets import SecretError
from jobsd.http import tls
from jobsd.http.access import LOCAL, Access, Key, own_names
from jobsd.http.app import build
from jobsd.http.hub import Hub
from jobsd.http.layer import Layer
from jobsd.http.service import Service

UP_S = 10.0
"""Seconds in which the server must be up."""

GRACE_S = 1
"""Seconds that open requests may take when the server stops."""

SILENT_S = 0.2
"""Seconds between two looks at connections that should be closed by now."""

BACKLOG = 256
"""Connections that wait to be taken."""

DOWN_S = 5.0
"""Seconds after which the thread is left behind when the server stops."""


class CannotServe(OSError):
    """The listener cannot be had as configured; the text names the setting."""


class _Server(uvicorn.Server):
    """uvicorn, without its hands on the process's signals."""

    def __init__(self, config: uvicorn.Config, hub: Hub) -> None:
        super().__init__(config)
        self._hub = hub
        self.up = threading.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals stay the daemon's."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Come up, and say so."""
        self._hub.bind(asyncio.get_running_loop())
        await super().startup(sockets=sockets)
        self.up.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Go down; whoever is still connected after the grace is cut off."""
        ending = asyncio.create_task(self._cut_silent_off())
        await super().shutdown(sockets=sockets)
        ending.cancel()
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await asyncio.sleep(0)

    async def _cut_silent_off(self) -> None:
        """Cut off who is told goodbye, has everything and does not answer: an idle client's TLS never does."""
        while True:
            await asyncio.sleep(SILENT_S)
            for connection in list(self.server_state.connections):
                transport = connection.transport
                if transport.is_closing() and not transport.get_write_buffer_size():
                    transport.abort()


class HttpServer:
    """One listener over one service, in a thread and event loop of its own (signals stay the daemon's).

    Attributes:
        proven: The certificate that new connections are shown; None for plain HTTP, or before the start.
    """

    def __init__(self, service: Service, http: Http, *, token: str, layer: Layer | None = None) -> None:
        """`token` is the daemon's own, with every right; `layer` goes around the whole application."""
        self._service = service
        self._http = http
        self._token = token
        self._layer = layer
        self._hub = Hub()
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None
        self._tls: tls.Listener | None = None
        self.proven: tls.Proven | None = None

    def start(self) -> str:
        """Bind the configured address and serve; returns the base URL, such as http://127.0.0.1:8642.

        Raises:
            OSError: The address is taken or not ours; the certificate or a token cannot be had.
        """
        host, port = _split(self._http.listen)
        keys = self._keys()
        if self._http.tls is not None:
            self.proven = tls.prove(self._http.tls, self._service.configuration.folder)
            self._tls = tls.Listener(self.proven)
        listener = _bind(host, port, self._http.listen)
        address, port = listener.getsockname()[:2]
        try:
            config = self._config(Access(keys, self._names(host, address, port)))
        except BaseException:
            listener.close()
            raise
        self._server = _Server(config, self._hub)
        self._thread = threading.Thread(target=self._run, args=(self._server, listener), name="http", daemon=True)
        self._service.ledger.listen(self._hub.publish)
        self._thread.start()
        if not self._server.up.wait(UP_S):
            self.stop()
            raise CannotServe(f"settings.http.listen: {self._http.listen}: the server did not come up")
        return f"{'https' if self._http.tls else 'http'}://{_reachable(host, address)}:{port}"

    @staticmethod
    def prove(configuration: Configuration) -> tls.Proven | None:
        """The certificate that the settings name, tried out; None where they name none. Raises BadCertificate."""
        named = configuration.settings.http.tls
        return None if named is None else tls.prove(named, configuration.folder)

    def show(self, proven: tls.Proven | None) -> None:
        """Show this certificate to new connections; that a listener is HTTPS or not, only a new start changes."""
        if self._tls is not None and proven is not None:
            self._tls.show(proven)
            self.proven = proven

    def stop(self) -> None:
        """End streams and connections (within about 2 s) and the thread; nothing happens if it never started."""
        self._hub.close()
        if self._server is not None:
            self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(DOWN_S)

    @staticmethod
    def _run(server: _Server, listener: socket.socket) -> None:
        asyncio.run(server.serve(sockets=[listener]))

    def _keys(self) -> tuple[Key, ...]:
        keys = [Key.of(LOCAL, self._token, Scope.ADMIN)]
        for token in self._http.tokens:
            try:
                keys.append(Key.of(token.name, token.token.resolve(os.environ), token.scope))
            except SecretError as error:
                raise CannotServe(f"settings.http.tokens: {token.name}: {error}") from error
        return tuple(keys)

    def _names(self, host: str, address: str, port: int) -> frozenset[str] | None:
        """What Host may say to a caller without a token; None where everybody needs one."""
        if self._http.tokens or not ipaddress.ip_address(address.partition("%")[0]).is_loopback:
            return None
        return own_names((host, address), port, tls=self._http.tls is not None)

    def _config(self, access: Access) -> uvicorn.Config:
        listener = self._tls
        app = build(self._service, self._hub, access)
        config = uvicorn.Config(
            self._layer.wrap(app, access, self._service.now) if self._layer else app,
            loop="asyncio",
            http=self._layer.connection if self._layer else "h11",
            ws="none",
            backlog=BACKLOG,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=GRACE_S,
            ssl_context_factory=None if listener is None else lambda _config, _default: listener.context,
        )
        config.load()
        return config


def _split(listen: str) -> tuple[str, int]:
    host, _, port = listen.rpartition(":")
    return host.removeprefix("[").removesuffix("]"), int(port)


def _bind(host: str, port: int, listen: str) -> socket.socket:
    """A listening socket. TCP is named: asyncio switches Nagle off (40 ms an answer) only where it is."""
    listener = None
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        listener = socket.socket(found[0][0], socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(found[0][4])
        listener.listen(BACKLOG)
    except OSError as error:
        if listener is not None:
            listener.close()
        raise CannotServe(error.errno, f"settings.http.listen: {listen}: {error.strerror or error}") from error
    return listener


def _reachable(host: str, address: str) -> str:
    """The host part of a URL for somebody on this machine."""
    if ipaddress.ip_address(address.partition("%")[0]).is_unspecified:
        return "[::1]" if ":" in address else "127.0.0.1"
    return f"[{host}]" if ":" in host else host
