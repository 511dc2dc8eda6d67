"""The connections of an SDE server as jobsd's YAML. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from config.definitions import Configuration, FrequencyTimes, SdeServer, Secret
from config.values import format_duration
from jobsd.cli.names import plain_name, unique_name
from jobsd.cli.yaml_out import printable, text
from runners.sde.wire import Connection, Frequency, Kind

FREQUENCIES = tuple(frequency for frequency in Frequency if frequency is not Frequency.MANUALLY)

_HEAD = """\
# Made of the connections of {server} by `jobsd import sde -c {source}`: read it through, then `jobsd check` it.
# It is a whole file: run it by itself, or take its jobs over into another one.
version: 1
settings:
  timezone: {zone}"""
_TWICE = """\
# These the server reaches. It runs them by their frequency too: set that to manually there, or they run twice."""
_COMMANDS = """\
# The commands that its inaccessible connections name; an agent runs only what stands under commands. Fill in what
# you trust, and take the comment signs away:
# commands:"""

_DEFAULTS = """\
defaults:
  retry: {attempts: 3, backoff: 5m}  # without it a server that is down at the fire time fails the run"""

Found = tuple[Kind, Connection]


@dataclass(frozen=True, slots=True)
class Import:
    """What was read of one server.

    Attributes:
        found: In the order in which they are printed.
        faults: What could not be read, in words.
    """

    name: str
    server: SdeServer
    configuration: Configuration
    found: Sequence[Found]
    faults: Sequence[str] = ()

    def of(self, *, inaccessible: bool) -> list[Found]:
        """Those that fire by themselves, of one sort."""
        return [
            (kind, one)
            for kind, one in self.found
            if one.frequency in FREQUENCIES and one.inaccessible is inaccessible
        ]

    def left_out(self) -> Iterator[str]:
        """What has no job, in words."""
        by_hand = sum(one.frequency == Frequency.MANUALLY for _, one in self.found)
        if by_hand:
            yield f"{by_hand} connection{'' if by_hand == 1 else 's'} left out: run manually"
        for kind, one in self.found:
            if one.frequency not in tuple(Frequency):
                yield f"{_called(kind, one)} left out: its frequency {one.frequency!r} is not known here"


def sde_yaml(made: Import, *, source: str) -> Iterator[str]:
    """The lines of a whole file; what could not be taken over stands in it as a comment."""
    settings = made.configuration.settings
    yield from _HEAD.format(server=made.name, source=printable(source), zone=text(settings.timezone)).splitlines()
    yield from _frequencies(settings.frequencies)
    yield "servers:"
    yield f"  {text(made.name)}:"
    yield from _server(made)
    remote = made.of(inaccessible=True)
    if remote:
        yield from _commands(remote, made.configuration)
    for line in (*made.faults, *made.left_out()):
        yield f"# {printable(line)}"
    reached = made.of(inaccessible=False)
    if reached or remote:
        yield from _DEFAULTS.splitlines()
    yield "jobs:" if reached or remote else "jobs: []"
    taken: set[str] = set()
    if reached:
        yield from (f"  {line}" for line in _TWICE.splitlines())
    names = _bases(reached)
    for frequency in FREQUENCIES:
        members = [(kind, one) for kind, one in remote if one.frequency == frequency]
        if members:
            taken.add(_agent(made.name, frequency))
    for kind, one in reached:
        yield from _job(made.name, kind, one, unique_name(names[kind, one.id], taken))
    for frequency in FREQUENCIES:
        members = [(kind, one) for kind, one in remote if one.frequency == frequency]
        if members:
            yield from _agent_job(made.name, frequency, members)


