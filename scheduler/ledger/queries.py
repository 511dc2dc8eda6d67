"""What the faces read: runs in pages, the latest run of each job, events after a point.

The newest run is the one with the greatest fire time; of two, the one recorded last.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import product
from typing import Any

import sqlalchemy as sa

from runners.api import AssetState
from scheduler.ledger import runs, schema
from scheduler.ledger.errors import NotFound
from scheduler.ledger.rows import RUNS, job_row, run_row
from scheduler.lifecycle import ACTIVE, State
from scheduler.model import Actor, By, JobRow, Kind, RunRow

CHUNK = 500
"""Values in one IN list at the most."""

_RUNS = schema.runs
_NUMBER_DIGITS = 18  # more do not fit the ledger's integers
_PREFIX_DIGITS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFilter:
    """Which runs: of one job (by id), in any of `states`, with a fire time at or after `since`, with assets."""

    job_id: int | None = None
    states: frozenset[State] = field(default_factory=frozenset)
    since: datetime | None = None
    with_assets: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRow:
    """A line of the journal as the ledger keeps it; `run_id` is the run's GUID. Ids ascend in order of commits."""

    event_id: int
    at: datetime
    name: str
    job: str | None
    run_id: str | None
    attempt: int | None
    from_state: State | None
    to_state: State | None
    reason: str
    actor: Actor


def find_run(connection: sa.Connection, key: str) -> RunRow:
    """The run that `key` names: its GUID, the beginning of one GUID only, or its number; NotFound.

    Digits are a number first. Eight and more that are both a number and the beginning of a GUID are refused.
    """
    if not key:
        raise NotFound("write the run's id, its beginning, or its number")
    if not (key.isascii() and key.isdigit()):
        return runs.by_guid(connection, key)
    number = RUNS.where(_RUNS.c.run_no == (int(key) if len(key) <= _NUMBER_DIGITS else -1))
    found = connection.execute(number).one_or_none()
    if found is None:
        return runs.by_guid(connection, key)
    if len(key) >= _PREFIX_DIGITS and connection.execute(RUNS.where(_RUNS.c.run_id.startswith(key))).first():
        raise NotFound(f"{key} is the number of one run and the beginning of another's id: write more of the id")
    return run_row(found)


def list_runs(
    connection: sa.Connection, which: RunFilter, *, limit: int, before: RunRow | None = None
) -> list[RunRow]:
    """At most `limit` runs, newest first; only those older than `before`, where given."""
    if which.job_id is None and which.states and which.states <= ACTIVE and not which.with_assets:
        found = active_runs(connection, which.states, since=which.since)
        return [run for run in found if before is None or _age(run) < _age(before)][:limit]
    where = _conditions(which, before)
    newest = (_RUNS.c.fire_time.desc(), _RUNS.c.run_no.desc())
    if which.job_id is None:
        query = RUNS.where(*where).order_by(*newest).limit(limit)
        return [run_row(row) for row in connection.execute(query)]
    numbers = _numbers_of_job(which.job_id, where, limit)
    query = RUNS.where(_RUNS.c.run_no.in_(numbers)).order_by(*newest).limit(limit)
    return [run_row(row) for row in connection.execute(query)]


def _conditions(which: RunFilter, before: RunRow | None) -> list[sa.ColumnElement[bool]]:
    where: list[sa.ColumnElement[bool]] = []
    if which.states:
        where.append(_in(which.states))
    if which.with_assets:
        where.append(_RUNS.c.has_assets)
    if which.since is not None:
        where.append(_RUNS.c.fire_time >= which.since)
    if before is not None:
        older = sa.and_(_RUNS.c.fire_time == before.fire_time, _RUNS.c.run_no < before.run_no)
        where += [_RUNS.c.fire_time <= before.fire_time, sa.or_(_RUNS.c.fire_time < before.fire_time, older)]
    return where


def _in(states: frozenset[State]) -> sa.ColumnElement[bool]:
    """Written out and in order, so that SQLite sees where the index over the active runs will do."""
    values = [state.value for state in sorted(states)]
    return _RUNS.c.state.in_(sa.bindparam(None, values, expanding=True, literal_execute=True))


def _numbers_of_job(job_id: int, where: Iterable[sa.ColumnElement[bool]], limit: int) -> sa.Select[Any]:
    """The newest of each kind: the key (job, kind, fire time) is in that order already."""
    conditions = list(where)
    kinds = [
        sa.select(_RUNS.c.run_no)
        .where(_RUNS.c.job_id == job_id, _RUNS.c.kind == kind.value, *conditions)
        .order_by(_RUNS.c.fire_time.desc(), _RUNS.c.run_no.desc())
        .limit(limit)
        .subquery()
        for kind in Kind
    ]
    return sa.select(sa.union_all(*(sa.select(kind.c.run_no) for kind in kinds)).subquery().c.run_no)


def active_runs(
    connection: sa.Connection, states: frozenset[State] = ACTIVE, *, since: datetime | None = None
) -> list[RunRow]:
    """The runs in `states`, all of them active ones, with a fire time at or after `since`; newest first.

    There are never many of these among all runs, and an index holds just them: ordering them in SQL would rather
    walk all runs by fire time.
    """
    query = RUNS.where(_in(ACTIVE), _RUNS.c.state.in_([state.value for state in states]))
    found = [run_row(row) for row in connection.execute(query)]
    return sorted((run for run in found if since is None or run.fire_time >= since), key=_age, reverse=True)


