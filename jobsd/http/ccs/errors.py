"""Every error of the face: `{"Message": …}`, with `Errors` where fields are at fault, and its status."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from jobsd.http.service import Unanswered
from runners.ccs.wire import NOT_AUTHORIZED, WireFault, WireFaults, message
from scheduler.control import Refused
from scheduler.ledger import LedgerUnavailable, NotFound, StaleMove

RETRY_S = 5
"""What Retry-After says where the daemon cannot answer now."""

MOST_FAULTS = 1000
"""Faults that one answer lists."""


class Turned(Exception):
    """The request is turned down with this status; the text is for the client's people."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class Unauthorized(Turned):
    """401: without a token that is good now."""

    def __init__(self, text: str) -> None:
        super().__init__(401, text)


class Forbidden(Turned):
    """403, with the text of the pages."""

    def __init__(self) -> None:
        super().__init__(403, NOT_AUTHORIZED)


class Answer(Response):
    """JSON in ASCII: whatever character set a client assumes, it reads the same."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """The value as JSON."""
        return json.dumps(content, separators=(",", ":")).encode()


def install(app: FastAPI) -> None:
    """Answer every error of `app` in the face's shape."""
    app.add_exception_handler(Turned, _turned)
    app.add_exception_handler(WireFaults, _faults)
    app.add_exception_handler(RequestValidationError, _parameters)
    app.add_exception_handler(NotFound, _not_found)
    for kind in (Refused, StaleMove):
        app.add_exception_handler(kind, _refused)
    for late in (LedgerUnavailable, Unanswered):
        app.add_exception_handler(late, _unavailable)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unknown)


def answer(status: int, text: str, headers: Mapping[str, str] | None = None) -> Response:
    """An error's answer."""
    return Answer(message(text), status_code=status, headers=None if headers is None else dict(headers))


async def _turned(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Turned)  # noqa: S101 - the table above says so
    headers = {401: {"WWW-Authenticate": "Bearer"}, 503: {"Retry-After": str(RETRY_S)}}
    return answer(error.status, str(error), headers.get(error.status))


async def _faults(_request: Request, error: Exception) -> Response:
    assert isinstance(error, WireFaults)  # noqa: S101 - the table above says so
    body = error.body()
    body["Errors"] = body["Errors"][:MOST_FAULTS]
    return Answer(body, status_code=400)


async def _parameters(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - the table above says so
    faults = [WireFault(".".join(map(str, fault["loc"][1:])), fault["msg"]) for fault in error.errors()]
    return Answer(WireFaults(faults).body(), status_code=400)


async def _not_found(request: Request, error: Exception) -> Response:
    """What is asked for and not there is 404; what is to be acted on, 400."""
    return answer(404 if request.method == "GET" else 400, str(error))


async def _refused(_request: Request, error: Exception) -> Response:
    """Without the commands of the host, which clients of this face do not have."""
    return answer(400, error.why if isinstance(error, Refused) else str(error))


async def _unavailable(_request: Request, error: Exception) -> Response:
    text = f"the ledger cannot be used now: {error}" if isinstance(error, LedgerUnavailable) else str(error)
    return answer(503, text, {"Retry-After": str(RETRY_S)})


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - the table above says so
    text = str(error.detail)
    if error.status_code == 404:
        text = f"there is nothing at {request.url.path}"
    elif error.status_code == 405:
        text = f"{request.method} is not possible at {request.url.path}"
    return answer(error.status_code, text, error.headers)


async def _unknown(_request: Request, _error: Exception) -> Response:
    """A fault of ours: uvicorn logs it with its trace."""
    return answer(500, "An internal error occurred. It is in the log of jobsd.")
