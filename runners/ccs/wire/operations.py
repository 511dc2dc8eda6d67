"""Executing and aborting, and the texts that the pages document."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from runners.ccs.wire.fields import Fields

NOT_AUTHORIZED = "You are not authorized to perform this task. Access is denied."
"""Text of every 403."""


class Operation(StrEnum):
    """What is done with a job, or with a job run."""

    EXECUTE = "execute"
    ABORT = "abort"

    def wire(self) -> dict[str, Any]:
        """The body of POST `/jobs/{id}`."""
        return {"Operation": self.value}


def parse_operation(body: object) -> Operation:
    """The body of POST `/jobs/{id}`, a JSON value: an operation in any case; other fields are ignored.

    Raises:
        WireFaults: It names no operation.
    """
    fields = Fields.of_message(body)
    fields.require("Operation", why='it must be "execute" or "abort"')
    value = fields.value("Operation")
    word = value.strip().lower() if isinstance(value, str) else None
    if value is not None and word not in list(Operation):
        fields.refuse("Operation", 'must be "execute" or "abort"')
    fields.settle()
    return Operation(word or "")


def message(text: str) -> dict[str, Any]:
    """The body of an error that has no fields."""
    return {"Message": text}
