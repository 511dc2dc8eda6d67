"""What a served connection has to do, as its runner asks for it: the API's side knows where it is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from runners.sde.wire import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A connection of the served API, read anew for each attempt.

    Attributes:
        kind: Of the connection.
        alias: Its name, for people.
        system: Id of its system; its command is found under `sde_systems`, without regard to case.
        params: Those in effect, the connector's and its own, in clear: they hold passwords.
        upload: The imported file, absolute, where the connection was made by a file import; its command finds the
            path in its params as `file_upload`.
        inaccessible: A remote agent runs it, never this server.
    """

    kind: Kind
    alias: str
    system: str
    params: Mapping[str, Any] = field(repr=False)
    upload: Path | None = None
    inaccessible: bool = False


class NoTaskError(Exception):
    """The connection cannot be carried out; the text says why, for an operator, and holds nothing secret."""


class Tasks(Protocol):
    """The connections of the served API."""

    async def task(self, connection: int) -> Task:
        """The connection with this id.

        Raises:
            NoTaskError: There is none, or its params cannot be opened: `settings.encryption_key` has changed.
        """
