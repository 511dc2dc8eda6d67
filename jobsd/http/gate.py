"""The outermost layer: one form of every path, admission before anything else, headers on every answer."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from urllib.parse import unquote

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from jobsd.http.access import Access, Denied
from jobsd.http.ccs.folding import folded_path

OPEN = frozenset({"/healthz"})
"""Paths that need no token anywhere."""

MOST_BODY = 64 * 1024
"""Bytes of a request's body at the most."""

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
}
"""On every answer that does not say otherwise itself."""


_LENGTHS = {b"content-length", b"transfer-encoding"}
"""With both of them a proxy and we may disagree on where a request ends, and one hides in another's body."""

_ABSOLUTE = re.compile(rb"https?://([^/@]+)(/.*)?", re.IGNORECASE | re.DOTALL)
"""A target that names the server too, as clients send it that take us for a proxy; every server has to read it."""


class Gate:
    """An ASGI layer around the whole application; puts the `Caller` into the request's state."""

    def __init__(self, app: ASGIApp, access: Access, faces: Mapping[str, ASGIApp]) -> None:
        """`faces` by the beginnings of their paths, in lower case: each admits its callers itself."""
        self._app = app
        self._access = access
        self._faces = faces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Admit the caller and pass the request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = _with_headers(message.get("headers", []))
            await send(message)

        if (absolute := _ABSOLUTE.fullmatch(scope["raw_path"])) is not None:
            _shorten(scope, absolute[1], absolute[2] or b"/")
        if {name for name, _ in scope["headers"]} >= _LENGTHS:
            await _deny(Denied(400, "Content-Length and Transfer-Encoding contradict each other"), sending)
            return
        if (face := self._face(scope["path"])) is not None:
            await face(scope, receive, sending)
            return
        scope["path"] = scope["path"].rstrip("/") or "/"
        if scope["path"] not in OPEN:
            headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
            origin = scope["client"][0] if scope["client"] else ""
            try:
                caller = self._access.admit(scope["method"], headers, origin)
                _check_size(headers.get("content-length", "0"))
            except Denied as error:
                await _deny(error, sending)
                return
            scope.setdefault("state", {})["caller"] = caller
        await self._app(scope, receive, sending)

    def _face(self, path: str) -> ASGIApp | None:
        """The face that answers at this path; case and repeated slashes do not matter."""
        folded = folded_path(path)
        fitting = (face for prefix, face in self._faces.items() if f"{folded}/".startswith(f"{prefix}/"))
        return next(fitting, None)


def _shorten(scope: Scope, host: bytes, path: bytes) -> None:
    """Leave the path alone in a request's target; the server named there is the one that Host names."""
    scope["raw_path"], scope["path"] = path, unquote(path.decode("ascii"))
    others = [(name, value) for name, value in scope["headers"] if name != b"host"]
    scope["headers"] = [(b"host", host), *others]


def _check_size(length: str) -> None:
    """Raise Denied for a body that says it is too long; one that does not say is cut off while it is read."""
    if not length.isdecimal() or int(length) > MOST_BODY:
        raise Denied(413, f"a body has at most {MOST_BODY} bytes")


def _with_headers(present: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    said = {name.lower() for name, _ in present}
    return list(present) + [
        (name.lower().encode(), value.encode())
        for name, value in HEADERS.items()
        if name.lower().encode() not in said
    ]


async def _deny(error: Denied, send: Send) -> None:
    body = json.dumps({"error": str(error), "detail": None}).encode()
    headers: Mapping[str, str] = {
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        **error.headers,
        **({"Connection": "close"} if error.status == 400 else {}),
    }
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": error.status, "headers": raw})
    await send({"type": "http.response.body", "body": body})
