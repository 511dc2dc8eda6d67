"""The jobs of the served SDE API: runs of connections, with what only that API keeps of them.

Shown are the runs that have started and those that the API itself opened. Their id there is `run_no`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from scheduler.ledger import schema
from scheduler.ledger.errors import NotFound
from scheduler.ledger.sde_connections import chunks, numbered
from scheduler.lifecycle import FINAL, State
from scheduler.model import Kind

SERVICE_USER = "no-reply+admin@localhost"
"""Who runs what is put on the queue, and who asked for it where nobody did."""

_RUNS, _CONNECTIONS, _KEPT = schema.runs, schema.sde_connections, schema.sde_jobs
_automatic = sa.func.coalesce(_KEPT.c.automatic, _RUNS.c.kind == Kind.FIRE.value)
_user = sa.func.coalesce(_KEPT.c.user, SERVICE_USER)
_SHOWN = sa.or_(_RUNS.c.started_at.is_not(None), _KEPT.c.run_no.is_not(None))
_NEWEST = _RUNS.c.run_no.desc()


@dataclass(frozen=True, slots=True, kw_only=True)
class SdeJob:
    """A run as a job of the API.

    Attributes:
        connection_id: Of its connection, which is of `kind`.
        run_at: When it started; before that, and where it ran elsewhere, when it was accepted.
        reason: Why it is in its state; empty where nothing is to be said.
        automatic: A scheduler asked for it, not a person.
        user: E-mail of who ran it.
        triggered_by: E-mail of who asked for it.
        attachment: Name of the file that was imported with it.
    """

    run_no: int
    connection_id: int
    kind: str
    state: State
    reason: str
    opened_at: datetime
    run_at: datetime
    automatic: bool
    user: str
    triggered_by: str
    attachment: str | None

    @property
    def ready(self) -> bool:
        """Whether it has ended."""
        return self.state in FINAL

    @property
    def succeeded(self) -> bool:
        """Whether it has ended well."""
        return self.state is State.SUCCEEDED

    def at_first(self) -> SdeJob:
        """As it was when it had just been put on the queue."""
        return replace(self, state=State.PENDING, reason="", run_at=self.opened_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which jobs: those that meet all that is not None; `user` is the exact e-mail of who ran them."""

    kind: str | None = None
    project: int | None = None
    connection: int | None = None
    automatic: bool | None = None
    ready: bool | None = None
    succeeded: bool | None = None
    user: str | None = None


def add(
    connection: sa.Connection,
    run_no: int,
    *,
    automatic: bool,
    user: str,
    triggered_by: str,
    attachment: str | None = None,
) -> None:
    """Keep what the API says of a run that it has just opened."""
    values = {"automatic": automatic, "user": user, "triggered_by": triggered_by, "attachment": attachment}
    connection.execute(_KEPT.insert().values(run_no=run_no, **values))


def get(connection: sa.Connection, run_no: int, *, kind: str | None = None, project: int | None = None) -> SdeJob:
    """The job with this id, of this kind and project. Raises NotFound."""
    where = [*_conditions(Wanted(kind=kind, project=project)), numbered(_RUNS.c.run_no, run_no)]
    row = connection.execute(_jobs().where(*where)).one_or_none()
    if row is None:
        raise NotFound(f"there is no SDE job {run_no}")
    return _job(row)


def count(connection: sa.Connection, wanted: Wanted) -> int:
    """How many there are."""
    query = _joined(sa.select(sa.func.count())).where(*_conditions(wanted))
    return int(connection.execute(query).scalar_one())


def page(
    connection: sa.Connection, wanted: Wanted, *, limit: int | None = None, offset: int = 0
) -> Iterator[SdeJob]:
    """Those wanted, newest first, without the first `offset`, at most `limit`; to be read up before the next."""
    query = _jobs().where(*_conditions(wanted)).order_by(_NEWEST).offset(offset)
    return map(_job, connection.execute(query if limit is None else query.limit(limit)))


