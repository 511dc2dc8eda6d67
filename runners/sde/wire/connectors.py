"""Connectors: what connections of one system have in common; their params are defaults of their connections'."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from runners.sde.wire.answers import Answer
from runners.sde.wire.fields import Fields
from runners.sde.wire.systems import System, read_system, read_system_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Connector:
    """A connector.

    Attributes:
        inaccessible: The server does not reach the tool; copied to its connections.
        params: None where they were not shown; they hold passwords.
    """

    id: int
    name: str
    system: System
    inaccessible: bool = False
    params: Mapping[str, Any] | None = field(default=None, repr=False)

    def wire(self, *, params: bool) -> dict[str, Any]:
        """As the API has it; `params` shows them."""
        return {
            "id": self.id,
            "name": self.name,
            "system": self.system.wire(),
            "inaccessible": self.inaccessible,
            **({"params": dict(self.params)} if params and self.params is not None else {}),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorFields:
    """What a request says of a connector; None is "not said", which only a PATCH may leave so.

    Attributes:
        system: Its id; names beside it are ignored.
        params: After a POST or PUT the whole of them, after a PATCH put over those that stood.
    """

    name: str | None = None
    system: str | None = None
    inaccessible: bool | None = None
    params: Mapping[str, Any] | None = field(default=None, repr=False)

    def wire(self) -> dict[str, Any]:
        """As the API has it: what is said."""
        parts = {
            "name": self.name,
            "system": None if self.system is None else {"id": self.system},
            "inaccessible": self.inaccessible,
            "params": None if self.params is None else dict(self.params),
        }
        return {name: value for name, value in parts.items() if value is not None}


def parse_connector(answer: object) -> Connector:
    """A connector; what is not known in it is ignored.

    Raises:
        WireFaults: It is no object, its id is missing or wrong, or a field is of another type.
    """
    fields = Answer.of_message(answer)
    connector = Connector(
        id=fields.key("id", required=True) or 0,
        name=fields.text("name") or "",
        system=read_system(fields) or System(None),
        inaccessible=bool(fields.flag("inaccessible")),
        params=fields.params(),
    )
    fields.settle()
    return connector


def parse_connector_request(
    body: object, *, partial: bool = False, systems: Collection[str] | None = None
) -> ConnectorFields:
    """The body of a POST or PUT, or, `partial`, of a PATCH; fields not known are ignored.

    Where a POST or PUT does not say `inaccessible`, it is false. `systems` are the ids that there are.

    Raises:
        WireFaults: All its faults at once, in the framework's words.
    """
    fields = Fields.of_message(body, partial=partial)
    inaccessible = fields.flag("inaccessible", required=False)
    found = ConnectorFields(
        name=fields.text("name"),
        system=read_system_id(fields, systems),
        inaccessible=inaccessible if partial else bool(inaccessible),
        params=fields.params(),
    )
    fields.settle()
    return found
