"""`jobsd import sde`."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from config.definitions import Configuration, SdeServer
from config.faults import near_miss, quoted
from jobsd.cli.files import Failed, read
from jobsd.cli.options import CONFIG
from jobsd.cli.output import note, plain
from jobsd.credentials import with_credentials

if TYPE_CHECKING:
    from runners.sde.client import Client
    from runners.sde.wire import Connection, Kind

INSTALLED = Path("/etc/jobsd/jobsd.yaml")
"""The file of the systemd unit."""

_CLOSED = (403, 404)
"""A server without that kind, or a token that may not see it: the other kinds are read all the same."""


@dataclass(frozen=True, slots=True)
class _Read:
    """The connections of one kind, and what could not be read of them."""

    kind: Kind
    connections: tuple[Connection, ...]
    faults: tuple[str, ...] = ()


@click.command()
@click.option(
    "--server", "name", required=True, metavar="NAME", help="The SDE server, as FILE has it under servers."
)
@click.option(
    "-c", "--config", "path", type=CONFIG, metavar="FILE", default=INSTALLED, show_default=True,
    help="The YAML with the server.",
)  # fmt: skip
def sde(path: Path, *, name: str) -> None:
    """Print a job for every connection of an SD Elements server that has a frequency.

    What the server reaches is initiated there; what it does not is run here, by one agent for each frequency.
    Nothing is changed on the server; what could not be read is told, and the exit code is then 1.

    Example: jobsd import sde -c jobsd.yaml --server sde-prod > sde.yaml
    """
    # The client takes its time to load; --help needs none of it.
    from jobsd.cli.import_sde_yaml import Import, sde_yaml  # noqa: PLC0415

    configuration = read(path)
    server = _server(configuration, name)
    every = asyncio.run(_read_all(name, server, configuration.folder))
    if not any(one.connections for one in every) and any(one.faults for one in every):
        raise Failed("\n".join(plain(fault) for one in every for fault in one.faults))
    found = [(one.kind, connection) for one in every for connection in one.connections]
    faults = [fault for one in every for fault in one.faults]
    made = Import(name, server, configuration, found, faults)
    for line in sde_yaml(made, source=str(path)):
        click.echo(line)
    for fault in (*faults, *made.left_out()):
        note(fault)
    if faults:
        raise click.exceptions.Exit(1)


def _server(configuration: Configuration, name: str) -> SdeServer:
    found = configuration.servers.get(name)
    if isinstance(found, SdeServer):
        return found
    known = [other for other, server in configuration.servers.items() if isinstance(server, SdeServer)]
    if not known:
        raise Failed("the file has no server of type: sde; write it under servers")
    raise Failed(f"{quoted(name)} is no SDE server of the file: it has {', '.join(known)}{near_miss(name, known)}")


async def _read_all(name: str, server: SdeServer, folder: Path) -> list[_Read]:
    """Every kind's connections. Raises Failed where the server does not answer, or not to this token."""
    from runners.sde.client import Client  # noqa: PLC0415
    from runners.sde.wire import Kind  # noqa: PLC0415

    client = Client(server, folder=folder, environ=with_credentials(os.environ))
    try:
        return [await _read_kind(name, client, kind) for kind in Kind]
    finally:
        await client.aclose()


async def _read_kind(name: str, client: Client, kind: Kind) -> _Read:
    from runners.sde.client import Refused, Throttled  # noqa: PLC0415
    from runners.web import Unreachable  # noqa: PLC0415

    where = f"{name}: {kind} connections"
    try:
        found = await client.connections(kind)
    except Refused as error:
        if error.status not in _CLOSED:
            raise Failed(plain(f"{name}: {error.words}")) from None
        return _Read(kind, (), (f"{where} cannot be read: {error.words}",))
    except (Throttled, Unreachable) as error:
        raise Failed(plain(f"{name}: {error}")) from None
    faults = tuple(f"{where}: {fault}" for fault in found.faults)
    return _Read(kind, tuple(_once(found.items)), faults)


def _once(connections: tuple[Connection, ...]) -> Iterator[Connection]:
    """By id, each once: one may be on two pages where the list changed in between."""
    yield from {one.id: one for one in sorted(connections, key=lambda one: one.id)}.values()
