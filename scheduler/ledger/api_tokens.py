"""Tokens of the served APIs: only their digests, so that a copy of the ledger opens nothing.

A login begins a family; each refresh adds two tokens to it and uses one up. A used refresh token that is shown
again was copied by somebody: its whole family ends. `stamp` says of which password a token is: with another one in
force it is worth nothing. What has expired goes when others come.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa

from scheduler.ledger import schema

_TOKENS = schema.api_tokens


class TokenKind(StrEnum):
    """What a token is good for."""

    ACCESS = "access"
    REFRESH = "refresh"


class Spent(Exception):
    """A used refresh token was shown again; its family has ended. The text is the user's name."""


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A token that is known and has not expired; `user` is the name in lower case."""

    user: str
    stamp: str
    family: str


@dataclass(frozen=True, slots=True)
class NewTokens:
    """Two fresh tokens in clear and when they expire; aware UTC, exclusive."""

    access: str
    access_until: datetime
    refresh: str
    refresh_until: datetime


def accepted(connection: sa.Connection, token: str, at: datetime) -> ApiToken | None:
    """Whose access token this is; None if it is not known or has expired."""
    row = _row(connection, token, TokenKind.ACCESS, at)
    return None if row is None else ApiToken(row.user, row.stamp, row.family)


def begin(connection: sa.Connection, user: str, stamp: str, tokens: NewTokens, *, at: datetime) -> None:
    """Keep the tokens of a login."""
    _keep(connection, ApiToken(user, stamp, str(uuid.uuid4())), tokens, at)


def renew(
    connection: sa.Connection,
    refresh: str,
    tokens: NewTokens,
    *,
    at: datetime,
    stands: Callable[[ApiToken], bool],
) -> ApiToken | Spent | None:
    """Use a refresh token up for new `tokens`; None if it is not known, has expired, or its user does not `stand`.

    Spent (returned, so that the end of the family is stored) where it was used before.
    """
    row = _row(connection, refresh, TokenKind.REFRESH, at)
    if row is None:
        return None
    token = ApiToken(row.user, row.stamp, row.family)
    if row.used_at is not None or not stands(token):
        connection.execute(_TOKENS.delete().where(_TOKENS.c.family == row.family))
        return None if row.used_at is None else Spent(row.user)
    connection.execute(_TOKENS.update().where(_TOKENS.c.digest == row.digest).values(used_at=at))
    _keep(connection, token, tokens, at)
    return token


def _row(
    connection: sa.Connection, token: str, kind: TokenKind, at: datetime
) -> sa.Row[tuple[object, ...]] | None:
    query = sa.select(_TOKENS).where(_TOKENS.c.digest == _digest(token), _TOKENS.c.kind == kind.value)
    return connection.execute(query.where(_TOKENS.c.expires_at > at)).one_or_none()


def _keep(connection: sa.Connection, token: ApiToken, tokens: NewTokens, at: datetime) -> None:
    connection.execute(_TOKENS.delete().where(_TOKENS.c.expires_at <= at))
    kinds = (
        (TokenKind.ACCESS, tokens.access, tokens.access_until),
        (TokenKind.REFRESH, tokens.refresh, tokens.refresh_until),
    )
    rows = [
        {
            "digest": _digest(text),
            "kind": kind.value,
            "user": token.user,
            "stamp": token.stamp,
            "family": token.family,
            "expires_at": until,
        }
        for kind, text, until in kinds
    ]
    connection.execute(_TOKENS.insert(), rows)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()
