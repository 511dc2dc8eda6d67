"""Connectors: list, get, create, change. They hold defaults of the params of their connections."""

from __future__ import annotations

from typing import Any

import structlog
from starlette.responses import Response

from jobsd.http.sde import keeping
from jobsd.http.sde.errors import Answer
from jobsd.http.sde.rights import may_edit
from jobsd.http.sde.routes import Address, Call
from jobsd.http.sde.showing import Shower
from jobsd.http.sde.vault import merged
from runners.sde.systems import Systems
from runners.sde.wire import ConnectorFields, Kind, paged, parse_connector_request, parse_paging
from scheduler.ledger import Connection, sde_connections
from scheduler.ledger.sde_connections import ConnectorRow

KINDS = frozenset({Kind.ALM, Kind.ANALYSIS})
"""LDAP connections have no connector."""

_log = structlog.get_logger()


def editor(call: Call) -> bool:
    """Whether the caller may edit what the address is about."""
    return may_edit(call.caller.user, call.of_kind)


def shower(call: Call) -> Shower:
    """What shows rows to the caller, by the configuration in force."""
    configuration = call.service.configuration
    return Shower(configuration, call.state.vault.of(configuration))


async def listing(call: Call) -> Response:
    """All of a kind, by id."""
    showing, params, kind = shower(call), editor(call), call.of_kind

    def read(connection: Connection) -> list[dict[str, Any]]:
        rows = sde_connections.connectors(connection, kind)
        return [showing.connector(row, params=params).wire(params=params) for row in rows]

    return Answer(paged(await call.service.read(read), parse_paging(call.query), call.url))


async def single(call: Call) -> Response:
    """One."""
    return _answer(call, await _row(call))


async def create(call: Call) -> Response:
    """Make one."""
    configuration = call.service.configuration
    asked = parse_connector_request(await call.data(), systems=Systems.of(configuration))
    values, at = {"kind": call.of_kind.value, "params": None, **_columns(call, asked, None)}, call.service.now()
    row = await call.service.ledger.write(
        lambda connection: sde_connections.add_connector(connection, values, at=at)
    )
    _log.info("sde_connector_made", connector=row.connector_id, kind=row.kind, user=call.caller.user.name)
    return _answer(call, row, status=201)


async def patch(call: Call) -> Response:
    """Change what is said."""
    return await _change(call, partial=True)


async def put(call: Call) -> Response:
    """Change all of it."""
    return await _change(call, partial=False)


async def _change(call: Call, *, partial: bool) -> Response:
    await _row(call)  # what is not there is not judged
    systems = Systems.of(call.service.configuration)
    asked = parse_connector_request(await call.data(), partial=partial, systems=systems)
    async with call.state.changes:
        before = await _row(call)
        kept = before.params if partial else None
        row = await keeping.change_connector(call, before, _columns(call, asked, kept))
    _log.info("sde_connector_changed", connector=row.connector_id, kind=row.kind, user=call.caller.user.name)
    return _answer(call, row)


def _columns(call: Call, asked: ConnectorFields, kept: str | None) -> dict[str, Any]:
    """What is said, as the ledger keeps it; params over those `kept`. Raises Turned (400), see `merged`."""
    configuration = call.service.configuration
    said: dict[str, Any] = {"name": asked.name, "inaccessible": asked.inaccessible}
    if asked.system is not None:
        said["system"] = Systems.of(configuration).named(asked.system)
    columns = {name: value for name, value in said.items() if value is not None}
    if asked.params is not None:
        columns["params"] = merged(call.state.vault.of(configuration), kept, asked.params)
    return columns


async def _row(call: Call) -> ConnectorRow:
    key, kind = call.id, call.of_kind
    return await call.service.read(lambda connection: sde_connections.connector(connection, key, kind))


def _answer(call: Call, row: ConnectorRow, *, status: int = 200) -> Response:
    params = editor(call)
    return Answer(shower(call).connector(row, params=params).wire(params=params), status_code=status)


ADDRESSES = (
    Address("connectors/{kind}", "Connector List", {"GET": listing, "POST": create}, KINDS, editor),
    Address(
        "connectors/{kind}/{key}", "Connector Instance", {"GET": single, "PUT": put, "PATCH": patch}, KINDS, editor
    ),
)
