"""Who calls: by a token of the configuration, or by name and password."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import secrets
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from config.definitions import Configuration, User
from config.secrets import SecretError
from jobsd.http.ccs import errors as ccs
from jobsd.http.ccs.logins import MOST_S, Logins
from jobsd.http.sde.errors import Turned
from runners.ccs.wire import PasswordGrant
from runners.sde.wire import (
    INVALID_LOGIN,
    INVALID_TOKEN,
    NO_CREDENTIALS,
    BadCredentialsError,
    Login,
    TokenKey,
    parse_authorization,
    throttled,
)
from scheduler.clock import stopwatch
from scheduler.model import Actor, By

KNOWN_S = 300.0
"""A login that was right is not computed again for so long: each takes a tenth of a second and 32 MiB."""

MOST_KNOWN = 1024
"""Logins that are remembered; the oldest go first."""


@dataclass(frozen=True, slots=True)
class SdeCaller:
    """A user of the face, and where the call comes from."""

    user: User
    address: str

    @property
    def email(self) -> str:
        """By which the face names the user."""
        return email_of(self.user)

    @property
    def actor(self) -> Actor:
        """As events name it."""
        return Actor(self.user.name, By.API, self.address)


def email_of(user: User) -> str:
    """By which the face names a user: the e-mail, or the name where there is none."""
    return user.email or user.name


class Callers:
    """All callers of one face; belongs to its event loop."""

    def __init__(self, logins: Logins) -> None:
        self._logins = logins
        self._known: OrderedDict[bytes, float] = OrderedDict()
        self._own = secrets.token_bytes(32)
        self._of: Configuration | None = None
        self._keys: tuple[tuple[bytes, User], ...] = ()

    async def caller(self, authorization: str | None, configuration: Configuration, address: str) -> SdeCaller:
        """Whoever the header names. Raises Turned (401, 429), BadCredentialsError."""
        found = parse_authorization(_decoded(authorization))
        if found is None:
            raise Turned(NO_CREDENTIALS)
        if isinstance(found, TokenKey):
            user = self._holder(found.key, configuration)
            if user is None:
                raise Turned(INVALID_TOKEN)
        else:
            user = await self._logged_in(found, configuration.users, address)
            if user is None:
                raise Turned(INVALID_LOGIN)
        return SdeCaller(user, address)

    def _holder(self, key: str, configuration: Configuration) -> User | None:
        """The user of a token; all are compared, whichever fits."""
        if self._of is not configuration:  # a reload reads the tokens anew
            self._keys = tuple(_keys(configuration.users))
            self._of = configuration
        digest = _digest(key)
        fitting = [user for known, user in self._keys if hmac.compare_digest(known, digest)]
        return fitting[0] if fitting else None

    async def _logged_in(self, login: Login, users: Iterable[User], address: str) -> User | None:
        meant = _named(users, login.username)
        stamp = None if meant is None else self._stamp(login, meant)
        if meant is not None and stamp is not None and self._known.get(stamp, 0.0) > stopwatch():
            return meant
        grant = PasswordGrant(login.username if meant is None else meant.name, login.password)
        if owed := self._logins.owed_s(grant.username, address):
            raise Turned(throttled(timedelta(seconds=owed)))
        try:
            user = await self._logins.user_of(grant, () if meant is None else (meant,), address)
        except ccs.Turned:
            raise Turned(throttled(timedelta(seconds=MOST_S))) from None
        if user is not None and stamp is not None:
            self._known[stamp] = stopwatch() + KNOWN_S
            while len(self._known) > MOST_KNOWN:
                self._known.popitem(last=False)
        return user

    def _stamp(self, login: Login, user: User) -> bytes | None:
        """What stands for this password of this user; a new hash in the file makes it another."""
        if user.password_hash is None:
            return None
        told = f"{user.name}\0{user.password_hash}\0{login.password}"
        return hmac.digest(self._own, told.encode("utf-8", "surrogateescape"), "sha256")


def _decoded(header: str | None) -> str | None:
    """A header, which arrives as Latin-1, in UTF-8. Raises BadCredentialsError where a token is not."""
    if header is None or header.isascii():
        return header
    raw = header.encode("latin-1")
    try:
        return raw.decode()
    except UnicodeError:
        if raw.split()[0].lower() != b"token":  # bytes: what is a blank in Latin-1 only, is none here
            return header
        why = "Token string should not contain invalid characters."
        raise BadCredentialsError(f"Invalid token header. {why}") from None


def _named(users: Iterable[User], name: str) -> User | None:
    """The user of this name or e-mail; case does not matter."""
    folded, listed = name.casefold(), tuple(users)
    found = (user for user in listed if user.name.casefold() == folded)
    by_email = (user for user in listed if user.email is not None and user.email.casefold() == folded)
    return next(found, None) or next(by_email, None)


def _keys(users: Iterable[User]) -> Iterable[tuple[bytes, User]]:
    for user in users:
        if user.token is None:
            continue
        with contextlib.suppress(SecretError):  # told at the start and at each reload
            yield _digest(user.token.resolve(os.environ)), user


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()
