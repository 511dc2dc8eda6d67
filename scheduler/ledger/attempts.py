"""Attempts: who works on a run, fenced by a token. A token whose attempt has ended is worth nothing."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from runners.api import AssetRef, AssetReport, AssetState
from scheduler.ending import Ending
from scheduler.ledger import assets, deliveries, runs, schema
from scheduler.ledger.errors import Fenced
from scheduler.ledger.rows import attempt_row
from scheduler.lifecycle import Move, State
from scheduler.model import Actor, AttemptRow, Cause, RunRow

_CUT_OFF = ("interrupted", "lost")

_OPEN = sa.select(schema.attempts).where(
    schema.attempts.c.token == sa.bindparam("wanted"), schema.attempts.c.ended_at.is_(None)
)
"""Made once, as it is asked for at each report of an asset."""

_INSERT = schema.attempts.insert()

LEASE = timedelta(minutes=2)
"""An owner that has not renewed its attempts for this long is taken for dead (several daemons on one ledger)."""


@dataclass(frozen=True, slots=True)
class Started:
    """A started attempt: the run as it is now, the attempt, and the assets that are left.

    Attributes:
        told: The latest attempt before that was not cut off, 0 if there was none.
    """

    run: RunRow
    attempt: AttemptRow
    assets: tuple[AssetRef, ...]
    told: int


def start(
    connection: sa.Connection,
    run_no: int,
    cause: Cause,
    *,
    at: datetime,
    owner: str,
    actor: Actor,
    rerun_at: datetime | None = None,
) -> Started:
    """Start the run's next attempt. A rerun has a window of its own, from `rerun_at`, and a new count of tries.

    Every rerun time up to `at` is used up by it. Raises StaleMove where the run cannot start from its state.
    """
    before = runs.get(connection, run_no)
    number = before.attempts + 1
    again = before.state is State.INCOMPLETE
    begin = rerun_at or at
    window = before.cycle.window
    run = runs.move(
        connection,
        run_no,
        Move.RERUN if again else Move.START,
        at=at,
        actor=actor,
        attempt=number,
        attempts=number,
        tries=1 if again else before.tries + 1,
        interruptions=0 if again else before.interruptions,
        started_at=before.started_at or at,
        rerun_at=(rerun_at or at) if again else before.rerun_at,
        window_end=before.window_end if window is None or not again else begin + window,
        retry_at=None,
    )
    token = secrets.token_hex(16)
    values = {
        "run_no": run_no,
        "number": number,
        "cause": cause.value,
        "version_id": _present_version(connection, run.job_id),
        "owner": owner,
        "token": token,
        "lease_until": at + LEASE,
        "started_at": at,
    }
    connection.execute(_INSERT, values)
    attempt, left = by_token(connection, token)[1], assets.left(connection, run_no)
    return Started(run, attempt, left, _told(connection, run_no))


def _told(connection: sa.Connection, run_no: int) -> int:
    """The latest attempt of a run whose end was told."""
    query = sa.select(sa.func.max(schema.attempts.c.number)).where(
        schema.attempts.c.run_no == run_no, schema.attempts.c.ended.not_in(_CUT_OFF)
    )
    return connection.execute(query).scalar() or 0


def by_token(connection: sa.Connection, token: str) -> tuple[RunRow, AttemptRow]:
    """The run and the attempt with this token; Fenced if there is none, or it has ended."""
    row = connection.execute(_OPEN, {"wanted": token}).one_or_none()
    if row is None:
        raise Fenced("this attempt has ended: its token is worth nothing")
    return runs.get(connection, row.run_no), attempt_row(row)


def end(connection: sa.Connection, token: str, ending: Ending, *, at: datetime, actor: Actor) -> RunRow:
    """End the attempt with this token and move its run, in one transaction; Fenced or StaleMove otherwise."""
    run, attempt = by_token(connection, token)
    changes = {"ended_at": at, "ended": ending.ended, "reason": ending.reason, "exit_code": ending.exit_code}
    connection.execute(schema.attempts.update().where(schema.attempts.c.token == token).values(changes))
    return runs.move(
        connection,
        run.run_no,
        ending.move,
        at=at,
        actor=actor,
        reason=ending.reason,
        attempt=attempt.number,
        **ending.changes,
    )


def open_ones(connection: sa.Connection, owner: str | None = None) -> list[tuple[RunRow, AttemptRow]]:
    """Every attempt (of `owner`, where given) that has not ended, with its run."""
    query = sa.select(schema.attempts).where(schema.attempts.c.ended_at.is_(None))
    if owner is not None:
        query = query.where(schema.attempts.c.owner == owner)
    return [(runs.get(connection, row.run_no), attempt_row(row)) for row in connection.execute(query).all()]


def of_run(connection: sa.Connection, run_no: int) -> list[AttemptRow]:
    """The attempts of a run, in their order."""
    query = sa.select(schema.attempts).where(schema.attempts.c.run_no == run_no)
    return [attempt_row(row) for row in connection.execute(query.order_by(schema.attempts.c.number))]


def renew(connection: sa.Connection, owner: str, at: datetime) -> list[tuple[RunRow, AttemptRow]]:
    """Show that `owner` is alive: its health row says so, and its open attempts, returned, have new leases."""
    mine = (schema.attempts.c.owner == owner, schema.attempts.c.ended_at.is_(None))
    connection.execute(schema.attempts.update().where(*mine).values(lease_until=at + LEASE))
    known = schema.health.update().where(schema.health.c.owner == owner).values(alive_at=at)
    if not connection.execute(known).rowcount:
        connection.execute(schema.health.insert().values(owner=owner, alive_at=at))
    return open_ones(connection, owner)


def assets_found(connection: sa.Connection, token: str, found: Sequence[AssetRef]) -> None:
    """These are the run's assets; Fenced if the attempt has ended."""
    run, _ = by_token(connection, token)
    assets.add(connection, run.run_no, found)
    runs.has_assets_now(connection, run.run_no)


def asset_started(connection: sa.Connection, token: str, asset: AssetRef, at: datetime) -> None:
    """Work on an asset begins; Fenced if the attempt has ended."""
    run, attempt = by_token(connection, token)
    assets.started(connection, run.run_no, attempt.number, asset, at)


def asset_ended(connection: sa.Connection, token: str, report: AssetReport) -> None:
    """An asset is settled, with its results and what is posted of it; Fenced if the attempt has ended."""
    if report.state is AssetState.OPEN:
        raise ValueError(f"asset {report.asset.id}: a report settles an asset, it cannot leave it open")
    run, attempt = by_token(connection, token)
    assets.settle(connection, run.run_no, attempt.number, report)
    if (posting := report.posting) is not None:
        deliveries.create(
            connection,
            kind=posting.kind,
            about=posting.about,
            target=posting.target,
            body=posting.body,
            at=report.ended_at,
            channel=posting.channel,
            run=run,
        )


def _present_version(connection: sa.Connection, job_id: int) -> int:
    query = sa.select(schema.jobs.c.version_id).where(schema.jobs.c.job_id == job_id)
    return int(connection.execute(query).scalar_one())
