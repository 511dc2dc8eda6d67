"""Connectors and connections of the served SDE API; each connection belongs to a job of its own."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from scheduler.ledger import schema
from scheduler.ledger.errors import NotFound

CHUNK = 500
"""Values in one IN list at the most."""

_MOST = 2**63 - 1

_CONNECTORS = schema.sde_connectors
_CONNECTIONS = schema.sde_connections
_SHOWN = sa.select(_CONNECTIONS, schema.jobs.c.guid).join_from(_CONNECTIONS, schema.jobs)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorRow:
    """A connector.

    Attributes:
        system: Id of its system, as it was written.
        params: Sealed; None where there are none.
    """

    connector_id: int
    kind: str
    name: str
    system: str
    inaccessible: bool
    params: str | None = field(repr=False)
    created_at: datetime
    modified_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionRow:
    """A connection.

    Attributes:
        guid: Of its job.
        system: Id of its system: its connector's, or its own where it has none.
        params: Its own, sealed; None where there are none.
        upload: Name of the imported file that it was made for; None for others.
    """

    connection_id: int
    job_id: int
    guid: str
    kind: str
    alias: str
    connector_id: int | None
    project: int | None
    system: str
    frequency: str
    inaccessible: bool
    debug_mode: bool
    params: str | None = field(repr=False)
    upload: str | None
    created_at: datetime
    modified_at: datetime


def connectors(connection: sa.Connection, kind: str) -> list[ConnectorRow]:
    """All of a kind, by id."""
    query = sa.select(_CONNECTORS).where(_CONNECTORS.c.kind == kind).order_by(_CONNECTORS.c.connector_id)
    return [_connector(row) for row in connection.execute(query)]


def connector(connection: sa.Connection, connector_id: int, kind: str | None = None) -> ConnectorRow:
    """One connector, of that kind where one is given. Raises NotFound."""
    query = sa.select(_CONNECTORS).where(_CONNECTORS.c.connector_id == connector_id)
    row = connection.execute(query).one_or_none()
    if row is None or kind not in {None, row.kind}:
        raise NotFound(f"there is no connector {connector_id}")
    return _connector(row)


def add_connector(connection: sa.Connection, values: Mapping[str, Any], *, at: datetime) -> ConnectorRow:
    """Keep a new connector; `values` by column, all but the id and the times."""
    insert = _CONNECTORS.insert().values(**values, created_at=at, modified_at=at)
    key = connection.execute(insert.returning(_CONNECTORS.c.connector_id)).scalar_one()
    return connector(connection, key)


def change_connector(
    connection: sa.Connection, connector_id: int, values: Mapping[str, Any], *, at: datetime
) -> ConnectorRow:
    """Put `values` in the place of those that stood. Raises NotFound."""
    update = _CONNECTORS.update().where(_CONNECTORS.c.connector_id == connector_id)
    connection.execute(update.values(**values, modified_at=at))
    return connector(connection, connector_id)


def listed(
    connection: sa.Connection,
    kind: str,
    *,
    project: int | None = None,
    offset: int = 0,
    limit: int | None = None,
) -> list[ConnectionRow]:
    """Connections of a kind, and of a project where one is given, by id; uploads are not among them."""
    query = _SHOWN.where(*_of_kind(kind, project)).order_by(_CONNECTIONS.c.connection_id).offset(offset)
    return [_connection(row) for row in connection.execute(query.limit(-1 if limit is None else limit))]


def count(connection: sa.Connection, kind: str, *, project: int | None = None) -> int:
    """How many `listed` would give without a limit."""
    query = sa.select(sa.func.count()).select_from(_CONNECTIONS).where(*_of_kind(kind, project))
    return int(connection.execute(query).scalar_one())


def get(connection: sa.Connection, connection_id: int, kind: str | None = None) -> ConnectionRow:
    """One connection, of that kind where one is given; also one of an upload. Raises NotFound."""
    row = connection.execute(_SHOWN.where(_CONNECTIONS.c.connection_id == connection_id)).one_or_none()
    if row is None or kind not in {None, row.kind}:
        raise NotFound(f"there is no connection {connection_id}")
    return _connection(row)


def several(connection: sa.Connection, connection_ids: Collection[int]) -> dict[int, ConnectionRow]:
    """Those of these connections that there are, by id; also those of uploads."""
    found: dict[int, ConnectionRow] = {}
    for some in chunks(connection_ids):
        rows = connection.execute(_SHOWN.where(_CONNECTIONS.c.connection_id.in_(some)))
        found |= {row.connection_id: _connection(row) for row in rows}
    return found


def several_connectors(connection: sa.Connection, connector_ids: Collection[int]) -> dict[int, ConnectorRow]:
    """Those of these connectors that there are, by id."""
    found: dict[int, ConnectorRow] = {}
    for some in chunks(connector_ids):
        rows = connection.execute(sa.select(_CONNECTORS).where(_CONNECTORS.c.connector_id.in_(some)))
        found |= {row.connector_id: _connector(row) for row in rows}
    return found


def of_connector(connection: sa.Connection, connector_id: int) -> list[ConnectionRow]:
    """Those that use a connector, by id."""
    query = _SHOWN.where(_CONNECTIONS.c.connector_id == connector_id).order_by(_CONNECTIONS.c.connection_id)
    return [_connection(row) for row in connection.execute(query)]


def next_id(connection: sa.Connection) -> int:
    """The id of the next connection: one more than any before, of whatever kind."""
    greatest = connection.execute(sa.select(sa.func.max(_CONNECTIONS.c.connection_id))).scalar_one()
    return (greatest or 0) + 1


def add(connection: sa.Connection, values: Mapping[str, Any], *, at: datetime) -> ConnectionRow:
    """Keep a new connection; `values` by column, all but the times, the id and the job's id included."""
    connection.execute(_CONNECTIONS.insert().values(**values, created_at=at, modified_at=at))
    return get(connection, values["connection_id"])


