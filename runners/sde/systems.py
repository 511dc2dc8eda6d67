"""The systems of the configuration, as the served SDE API names them; case does not matter."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from config.definitions import Configuration, SdeSystem
from runners.sde.wire import System

LDAP = "ldap"
"""The system of all LDAP connections."""

_LDAP_NAME = "LDAP"


@dataclass(frozen=True, slots=True)
class Systems(Collection[str]):
    """All of them; as a collection, of their ids in whatever case."""

    known: Mapping[str, tuple[str, SdeSystem]]

    @classmethod
    def of(cls, configuration: Configuration) -> Systems:
        """Those of this configuration."""
        return cls({name.casefold(): (name, system) for name, system in configuration.sde_systems.items()})

    def __contains__(self, system: object) -> bool:
        """Whether there is one with this id."""
        return isinstance(system, str) and system.casefold() in self.known

    def __iter__(self) -> Iterator[str]:
        """Their ids as the configuration has them."""
        return (name for name, _ in self.known.values())

    def __len__(self) -> int:
        """How many there are."""
        return len(self.known)

    def named(self, system: str) -> str:
        """The id as the configuration has it; one that is not known stays as it is."""
        return self.known[system.casefold()][0] if system in self else system

    def entry(self, system: str) -> SdeSystem | None:
        """What the configuration says of a system."""
        return self.known[system.casefold()][1] if system in self else None

    def shown(self, system: str) -> System:
        """As the API has it: id, a short name and a name."""
        entry = self.entry(system)
        plain = _LDAP_NAME if system.casefold() == LDAP else system
        name = (entry.name if entry is not None else None) or plain
        short = entry.short_name if entry is not None else None
        return System(self.named(system), short or name, name)

    def command(self, system: str, *, upload: bool) -> str:
        """Name of the command that runs connections of a system; empty where it is not known any more."""
        entry = self.entry(system)
        if entry is None:
            return ""
        return (entry.file if upload else None) or entry.command
