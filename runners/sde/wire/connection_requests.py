"""What a request says of a connection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from runners.sde.wire.fields import Exists, Fields
from runners.sde.wire.kinds import Frequency, Kind

_FREQUENCIES = tuple(frequency.value for frequency in Frequency)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionFields:
    """What it says; None is "not said", which only a PATCH may leave so.

    Attributes:
        connector: Its id; never said for LDAP, nor is `project` or `debug_mode`.
        inaccessible: Said for LDAP only: other connections have it of their connector.
        params: The connection's own: after a POST or PUT the whole of them, after a PATCH put over those that
            stood. What it runs with, and shows, is its connector's params overlaid with its own.
    """

    alias: str | None = None
    connector: int | None = None
    project: int | None = None
    frequency: Frequency | None = None
    debug_mode: bool | None = None
    inaccessible: bool | None = None
    params: Mapping[str, Any] | None = field(default=None, repr=False)

    def wire(self) -> dict[str, Any]:
        """As the API has it: what is said."""
        parts: dict[str, Any] = {
            "alias": self.alias,
            "connector": self.connector,
            "project": self.project,
            "frequency": None if self.frequency is None else self.frequency.value,
            "debug_mode": self.debug_mode,
            "inaccessible": self.inaccessible,
            "params": None if self.params is None else dict(self.params),
        }
        return {name: value for name, value in parts.items() if value is not None}


def parse_connection_request(
    body: object,
    kind: Kind,
    *,
    partial: bool = False,
    connectors: Exists | None = None,
    projects: Exists | None = None,
) -> ConnectionFields:
    """The body of a POST or PUT, or, `partial`, of a PATCH; fields not known are ignored.

    Where a POST or PUT does not say them, `frequency` is MANUALLY and the flags are false. `connectors` and
    `projects` say whether anything has an id.

    Raises:
        WireFaults: All its faults at once, in the framework's words.
    """
    fields = Fields.of_message(body, partial=partial)
    directory = kind is Kind.LDAP
    alias = fields.text("alias")
    connector = None if directory else fields.key("connector", connectors)
    project = None if directory else fields.key("project", projects)
    word = fields.choice("frequency", _FREQUENCIES, required=False)
    flag = fields.flag("inaccessible" if directory else "debug_mode", required=False)
    params = fields.params()
    fields.settle()
    given = flag if partial else bool(flag)
    frequency = None if partial and word is None else Frequency(word or Frequency.MANUALLY)
    return ConnectionFields(
        alias=alias, connector=connector, project=project, frequency=frequency, params=params,
        debug_mode=None if directory else given, inaccessible=given if directory else None,
    )  # fmt: skip


def effective_params(of_connector: Mapping[str, Any] | None, own: Mapping[str, Any] | None) -> dict[str, Any]:
    """What a connection runs with: its connector's params, overlaid with its own."""
    return {**(of_connector or {}), **(own or {})}
