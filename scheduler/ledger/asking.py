"""What the ledger knows of a job around an instant, for the answer why."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from recurrence import fire_times
from recurrence.portable import schedule_from_json
from scheduler.ledger import attempts, jobs, moves, queries, runs, schema
from scheduler.ledger.rows import RUNS, run_row
from scheduler.lifecycle import State
from scheduler.model import JobRow, Kind, RunRow
from scheduler.why.facts import Change, Facts, Line, Version

_R, _E, _V = schema.runs.c, schema.events.c, schema.job_versions.c
_INSTANT = timedelta(microseconds=1)
_LAST = datetime.max.replace(tzinfo=UTC)
_LIVELIEST = (State.RUNNING, State.PENDING, State.RETRYING, State.INCOMPLETE)


def gather(connection: sa.Connection, key: str, *, at: datetime | None, now: datetime) -> Facts:
    """The facts of the job that `key` names, around `at`, or now; NotFound.

    Where `at` has no seconds, all of its minute is meant.
    """
    row = jobs.find(connection, key)
    active = runs.active_of(connection, row.job_id)
    instant = now if at is None else at
    meant = timedelta(minutes=1) if at is not None and not at.second else timedelta(seconds=1)
    until = min(instant, _LAST - meant) + meant
    if at is None:
        found, exact = _liveliest(active), True
    else:
        found, exact = _due(connection, row, instant, until)
        if found is None and instant < now:
            found = _alive(connection, row, instant)
    return Facts(
        row=row,
        at=instant,
        until=until,
        given=at is not None,
        run=found,
        exact=exact,
        attempts=[] if found is None else attempts.of_run(connection, found.run_no),
        lines=[] if found is None else _lines(connection, found),
        before=_newest(connection, row, instant, limit=1, skip=found),
        active=active,
        working=queries.active_runs(connection, frozenset({State.RUNNING})),
        versions=_versions(connection, row),
        changes=_changes(connection, row),
        moved_here=[] if found is not None else moves.moved_to(connection, row, instant, until),
    )


def _liveliest(active: Sequence[RunRow]) -> RunRow | None:
    return min(active, key=lambda run: _LIVELIEST.index(run.state), default=None)


def _due(connection: sa.Connection, row: JobRow, at: datetime, until: datetime) -> tuple[RunRow | None, bool]:
    """The run that was due then; of several, that of the occurrence."""
    mine = RUNS.where(_R.job_id == row.job_id)
    due = mine.where(_R.fire_time >= at, _R.fire_time < until).order_by(_R.kind != Kind.FIRE.value, _R.fire_time)
    found = connection.execute(due.limit(1)).one_or_none()
    if found is not None:
        return run_row(found), True
    stretches = mine.where(_R.fire_time <= at, _R.last_fire_time >= at).order_by(_R.fire_time.desc())
    for one in connection.execute(stretches).all():
        run = run_row(one)
        if _stands_for(connection, run, at, min(until, (run.last_fire_time or at) + _INSTANT)):
            return run, True
    return None, False


def _stands_for(connection: sa.Connection, run: RunRow, at: datetime, until: datetime) -> bool:
    """Whether an occurrence was due then, of those that the row of a stretch stands for."""
    query = sa.select(_V.schedule, _V.body).where(_V.version_id == run.version_id)
    version = connection.execute(query).one()
    schedule = _schedule(version.schedule)
    if schedule is None or version.body.get("on_exclude") == "next-day":  # what was moved there is not known here
        return True
    return any(fire_times(schedule, at - _INSTANT, until - _INSTANT))


def _alive(connection: sa.Connection, row: JobRow, at: datetime) -> RunRow | None:
    """The newest run that was due before, and was active then."""
    began = (_R.job_id == row.job_id, _R.fire_time < at, _R.opened_at <= at)
    query = RUNS.where(*began, sa.or_(_R.ended_at.is_(None), _R.ended_at > at)).order_by(_R.fire_time.desc())
    found = connection.execute(query.limit(1)).one_or_none()
    return None if found is None else run_row(found)


def _newest(
    connection: sa.Connection, row: JobRow, at: datetime, *, limit: int, skip: RunRow | None
) -> RunRow | None:
    query = RUNS.where(_R.job_id == row.job_id, _R.fire_time <= at)
    if skip is not None:
        query = query.where(_R.run_no != skip.run_no)
    found = connection.execute(query.order_by(_R.fire_time.desc()).limit(limit)).first()
    return None if found is None else run_row(found)


def _lines(connection: sa.Connection, run: RunRow) -> list[Line]:
    return [
        Line(
            row.at, row.name, None if row.to_state is None else row.to_state.value, row.reason,
            row.actor.name, row.actor.by.value,
        )
        for row in queries.events_of_run(connection, run.run_no)
    ]  # fmt: skip


def _versions(connection: sa.Connection, row: JobRow) -> list[Version]:
    query = sa.select(_V.version_id, _V.from_at, _V.schedule).where(_V.job_id == row.job_id)
    rows = connection.execute(query.order_by(_V.version_id))
    return [Version(one.version_id, one.from_at, _schedule(one.schedule)) for one in rows]


def _schedule(body: Any) -> Any:
    return None if body is None else schedule_from_json(body)


def _changes(connection: sa.Connection, row: JobRow) -> list[Change]:
    # Found by the index over run_no: by that over job_id SQLite would read the events of all its runs too.
    mine = (_E.run_no.is_(None), _E.job_id + 0 == row.job_id)
    query = sa.select(_E.at, _E.name, _E.reason, _E.actor).where(*mine)
    return [Change(*one) for one in connection.execute(query.order_by(_E.event_id))]
