"""Who calls, and what the pages say one must have for each call."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from config.definitions import Permission, User
from jobsd.http.ccs.errors import Forbidden, Unauthorized
from jobsd.http.parameters import ServiceOf
from scheduler.ledger import api_tokens
from scheduler.model import Actor, By

_FOLDERS = {Permission.ACCESS_ASSET_SYSTEM, Permission.ACCESS_STANDARDS}

DELETE = frozenset({
    Permission.VIEW_STANDARDS, Permission.MANAGE_JOBS, Permission.COLLECT_DATA, Permission.EVALUATE_STANDARDS,
    Permission.VIEW_EVALUATION_RESULTS, *_FOLDERS,
})  # fmt: skip
CREATE = DELETE | {Permission.VIEW_ASSETS}
OPERATE = CREATE | {Permission.VIEW_ALL_JOBS}
READ = frozenset({Permission.VIEW_ALL_JOBS})


def held(user: User) -> frozenset[Permission]:
    """What a user may do: the permissions written, and both folders where nothing is written of folders."""
    written = frozenset(user.permissions)
    return written if written & _FOLDERS else written | _FOLDERS


_BEARER = HTTPBearer(auto_error=False, description="An access token of POST /ccs/api/v1/oauth/tokens.")


@dataclass(frozen=True, slots=True)
class ApiCaller:
    """A user of the face, and where the call comes from."""

    user: User
    address: str

    @property
    def actor(self) -> Actor:
        """As events name it."""
        return Actor(self.user.name, By.API, self.address)


def address_of(request: Request) -> str:
    """The peer's address."""
    return request.client.host if request.client else ""


def stamp_of(user: User) -> str:
    """What ties a token to the user's present password."""
    return hashlib.sha256((user.password_hash or "").encode()).hexdigest()


def user_named(users: Iterable[User], name: str, stamp: str) -> User | None:
    """The user of this name, if the password is still the one that `stamp` is of."""
    folded = name.casefold()
    found = (user for user in users if user.name.casefold() == folded and user.password_hash is not None)
    return next((user for user in found if stamp_of(user) == stamp), None)


def caller_with(needed: frozenset[Permission]) -> Callable[..., Awaitable[ApiCaller]]:
    """A dependency: the caller, who has all of `needed`. Raises Unauthorized, Forbidden."""

    async def check(
        request: Request,
        service: ServiceOf,
        bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)],
    ) -> ApiCaller:
        if bearer is None:
            raise Unauthorized("This call needs an access token: Authorization: Bearer TOKEN.")
        text, now = bearer.credentials.strip(), service.now()
        token = await service.read(lambda connection: api_tokens.accepted(connection, text, now))
        user = None if token is None else user_named(service.configuration.users, token.user, token.stamp)
        if user is None:
            raise Unauthorized("The access token is invalid or has expired.")
        if not needed <= held(user):
            raise Forbidden
        return ApiCaller(user, address_of(request))

    return check


Creating = Annotated[ApiCaller, Depends(caller_with(CREATE))]
Operating = Annotated[ApiCaller, Depends(caller_with(OPERATE))]
Reading = Annotated[ApiCaller, Depends(caller_with(READ))]
Deleting = Annotated[ApiCaller, Depends(caller_with(DELETE))]
