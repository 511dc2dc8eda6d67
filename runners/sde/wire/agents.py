"""What an agent sees in a list of connections: those that the server cannot run itself, of one frequency."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from runners.sde.wire.connections import Connection
from runners.sde.wire.kinds import Frequency


@dataclass(frozen=True, slots=True)
class AgentView:
    """The inaccessible connections of a frequency, in the list's order.

    Attributes:
        runnable: To be run.
        without_params: Told, never run: the token's user may not see how.
        in_progress: Left alone: a job of theirs runs already.
    """

    runnable: tuple[Connection, ...]
    without_params: tuple[Connection, ...]
    in_progress: tuple[Connection, ...]


def agent_view(connections: Iterable[Connection], frequency: Frequency) -> AgentView:
    """What to do with these connections at the time of `frequency`; with MANUALLY, nothing.

    A connection that appears twice, as one may where the list changed between two pages, counts once.
    """
    due: dict[int, Connection] = {}
    for one in connections:
        if one.inaccessible and one.frequency == frequency and frequency is not Frequency.MANUALLY:
            due.setdefault(one.id, one)
    busy = tuple(one for one in due.values() if one.in_progress)
    free = [one for one in due.values() if not one.in_progress]
    return AgentView(
        runnable=tuple(one for one in free if one.has_params),
        without_params=tuple(one for one in free if not one.has_params),
        in_progress=busy,
    )
