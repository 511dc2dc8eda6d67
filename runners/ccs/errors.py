"""How a request to a CCS server fails. No text holds a credential."""

from __future__ import annotations

from datetime import datetime, timedelta

from runners.web import Answer


class CcsError(Exception):
    """A request that failed."""


class Unanswered(CcsError):
    """No usable answer: what was asked for may have been done."""

    def __init__(self, text: str, answer: Answer | None = None) -> None:
        super().__init__(text)
        self._answer = answer

    def retry_after(self, now: datetime) -> timedelta | None:
        """How long the server wants to be left alone from `now`; None where it does not say."""
        return None if self._answer is None else self._answer.retry_after(now)


class NotTaken(Unanswered):
    """It has certainly not been done: nothing was sent, or the server takes nothing now."""


class Denied(CcsError):
    """The account may not: the login is refused, or the server says so."""


class LoginRefused(Denied):
    """The server takes neither token nor password. Not to be repeated at once: accounts get locked."""


class Refused(CcsError):
    """The server refuses this request.

    Attributes:
        status: The answer's, 400 to 499.
    """

    def __init__(self, text: str, status: int) -> None:
        super().__init__(text)
        self.status = status

    @property
    def unknown(self) -> bool:
        """Whether it may mean that there is no such job or run: servers differ in the status."""
        return self.status in (400, 404)
