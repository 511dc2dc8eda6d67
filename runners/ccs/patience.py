"""Waiting for a CCS server through its silence."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import ClassVar

from runners import patience
from runners.ccs.errors import CcsError, Unanswered


class Silent(CcsError):
    """The server has given no usable answer for too long."""


class Patience(patience.Patience):
    """What Unanswered says is waited out; Silent ends it."""

    passing: ClassVar[tuple[type[Exception], ...]] = (Unanswered,)

    def after(self, error: Exception, now: datetime) -> timedelta | None:
        """What its Retry-After says."""
        return error.retry_after(now) if isinstance(error, Unanswered) else None

    def silent(self, words: str) -> Exception:
        """Silent."""
        return Silent(words)
