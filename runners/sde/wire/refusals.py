"""Answers that refuse: status, body and headers, exactly as clients compare them."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from runners.sde.wire.texts import storable


@dataclass(frozen=True, slots=True)
class Refusal:
    """What is answered instead of what was asked for."""

    status: int
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)


class WireError(ValueError):
    """A message that is refused: the base of everything that this package raises."""

    @property
    @abstractmethod
    def answer(self) -> Refusal:
        """What a server answers to such a request."""


def _detail(status: int, text: str, headers: Mapping[str, str] | None = None) -> Refusal:
    return Refusal(status, {"detail": text}, headers or {})


def unauthorized(text: str) -> Refusal:
    """Credentials that are none."""
    return _detail(401, text, {"WWW-Authenticate": "Token"})


INVALID_TOKEN = unauthorized("Invalid token.")
INVALID_LOGIN = unauthorized("Invalid username/password.")
NO_CREDENTIALS = unauthorized("Authentication credentials were not provided.")
FORBIDDEN = _detail(403, "You do not have permission to perform this action.")
NOT_FOUND = _detail(404, "Not found.")
INVALID_PAGE = _detail(404, "Invalid page.")


def bad_json(text: str) -> Refusal:
    """A body that is no JSON."""
    return _detail(400, f"JSON parse error - {storable(text)}")


def method_not_allowed(method: str, allowed: Iterable[str]) -> Refusal:
    """A method that a path does not have; `allowed` are those that it has."""
    return _detail(405, f'Method "{storable(method)}" not allowed.', {"Allow": ", ".join(allowed)})


def unsupported_media_type(media_type: str) -> Refusal:
    """A body of a type that is not read."""
    return _detail(415, f'Unsupported media type "{storable(media_type)}" in request.')


def throttled(wait: timedelta) -> Refusal:
    """Too many requests; `wait` is rounded up to whole seconds."""
    seconds = max(0, math.ceil(wait.total_seconds()))
    noun = "second" if seconds == 1 else "seconds"
    return _detail(
        429, f"Request was throttled. Expected available in {seconds} {noun}.", {"Retry-After": str(seconds)}
    )
