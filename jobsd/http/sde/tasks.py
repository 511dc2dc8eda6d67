"""The connections of this server, as their runner asks for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from config.definitions import Configuration
from jobsd.http.sde.showing import Shower
from jobsd.http.sde.vault import Vault, why_locked
from runners.sde.tasks import NoTaskError, Task
from runners.sde.wire import Kind
from scheduler.ledger import Connection, Ledger, NotFound, sde_connections
from scheduler.ledger.sde_connections import ConnectionRow, ConnectorRow

UPLOADS = "uploads"
"""In the state folder: what was imported, a folder for each connection."""


class ServedTasks:
    """Implements `runners.sde.tasks.Tasks` over the ledger."""

    def __init__(
        self, ledger: Ledger, configuration: Callable[[], Configuration], folder: Path, environ: Mapping[str, str]
    ) -> None:
        """`folder` is the state folder; `environ` has what secrets of the configuration refer to."""
        self._ledger = ledger
        self._configuration = configuration
        self._folder = folder
        self._vault = Vault(environ)

    async def task(self, connection: int) -> Task:
        """The connection with this id, as it is now. Raises NoTaskError."""
        try:
            row, connectors = await self._ledger.aread(lambda ledger: _read(ledger, connection))
        except NotFound:
            raise NoTaskError(f"there is no connection {connection} any more") from None
        configuration = self._configuration()
        seal = self._vault.of(configuration)
        params = Shower(configuration, seal, connectors).params(row)
        if params is None:
            raise NoTaskError(
                f"the params of connection {connection} cannot be decrypted: {why_locked(configuration, seal)}; "
                "put the key of before back, or send all params again by PUT"
            )
        upload = None if row.upload is None else self._folder / UPLOADS / str(connection) / row.upload
        if upload is not None and not upload.exists():
            raise NoTaskError("the imported file is gone: it was deleted by age (settings.retention.output)")
        return Task(
            kind=Kind(row.kind),
            alias=row.alias,
            system=row.system,
            params=params,
            upload=upload,
            inaccessible=row.inaccessible,
        )


def _read(ledger: Connection, connection_id: int) -> tuple[ConnectionRow, dict[int, ConnectorRow]]:
    row = sde_connections.get(ledger, connection_id)
    used = [] if row.connector_id is None else [row.connector_id]
    return row, sde_connections.several_connectors(ledger, used)
