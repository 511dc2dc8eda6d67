"""What is needed to account for the fire times of every job: its versions, when it was armed, its rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from config.calendars.words import MOVED
from recurrence.portable import schedule_from_json
from recurrence.schedule import Schedule
from scheduler.checks.account import Fired, Known, Terms, Toggle, account
from scheduler.checks.finding import Finding
from scheduler.checks.life import iso
from scheduler.ledger import schema
from scheduler.ledger.lives import Beside, streamed
from scheduler.model import Kind

_J, _V, _R, _E = schema.jobs.c, schema.job_versions.c, schema.runs.c, schema.events.c
TOGGLES = ("arm", "disarm", "remove")
"""Events that put a job in force, or take it out."""

RESET = "the schedule changed"
"""The reason of a change that moves the watermark."""


def accounts(connection: sa.Connection) -> Iterator[Finding]:
    """What is wrong with the fire times of each job."""
    rows = Beside(streamed(connection, _ROWS), _fired)
    for row in connection.execute(sa.select(schema.jobs).order_by(_J.job_id)).all():
        known = Known(row.name, row.known_since, row.watermark, row.armed)
        versions = connection.execute(_TERMS, {"job_id": row.job_id})
        toggles = connection.execute(_WHEN_ARMED, {"job_id": row.job_id})
        yield from account(
            known,
            [_terms(version) for version in versions],
            [Toggle(toggle.at, toggle.name == "arm") for toggle in toggles],
            rows.of(row.job_id),
        )
    yield from _behind(connection)


def _fired(row: Any) -> Fired:
    last = row.last_fire_time or row.fire_time
    moved_to = None if row.moved is None else _moved_to(row.moved)
    order = (row.run_no, row.opened_at)
    return Fired(
        *order, row.run_id, row.fire_time, last, row.occurrences, row.version_id, row.moved_from, moved_to
    )


def _moved_to(reason: str) -> datetime | None:
    """The instant that ends the reason of an occurrence that was moved there."""
    try:
        return datetime.fromisoformat(reason.rpartition(MOVED)[2])
    except ValueError:
        return None


def _terms(row: Any) -> Terms:
    schedule = None if row.schedule is None else _firing(schedule_from_json(row.schedule))
    moves = row.body.get("on_exclude") == "next-day"
    return Terms(row.version_id, row.from_at, schedule, row.body.get("closures", ""), moves)


def _firing(schedule: Schedule) -> Schedule:
    return replace(schedule, window=None, rerun=None, run_now=False)


def _behind(connection: sa.Connection) -> Iterator[Finding]:
    """Jobs whose watermark is behind a row that was opened since it was last set by hand."""
    newest = sa.func.coalesce(_R.last_fire_time, _R.fire_time)
    ahead = (
        sa.select(_J.job_id, _J.name, _J.watermark, _R.run_no, _R.run_id)
        .join_from(schema.runs, schema.jobs)
        .where(_R.kind == Kind.FIRE.value, newest > _J.watermark)
    )
    for job_id, name, watermark, run_no, run_id in connection.execute(ahead).all():
        opened = sa.select(sa.func.min(_E.event_id)).where(_E.run_no == run_no)
        if (connection.execute(opened).scalar() or 0) > _reset(connection, job_id):
            yield Finding("watermark", f"its job's watermark {iso(watermark)} is behind it", name, run_id)


def _reset(connection: sa.Connection, job_id: int) -> int:
    """The event that last set the job's watermark to an instant of its own."""
    changed = sa.and_(_E.name == "change", _E.reason == RESET)
    query = sa.select(sa.func.max(_E.event_id)).where(
        _E.job_id == job_id, _E.run_no.is_(None), sa.or_(_E.name.in_(["record", "arm"]), changed)
    )
    return connection.execute(query).scalar() or 0


_ROWS = (
    sa.select(
        _R.job_id,
        _R.run_no,
        _R.opened_at,
        _R.run_id,
        _R.fire_time,
        _R.last_fire_time,
        _R.occurrences,
        _R.version_id,
        _R.moved_from,
        sa.case((_R.reason.contains(MOVED, autoescape=True), _R.reason)).label("moved"),
    )
    .where(_R.kind == Kind.FIRE.value)
    .order_by(_R.job_id, _R.fire_time)
)
_TERMS = (
    sa.select(_V.version_id, _V.from_at, _V.schedule, _V.body)
    .where(_V.job_id == sa.bindparam("job_id"))
    .order_by(_V.version_id)
)
_WHEN_ARMED = (
    sa.select(_E.at, _E.name)
    .where(_E.job_id == sa.bindparam("job_id"), _E.run_no.is_(None), _E.name.in_(TOGGLES))
    .order_by(_E.event_id)
)
