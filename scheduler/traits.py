"""What distinguishes the kinds of `run:` for the scheduler, in one table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from config.definitions import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """What the scheduler has to know of a kind.

    Attributes:
        repeatable: Whether an interrupted attempt may be made again: what it did is known, or found again at the
            counterpart. Of any other the work may have been done, and nobody can be asked.
        ended_elsewhere: Its work goes on at a counterpart when the daemon dies, and has to be ended there when it
            may not.
    """

    repeatable: bool = True
    ended_elsewhere: bool = False


TRAITS: Mapping[str, Traits] = {
    "collect": Traits(),
    "command": Traits(repeatable=False),
    "http": Traits(repeatable=False),
    "ccs": Traits(ended_elsewhere=True),
    "sde": Traits(),
    "sde_file": Traits(),
    "sde_agent": Traits(),
    "sde_connection": Traits(repeatable=False),
}


def traits_of(run: Run) -> Traits:
    """Of a `run:`."""
    return TRAITS[run.kind]
