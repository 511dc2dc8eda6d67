"""Who may do what: tokens and their scopes, and the listener that is open for reading."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from config.definitions import Scope
from scheduler.model import Actor, By

RANK = {Scope.VIEW: 1, Scope.CONTROL: 2, Scope.ADMIN: 3}
READING = frozenset({"GET", "HEAD"})
LOCAL = "local"
"""Name of the daemon's own token in events."""

_CLI = "jobsd-cli"
_SCHEMES = 'Bearer, Basic realm="jobsd", charset="UTF-8"'


class Denied(Exception):
    """The request is not admitted.

    `status` is 400 (where does it end?), 401 (who are you?), 403 (not with this token, not at this address) or
    413 (too much of it).
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status

    @property
    def headers(self) -> dict[str, str]:
        """Headers of the answer."""
        return {"WWW-Authenticate": _SCHEMES} if self.status == 401 else {}


@dataclass(frozen=True, slots=True)
class Key:
    """A known token, as its digest: comparing digests gives nothing of the token away."""

    name: str
    digest: bytes
    scope: Scope

    @classmethod
    def of(cls, name: str, token: str, scope: Scope) -> Key:
        """The key of a token in clear."""
        return cls(name, _digest(token), scope)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. `scope` is None for somebody without a token on a listener that is open for reading."""

    name: str
    scope: Scope | None
    by: By
    origin: str

    @property
    def actor(self) -> Actor:
        """The caller as events name it."""
        return Actor(self.name, self.by, self.origin)

    def need_token(self, what: str) -> None:
        """Raise Denied for somebody without a token."""
        if self.scope is None:
            raise Denied(401, f"{what} needs a token, also on this host: Authorization: Bearer TOKEN")


@dataclass(frozen=True, slots=True)
class Access:
    """Admits callers.

    Attributes:
        keys: All known tokens.
        names: What Host may say (lower case) to a caller without a token; None where nobody is without one.
    """

    keys: tuple[Key, ...]
    names: frozenset[str] | None

    def admit(self, method: str, headers: Mapping[str, str], origin: str) -> Caller:
        """The caller of a request; `headers` by lower-case name. Raises Denied."""
        by = By.CLI if headers.get("user-agent", "").startswith(_CLI) else By.API
        needed = Scope.VIEW if method in READING else Scope.CONTROL
        if "authorization" in headers:
            key = self._key(_credential(headers["authorization"], reading=method in READING))
            if RANK[key.scope] < RANK[needed]:
                raise Denied(403, f"token {key.name!r} has scope {key.scope}; this needs {needed}")
            return Caller(key.name, key.scope, by, origin)
        if self.names is None:
            raise Denied(401, "this needs a token: Authorization: Bearer TOKEN")
        if needed is not Scope.VIEW:
            raise Denied(
                401, "without a token this listener is open for reading only: Authorization: Bearer TOKEN"
            )
        if headers.get("host", "").lower() not in self.names:
            raise Denied(403, f"without a token this listener answers only to {', '.join(sorted(self.names))}")
        return Caller("", None, by, origin)

    def _key(self, token: str) -> Key:
        """The key of `token`; every one is compared, whichever fits. Raises Denied."""
        digest = _digest(token)
        fitting = [key for key in self.keys if hmac.compare_digest(key.digest, digest)]
        if not fitting:
            raise Denied(401, "this token is not known")
        return max(fitting, key=lambda key: RANK[key.scope])


def own_names(hosts: Iterable[str], port: int, *, tls: bool) -> frozenset[str]:
    """What Host says when a listener on `port` is meant by one of `hosts` or by a loopback name."""
    written = {f"[{host}]" if ":" in host else host.lower() for host in hosts}
    names = written | {"127.0.0.1", "localhost", "[::1]"}
    bare = names if port == (443 if tls else 80) else set()
    return frozenset({f"{name}:{port}" for name in names} | bare)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


def _credential(header: str, *, reading: bool) -> str:
    """The token in an Authorization header.

    A browser can give it as the password of any user, for reading only: it sends that along by itself, so a
    foreign page could act with it.
    """
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic" and reading:
        try:
            return base64.b64decode(value, validate=True).decode("utf-8").partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    raise Denied(401, "write Authorization: Bearer TOKEN")
