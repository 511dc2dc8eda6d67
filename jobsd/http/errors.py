"""One shape for every error, and one table from what went wrong to its status."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from jobsd.http.access import Denied
from jobsd.http.hub import TooManyStreams
from jobsd.http.service import Unanswered
from jobsd.views.shapes import ErrorView
from scheduler.control import Refused
from scheduler.ledger import LedgerUnavailable, NotFound, StaleMove

STATUS: Mapping[type[Exception], int] = {
    NotFound: 404,
    Refused: 409,
    StaleMove: 409,
    LedgerUnavailable: 503,
    Unanswered: 503,
    TooManyStreams: 503,
}

RESPONSES: dict[int | str, dict[str, Any]] = {
    "4XX": {"model": ErrorView, "description": "Refused; `error` says why."},
    "5XX": {"model": ErrorView, "description": "Not possible now; `error` says why."},
}
"""For the OpenAPI document."""


def install(app: FastAPI) -> None:
    """Answer every error of `app` in our shape."""
    for kind in STATUS:
        app.add_exception_handler(kind, _known)
    app.add_exception_handler(Denied, _denied)
    app.add_exception_handler(RequestValidationError, _bad_request)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unknown)


def answer(status: int, error: str, detail: object = None, headers: Mapping[str, str] | None = None) -> Response:
    """An error's answer."""
    return JSONResponse({"error": error, "detail": detail}, status_code=status, headers=headers)


async def _known(_request: Request, error: Exception) -> Response:
    status = next(status for kind, status in STATUS.items() if isinstance(error, kind))
    text = f"the ledger cannot be used now: {error}" if isinstance(error, LedgerUnavailable) else str(error)
    return answer(status, text, headers={"Retry-After": "5"} if status == 503 else None)


async def _denied(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Denied)  # noqa: S101 - the table above says so
    return answer(error.status, str(error), headers=error.headers)


async def _bad_request(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - the table above says so
    faults = [f"{_place(fault['loc'])}: {fault['msg']}" for fault in error.errors()]
    return answer(400, "; ".join(faults), jsonable_encoder(error.errors(), exclude={"ctx", "url"}))


def _place(path: Sequence[str | int]) -> str:
    """Where a fault is: a parameter's name, or the body as a whole."""
    return ".".join(str(part) for part in path[1:]) or "the body (JSON, with Content-Type: application/json)"


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - the table above says so
    text = str(error.detail)
    if error.status_code == 404:
        text = f"there is nothing at {request.url.path}: /openapi.json lists what is"
    elif error.status_code == 405:
        text = f"{request.method} is not possible at {request.url.path}"
    return answer(error.status_code, text, headers=error.headers)


async def _unknown(_request: Request, error: Exception) -> Response:
    """A fault of ours: uvicorn logs it with its trace."""
    return answer(500, HTTPStatus.INTERNAL_SERVER_ERROR.phrase, type(error).__name__)