def list_jobs(
    connection: sa.Connection, names: Collection[str] | None = None, *, after: str = "", limit: int = -1
) -> list[JobRow]:
    """Jobs by name without regard to case: only those of `names`, where given, and those after `after`."""
    table = schema.jobs
    query = sa.select(table).where(table.c.name_folded > after.casefold()).order_by(table.c.name_folded)
    if names is None:
        return [job_row(row) for row in connection.execute(query.limit(limit))]
    wanted = {name.casefold() for name in names}
    rows = (row for row in connection.execute(query) if row.name_folded in wanted)
    return [job_row(row) for row, _ in zip(rows, range(limit if limit >= 0 else len(wanted)), strict=False)]


def latest_runs(connection: sa.Connection, job_ids: Sequence[int]) -> dict[int, RunRow]:
    """The newest run of each job that has one, by job id: four steps into the key for each job."""
    jobs, others = schema.jobs, _RUNS.alias("others")
    found: dict[int, RunRow] = {}
    for start, kind in product(range(0, len(job_ids), CHUNK), Kind):
        newest = sa.select(sa.func.max(others.c.fire_time)).where(
            others.c.job_id == jobs.c.job_id, others.c.kind == kind.value
        )
        asked = jobs.c.job_id.in_(job_ids[start : start + CHUNK])
        query = RUNS.where(asked, _RUNS.c.kind == kind.value, _RUNS.c.fire_time == newest.scalar_subquery())
        for row in connection.execute(query):
            run = run_row(row)
            other = found.get(run.job_id)
            if other is None or _age(other) < _age(run):
                found[run.job_id] = run
    return found


def _age(run: RunRow) -> tuple[datetime, int]:
    """The greater, the newer."""
    return run.fire_time, run.run_no


def tallies(connection: sa.Connection, run_nos: Sequence[int]) -> Mapping[int, Counter[AssetState]]:
    """How many assets of each of these runs are in each state; an empty count for a run without assets."""
    rows = schema.run_assets
    found: defaultdict[int, Counter[AssetState]] = defaultdict(Counter)
    for start in range(0, len(run_nos), CHUNK):
        query = sa.select(rows.c.run_no, rows.c.state, sa.func.count())
        query = query.where(rows.c.run_no.in_(run_nos[start : start + CHUNK])).group_by(
            rows.c.run_no, rows.c.state
        )
        for run_no, state, count in connection.execute(query):
            found[run_no][AssetState(state)] = count
    return found


def body_of(connection: sa.Connection, row: JobRow) -> dict[str, Any]:
    """The present version of a job's definition as the ledger keeps it, without secrets."""
    versions = schema.job_versions
    query = sa.select(versions.c.body).where(versions.c.version_id == row.version_id)
    return dict(connection.execute(query).scalar_one())


def events_of_run(connection: sa.Connection, run_no: int) -> list[EventRow]:
    """The journal of a run, oldest first."""
    return _events(connection, schema.events.c.run_no == run_no)


def events_after(connection: sa.Connection, event_id: int, *, limit: int) -> list[EventRow]:
    """The events with a greater id than `event_id`, oldest first, at most `limit`."""
    return _events(connection, schema.events.c.event_id > event_id, limit=limit)


def journal(
    connection: sa.Connection, *, job_id: int | None, acts: bool, before: int | None, limit: int
) -> list[EventRow]:
    """The journal, newest first: of one job; with `acts` without what the clock did; ids below `before` only."""
    events = schema.events
    where = [
        sa.true() if job_id is None else events.c.job_id == job_id,
        events.c.actor_by != By.CLOCK.value if acts else sa.true(),
        sa.true() if before is None else events.c.event_id < before,
    ]
    return _events(connection, sa.and_(*where), limit=limit, newest=True)


def last_event_id(connection: sa.Connection) -> int:
    """The id of the newest event; 0 before the first."""
    return int(connection.execute(sa.select(sa.func.max(schema.events.c.event_id))).scalar() or 0)


def _events(
    connection: sa.Connection, where: sa.ColumnElement[bool], *, limit: int = -1, newest: bool = False
) -> list[EventRow]:
    events, jobs = schema.events, schema.jobs
    query = sa.select(events, jobs.c.name.label("job"), _RUNS.c.run_id)
    query = query.select_from(
        events.outerjoin(jobs, events.c.job_id == jobs.c.job_id).outerjoin(
            _RUNS, events.c.run_no == _RUNS.c.run_no
        )
    )
    order = events.c.event_id.desc() if newest else events.c.event_id
    rows = connection.execute(query.where(where).order_by(order).limit(limit))
    return [
        EventRow(
            event_id=row.event_id,
            at=row.at,
            name=row.name,
            job=row.job,
            run_id=row.run_id,
            attempt=row.attempt,
            from_state=None if row.from_state is None else State(row.from_state),
            to_state=None if row.to_state is None else State(row.to_state),
            reason=row.reason,
            actor=Actor(row.actor, By(row.actor_by), row.actor_from),
        )
        for row in rows
    ]
