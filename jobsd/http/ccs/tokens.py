"""`POST /oauth/tokens`: a login, or a refresh token, for an access token and a refresh token."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Annotated

import structlog
from fastapi import APIRouter, Depends, Request, Response

from jobsd.http.ccs import documents
from jobsd.http.ccs.bodies import BOM, json_of, raw_body
from jobsd.http.ccs.errors import Answer, Unauthorized
from jobsd.http.ccs.logins import Logins
from jobsd.http.ccs.rights import address_of, stamp_of, user_named
from jobsd.http.parameters import ServiceOf
from jobsd.http.service import Service
from runners.ccs.wire import PasswordGrant, RefreshGrant, Tokens, parse_token_request
from scheduler.ledger import Connection, api_tokens
from scheduler.ledger.api_tokens import ApiToken, NewTokens, Spent

ACCESS = timedelta(minutes=60)
REFRESH = timedelta(minutes=90)
"""How long the tokens are good for."""

MOST_BODY = 64 * 1024
"""Bytes of a request at the most."""

_log = structlog.get_logger()
router = APIRouter(tags=["ccs"])


def _logins(request: Request) -> Logins:
    logins: Logins = request.app.state.logins
    return logins


@router.post(
    "/oauth/tokens", openapi_extra=documents.TOKEN, responses=documents.answers(documents.TOKENS, 400, 401)
)
async def grant(request: Request, service: ServiceOf, logins: Annotated[Logins, Depends(_logins)]) -> Response:
    """Two tokens for a user's name and password, or for a refresh token, which is used up by it."""
    raw = (await raw_body(request, MOST_BODY)).lstrip().removeprefix(BOM)
    if raw.strip()[:1] in (b"{", b"["):
        json_of(raw)  # the same strictness as everywhere; it is read below
    asked = parse_token_request(raw)
    address = address_of(request)
    if isinstance(asked, RefreshGrant):
        tokens = await _refreshed(service, asked, address)
    else:
        tokens = await _logged_in(service, logins, asked, address)
    return Answer(Tokens(tokens.access, tokens.refresh, ACCESS).wire())


async def _logged_in(service: Service, logins: Logins, asked: PasswordGrant, address: str) -> NewTokens:
    user = await logins.user_of(asked, service.configuration.users, address)
    if user is None:
        raise Unauthorized("The user name or the password is incorrect.")
    now, name, stamp = service.now(), user.name.casefold(), stamp_of(user)
    tokens = _fresh(now)
    await service.ledger.write(lambda connection: api_tokens.begin(connection, name, stamp, tokens, at=now))
    return tokens


async def _refreshed(service: Service, asked: RefreshGrant, address: str) -> NewTokens:
    now, users = service.now(), service.configuration.users
    tokens = _fresh(now)

    def stands(token: ApiToken) -> bool:
        return user_named(users, token.user, token.stamp) is not None

    def operation(connection: Connection) -> ApiToken | Spent | None:
        return api_tokens.renew(connection, asked.refresh_token, tokens, at=now, stands=stands)

    found = await service.ledger.write(operation)
    if isinstance(found, Spent):
        _log.warning("token_reused", user=str(found), address=address)
    if not isinstance(found, ApiToken):
        raise Unauthorized("The refresh token is invalid or has expired.")
    return tokens


def _fresh(now: datetime) -> NewTokens:
    return NewTokens(secrets.token_urlsafe(32), now + ACCESS, secrets.token_urlsafe(32), now + REFRESH)
