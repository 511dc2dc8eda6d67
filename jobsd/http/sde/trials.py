"""Test calls: whether what is about to be kept would work. Nothing of them is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from starlette.responses import Response

from jobsd.http.sde import projects
from jobsd.http.sde.connectors import KINDS, editor
from jobsd.http.sde.errors import Answer, refused_field
from jobsd.http.sde.routes import Address, Call
from jobsd.http.sde.vault import opened, why_locked
from jobsd.http.service import Unanswered
from runners.sde.systems import LDAP, Systems
from runners.sde.trying import COMMAND_S, reach, run_test, test_command
from runners.sde.wire import (
    Kind,
    Trial,
    effective_params,
    named_id,
    parse_connection_trial,
    parse_connector_trial,
)
from scheduler.ledger import sde_connections
from scheduler.ledger.sde_connections import ConnectorRow

LONGEST_S = COMMAND_S + 15.0
"""Seconds that a test call may take, with the end of a command that does not want to end."""


async def connector(call: Call) -> Response:
    """Test what is said of a connector."""
    systems = Systems.of(call.service.configuration)
    return await _tried(call, parse_connector_trial(await call.data(), systems))


async def connection(call: Call) -> Response:
    """Test what is said of a connection; the params of the connector that it names are under its own."""
    configuration, kind, body = call.service.configuration, call.of_kind, await call.data()
    named = named_id(body, "connector")
    known = {} if named is None else await _connectors(call, named)
    row = next((row for row in known.values() if row.kind == kind), None)
    trial = parse_connection_trial(
        body if kind is not Kind.LDAP else _with_system(body),
        systems=Systems.of(configuration) if kind is not Kind.LDAP else None,
        connectors=lambda _key: row is not None,
        projects=lambda project: projects.exists(configuration, project),
    )
    return await _tried(call, trial if row is None else replace(trial, params=_over(call, row, trial)))


async def _connectors(call: Call, key: int) -> dict[int, ConnectorRow]:
    return await call.service.read(lambda ledger: sde_connections.several_connectors(ledger, [key]))


def _with_system(body: object) -> object:
    """LDAP connections have one system only: nobody need name it."""
    return {"system": LDAP, **body} if isinstance(body, Mapping) else body


def _over(call: Call, row: ConnectorRow, trial: Trial) -> dict[str, Any]:
    configuration = call.service.configuration
    seal = call.state.vault.of(configuration)
    defaults = opened(seal, row.params)
    if defaults is None:
        raise refused_field("connector", f"Its params cannot be opened: {why_locked(configuration, seal)}.")
    return effective_params(defaults, trial.params)


async def _tried(call: Call, trial: Trial) -> Response:
    service, kind = call.service, call.of_kind
    configuration = service.configuration
    command = test_command(trial, configuration)
    async with call.state.trials:
        if command is None:
            return Answer((await reach(trial, kind)).wire())
        # Children belong to the scheduling loop, and a test may take longer than an act.
        test = run_test(trial, kind, command, configuration, service.dispatcher.clock)
        future = asyncio.wrap_future(asyncio.run_coroutine_threadsafe(test, service.loop))
        try:
            async with asyncio.timeout(LONGEST_S):
                return Answer((await future).wire())
        except TimeoutError:
            raise Unanswered("the scheduling loop does not answer: nothing was tested") from None


ADDRESSES = (
    Address("connectors/test{kind}", "Connector Test", {"POST": connector}, KINDS, editor),
    Address("connections/test{kind}", "Connection Test", {"POST": connection}, right=editor),
)