def change(
    connection: sa.Connection, connection_id: int, values: Mapping[str, Any], *, at: datetime
) -> ConnectionRow:
    """Put `values` in the place of those that stood. Raises NotFound."""
    update = _CONNECTIONS.update().where(_CONNECTIONS.c.connection_id == connection_id)
    connection.execute(update.values(**values, modified_at=at))
    return get(connection, connection_id)


def uploads(connection: sa.Connection) -> list[int]:
    """The ids of those that were made for a file."""
    query = sa.select(_CONNECTIONS.c.connection_id).where(_CONNECTIONS.c.upload.is_not(None))
    return list(connection.execute(query).scalars())


def used_up(connection: sa.Connection, connection_ids: Collection[int], *, before: datetime) -> list[int]:
    """Those of these that were made for a file of which every run ended before `before`."""
    runs = schema.runs
    needed = sa.select(runs.c.run_no).where(
        runs.c.job_id == _CONNECTIONS.c.job_id, sa.or_(runs.c.ended_at.is_(None), runs.c.ended_at >= before)
    )
    query = sa.select(_CONNECTIONS.c.connection_id).where(
        _CONNECTIONS.c.connection_id.in_(connection_ids), _CONNECTIONS.c.upload.is_not(None), ~needed.exists()
    )
    return list(connection.execute(query).scalars())


def chunks(numbers: Collection[int]) -> Iterator[list[int]]:
    """These numbers, so many at a time as one statement takes."""
    ordered = list(numbers)
    return (ordered[begin : begin + CHUNK] for begin in range(0, len(ordered), CHUNK))


def numbered(column: sa.ColumnElement[int], number: int) -> sa.ColumnElement[bool]:
    """Whether the column is that number; none is where SQLite has no such integer."""
    return column == number if 0 < number <= _MOST else sa.false()


def change_each(
    connection: sa.Connection, connection_ids: Collection[int], values: Mapping[str, Any], *, at: datetime
) -> None:
    """Put `values` in the place of those that stood, in each of these connections."""
    for some in chunks(connection_ids):
        update = _CONNECTIONS.update().where(_CONNECTIONS.c.connection_id.in_(some))
        connection.execute(update.values(**values, modified_at=at))


def projects(connection: sa.Connection) -> list[int]:
    """Those that connections name, ascending."""
    query = sa.select(_CONNECTIONS.c.project).where(_CONNECTIONS.c.project.is_not(None)).distinct()
    return sorted(connection.execute(query).scalars())


def sealed(connection: sa.Connection) -> list[str]:
    """All params that are kept, of connectors and connections."""
    found: list[str] = []
    for table in (_CONNECTORS, _CONNECTIONS):
        found += connection.execute(sa.select(table.c.params).where(table.c.params.is_not(None))).scalars()
    return found


def _of_kind(kind: str, project: int | None) -> list[sa.ColumnElement[bool]]:
    where = [_CONNECTIONS.c.kind == kind, _CONNECTIONS.c.upload.is_(None)]
    return where if project is None else [*where, numbered(_CONNECTIONS.c.project, project)]


def _connector(row: sa.Row[Any]) -> ConnectorRow:
    return ConnectorRow(**row._asdict())


def _connection(row: sa.Row[Any]) -> ConnectionRow:
    return ConnectionRow(**row._asdict())
