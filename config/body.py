"""Frozen values as plain JSON values."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from enum import Enum
from typing import Any

from pydantic import BaseModel

from config.secrets import Secret
from config.values import origin


def plain_value(value: Any) -> Any:
    """`value` as JSON: durations in seconds, dates and times as ISO text, secrets as what they refer to.

    Of an address that is a secret (`Model.ADDRESSES`) it has scheme, host and port.
    """
    match value:
        case Secret():
            return value.describe()
        case BaseModel():
            hidden: frozenset[str] = getattr(type(value), "ADDRESSES", frozenset())
            fields = {name: getattr(value, name) for name in type(value).model_fields}
            return {n: origin(v) if n in hidden and v is not None else plain_value(v) for n, v in fields.items()}
        case Enum():
            return value.value
        case timedelta():
            return value.total_seconds()
        case datetime() | date() | time():
            return value.isoformat()
        case Mapping():
            return {str(key): plain_value(item) for key, item in value.items()}
        case list() | tuple():
            return [plain_value(item) for item in value]
        case _:
            return value
