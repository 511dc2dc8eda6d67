"""Deleting ended runs and all that hangs on them, so little at a time that nobody waits for it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from scheduler.ledger import schema
from scheduler.lifecycle import FINAL

MOST_RUNS = 200
"""Runs in one transaction at the most."""

MOST_ROWS = 2_000
"""Rows in one transaction at the most, of what a run may have very many of."""

_MANY = (schema.check_results, schema.run_assets)
_FEW = (schema.attempts, schema.run_memory, schema.sde_jobs, schema.events)


def erase(connection: sa.Connection, run_nos: Sequence[int], *, deliveries_since: datetime | None = None) -> bool:
    """Delete the ended ones of these runs, at most MOST_RUNS; whether all of that is done.

    False: MOST_ROWS of their rows are gone, and it is to be called again. What is still to be delivered stays, and
    what was delivered at or after `deliveries_since`; both name no run any more.
    """
    runs = schema.runs
    ended = runs.c.run_no.in_(run_nos), runs.c.state.in_([state.value for state in sorted(FINAL)])
    numbers = list(connection.execute(sa.select(runs.c.run_no).where(*ended)).scalars())
    room = MOST_ROWS
    for table in _MANY:
        room -= _some(connection, table, numbers, room)
        if room <= 0:
            return False
    _detach(connection, numbers, deliveries_since)
    for table in _FEW:
        connection.execute(table.delete().where(table.c.run_no.in_(numbers)))
    connection.execute(runs.delete().where(runs.c.run_no.in_(numbers)))
    return True


def _some(connection: sa.Connection, table: sa.Table, numbers: Sequence[int], room: int) -> int:
    """Delete at most `room` rows of these runs; how many it were."""
    key = list(table.primary_key.columns)
    chosen = sa.select(*key).where(table.c.run_no.in_(numbers)).limit(room)
    return connection.execute(table.delete().where(sa.tuple_(*key).in_(chosen))).rowcount


def _detach(connection: sa.Connection, numbers: Sequence[int], since: datetime | None) -> None:
    """Delete the deliveries that go with their runs; the others name no run any more."""
    deliveries = schema.deliveries
    of_them = deliveries.c.run_no.in_(numbers)
    staying: sa.ColumnElement[bool] = deliveries.c.ended_at.is_(None)
    if since is not None:
        staying = sa.or_(staying, deliveries.c.ended_at >= since)
    connection.execute(deliveries.update().where(of_them, staying).values(run_no=None))
    connection.execute(deliveries.delete().where(of_them))
