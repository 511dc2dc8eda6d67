"""Connections: list, get, create, change. Each is a job that its frequency fires."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from starlette.responses import Response

from jobsd.http.sde import keeping, projects
from jobsd.http.sde.connectors import editor
from jobsd.http.sde.errors import Answer, Turned
from jobsd.http.sde.people import People
from jobsd.http.sde.routes import Address, Call
from jobsd.http.sde.showing import Shower
from jobsd.http.sde.shown import course_of
from jobsd.http.sde.vault import merged, sealed
from runners.sde.sealing import Seal
from runners.sde.systems import LDAP, Systems
from runners.sde.wire import (
    NOT_FOUND,
    ConnectionFields,
    Kind,
    LastJob,
    Paging,
    Shape,
    User,
    named_id,
    paged,
    parse_connection_filter,
    parse_connection_request,
    parse_include,
    parse_paging,
)
from scheduler.ledger import Connection, sde_connections, sde_jobs
from scheduler.ledger.sde_connections import ConnectionRow, ConnectorRow

_NOTHING: Mapping[str, Any] = MappingProxyType(
    {"upload": None, "params": None, "connector_id": None, "project": None, "debug_mode": False}
)
"""What a new connection has where nothing is said."""


@dataclass(frozen=True, slots=True)
class _Look:
    """How connections are shown to one caller."""

    showing: Shower
    kind: Kind
    params: bool
    last_job: bool

    @classmethod
    def of(cls, call: Call) -> _Look:
        configuration = call.service.configuration
        showing = Shower(configuration, call.state.vault.of(configuration))
        return cls(showing, call.of_kind, editor(call), "last_job" in parse_include(call.query))

    def wire(self, connection: Connection, rows: list[ConnectionRow], shape: Shape) -> list[dict[str, Any]]:
        """These connections as the API has them; a few statements, however many they are."""
        ids = [row.connection_id for row in rows]
        used = {row.connector_id for row in rows if row.connector_id is not None} if self.params else ()
        connectors = sde_connections.several_connectors(connection, used)
        showing = Shower(self.showing.configuration, self.showing.seal, connectors)
        last = self._last_jobs(connection, ids) if self.last_job else {}
        active = sde_jobs.in_progress(connection, ids) if shape is Shape.LISTED else set()
        return [
            showing.connection(
                row,
                params=self.params,
                in_progress=row.connection_id in active,
                last_job=last.get(row.connection_id),
            ).wire(self.kind, shape, params=self.params, last_job=self.last_job)
            for row in rows
        ]

    def _last_jobs(self, connection: Connection, ids: list[int]) -> dict[int, LastJob]:
        people = People.of(self.showing.configuration)
        found = {}
        for key, job in sde_jobs.last_jobs(connection, ids).items():
            person = people.person(job.user)
            found[key] = LastJob(job.run_no, course_of(job), person if isinstance(person, User) else None)
        return found


async def listing(call: Call) -> Response:
    """Those of a kind that the query asks for, by id."""
    wanted, paging, look, url = (
        parse_connection_filter(call.query),
        parse_paging(call.query),
        _Look.of(call),
        call.url,
    )

    def read(connection: Connection) -> dict[str, Any]:
        return _listed(connection, look, wanted.project, paging, url)

    return Answer(await call.service.read(read))


def _listed(
    connection: Connection, look: _Look, project: int | None, paging: Paging | None, url: str
) -> dict[str, Any]:
    kind = look.kind
    if paging is None:
        rows = sde_connections.listed(connection, kind, project=project)
        return paged(look.wire(connection, rows, Shape.LISTED), None, url)
    window = paging.window(sde_connections.count(connection, kind, project=project))
    rows = sde_connections.listed(connection, kind, project=project, offset=window.offset, limit=window.limit)
    return window.envelope(look.wire(connection, rows, Shape.LISTED), url)


async def single(call: Call) -> Response:
    """One."""
    return await _answer(call, await _row(call), Shape.SINGLE)


async def create(call: Call) -> Response:
    """Make one, and its job."""
    body = await call.data()
    async with call.state.changes:
        asked, connector = await _asked(call, body, partial=False)
        values = {**_NOTHING, "kind": call.of_kind.value}
        if connector is None:
            values["system"] = Systems.of(call.service.configuration).named(LDAP)
        if asked.params is not None:
            values["params"] = sealed(_seal(call), asked.params)
        row = await keeping.create(call, {**values, **_columns(asked, connector)})
    return await _answer(call, row, Shape.CREATED, status=201)


async def patch(call: Call) -> Response:
    """Change what is said."""
    return await _change(call, partial=True)


async def put(call: Call) -> Response:
    """Change all of it."""
    return await _change(call, partial=False)


async def _change(call: Call, *, partial: bool) -> Response:
    if (await _row(call)).upload is not None:  # made for one file, which is imported once
        raise Turned(NOT_FOUND)
    body = await call.data()
    async with call.state.changes:
        asked, connector = await _asked(call, body, partial=partial)
        before, columns = await _row(call), _columns(asked, connector)
        if asked.params is not None:
            kept = before.params if partial else None
            columns["params"] = merged(_seal(call), kept, asked.params)
        row = await keeping.change(call, before, columns)
    return await _answer(call, row, Shape.SINGLE)


async def _asked(call: Call, body: object, *, partial: bool) -> tuple[ConnectionFields, ConnectorRow | None]:
    """What the body asks for, and the connector that it names. Raises WireFaults."""
    configuration, kind = call.service.configuration, call.of_kind
    named = None if kind is Kind.LDAP else named_id(body, "connector")
    known: Mapping[int, ConnectorRow] = {}
    if named is not None:
        key = named
        known = await call.service.read(lambda connection: sde_connections.several_connectors(connection, [key]))
    connector = next((row for row in known.values() if row.kind == kind), None)
    asked = parse_connection_request(
        body,
        kind,
        partial=partial,
        connectors=lambda _key: connector is not None,
        projects=lambda project: projects.exists(configuration, project),
    )
    return asked, connector


def _columns(asked: ConnectionFields, connector: ConnectorRow | None) -> dict[str, Any]:
    """What is said, but for params, as the ledger keeps it; system and `inaccessible` are the connector's."""
    said = {
        "alias": asked.alias,
        "project": asked.project,
        "frequency": None if asked.frequency is None else asked.frequency.value,
        "debug_mode": asked.debug_mode,
        "inaccessible": asked.inaccessible,
    }
    columns: dict[str, Any] = {name: value for name, value in said.items() if value is not None}
    if connector is not None:
        columns["connector_id"] = connector.connector_id
        columns |= {"system": connector.system, "inaccessible": connector.inaccessible}
    return columns


def _seal(call: Call) -> Seal | None:
    return call.state.vault.of(call.service.configuration)


async def _row(call: Call) -> ConnectionRow:
    """The connection of the address. Raises NotFound."""
    key, kind = call.id, call.of_kind
    return await call.service.read(lambda connection: sde_connections.get(connection, key, kind))


async def _answer(call: Call, row: ConnectionRow, shape: Shape, *, status: int = 200) -> Response:
    look = _Look.of(call)
    (shown,) = await call.service.read(lambda connection: look.wire(connection, [row], shape))
    return Answer(shown, status_code=status)


ADDRESSES = (
    Address("connections/{kind}", "Connection List", {"GET": listing, "POST": create}, right=editor),
    Address(
        "connections/{kind}/{key}",
        "Connection Instance",
        {"GET": single, "PUT": put, "PATCH": patch},
        right=editor,
    ),
)
