"""How a request to an SDE server fails. No text holds the token."""

from __future__ import annotations

from datetime import timedelta

from runners.web import Unreachable


class Refused(Exception):
    """The server refuses this request: what was asked for has not been done.

    Attributes:
        status: The answer's, 300 to 499.
        words: The server's own, or what is known instead.
    """

    def __init__(self, status: int, words: str) -> None:
        super().__init__(f"{words} (status {status})")
        self.status = status
        self.words = words


class Throttled(Exception):
    """The server takes nothing now: what was asked for has not been done.

    Attributes:
        after: How long it wants to be left alone; None where it does not say.
    """

    def __init__(self, words: str, after: timedelta | None) -> None:
        super().__init__(words)
        self.after = after


class Unanswered(Unreachable):
    """An answer came that is none (5xx, nonsense): what was asked for may have been done.

    Attributes:
        after: How long the server wants to be left alone; None where it does not say.
    """

    def __init__(self, words: str, after: timedelta | None = None) -> None:
        super().__init__(words)
        self.after = after


SdeError = Refused | Throttled | Unreachable
"""All that a call of the client raises; of Unreachable, NotSent has certainly not been done."""