def last_jobs(connection: sa.Connection, connection_ids: Collection[int]) -> dict[int, SdeJob]:
    """The newest job of each of these connections, by its id; those that have none are missing."""
    runs, kept = _RUNS.alias(), _KEPT.alias()
    newest = (
        sa.select(runs.c.run_no)
        .join_from(runs, kept, kept.c.run_no == runs.c.run_no, isouter=True)
        .where(
            runs.c.job_id == _CONNECTIONS.c.job_id,
            sa.or_(runs.c.started_at.is_not(None), kept.c.run_no.is_not(None)),
        )
        .order_by(runs.c.run_no.desc())
        .limit(1)
        .correlate(_CONNECTIONS)
        .scalar_subquery()
    )
    found: dict[int, SdeJob] = {}
    for some in chunks(connection_ids):
        numbers = sa.select(newest).select_from(_CONNECTIONS).where(_CONNECTIONS.c.connection_id.in_(some))
        rows = connection.execute(_jobs().where(_RUNS.c.run_no.in_(numbers)))
        found |= {row.connection_id: _job(row) for row in rows}
    return found


def in_progress(connection: sa.Connection, connection_ids: Collection[int]) -> set[int]:
    """Those of these connections of which a run is active."""
    query = sa.select(_CONNECTIONS.c.connection_id).join_from(
        _RUNS, _CONNECTIONS, _CONNECTIONS.c.job_id == _RUNS.c.job_id
    )
    active = connection.execute(query.where(schema.IS_ACTIVE)).scalars()  # never many: an index holds just them
    return set(active) & set(connection_ids)


def _jobs() -> sa.Select[Any]:
    return _joined(
        sa.select(
            _RUNS.c.run_no,
            _RUNS.c.state,
            _RUNS.c.reason,
            _RUNS.c.opened_at,
            sa.func.coalesce(_RUNS.c.started_at, _RUNS.c.opened_at, type_=schema.Instant).label("run_at"),
            _CONNECTIONS.c.connection_id,
            _CONNECTIONS.c.kind,
            sa.type_coerce(_automatic, sa.Boolean).label("automatic"),
            _user.label("user"),
            sa.func.coalesce(_KEPT.c.triggered_by, SERVICE_USER).label("triggered_by"),
            _KEPT.c.attachment,
        )
    )


def _joined(query: sa.Select[Any]) -> sa.Select[Any]:
    of_connection = _RUNS.join(_CONNECTIONS, _CONNECTIONS.c.job_id == _RUNS.c.job_id)
    return query.select_from(of_connection.outerjoin(_KEPT, _KEPT.c.run_no == _RUNS.c.run_no))


def _conditions(wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    given: list[tuple[object, sa.ColumnElement[bool]]] = [
        (wanted.kind, _CONNECTIONS.c.kind == wanted.kind),
        (wanted.project, numbered(_CONNECTIONS.c.project, wanted.project or 0)),
        (wanted.connection, numbered(_CONNECTIONS.c.connection_id, wanted.connection or 0)),
        (wanted.automatic, _automatic == wanted.automatic),
        (wanted.ready, _RUNS.c.ended_at.is_not(None) == wanted.ready),
        (wanted.succeeded, (_RUNS.c.state == State.SUCCEEDED.value) == wanted.succeeded),
        (wanted.user, _user == wanted.user),
    ]
    return [_SHOWN, *(condition for value, condition in given if value is not None)]


def _job(row: sa.Row[Any]) -> SdeJob:
    return SdeJob(
        run_no=row.run_no,
        connection_id=row.connection_id,
        kind=row.kind,
        state=State(row.state),
        reason=row.reason,
        opened_at=row.opened_at,
        run_at=row.run_at,
        automatic=row.automatic,
        user=row.user,
        triggered_by=row.triggered_by,
        attachment=row.attachment,
    )
