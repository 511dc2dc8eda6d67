"""The kinds of connections, and the paths that each has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

BASE = "/api/v2/"
"""Before every path given here."""


class Kind(StrEnum):
    """What a connection connects with: a tracker of tasks, a verification tool, a directory of people."""

    ALM = "alm"
    ANALYSIS = "analysis"
    LDAP = "ldap"


class Frequency(StrEnum):
    """How often a connection runs; MANUALLY never by itself."""

    HOURLY = "hourly"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    MANUALLY = "manually"


SEGMENTS: Mapping[str, Kind] = MappingProxyType(
    {
        "alm": Kind.ALM,
        "issue-tracker": Kind.ALM,
        "analysis": Kind.ANALYSIS,
        "ldap": Kind.LDAP,
        "LDAP": Kind.LDAP,
    }
)
"""Kinds by their part of a path: those documented, the newest releases' name of ALM, and LDAP in capitals."""

FILE_SEGMENT = "analysis-file"
"""Part of the path of file imports, whose jobs are analysis jobs."""


@dataclass(frozen=True, slots=True)
class Paths:
    """Paths below BASE, all with the slash at the end that a client has to send.

    Attributes:
        segments: Parts of paths of a server that calls kinds otherwise, such as `{Kind.ALM: "issue-tracker"}`.
    """

    segments: Mapping[Kind, str] = field(default_factory=dict)

    def jobs(self, kind: Kind | None = None, job: int | None = None) -> str:
        """Jobs of a kind, or of all of them; or one of these jobs."""
        return _path("jobs", self._segment(kind), job)

    def connections(self, kind: Kind, connection: int | None = None) -> str:
        """Connections of a kind, or one of them."""
        return _path("connections", self._segment(kind), connection)

    def connectors(self, kind: Kind, connector: int | None = None) -> str:
        """Connectors of a kind, or one of them."""
        return _path("connectors", self._segment(kind), connector)

    def connection_test(self, kind: Kind) -> str:
        """Where a connection is tested."""
        return _path("connections", f"test{self._segment(kind)}", None)

    def connector_test(self, kind: Kind) -> str:
        """Where a connector is tested."""
        return _path("connectors", f"test{self._segment(kind)}", None)

    def file_imports(self) -> str:
        """Where report files go."""
        return _path("jobs", FILE_SEGMENT, None)

    def projects(self, project: int | None = None) -> str:
        """Projects, or one of them."""
        return _path("projects", None, project)

    def me(self) -> str:
        """The user whose token is sent."""
        return "users/me/"

    def _segment(self, kind: Kind | None) -> str | None:
        return None if kind is None else self.segments.get(kind, kind.value)


def _path(head: str, middle: str | None, key: int | None) -> str:
    return "".join(f"{part}/" for part in (head, middle, key) if part is not None)
