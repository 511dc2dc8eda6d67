"""What an attempt of an agent does with each connection: run it, or say why not. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from config.definitions import SdeAgentRun
from runners.api import AssetRef, AssetState
from runners.sde.agent_lists import Lists, Unlisted
from runners.sde.wire import Connection, Frequency, Kind, agent_view

LIST = "sde-list"
"""The type of what stands for the connections of a kind that could not be listed: KIND@SERVER."""

PERMISSIONS = {
    Kind.ALM: "the permission to edit ALM (issue tracker) connections",
    Kind.ANALYSIS: "the permission to edit verification connections",
    Kind.LDAP: "the rights of a superuser",
}
"""What the token's user needs to be shown params."""


@dataclass(frozen=True, slots=True)
class Runnable:
    """A connection that is to be run."""

    asset: AssetRef
    kind: Kind
    connection: Connection


@dataclass(frozen=True, slots=True)
class Settled:
    """An asset of which nothing is run: `state` and `reason` say why."""

    asset: AssetRef
    state: AssetState
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What an attempt does.

    Attributes:
        found: Assets that the run has from now on, if they are not known to it already.
        settled: Settled at once, lists first.
        runnable: In the order in which they are started.
        without_params: Connections whose params are not shown, by kind.
        in_progress: Left out, by kind: a job of theirs is in progress on the server.
    """

    found: tuple[AssetRef, ...]
    settled: tuple[Settled, ...]
    runnable: tuple[Runnable, ...]
    without_params: dict[Kind, list[int]]
    in_progress: dict[Kind, list[int]]


def asset_of(server: str, kind: Kind, connection: int) -> AssetRef:
    """A connection as an asset of a run."""
    return AssetRef(f"{connection}@{server}", f"sde-{kind}")


def list_of(server: str, kind: Kind) -> AssetRef:
    """The list of a kind as an asset of a run."""
    return AssetRef(f"{kind}@{server}", LIST)


def kinds_of(assets: Iterable[AssetRef]) -> tuple[Kind, ...]:
    """The kinds whose lists are needed for these assets, each once."""
    names = (a.id.partition("@")[0] if a.type == LIST else a.type.removeprefix("sde-") for a in assets)
    return tuple(dict.fromkeys(Kind(name) for name in names if name in set(Kind)))


class Planner:
    """Plans one attempt from the server's lists."""

    def __init__(self, server: str, run: SdeAgentRun, lists: Lists) -> None:
        self._server = server
        self._frequency = Frequency(run.frequency)
        self._lists = lists
        self._listed: dict[Kind, Mapping[AssetRef, Connection]] = {}
        self._found: dict[AssetRef, None] = {}
        self._settled: dict[AssetRef, Settled] = {}
        self._runnable: dict[AssetRef, Runnable] = {}
        self._without_params: dict[Kind, list[int]] = {}
        self._in_progress: dict[Kind, list[int]] = {}

    def first(self) -> Plan:
        """The first attempt's: all connections that are due."""
        for kind in self._lists.read:
            self._all(kind)
        for kind, unlisted in self._lists.unlisted.items():
            if not unlisted.missing:
                self._cannot(list_of(self._server, kind), unlisted)
        return self._plan()

    def later(self, assets: Iterable[AssetRef]) -> Plan:
        """A later attempt's: what is left of the run, and of kinds that could not be listed all that is due."""
        for asset in assets:
            kind = next(iter(kinds_of([asset])), None)
            if kind is None or asset.id.rpartition("@")[2] != self._server:
                self._fail(asset, f"the job runs connections of {self._server} now")
            elif (unlisted := self._lists.unlisted.get(kind)) is not None:
                self._cannot(asset, unlisted)
            elif asset.type == LIST:
                self._all(kind)
                self._settled[asset] = Settled(asset, AssetState.DONE)
            else:
                self._left(asset, kind)
        return self._plan()

    def _plan(self) -> Plan:
        """Lists before connections: what is told of the first assets is then told of them."""
        return Plan(
            found=tuple(sorted(self._found, key=lambda one: one.type != LIST)),
            settled=tuple(sorted(self._settled.values(), key=lambda one: one.asset.type != LIST)),
            runnable=tuple(self._runnable.values()),
            without_params=self._without_params,
            in_progress=self._in_progress,
        )

    def _all(self, kind: Kind) -> None:
        items = self._lists.read[kind].items
        view = agent_view(items, self._frequency)
        self._in_progress.update({kind: [one.id for one in view.in_progress]} if view.in_progress else {})
        due = {one.id: one for one in (*view.runnable, *view.without_params)}
        for number in dict.fromkeys(one.id for one in items if one.id in due):
            asset, connection = asset_of(self._server, kind, number), due[number]
            self._found[asset] = None
            self._take(asset, kind, connection)

    def _left(self, asset: AssetRef, kind: Kind) -> None:
        """A connection that an earlier attempt has found: the server may have changed it meanwhile."""
        connection = self._by_asset(kind).get(asset)
        if connection is None:
            self._fail(asset, "the server lists it no more")
        elif not connection.inaccessible:
            self._fail(asset, "it is no longer inaccessible: the server runs it itself")
        elif connection.frequency != self._frequency:
            self._fail(asset, f"its frequency is {connection.frequency} now")
        elif connection.in_progress:
            self._fail(asset, "a job of it is in progress on the server")
        else:
            self._take(asset, kind, connection)

    def _by_asset(self, kind: Kind) -> Mapping[AssetRef, Connection]:
        """The connections of a kind; of those that are listed twice the first."""
        if kind not in self._listed:
            items = reversed(self._lists.read[kind].items)
            self._listed[kind] = {asset_of(self._server, kind, one.id): one for one in items}
        return self._listed[kind]

    def _take(self, asset: AssetRef, kind: Kind, connection: Connection) -> None:
        if connection.has_params:
            self._runnable[asset] = Runnable(asset, kind, connection)
        else:
            ids = self._without_params.setdefault(kind, [])
            ids += [connection.id] if connection.id not in ids else []
            self._fail(asset, f"its params are not shown: the token's user needs {PERMISSIONS[kind]}")

    def _cannot(self, asset: AssetRef, unlisted: Unlisted) -> None:
        if asset.type == LIST:
            self._found[asset] = None
        state = AssetState.UNREACHABLE if unlisted.passing else AssetState.FAILED
        self._settled[asset] = Settled(asset, state, f"the connections cannot be listed: {unlisted.reason}")

    def _fail(self, asset: AssetRef, reason: str) -> None:
        self._settled[asset] = Settled(asset, AssetState.FAILED, reason)


def unreadable(lists: Lists) -> Iterator[tuple[Kind, str]]:
    """Kinds some of whose connections cannot be read, and the first fault of each."""
    for kind, listing in lists.read.items():
        if listing.faults:
            yield kind, str(listing.faults[0])
