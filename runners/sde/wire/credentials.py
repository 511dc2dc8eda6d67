"""The Authorization header: `Token KEY`, bare, or Basic. The scheme's case does not matter.

The quotes around the key and the colon after the scheme that the pages print are a placeholder and a typo: a
quoted key is another key, and `Token:` is a scheme that is not known.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field

from runners.sde.wire.refusals import Refusal, WireError, unauthorized

_WORD = re.compile(r"[^ \t\n\r\v\f]+")  # no other blank ends one


@dataclass(frozen=True, slots=True)
class TokenKey:
    """An API token."""

    key: str = field(repr=False)

    def wire(self) -> str:
        """The value of the header."""
        return f"Token {self.key}"


@dataclass(frozen=True, slots=True)
class Login:
    """A name and password."""

    username: str
    password: str = field(repr=False)

    def wire(self) -> str:
        """The value of the header."""
        return "Basic " + base64.b64encode(f"{self.username}:{self.password}".encode()).decode()


class BadCredentialsError(WireError):
    """A header that begins as one of these and is none; no message repeats it."""

    @property
    def answer(self) -> Refusal:
        """401, with what is wrong."""
        return unauthorized(str(self))


def parse_authorization(header: str | None) -> TokenKey | Login | None:
    """The credentials of a header's value; None where there is none, or its scheme is not known.

    Raises:
        BadCredentialsError: It is not well formed.
    """
    parts = _WORD.findall(header or "")
    scheme = parts[0].lower() if parts else ""
    if scheme == "token":
        return TokenKey(_only(parts, "Invalid token header.", "Token string"))
    if scheme == "basic":
        return _login(_only(parts, "Invalid basic header.", "Credentials string"))
    return None


def _only(parts: list[str], head: str, noun: str) -> str:
    if len(parts) == 1:
        raise BadCredentialsError(f"{head} No credentials provided.")
    if len(parts) > 2:
        raise BadCredentialsError(f"{head} {noun} should not contain spaces.")
    return parts[1]


def _login(encoded: str) -> Login:
    try:
        raw = base64.b64decode(encoded)
    except (ValueError, binascii.Error):
        raise BadCredentialsError("Invalid basic header. Credentials not correctly base64 encoded.") from None
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    username, _, password = text.partition(":")
    return Login(username, password)
