"""The HTTP server: uvicorn in a thread and event loop of its own."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import uvicorn

from config.definitions import Http, Scope
from config.secrets import SecretError
from jobsd.http.access import LOCAL, Access, Key, own_names
from jobsd.http.app import build
from jobsd.http.hub import Hub
from jobsd.http.service import Service

UP_S = 10.0
"""Seconds in which the server must be up."""

GRACE_S = 1
"""Seconds that open requests may take when the server stops."""

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
        await super().shutdown(sockets=sockets)
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await asyncio.sleep(0)


class HttpServer:
    """One listener over one service, in a thread and event loop of its own (signals stay the daemon's)."""

    def __init__(self, service: Service, http: Http, *, token: str) -> None:
        """`token` is the daemon's own, with every right."""
        self._service = service
        self._http = http
        self._token = token
        self._hub = Hub()
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> str:
        """Bind the configured address and serve; returns the base URL, such as http://127.0.0.1:8642.

        Raises:
            OSError: The address is taken or not ours; the certificate or a token cannot be had.
        """
        host, port = _split(self._http.listen)
        keys = self._keys()
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
        config = uvicorn.Config(
            build(self._service, self._hub, access),
            loop="asyncio",
            http="h11",
            ws="none",
            backlog=BACKLOG,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=GRACE_S,
            ssl_certfile=self._pem("certificate"),
            ssl_keyfile=self._pem("key"),
        )
        try:
            config.load()
        except OSError as error:
            raise CannotServe(f"settings.http.tls: {error}") from error
        return config

    def _pem(self, name: str) -> Path | None:
        if self._http.tls is None:
            return None
        return self._service.configuration.folder / str(getattr(self._http.tls, name))


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