def _frequencies(times: FrequencyTimes) -> Iterator[str]:
    """The keys that are not at their defaults."""
    usual = FrequencyTimes()
    lines = []
    for frequency in FREQUENCIES:
        block, default = getattr(times, frequency), getattr(usual, frequency)
        keys = [key for key in type(block).model_fields if getattr(block, key) != getattr(default, key)]
        if keys:
            lines.append(
                f"    {frequency}: {{{', '.join(f'{key}: {_time(getattr(block, key))}' for key in keys)}}}"
            )
    if times.spread != usual.spread:
        lines.append(f"    spread: {format_duration(times.spread)}")
    if lines:
        yield "  frequencies:"
        yield from lines


def _time(value: object) -> str:
    """A minute, a day, a weekday or a time of day."""
    if isinstance(value, int):
        return value.name.lower() if hasattr(value, "name") else str(value)
    return text(str(value))


def _server(made: Import) -> Iterator[str]:
    server = made.server
    yield "    type: sde"
    yield f"    url: {text(server.url)}"
    yield f"    token: {_secret(server.token, made.name)}"
    if server.ca is not None:
        yield f"    ca: {text(str(made.configuration.folder / server.ca))}"
    if not server.verify:
        yield "    verify: false"
    if "timeout" in server.model_fields_set:
        yield f"    timeout: {format_duration(server.timeout)}"


def _secret(secret: Secret, name: str) -> str:
    if secret.source == "literal":
        return f"{{credential: {text(name)}}}  # it stood in the file itself: hand it over as this credential"
    return f"{{{secret.source}: {text(secret.reference)}}}"


def _commands(remote: Iterable[Found], configuration: Configuration) -> Iterator[str]:
    yield from _COMMANDS.splitlines()
    needed: dict[str, list[str]] = {}
    for _, one in remote:
        needed.setdefault(one.command, []).append(str(one.id))
    for command, ids in sorted(needed.items()):
        known = "; FILE has it" if command in configuration.commands else ""
        argv = f'{{argv: [sde.py, {text(command)}, -I, -c, "-"], stdin: ini}}'
        yield f"#   {printable(f'{command}: {argv}')}  # for {', '.join(ids)}{known}"


def _job(server: str, kind: Kind, one: Connection, name: str) -> Iterator[str]:
    yield f"  - name: {text(name)}"
    if one.alias and one.alias != name:
        yield f"    description: {text(one.alias)}"
    yield f"    schedule: {{frequency: {one.frequency}}}"
    yield f"    run: {{sde: {{server: {text(server)}, kind: {kind}, connection: {one.id}}}}}{_about(one)}"


def _agent_job(server: str, frequency: Frequency, members: Sequence[Found]) -> Iterator[str]:
    yield f"  - name: {text(_agent(server, frequency))}"
    yield f"    description: {text(f'Connections that {server} does not reach, {frequency}')}"
    yield f"    schedule: {{frequency: {frequency}}}"
    yield f"    run: {{sde_agent: {{server: {text(server)}, frequency: {frequency}}}}}"
    for kind, one in members:
        unseen = "" if one.has_params else "; its params are not shown to this token, so it cannot be run"
        yield f"    # {printable(f'{_called(kind, one)}: {one.command}{unseen}')}{_about(one)}"


def _agent(server: str, frequency: Frequency) -> str:
    return f"{server}-agent-{frequency}"


def _called(kind: Kind, one: Connection) -> str:
    return f"{kind} connection {one.id} ({one.alias})"


def _about(one: Connection) -> str:
    parts = [one.system.title, "" if one.project is None else f"project {one.project}"]
    told = ", ".join(part for part in parts if part)
    return f"  # {printable(told)}" if told else ""


def _bases(found: Sequence[Found]) -> dict[tuple[Kind, int], str]:
    """Names by kind and id: of the alias, with kind and id where that says nothing or several have it."""
    plain = {(kind, one.id): plain_name(one.alias) for kind, one in found}
    count = Counter(plain.values())
    return {
        (kind, number): base if base and count[base] == 1 else "-".join(filter(None, (base, kind, str(number))))
        for (kind, number), base in plain.items()
    }
