"""Tokens: form text that its clients label as JSON and send unencoded. No message here repeats a value."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import quote, unquote_to_bytes

from runners.ccs.wire.faults import WireFault, WireFaults
from runners.ccs.wire.fields import Fields

_KNOWN = ("grant_type", "username", "password", "refresh_token")
_RAW_PASSWORD = re.compile(rb"(?:^|&)password=(.*?)(?=&(?:grant_type|username|refresh_token)=|$)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class PasswordGrant:
    """A login; the password as it came, plain or Base64.

    Attributes:
        unencoded: What the password is if its client encoded nothing: clients that put the form together from
            raw text send a `%41` or a `&` in a password as they are. None where that makes no difference.
    """

    username: str
    password: str = field(repr=False)
    unencoded: str | None = field(default=None, repr=False, compare=False)

    @classmethod
    def base64(cls, username: str, password: str) -> PasswordGrant:
        """For servers that want the password as the Base64 of its UTF-8."""
        return cls(username, base64.b64encode(password.encode()).decode())

    def wire(self) -> bytes:
        """Form text, percent-encoded: a space is %20, for a server may leave a plus as it is."""
        return _form({"grant_type": "password", "username": self.username, "password": self.password})


@dataclass(frozen=True, slots=True)
class RefreshGrant:
    """A refresh token, to be exchanged for two new tokens."""

    refresh_token: str = field(repr=False)

    def wire(self) -> bytes:
        """Form text, percent-encoded."""
        return _form({"grant_type": "refresh_token", "refresh_token": self.refresh_token})


@dataclass(frozen=True, slots=True)
class Tokens:
    """The answer to a grant.

    Attributes:
        refresh_token: None where the server gives none.
        expires_in: Life of the access token; None where the server does not say.
    """

    access_token: str = field(repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    expires_in: timedelta | None = None

    def wire(self) -> dict[str, Any]:
        """As the API has it; expires_in in whole seconds."""
        fields = {
            "access_token": self.access_token,
            "refresh_token": self.refresh_token,
            "token_type": "bearer",
            "expires_in": None if self.expires_in is None else int(self.expires_in.total_seconds()),
        }
        return {name: value for name, value in fields.items() if value is not None}


def parse_token_request(raw: bytes) -> PasswordGrant | RefreshGrant:
    """The body of POST `/oauth/tokens`: form text, or a JSON object; parameters not known are ignored.

    Percent-encoding is decoded, a plus stays a plus. Bytes that are not UTF-8 are read as Latin-1, which older
    clients send.

    Raises:
        WireFaults: All its faults at once.
    """
    text = raw.strip(b"\r\n\t ") if raw.lstrip()[:1] in (b"{", b"[") else raw.strip(b"\r\n")
    fields = Fields(_from_json(text) if text[:1] in (b"{", b"[") else _from_form(text))
    fields.require("grant_type", why="it must be password or refresh_token")
    grant = fields.value("grant_type")
    if grant == "password":
        username, password = _parameter(fields, "username"), _parameter(fields, "password")
        fields.settle()
        return PasswordGrant(username, password, _unencoded(text, password))
    if grant == "refresh_token":
        token = _parameter(fields, "refresh_token")
        fields.settle()
        return RefreshGrant(token)
    if grant is not None:
        fields.faults.append(WireFault("grant_type", "must be password or refresh_token"))
    raise WireFaults(fields.faults)


def parse_tokens(answer: object) -> Tokens:
    """The answer of a server, a JSON value; only the access token is needed, the rest is taken where it is sound.

    Raises:
        WireFaults: There is no access token.
    """
    fields = Fields(answer if isinstance(answer, dict) else {})
    access = _parameter(fields, "access_token")
    fields.settle()
    refresh, life = fields.value("refresh_token"), fields.value("expires_in")
    seconds = int(life) if isinstance(life, str) and life.isascii() and life.isdigit() and len(life) < 9 else life
    sound = isinstance(seconds, int) and not isinstance(seconds, bool) and 0 < seconds < 10**9
    return Tokens(
        access,
        refresh if isinstance(refresh, str) and refresh else None,
        timedelta(seconds=seconds) if sound else None,
    )


def _parameter(fields: Fields, name: str) -> str:
    value = fields.value(name)
    if value is None:
        fields.refuse(name, "it is mandatory")
    elif not isinstance(value, str) or not value:
        fields.faults.append(WireFault(name, "must be a text that is not empty"))
    elif any("\ud800" <= char <= "\udfff" for char in value):
        fields.faults.append(WireFault(name, "must be a text without half characters"))
    else:
        return value
    return ""


def _from_form(text: bytes) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for part in text.split(b"&"):
        key, _, value = part.partition(b"=")
        name = _decoded(key).strip()
        if name in found and name in _KNOWN:
            raise WireFaults([WireFault(name, "must stand only once")])
        found[name] = _decoded(value)
    return found


def _unencoded(text: bytes, password: str) -> str | None:
    """The password as it stands in the form: up to the next parameter that is one, or to the end."""
    match = _RAW_PASSWORD.search(text)
    try:
        found = match[1].decode() if match else None
    except UnicodeDecodeError:
        return None
    return None if found == password else found


def _from_json(text: bytes) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise WireFaults([WireFault("", "the body must be form text or a JSON object")])
    return found


def _decoded(part: bytes) -> str:
    data = unquote_to_bytes(part)
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _form(parameters: dict[str, str]) -> bytes:
    return "&".join(f"{name}={quote(value, safe='')}" for name, value in parameters.items()).encode()
