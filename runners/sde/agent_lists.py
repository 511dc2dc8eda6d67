"""What an agent reads of a server before it works: the connections of each kind, patiently."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from runners.api import Execution
from runners.patience import StopAsked, unless
from runners.sde.asking import rest
from runners.sde.client import Client, Refused, Throttled, Unanswered
from runners.sde.wire import Connection, Kind, Listing
from runners.web import Unreachable

PAUSES = tuple(timedelta(seconds=seconds) for seconds in (2, 5, 15, 30))
"""Before each further try of an attempt whose lists are not answered."""

LONGEST = timedelta(minutes=15)
"""The most that a server may ask to be left alone."""


@dataclass(frozen=True, slots=True)
class Unlisted:
    """A kind whose connections are not known.

    Attributes:
        reason: Why, in words for an operator.
        passing: Whether the cause may go away by itself.
        missing: The server has no such list: it is older than that kind, or no SD Elements.
    """

    reason: str
    passing: bool
    missing: bool = False


@dataclass(frozen=True, slots=True)
class Lists:
    """The connections of a server by kind, in the order in which the kinds were asked for."""

    read: Mapping[Kind, Listing[Connection]]
    unlisted: Mapping[Kind, Unlisted] = field(default_factory=dict)


async def read_lists(execution: Execution, client: Client, kinds: Iterable[Kind]) -> Lists:
    """Read the list of each kind; one that is not answered is asked for again, for a minute in all.

    Raises:
        StopAsked: Meanwhile.
    """
    pauses = iter(PAUSES)
    read: dict[Kind, Listing[Connection]] = {}
    unlisted: dict[Kind, Unlisted] = {}
    for kind in kinds:
        try:
            read[kind] = await _list(execution, client, kind, pauses)
        except Refused as error:
            unlisted[kind] = Unlisted(str(error), passing=False, missing=error.status == 404)
        except (Throttled, Unreachable) as error:
            unlisted[kind] = Unlisted(str(error), passing=True)
    return Lists(read, unlisted)


async def _list(
    execution: Execution, client: Client, kind: Kind, pauses: Iterator[timedelta]
) -> Listing[Connection]:
    while True:
        if execution.stop.requested:
            raise StopAsked(execution.stop.reason)
        try:
            return await unless(execution.stop, client.connections(kind))
        except (Throttled, Unreachable) as error:
            pause = next(pauses, None)
            if pause is None:
                raise
            await rest(execution.clock, execution.stop, max(pause, min(_asked(error), LONGEST)))


def _asked(error: Throttled | Unreachable) -> timedelta:
    """How long the server wants to be left alone."""
    after = error.after if isinstance(error, Throttled | Unanswered) else None
    return after or timedelta(0)
