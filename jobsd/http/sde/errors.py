"""Every error of the face, as the framework answers it: a status, `{"detail": …}` or faults by field, headers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from starlette.requests import ClientDisconnect
from starlette.responses import Response

from jobsd.http.service import Unanswered
from runners.sde.wire import NOT_FOUND, Refusal, WireError
from scheduler.control import Refused
from scheduler.ledger import LedgerUnavailable, NotFound, StaleMove

RETRY_S = 5
"""What Retry-After says where the daemon cannot answer now."""

NOT_ACCEPTABLE = Refusal(406, {"detail": "Could not satisfy the request Accept header."})


class Turned(Exception):
    """The request is turned down with this answer."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(f"{refusal.status}: {refusal.body}")
        self.refusal = refusal


class Answer(Response):
    """JSON as the framework writes it."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """The value as JSON in UTF-8."""
        text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
        return text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029").encode("utf-8", "replace")


def detail(status: int, text: str, headers: Mapping[str, str] | None = None) -> Refusal:
    """A refusal in one sentence."""
    return Refusal(status, {"detail": text}, headers or {})


def refused_field(name: str, text: str) -> Turned:
    """400 on one field."""
    return Turned(Refusal(400, {name: [text]}))


def refusal_of(error: Exception) -> Refusal:
    """What is answered to whoever's request ended in `error`; 500 for what nobody foresaw."""
    if isinstance(error, Turned):
        return error.refusal
    if isinstance(error, WireError):
        return error.answer
    if isinstance(error, NotFound):
        return NOT_FOUND
    if isinstance(error, Refused | StaleMove):
        return detail(400, error.why if isinstance(error, Refused) else str(error))
    if isinstance(error, ClientDisconnect):  # nobody reads it
        return detail(400, "the body ended before its length")
    if isinstance(error, LedgerUnavailable):
        return detail(503, f"the ledger cannot be used now: {error}", {"Retry-After": str(RETRY_S)})
    if isinstance(error, Unanswered):
        return detail(503, str(error), {"Retry-After": str(RETRY_S)})
    return detail(500, f"{HTTPStatus.INTERNAL_SERVER_ERROR.phrase}: it is in the log of jobsd.")


def answer(refusal: Refusal) -> Response:
    """A refusal as it is sent."""
    return Answer(refusal.body, status_code=refusal.status, headers=dict(refusal.headers))
