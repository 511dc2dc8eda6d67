"""Runs: opening them, and every change of their state."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from recurrence.schedule import Occurrence
from runners import points
from runners.api import AssetRef, StopReason
from scheduler import cycle as cycles
from scheduler.ledger import assets, events, notifying, schema
from scheduler.ledger.errors import NotFound, StaleMove
from scheduler.ledger.rows import RUNS, cycle_to_json, run_row
from scheduler.lifecycle import FINAL, TRANSITIONS, Move, State, legal
from scheduler.model import Actor, Cycle, JobRow, Kind, RunRow
from scheduler.planner.actions import PAUSED

_TICK = timedelta(microseconds=1)

_UNDER_A_STOP = frozenset({Move.INTERRUPT, Move.START})
"""Moves over which a stop stays on record: it was asked for and has not been answered."""


_ONE = RUNS.where(schema.runs.c.run_no == sa.bindparam("wanted"))
_SAME = sa.select(schema.runs.c.run_no).where(
    schema.runs.c.job_id == sa.bindparam("job"),
    schema.runs.c.kind == sa.bindparam("of_kind"),
    schema.runs.c.fire_time == sa.bindparam("at"),
)
_INSERT = schema.runs.insert().returning(schema.runs.c.run_no)
_UPDATE = schema.runs.update().where(
    schema.runs.c.run_no == sa.bindparam("wanted"), schema.runs.c.state == sa.bindparam("was")
)
"""Statements are made once: making one costs more than executing it, and every change of a run needs several."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRun:
    """What a run is opened with; `state` is pending, or a final one for an occurrence that does not run."""

    kind: Kind
    occurrence: Occurrence
    zone: str
    cycle: Cycle
    state: State = State.PENDING
    reason: str = ""
    assets: Sequence[AssetRef] = ()
    has_assets: bool = False
    last: datetime | None = None
    count: int = 1
    parent_run: str | None = None
    moved_from: datetime | None = None


def get(connection: sa.Connection, run_no: int) -> RunRow:
    """The run with this number; NotFound."""
    row = connection.execute(_ONE, {"wanted": run_no}).one_or_none()
    if row is None:
        raise NotFound(f"there is no run {run_no}")
    return run_row(row)


def by_guid(connection: sa.Connection, run_id: str) -> RunRow:
    """The run with this GUID, or with a GUID that begins so, if only one does; NotFound otherwise."""
    name = schema.runs.c.run_id
    found = connection.execute(RUNS.where(name == run_id.lower())).all()
    if not found:
        found = connection.execute(RUNS.where(name.startswith(run_id.lower(), autoescape=True)).limit(2)).all()
    if len(found) != 1:
        raise NotFound(f"there is no run {run_id}" if not found else f"more than one run begins with {run_id}")
    return run_row(found[0])


def active_of(connection: sa.Connection, job_id: int) -> list[RunRow]:
    """The job's runs that are not final, oldest first."""
    query = RUNS.where(schema.runs.c.job_id == job_id, schema.IS_ACTIVE)
    return [run_row(row) for row in connection.execute(query.order_by(schema.runs.c.run_no))]


def last_paused(connection: sa.Connection, job_id: int, *, since: datetime) -> RunRow | None:
    """The row of the job's last occurrence at or after `since` that a pause passed over, or None."""
    runs = schema.runs.c
    skipped = (runs.job_id == job_id, runs.kind == Kind.FIRE.value, runs.state == State.SKIPPED.value)
    paused = sa.or_(runs.reason == PAUSED, runs.reason.startswith(f"{PAUSED}: ", autoescape=True))
    recent = sa.func.coalesce(runs.last_fire_time, runs.fire_time, type_=schema.Instant) >= since
    query = RUNS.where(*skipped, paused, recent).order_by(runs.fire_time.desc()).limit(1)
    row = connection.execute(query).one_or_none()
    return None if row is None else run_row(row)


def open_run(connection: sa.Connection, job: JobRow, new: NewRun, *, at: datetime, actor: Actor) -> RunRow | None:
    """Open a run; None if this occurrence has its row already.

    A manual, posted or run-now run takes the next free microsecond instead. The assets are frozen here.
    """
    fire_time = new.occurrence.fire_time
    while _exists(connection, job.job_id, new.kind, fire_time):
        if new.kind is Kind.FIRE:
            return None
        fire_time += _TICK
    final = new.state in FINAL
    window_end = None if new.cycle.window is None else fire_time + new.cycle.window
    values: dict[str, Any] = {
        "run_id": str(uuid.uuid4()),
        "job_id": job.job_id,
        "version_id": job.version_id,
        "kind": new.kind.value,
        "fire_time": fire_time,
        "civil": new.occurrence.civil.isoformat(),
        "zone": new.zone,
        "occurrences": new.count,
        "last_fire_time": new.last,
        "parent_run": new.parent_run,
        "moved_from": new.moved_from,
        "state": new.state.value,
        "reason": new.reason,
        "opened_at": at,
        "ended_at": at if final else None,
        "cycle": cycle_to_json(new.cycle),
        "has_assets": new.has_assets,
        "window_end": window_end,
        "wake_at": None if final else at,
    }
    points.passing("open.before")
    run = get(connection, connection.execute(_INSERT, values).scalar_one())
    if new.assets and not final:
        connection.execute(schema.run_assets.insert(), assets.opened(run.run_no, new.assets))
    event = events.Event(at=at, name="open", job=job.name, actor=actor, reason=new.reason, run=run)
    events.append(connection, event, job_id=job.job_id)
    notifying.run_opened(connection, run, at)
    points.passing("open.after")
    return run


