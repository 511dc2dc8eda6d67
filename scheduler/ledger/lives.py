"""Every run with its events and attempts, read side by side in one walk through the ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from typing import Any, Generic, TypeVar

import sqlalchemy as sa

from scheduler.checks.finding import Finding
from scheduler.checks.life import Line, Told, Try, faults
from scheduler.ledger import schema

T = TypeVar("T")
_AT_ONCE = 2_000
"""Rows fetched together: a ledger of years does not come into memory whole."""


def lives(connection: sa.Connection) -> Iterator[Finding]:
    """What is wrong with the life of each run."""
    lines = Beside(streamed(connection, _LINES), lambda row: Line(*row[1:]))
    tries = Beside(streamed(connection, _TRIES), lambda row: Try(*row[1:]))
    for number, *values in streamed(connection, _RUNS):
        run = Told(*values)
        for invariant, says in faults(run, lines.of(number), tries.of(number)):
            yield Finding(invariant, says, run.job, run.run_id)


def streamed(connection: sa.Connection, query: sa.Select[Any]) -> Iterator[Any]:
    """The rows of `query`, a few at a time."""
    return iter(connection.execution_options(yield_per=_AT_ONCE).execute(query))


class Beside(Generic[T]):
    """Rows in the order of their runs, handed out run by run as these are walked in the same order."""

    def __init__(self, rows: Iterable[Any], made: Callable[[Any], T]) -> None:
        self._groups = groupby(rows, key=lambda row: row[0])
        self._made = made
        self._next: tuple[int, list[T]] | None = self._step()

    def of(self, number: int) -> list[T]:
        """Those of this run."""
        while self._next is not None and self._next[0] < number:
            self._next = self._step()
        if self._next is None or self._next[0] != number:
            return []
        return self._next[1]

    def _step(self) -> tuple[int, list[T]] | None:
        found = next(self._groups, None)
        return None if found is None else (found[0], [self._made(row) for row in found[1]])


_R, _E, _A = schema.runs.c, schema.events.c, schema.attempts.c

_RUNS = (
    sa.select(
        _R.run_no,
        schema.jobs.c.name,
        _R.run_id,
        _R.state,
        _R.reason,
        _R.attempts,
        _R.opened_at,
        _R.started_at,
        _R.ended_at,
    )
    .join_from(schema.runs, schema.jobs)
    .order_by(_R.run_no)
)
_LINES = (
    sa.select(_E.run_no, _E.name, _E.at, _E.attempt, _E.from_state, _E.to_state, _E.reason)
    .where(_E.run_no.is_not(None))
    .order_by(_E.run_no, _E.event_id)
)
_TRIES = sa.select(_A.run_no, _A.number, _A.started_at, _A.ended_at).order_by(_A.run_no, _A.number)
