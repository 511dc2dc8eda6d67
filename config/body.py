"""Frozen values as plain JSON values."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from enum import Enum
from typing import Any

from pydantic import BaseModel

from config.secrets import Secret


def plain_value(value: Any) -> Any:
    """`value` as JSON: durations in seconds, dates and times as ISO text, secrets as what they refer to."""
    match value:
        case Secret():
            return value.describe()
        case BaseModel():
            return {name: plain_value(getattr(value, name)) for name in type(value).model_fields}
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
