"""Connections, as their own lists have them and as jobs carry them.

What a connection shows depends on where it is shown; the pages have it so: `in_progress` stands in lists only, an
answer to GET or to an update has a system without a short name, a connection in a job names its system by a text
and has neither connector nor debug_mode. An LDAP connection has neither project nor connector anywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from runners.sde.wire.answers import Answer
from runners.sde.wire.kinds import Frequency, Kind
from runners.sde.wire.last_job import LastJob, read_last_job
from runners.sde.wire.systems import System, read_system


class Shape(Enum):
    """Where a connection is shown."""

    LISTED = "in a list"
    CREATED = "as the answer to its creation"
    SINGLE = "alone, or as the answer to an update"


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """A connection.

    Attributes:
        frequency: One of Frequency, as far as it is known here.
        params: None where they were not shown, which is without the permission to edit; they hold passwords.
        project: None for LDAP.
        inaccessible: The server does not reach the tool: an agent runs it.
        in_progress: A job of it runs, or waits to run.
        connector: None for LDAP and for file uploads.
        is_file_upload: Made by a file import.
        last_job: None where it never ran, or it was not asked for.
    """

    id: int
    alias: str = ""
    system: System = field(default_factory=lambda: System(None))
    frequency: str = Frequency.MANUALLY
    command: str = ""
    params: Mapping[str, Any] | None = field(default=None, repr=False)
    project: int | None = None
    inaccessible: bool = False
    in_progress: bool = False
    connector: int | None = None
    debug_mode: bool = False
    is_file_upload: bool = False
    last_job: LastJob | None = None

    @property
    def has_params(self) -> bool:
        """Whether it can be run: missing, null and empty are the same."""
        return bool(self.params)

    def wire(self, kind: Kind, shape: Shape, *, params: bool, last_job: bool = False) -> dict[str, Any]:
        """As the API has it; `params` shows them, `last_job` includes it."""
        directory = kind is Kind.LDAP
        return {
            "id": self.id,
            "alias": self.alias,
            "system": self.system.title if directory else self.system.wire(short_name=shape is not Shape.SINGLE),
            "frequency": str(self.frequency),
            "command": self.command,
            **({} if directory else {"debug_mode": self.debug_mode}),
            **self._params(shown=params),
            "inaccessible": self.inaccessible,
            **({"last_job": None if self.last_job is None else self.last_job.wire()} if last_job else {}),
            **({"in_progress": self.in_progress} if shape is Shape.LISTED else {}),
            **({} if directory else {"connector": self.connector, "project": self.project}),
        }

    def in_job(self, kind: Kind, *, params: bool) -> dict[str, Any]:
        """As a job of that kind carries it."""
        return {
            "id": self.id,
            "alias": self.alias,
            "system": self.system.wire() if self.is_file_upload else self.system.title,
            "frequency": str(self.frequency),
            "command": self.command,
            **self._params(shown=params),
            **({"inaccessible": self.inaccessible} if kind is Kind.LDAP else {"project": self.project}),
            **(self._uploaded() if self.is_file_upload else {}),
        }

    def _params(self, *, shown: bool) -> dict[str, Any]:
        return {"params": dict(self.params)} if shown and self.params is not None else {}

    def _uploaded(self) -> dict[str, Any]:
        return {
            "in_progress": self.in_progress,
            "connector": self.connector,
            "debug_mode": self.debug_mode,
            "is_file_upload": True,
        }


def parse_connection(answer: object) -> Connection:
    """A connection of any kind; what is not known in it is ignored.

    Raises:
        WireFaults: It is no object, its id is missing or wrong, or a field is of another type.
    """
    fields = Answer.of_message(answer)
    connection = read_connection(fields)
    fields.settle()
    return connection


def read_connection(fields: Answer) -> Connection:
    """A connection; of use only where no fault was noted."""
    last_job = fields.within("last_job")
    return Connection(
        id=fields.key("id", required=True) or 0,
        alias=fields.text("alias") or "",
        system=read_system(fields) or System(None),
        frequency=fields.text("frequency") or Frequency.MANUALLY,
        command=fields.text("command") or "",
        params=fields.params(),
        project=fields.key("project"),
        inaccessible=bool(fields.flag("inaccessible")),
        in_progress=bool(fields.flag("in_progress")),
        connector=fields.key("connector"),
        debug_mode=bool(fields.flag("debug_mode")),
        is_file_upload=bool(fields.flag("is_file_upload")),
        last_job=None if last_job is None else read_last_job(last_job),
    )