def _exists(connection: sa.Connection, job_id: int, kind: Kind, fire_time: datetime) -> bool:
    key = {"job": job_id, "of_kind": kind.value, "at": fire_time}
    return connection.execute(_SAME, key).first() is not None


def move(
    connection: sa.Connection,
    run_no: int,
    name: Move,
    *,
    at: datetime,
    actor: Actor,
    reason: str = "",
    attempt: int | None = None,
    **changes: Any,
) -> RunRow:
    """Make a transition, compare-and-set, with its event; `changes` are further columns of the run.

    Raises:
        StaleMove: The run is in a state from which `name` is not legal, or was deleted.
    """
    before = _still(connection, run_no)
    if not legal(name, before.state):
        raise StaleMove(f"run {before.run_id} is {before.state}: it cannot {name}")
    target = TRANSITIONS[name].target
    kept = target is State.CANCELLED or (name in _UNDER_A_STOP and before.stop_reason != StopReason.SHUTDOWN)
    after = replace(
        before,
        state=target,
        reason=reason,
        ended_at=at if target in FINAL else None,
        stop_requested_at=before.stop_requested_at if kept else None,
        stop_reason=before.stop_reason if kept else None,
        stop_note=before.stop_note if kept else None,
        **changes,
    )
    after = replace(after, wake_at=cycles.wake_at(after))
    points.passing(f"move.{name}.before")
    _store(connection, before, after)
    event = events.Event(
        at=at,
        name=name.value,
        job=after.job,
        actor=actor,
        reason=reason,
        run=after,
        attempt=attempt,
        from_state=before.state,
    )
    events.append(connection, event, job_id=after.job_id)
    notifying.run_ended(connection, after, at)
    points.passing(f"move.{name}.after")
    return after


def request_stop(
    connection: sa.Connection, run_no: int, *, at: datetime, stop: str, reason: str, actor: Actor
) -> RunRow:
    """Record that a run is asked to stop: its attempt, or the work elsewhere that goes on between two of them.

    The first request stands, but for an abort. Raises StaleMove if it is neither running nor retrying.
    """
    before = _still(connection, run_no)
    if before.state not in {State.RUNNING, State.RETRYING}:
        raise StaleMove(f"run {before.run_id} is {before.state}: nothing to stop")
    if before.stop_requested_at is not None and (stop != "cancel" or before.stop_reason == stop):
        return before
    after = replace(before, stop_requested_at=at, stop_reason=stop, stop_note=reason)
    after = replace(after, wake_at=cycles.wake_at(after))
    _store(connection, before, after)
    event = events.Event(
        at=at,
        name="stop_requested",
        job=after.job,
        actor=actor,
        reason=reason,
        run=after,
        attempt=after.attempts,
        from_state=before.state,
    )
    events.append(connection, event, job_id=after.job_id)
    return after


def _still(connection: sa.Connection, run_no: int) -> RunRow:
    try:
        return get(connection, run_no)
    except NotFound as error:
        raise StaleMove(f"run {run_no} was deleted") from error


def has_assets_now(connection: sa.Connection, run_no: int) -> None:
    """The run's assets are known from now on."""
    connection.execute(schema.runs.update().where(schema.runs.c.run_no == run_no).values(has_assets=True))


def postpone(connection: sa.Connection, run_no: int, wake_at: datetime | None) -> None:
    """Nothing is to be done for this incomplete run before `wake_at`; a run that has moved on stays as it is."""
    waiting = (schema.runs.c.run_no == run_no, schema.runs.c.state == State.INCOMPLETE.value)
    connection.execute(schema.runs.update().where(*waiting).values(wake_at=wake_at))


_CHANGING = (
    "state",
    "reason",
    "started_at",
    "ended_at",
    "window_end",
    "rerun_at",
    "retry_at",
    "wake_at",
    "attempts",
    "tries",
    "interruptions",
    "stop_requested_at",
    "stop_reason",
    "stop_note",
)


def _store(connection: sa.Connection, before: RunRow, after: RunRow) -> None:
    changed = {name: getattr(after, name) for name in _CHANGING if getattr(after, name) != getattr(before, name)}
    still = {"wanted": before.run_no, "was": before.state.value}
    if connection.execute(_UPDATE, {**changed, **still}).rowcount != 1:
        raise StaleMove(f"run {before.run_id} changed under our hands")
