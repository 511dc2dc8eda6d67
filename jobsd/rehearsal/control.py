"""`/rehearsal/…`: where faults are ordered, and what came is told. All of it needs a token with `control`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import Body, FastAPI, Query
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from jobsd.http import errors
from jobsd.http.access import Access, Denied
from jobsd.http.gate import MOST_BODY
from jobsd.rehearsal.book import Book, Order
from jobsd.rehearsal.faults import Fault, Regex

PREFIX = "/rehearsal"


def is_ours(path: str) -> bool:
    """Whether the desk answers at `path`."""
    return path == PREFIX or path.startswith(PREFIX + "/")


def desk(book: Book, access: Access) -> ASGIApp:
    """The application that takes orders into `book`."""
    app = FastAPI(
        title="jobsd rehearsal",
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
        openapi_url=f"{PREFIX}/openapi.json",
        max_body_size=MOST_BODY,
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    errors.install(app)
    _faults(app, book)
    _requests(app, book)
    return _admitted(app, access)


def _faults(app: FastAPI, book: Book) -> None:
    @app.post(f"{PREFIX}/faults", status_code=201)
    async def order(faults: Annotated[list[Fault], Body(min_length=1, max_length=1000)]) -> list[dict[str, Any]]:
        """Order faults; on a request that several fit, the first of them is played."""
        return [_told(one) for one in book.order(faults)]

    @app.get(f"{PREFIX}/faults")
    async def ordered() -> list[dict[str, Any]]:
        """What is ordered, and how often it was hit so far."""
        return [_told(one) for one in book.orders]

    @app.delete(f"{PREFIX}/faults")
    async def take_back() -> dict[str, int]:
        """Take every order back."""
        return {"deleted": book.take_back()}

    @app.delete(f"{PREFIX}/faults/{{number}}")
    async def take_one_back(number: int) -> dict[str, int]:
        """Take one order back."""
        if not (gone := book.take_back(number)):
            raise HTTPException(404)
        return {"deleted": gone}


def _requests(app: FastAPI, book: Book) -> None:
    @app.get(f"{PREFIX}/requests")
    async def requests(
        method: str | None = None, path: Annotated[str, Query(description="Regular expression.")] = ""
    ) -> list[dict[str, Any]]:
        """The requests that came, oldest first."""
        wanted = _regex(path)
        return [
            asdict(seen)
            for seen in book.requests
            if (method is None or method.upper() == seen.method) and wanted.search(seen.path)
        ]

    @app.delete(f"{PREFIX}/requests")
    async def forget() -> dict[str, int]:
        """Forget the requests that came."""
        gone = len(book.requests)
        book.requests.clear()
        return {"deleted": gone}


def _regex(text: str) -> Regex:
    try:
        return re.compile(text, re.IGNORECASE)
    except re.error as error:
        raise HTTPException(400, f"path: must be a regular expression: {error}") from None


def _told(order: Order) -> dict[str, Any]:
    told: Mapping[str, Any] = order.fault.model_dump(mode="json", exclude_unset=True)
    return {"id": order.number, "matched": order.matched, "hits": order.hits, **told}


def _admitted(app: ASGIApp, access: Access) -> ASGIApp:
    """Only for whoever may act, also for reading: what came is nobody else's business."""

    async def asked(scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        try:
            access.admit("POST", headers, scope["client"][0] if scope["client"] else "")
        except Denied as error:
            await errors.answer(error.status, str(error), headers=error.headers)(scope, receive, send)
            return
        await app(scope, receive, send)

    return asked
