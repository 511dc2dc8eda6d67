"""What the OpenAPI document says of bodies and answers that are read and written by the wire's own functions."""

from __future__ import annotations

from typing import Any

from runners.ccs.wire import schemas

TOKEN = {"requestBody": {"required": True, "content": {
    "application/x-www-form-urlencoded": {"schema": schemas.TOKEN_REQUEST},
    "application/json": {"schema": schemas.TOKEN_REQUEST},
}}}  # fmt: skip
CREATE = {"requestBody": {"required": True, "content": {"application/json": {"schema": schemas.CREATE_JOB}}}}
UPDATE = {"requestBody": {"required": True, "content": {"application/json": {"schema": schemas.UPDATE_JOB}}}}
OPERATION = {"requestBody": {"required": True, "content": {"application/json": {"schema": schemas.OPERATION}}}}

TOKENS, CREATED, JOB, MESSAGE = schemas.TOKENS, schemas.CREATED, schemas.JOB, schemas.MESSAGE
STATUS = schemas.JOB_STATUS
STATUSES = {"type": "array", "items": schemas.JOB_STATUS}
FOUND = {"anyOf": [schemas.JOB, {"type": "array", "items": schemas.JOB}]}

ATTRIBUTES = (
    "Conditions such as JobName = Weekly, several with commas between; a comma in a value is written \\\\,. "
    "Without it all jobs are found."
)

_SAID = {
    400: "Refused: every fault, by its field.",
    401: "Without an access token that is good now.",
    403: "The user lacks a permission.",
    404: "There is no such job.",
}
_ALWAYS = {
    413: "The body is too long.",
    500: "A fault of jobsd.",
    503: "Not possible now: jobsd starts or stops, or its ledger cannot be used.",
}


def answers(good: dict[str, Any], *others: int) -> dict[int | str, dict[str, Any]]:
    """The responses of a route: `good` is the schema of its 200."""
    said = {status: _SAID[status] for status in others} | _ALWAYS
    return {
        200: {"description": "Done.", "content": {"application/json": {"schema": good}}},
        **{
            status: {"description": text, "content": {"application/json": {"schema": schemas.ERROR}}}
            for status, text in said.items()
        },
    }
