"""Connections and their jobs, made and changed together: in the ledger, and in force, when an act returns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from jobsd.http.sde.routes import Call
from runners.sde.definition import ORIGIN, source_of
from scheduler.ledger import Connection, sde_connections
from scheduler.ledger.sde_connections import ConnectionRow, ConnectorRow
from scheduler.model import JobRow

Also = Callable[[Connection, ConnectionRow], None]
"""What is written beside a new connection, in the same transaction."""

OF_JOB = ("kind", "alias", "system", "frequency", "inaccessible")
"""What a connection's job is made from."""


async def create(call: Call, values: Mapping[str, Any], *, also: Also | None = None) -> ConnectionRow:
    """Make a connection and its job.

    `values` by column: all but the ids and the times. Hold `call.state.changes`: the id is the next one.
    """
    call.still_serving()
    service, at = call.service, call.service.now()
    key = await service.read(sde_connections.next_id)
    whole = {**values, "connection_id": key}

    def keep(connection: Connection, job: JobRow) -> None:
        row = sde_connections.add(connection, {**whole, "job_id": job.job_id}, at=at)
        if also is not None:
            also(connection, row)

    await service.act(service.control.create(ORIGIN, _source(whole, at), call.caller.actor, also=keep))
    return await service.read(lambda connection: sde_connections.get(connection, key))


async def change(call: Call, row: ConnectionRow, values: Mapping[str, Any]) -> ConnectionRow:
    """Put `values` (by column) in the place of what stood in `row`; hold `call.state.changes` meanwhile."""
    service, at, key = call.service, call.service.now(), row.connection_id
    if not _moves_job(row, values):
        return await service.ledger.write(lambda ledger: sde_connections.change(ledger, key, values, at=at))

    call.still_serving()

    def keep(connection: Connection, _job: JobRow) -> None:
        sde_connections.change(connection, key, values, at=at)

    source = _source({**_columns(row), **values}, row.created_at)
    await service.act(service.control.change(row.guid, source, run_now=False, actor=call.caller.actor, also=keep))
    return await service.read(lambda connection: sde_connections.get(connection, key))


async def change_connector(call: Call, row: ConnectorRow, values: Mapping[str, Any]) -> ConnectorRow:
    """Put `values` in the place of what stood in a connector, and have its connections follow, all or none."""
    service, at, key = call.service, call.service.now(), row.connector_id
    followed = {name: values[name] for name in ("system", "inaccessible") if name in values}
    users = await service.read(lambda connection: sde_connections.of_connector(connection, key))
    moved = [user for user in users if _moves_job(user, followed)]

    def keep(connection: Connection) -> None:
        sde_connections.change_connector(connection, key, values, at=at)
        sde_connections.change_each(connection, [user.connection_id for user in moved], followed, at=at)

    if moved:
        call.still_serving()
        sources = {user.guid: _source({**_columns(user), **followed}, user.created_at) for user in moved}
        await service.act(service.control.change_each(sources, call.caller.actor, also=keep))
    else:
        await service.ledger.write(keep)
    return await service.read(lambda connection: sde_connections.connector(connection, key))


def _moves_job(row: ConnectionRow, values: Mapping[str, Any]) -> bool:
    return any(values[name] != getattr(row, name) for name in OF_JOB if name in values)


def _columns(row: ConnectionRow) -> dict[str, Any]:
    return {name: getattr(row, name) for name in ("connection_id", *OF_JOB)}


def _source(values: Mapping[str, Any], created_at: datetime) -> dict[str, Any]:
    of_job = {name: values[name] for name in OF_JOB}
    return source_of(connection=values["connection_id"], created_at=created_at, **of_job)
