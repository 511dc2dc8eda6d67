"""Rows of the ledger as values of the API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from config.definitions import Configuration
from jobsd.http.sde.vault import opened
from runners.sde.sealing import Seal
from runners.sde.systems import Systems
from runners.sde.wire import Connection, Connector, LastJob, effective_params
from scheduler.ledger.sde_connections import ConnectionRow, ConnectorRow


@dataclass(frozen=True, slots=True)
class Shower:
    """Shows connectors and connections by one configuration.

    Attributes:
        connectors: Those that the connections to be shown use, by id; needed only where params are shown.
    """

    configuration: Configuration
    seal: Seal | None
    connectors: Mapping[int, ConnectorRow] = field(default_factory=dict)
    _systems: Systems = field(init=False, repr=False)
    _defaults: dict[int, dict[str, Any] | None] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_systems", Systems.of(self.configuration))

    def connector(self, row: ConnectorRow, *, params: bool) -> Connector:
        """A connector; without `params`, or where they cannot be opened, it has None."""
        return Connector(
            id=row.connector_id,
            name=row.name,
            system=self._systems.shown(row.system),
            inaccessible=row.inaccessible,
            params=opened(self.seal, row.params) if params else None,
        )

    def connection(
        self, row: ConnectionRow, *, params: bool, in_progress: bool = False, last_job: LastJob | None = None
    ) -> Connection:
        """A connection with the params in effect; without `params`, or where they cannot be opened, with None."""
        return Connection(
            id=row.connection_id,
            alias=row.alias,
            system=self._systems.shown(row.system),
            frequency=row.frequency,
            command=self._systems.command(row.system, upload=row.upload is not None),
            params=self.params(row) if params else None,
            project=row.project,
            inaccessible=row.inaccessible,
            in_progress=in_progress,
            connector=row.connector_id,
            debug_mode=row.debug_mode,
            is_file_upload=row.upload is not None,
            last_job=last_job,
        )

    def params(self, row: ConnectionRow) -> dict[str, Any] | None:
        """The connector's, overlaid with the connection's own; None where they cannot be opened."""
        own = opened(self.seal, row.params)
        defaults = self._of_connector(row.connector_id)
        return None if own is None or defaults is None else effective_params(defaults, own)

    def _of_connector(self, connector_id: int | None) -> dict[str, Any] | None:
        if connector_id is None:
            return {}
        if connector_id not in self._defaults:
            self._defaults[connector_id] = opened(self.seal, self.connectors[connector_id].params)
        return self._defaults[connector_id]
