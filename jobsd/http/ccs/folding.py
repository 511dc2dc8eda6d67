"""One form of every address: clients write paths and parameters in any case, with and without slashes."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote_to_bytes

from starlette.types import ASGIApp, Receive, Scope, Send

from runners.ccs.wire.search import PARAMETERS


class Folded:
    """An ASGI layer that hands on paths in lower case, and parameters as the pages write them."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on under its one address."""
        if scope["type"] == "http":
            scope = {
                **scope,
                "path": folded_path(scope["path"]),
                "query_string": folded_query(scope["query_string"]),
            }
        await self._app(scope, receive, send)


def folded_path(path: str) -> str:
    """In lower case, with single slashes and none at the end."""
    return re.sub("/+", "/", path).rstrip("/").lower() or "/"


def folded_query(query: bytes) -> bytes:
    """Names as the pages have them; values are decoded (a plus is a space) and encoded afresh.

    The pages also write `?/jobname=NAME` and `?(Attributes=…)&…`: what stands around a name goes.
    """
    pairs = []
    for part in query.split(b"&"):
        name, sign, value = part.partition(b"=")
        if not sign and not name:
            continue
        bare, text = _decoded(name).strip(), _decoded(value)
        if bare.startswith("("):
            text = text.removesuffix(")")
        bare = bare.lstrip("(/ ?")
        pairs.append(f"{_encoded(PARAMETERS.get(bare.lower(), bare))}={_encoded(text)}")
    return "&".join(pairs).encode()


def _decoded(part: bytes) -> str:
    return unquote_to_bytes(part.replace(b"+", b" ")).decode("utf-8", "replace")


def _encoded(text: str) -> str:
    return quote(text, safe="")
