"""Addresses, what each does by method, and the one way that every request goes: as the framework goes it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from jobsd.http.sde.bodies import MOST_BODY, data_of
from jobsd.http.sde.callers import SdeCaller
from jobsd.http.sde.errors import RETRY_S, Turned, detail
from jobsd.http.sde.vault import Vault
from jobsd.http.service import Service
from runners.sde.wire import NOT_FOUND, SEGMENTS, Kind, is_number

ORDER = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
"""As Allow lists methods."""

TRIALS = 4
"""Test calls at the same time; more wait."""

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that need no right."""


@dataclass(frozen=True, slots=True)
class State:
    """What the requests of one face share.

    Attributes:
        changes: Held while something is read and then changed: each change is applied to what the one before left.
        trials: Places for test calls.
    """

    vault: Vault
    changes: asyncio.Lock = field(default_factory=asyncio.Lock)
    trials: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(TRIALS))


@dataclass(frozen=True, slots=True)
class Call:
    """One request, of a caller who is known.

    Attributes:
        kind: Of the address; None where it has none.
        key: What stands in the address for an id, as it was written.
        project: Likewise, of the projects' older addresses.
    """

    service: Service
    caller: SdeCaller
    request: Request
    state: State
    kind: Kind | None = None
    key: str = ""
    project: str = ""

    @property
    def of_kind(self) -> Kind:
        """The kind of an address that has one."""
        assert self.kind is not None  # noqa: S101 - the address says so
        return self.kind

    @property
    def id(self) -> int:
        """The id in the address. Raises Turned (404) where it is none that anything could have."""
        return _id(self.key)

    @property
    def project_id(self) -> int:
        """The project's id in the address. Raises Turned (404)."""
        return _id(self.project)

    @property
    def query(self) -> list[tuple[str, str]]:
        """The parameters, decoded, in their order."""
        return self.request.query_params.multi_items()

    @property
    def url(self) -> str:
        """The absolute address that was asked, query included."""
        return str(self.request.url)

    def still_serving(self) -> None:
        """Raises Turned (503) while the daemon stops: what is asked for now would be refused."""
        if not self.service.dispatcher.firing:
            raise Turned(detail(503, "jobsd is stopping: try again later", {"Retry-After": str(RETRY_S)}))

    async def data(self, most: int = MOST_BODY) -> object:
        """What the body says; see `bodies.data_of`."""
        return await data_of(self.request, most)


Handler = Callable[[Call], Awaitable[Response]]
Right = Callable[[Call], bool]


@dataclass(frozen=True, slots=True)
class Address:
    """One address.

    Attributes:
        path: Below the face's beginning, without slashes at its ends: words; `{kind}` or `test{kind}` for a part
            that names a kind; `{key}` and `{project}` for an id, whatever is written there.
        name: What OPTIONS calls it.
        methods: What is done by each method; HEAD and OPTIONS come by themselves.
        kinds: Those that the address has.
        right: What a caller needs for methods that are not SAFE; None: nothing.
    """

    path: str
    name: str
    methods: Mapping[str, Handler]
    kinds: frozenset[Kind] = field(default_factory=lambda: frozenset(Kind))
    right: Right | None = None

    @property
    def allowed(self) -> list[str]:
        """Its methods as Allow lists them."""
        here = {*self.methods, "OPTIONS"} | ({"HEAD"} if "GET" in self.methods else set())
        return [method for method in ORDER if method in here]

    def match(self, parts: list[str]) -> dict[str, Any] | None:
        """What these parts of a path say of kind, key and project; None where it is another address."""
        wanted = self.path.split("/")
        if len(wanted) != len(parts):
            return None
        found: dict[str, Any] = {}
        for want, part in zip(wanted, parts, strict=True):
            if want in {"{key}", "{project}"}:
                found[want.strip("{}")] = part
            elif want.endswith("{kind}"):
                head = want.removesuffix("{kind}")
                kind = kind_of(part.removeprefix(head)) if part.startswith(head) else None
                if kind is None or kind not in self.kinds:
                    return None
                found["kind"] = kind
            elif want != part:
                return None
        return found


def kind_of(segment: str) -> Kind | None:
    """The kind that a part of a path names; case does not matter."""
    return SEGMENTS.get(segment) or SEGMENTS.get(segment.lower())


def _id(text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0
    if not is_number(number):
        raise Turned(NOT_FOUND)
    return number
