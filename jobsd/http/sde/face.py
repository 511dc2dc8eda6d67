"""The face as an application of its own: addresses with or without slashes, callers, errors; never a redirect."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from jobsd.http.ccs.logins import Logins
from jobsd.http.sde import connections, connectors, jobs, people, projects, trials
from jobsd.http.sde.callers import Callers
from jobsd.http.sde.errors import NOT_ACCEPTABLE, Answer, Turned, answer, refusal_of
from jobsd.http.sde.lingering import Body, respond
from jobsd.http.sde.media import JSON, READ, accepts_json
from jobsd.http.sde.routes import SAFE, Address, Call, State
from jobsd.http.sde.vault import Vault
from jobsd.http.service import Service
from runners.sde.wire import FORBIDDEN, NOT_FOUND, method_not_allowed

PREFIX = "/api/v2"

ADDRESSES: tuple[Address, ...] = (
    *people.ADDRESSES,
    *projects.ADDRESSES,
    *trials.ADDRESSES,
    *connectors.ADDRESSES,
    *connections.ADDRESSES,
    *jobs.ADDRESSES,
)
"""All of them; the first that fits is taken."""


class Face:
    """The ASGI application at PREFIX."""

    def __init__(self, service: Service, logins: Logins) -> None:
        self._service = service
        self._callers = Callers(logins)
        self._state = State(Vault(os.environ))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; a fault of ours is answered too, and left to the server to log."""
        begun = False

        async def sending(message: Any) -> None:
            nonlocal begun
            begun = True
            await send(message)

        body = Body(scope, receive)
        request = Request(scope, body.receive)
        try:
            response = await self._answered(request)
            await respond(response, scope, body, sending)
        except Exception as error:
            if not begun:
                response = answer(refusal_of(error))
                response.headers["Connection"] = "close"  # the server ends it when it has logged the fault
                await respond(response, scope, body, send)
            raise

    async def _answered(self, request: Request) -> Response:
        address, found = self._address(request.scope)
        if address is None:
            return answer(NOT_FOUND)
        try:
            response = await self._handled(address, found, request)
        except Exception as error:
            refusal = refusal_of(error)
            if refusal.status == 500:
                raise
            response = answer(refusal)
        response.headers.setdefault("Allow", ", ".join(address.allowed))
        return response

    async def _handled(self, address: Address, found: Mapping[str, Any], request: Request) -> Response:
        """In the framework's order: what may be answered, who calls, what they may, what is there to do."""
        _negotiate(request)
        host = request.client.host if request.client else ""
        configuration = self._service.configuration
        caller = await self._callers.caller(request.headers.get("authorization"), configuration, host)
        call = Call(self._service, caller, request, self._state, **found)
        if request.method not in SAFE and address.right is not None and not address.right(call):
            raise Turned(FORBIDDEN)
        if request.method == "OPTIONS":
            return Answer(_told(address))
        handler = address.methods.get("GET" if request.method == "HEAD" else request.method)
        if handler is None:
            raise Turned(method_not_allowed(request.method, address.allowed))
        return await handler(call)

    @staticmethod
    def _address(scope: Scope) -> tuple[Address | None, Mapping[str, Any]]:
        if b"%2f" in scope.get("raw_path", b"").lower():  # a slash that is part of a word: of none of ours
            return None, {}
        parts = [part for part in scope["path"].split("/") if part][2:]
        for address in ADDRESSES:
            if (found := address.match(parts)) is not None:
                return address, found
        return None, {}


def build(service: Service, logins: Logins) -> Face:
    """The face; `logins` are counted together with those of other faces."""
    return Face(service, logins)


def _negotiate(request: Request) -> None:
    """See that JSON is wanted. Raises Turned (404 for another `format`, 406)."""
    if request.query_params.get("format") not in {None, "", "json"}:
        raise Turned(NOT_FOUND)
    if not accepts_json(request.headers.get("accept")):
        raise Turned(NOT_ACCEPTABLE)


def _told(address: Address) -> dict[str, Any]:
    return {"name": address.name, "description": "", "renders": [JSON], "parses": list(READ)}
