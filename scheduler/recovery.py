"""What ran when the daemon died is found, ended, and continued or closed: nothing stays `running`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import datetime

import structlog

from config.definitions import JobDefinition
from runners import points
from scheduler.ledger import Connection, Ledger, attempts, finishing
from scheduler.model import RunRow

_log = structlog.get_logger()

EndLeftovers = Callable[[Collection[str]], Awaitable[int]]
"""Ends the processes that dead attempts (by their tokens) left behind; answers how many there were."""


async def recover(
    ledger: Ledger,
    definitions: Mapping[str, JobDefinition],
    *,
    end_leftovers: EndLeftovers,
    at: datetime,
) -> list[RunRow]:
    """Close every attempt that is open in the ledger; call it before the first turn, under the directory's lock.

    Returns the runs as they are then: retrying (a collection takes its remaining assets), lost or failed.
    """
    dead = await ledger.aread(attempts.open_ones)
    if not dead:
        return []
    ended = await end_leftovers([attempt.token for _, attempt in dead])
    points.passing("recover.before")
    recovered = []
    for run, attempt in dead:
        job, token = definitions.get(run.job), attempt.token
        recovered.append(await ledger.write(_closing(token, job, at)))
    points.passing("recover.after")
    _log.warning("recovered", attempts=len(recovered), processes_ended=ended)
    return recovered


def _closing(token: str, job: JobDefinition | None, at: datetime) -> Callable[[Connection], RunRow]:
    return lambda connection: finishing.close_dead(connection, token, job=job, at=at)
