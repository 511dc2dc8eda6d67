"""What ended before it began. A clock that was set back explains it, as far as the journal shows that."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from scheduler.checks.finding import Finding
from scheduler.checks.life import iso
from scheduler.ledger import clockback, schema
from scheduler.ledger.lives import streamed

SLACK = timedelta(minutes=1)
"""What is planned bears the instant of the plan, and may be written after what ended meanwhile."""

_R, _J, _A, _S, _D = schema.runs.c, schema.jobs.c, schema.attempts.c, schema.run_assets.c, schema.deliveries.c


def disordered(connection: sa.Connection) -> Iterator[Finding]:
    """Whatever happened before what must have come first."""
    found = [(says, *row) for says, query in _PAIRS for row in connection.execute(query)]
    if not found:
        return
    allowed = set_back(connection) + SLACK
    for says, job, run_id, name, first, then in found:
        if first - then > allowed:
            yield Finding("order", says.format(name=name, first=iso(first), then=iso(then)), job, run_id)


def set_back(connection: sa.Connection) -> timedelta:
    """By how much the clock was ever set back, as the journal and the daemons' signs of life have it."""
    events = schema.events.c
    said = sa.case((events.name == clockback.NAME, events.reason))
    journal = sa.select(events.at, said).order_by(events.event_id)
    daemons = sa.select(schema.health.c.alive_at).order_by(
        sa.text("health.rowid")
    )  # each begins after the one before
    written = (at for row in streamed(connection, journal) for at in _shown(*row))
    return max(_most_back(written), _most_back(at for (at,) in streamed(connection, daemons)))


def _shown(at: datetime, said: str | None) -> Iterator[datetime]:
    """What the clock showed, as an event has it, one after the other."""
    before = None if said is None else clockback.had_shown(said)
    if before is not None:
        yield before
    yield at


def _most_back(instants: Iterable[datetime]) -> timedelta:
    most, newest = timedelta(0), None
    for at in instants:
        if newest is None or at > newest:
            newest = at
        most = max(most, newest - at)
    return most


def _pair(
    first: sa.Column[datetime], then: sa.Column[datetime], name: Any, table: sa.Table | None = None
) -> sa.Select[Any]:
    query = sa.select(_J.name, _R.run_id, name, first, then).join_from(schema.runs, schema.jobs)
    if table is not None:
        query = query.join(table, table.c.run_no == _R.run_no)
    return query.where(then < first)


_NAMELESS = sa.literal("")
_PAIRS = (
    ("it ended at {then}, before it was opened at {first}", _pair(_R.opened_at, _R.ended_at, _NAMELESS)),
    ("it began at {then}, before it was opened at {first}", _pair(_R.opened_at, _R.started_at, _NAMELESS)),
    (
        "its attempt {name} ended at {then}, before it began at {first}",
        _pair(_A.started_at, _A.ended_at, _A.number, schema.attempts),
    ),
    (
        "its asset {name} was settled at {then}, before it was begun at {first}",
        _pair(_S.started_at, _S.ended_at, _S.asset_id, schema.run_assets),
    ),
    (
        "its delivery {name} ended at {then}, before it was written at {first}",
        _pair(_D.created_at, _D.ended_at, _D.delivery_id, schema.deliveries),
    ),
)
