"""A server's connections, held against what the configuration wants of them. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from config.definitions import Configuration, SdeAgentRun, SdeRun
from config.faults import quoted
from runners.finding import Finding
from runners.sde.agent_plan import PERMISSIONS
from runners.sde.wire import Connection, Frequency, Kind, Listing

_NAMED = 10
"""Connections of one finding that are named."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the configuration wants of one server.

    Attributes:
        initiating: Jobs that initiate a connection, by their names.
        agents: What its agents do.
        commands: Names under `commands`.
    """

    initiating: tuple[tuple[str, SdeRun], ...]
    agents: tuple[SdeAgentRun, ...]
    commands: Collection[str]

    @classmethod
    def of(cls, server: str, configuration: Configuration) -> Wanted:
        """What its enabled jobs want of the server of that name."""
        runs = [(job.name, job.run) for job in configuration.jobs.values() if job.enabled]
        return cls(
            tuple((job, run) for job, run in runs if isinstance(run, SdeRun) and run.server == server),
            tuple(run for _, run in runs if isinstance(run, SdeAgentRun) and run.server == server),
            configuration.commands,
        )

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The kinds that jobs work on; all of them where there are no jobs yet."""
        return tuple(kind for kind in Kind if self.needs(kind)) or tuple(Kind)

    def needs(self, kind: Kind) -> bool:
        """Whether any job works on connections of this kind."""
        initiated = any(run.connection_kind == kind for _, run in self.initiating)
        return initiated or any(kind in run.kinds for run in self.agents)

    def has_agent(self, kind: Kind, frequency: str) -> bool:
        """Whether an agent here runs what is inaccessible of that kind and frequency."""
        return any(kind in run.kinds and run.frequency == frequency for run in self.agents)


def findings(wanted: Wanted, kind: Kind, listing: Listing[Connection]) -> Iterator[Finding]:
    """What an operator should know about the connections of one kind."""
    for fault in listing.faults[:1]:
        text = f"{len(listing.faults)} faults in its list of {kind} connections, the first: {fault}"
        yield Finding(
            "permission", sound=False, text=text, advice="report it to the server's vendor", warning=True
        )
    yield from _params(wanted, kind, listing.items)
    yield from _initiated(wanted, kind, {one.id: one for one in listing.items}, whole=not listing.faults)
    yield from _agents(wanted, kind, listing.items)


def _params(wanted: Wanted, kind: Kind, items: tuple[Connection, ...]) -> Iterator[Finding]:
    """Whether the token's user is shown params, without which no agent runs a connection."""
    read = f"{len(items)} {kind} connection{'' if len(items) == 1 else 's'} may be read"
    if any(one.has_params for one in items):
        yield Finding("permission", sound=True, text=f"{read}, params too")
    elif not items or not any(kind in run.kinds for run in wanted.agents):
        yield Finding("permission", sound=True, text=read if not items else f"{read}, without their params")
    elif not any(_is_ours(wanted, kind, one) for one in items):  # those are told of one by one
        text = f"{read}, without their params: an agent could not run them"
        yield Finding("params", sound=False, text=text, advice=_right(kind), warning=True)


def _initiated(wanted: Wanted, kind: Kind, known: dict[int, Connection], *, whole: bool) -> Iterator[Finding]:
    """Connections that jobs initiate: there, reached by the server, run by nobody else."""
    twice = []
    for job, run in wanted.initiating:
        if run.connection_kind != kind:
            continue
        one = known.get(run.connection)
        if one is None and whole:
            text = f"job {quoted(job)}: there is no {kind} connection {run.connection}, or it may not be seen"
            yield Finding("connection", sound=False, text=text, advice="mend connection in that job")
        elif one is not None and one.inaccessible:
            text = f"job {quoted(job)}: the server does not reach {kind} connection {one.id}, and cannot run it"
            yield Finding("connection", sound=False, text=text, advice="let run.sde_agent run it instead")
        elif one is not None and one.frequency != Frequency.MANUALLY:
            twice.append(one)
    if twice:
        text = f"the server also runs {kind} {_named(twice)} by their own frequency: they run twice"
        advice = "set their frequency to manually there, or take the jobs away here"
        yield Finding("connection", sound=False, text=text, advice=advice, warning=True)


def _agents(wanted: Wanted, kind: Kind, items: tuple[Connection, ...]) -> Iterator[Finding]:
    """Connections that the server does not reach: that somebody runs them, and can."""
    ours = [one for one in items if _is_ours(wanted, kind, one)]
    blind = [one for one in ours if not one.has_params]
    if blind:
        text = f"no agent can run {kind} {_named(blind)}: no params are shown"
        advice = "give them params there" if any(one.has_params for one in items) else _right(kind)
        yield Finding("params", sound=False, text=text, advice=advice)
    for command in sorted({one.command for one in ours if one.command not in wanted.commands}):
        needing = [one for one in ours if one.command == command]
        need = "needs" if len(needing) == 1 else "need"
        text = f"{kind} {_named(needing)} {need} the command {quoted(command)}, which is not under commands"
        advice = "write it under commands, if it is one that you trust"
        yield Finding("command", sound=False, text=text, advice=advice)
    due = [one for one in items if one.inaccessible and one.frequency != Frequency.MANUALLY]
    nobodys = [one for one in due if wanted.agents and one not in ours]
    if nobodys:
        text = f"nobody here runs {kind} {_named(nobodys)}, which the server does not reach"
        advice = "write a job with run.sde_agent of their frequency, unless another host runs them"
        yield Finding("connection", sound=False, text=text, advice=advice, warning=True)


def _is_ours(wanted: Wanted, kind: Kind, one: Connection) -> bool:
    return one.inaccessible and wanted.has_agent(kind, one.frequency)


def _named(connections: Iterable[Connection]) -> str:
    every = list(connections)
    names = [f"{one.id} ({one.alias}, {one.frequency})" for one in every[:_NAMED]]
    more = f" and {len(every) - _NAMED} more" if len(every) > _NAMED else ""
    return f"connection{'' if len(every) == 1 else 's'} {', '.join(names)}{more}"


def _right(kind: Kind) -> str:
    return f"give the token's user {PERMISSIONS[kind]}"
