"""What is examined: a file, the state folder that belongs to it, the environment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from config.definitions import Configuration
from jobsd.cli.finding import SYSTEM
from jobsd.credentials import with_credentials
from jobsd.state import ledger_path


@dataclass(frozen=True, slots=True)
class Patient:
    """A valid configuration, where its daemon keeps its state, and what surrounds it.

    Attributes:
        path: The YAML, as it was given.
        state: The state folder, if it was named; else it is where the daemon would have it.
        environ: The environment in which secrets are looked up.
    """

    path: Path
    configuration: Configuration
    state: Path | None
    environ: Mapping[str, str]

    @classmethod
    def of(
        cls, path: Path, configuration: Configuration, environ: Mapping[str, str], *, state: Path | None = None
    ) -> Patient:
        """As the daemon would be started; outside its unit, with the unit's credentials where they can be seen."""
        return cls(path, configuration, state, with_credentials(environ))

    def ledger(self) -> Path:
        """The ledger's file. Raises UnsupportedLedger."""
        if self.state is not None:
            return self.state.resolve() / "ledger.db"
        settings = self.configuration.settings
        found = ledger_path(settings, self.environ)
        named = settings.ledger is not None or self.environ.get("STATE_DIRECTORY")
        if not named and not found.parent.exists() and _is_folder(SYSTEM):
            return SYSTEM / "ledger.db"
        return found

    def relative(self, name: str) -> Path:
        """A path of the YAML: relative ones are from its folder."""
        return self.configuration.folder / name


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False


def ancestors(path: Path) -> Iterator[Path]:
    """`path` and the folders it lies in, outwards."""
    yield path
    yield from path.parents
