"""Jobs: their definitions' versions, watermarks and pauses."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from recurrence.portable import schedule_from_json, schedule_to_json
from recurrence.schedule import Schedule
from scheduler.ledger import events, notifying, schema
from scheduler.ledger.errors import NotFound
from scheduler.ledger.rows import job_row
from scheduler.model import Actor, JobRow

_JOBS = schema.jobs
_NAMED = sa.select(_JOBS).where(_JOBS.c.name_folded == sa.bindparam("wanted"))


@dataclass(frozen=True, slots=True)
class Version:
    """A definition as the ledger keeps it: its digest, its anchored schedule, its body without secrets."""

    digest: str
    schedule: Schedule | None
    body: dict[str, Any]


def every(connection: sa.Connection) -> list[JobRow]:
    """All jobs, by name."""
    return [job_row(row) for row in connection.execute(sa.select(_JOBS).order_by(_JOBS.c.name))]


def named(connection: sa.Connection, name: str) -> JobRow:
    """The job of this name, without regard to case; NotFound."""
    row = holder(connection, name)
    if row is None:
        raise NotFound(f"there is no job {name!r}")
    return row


def find(connection: sa.Connection, key: str) -> JobRow:
    """The job that `key` names: by its name, without regard to case, or else by its GUID; NotFound."""
    try:
        return holder(connection, key) or by_guid(connection, key)
    except NotFound:
        raise NotFound(f"there is no job {key!r}") from None


def by_guid(connection: sa.Connection, guid: str) -> JobRow:
    """The job with this GUID; NotFound. A deleted job keeps its GUID, disarmed and under another name."""
    row = connection.execute(sa.select(_JOBS).where(_JOBS.c.guid == guid.lower())).one_or_none()
    if row is None:
        raise NotFound(f"there is no job {guid}")
    return job_row(row)


def holder(connection: sa.Connection, name: str) -> JobRow | None:
    """The job that has this name, without regard to case, or None."""
    row = connection.execute(_NAMED, {"wanted": name.casefold()}).one_or_none()
    return None if row is None else job_row(row)


def present_schedule(connection: sa.Connection, row: JobRow) -> tuple[str, Schedule | None]:
    """The digest of the job's present version, and its schedule as it was anchored then."""
    versions = schema.job_versions
    query = sa.select(versions.c.digest, versions.c.schedule).where(versions.c.version_id == row.version_id)
    found = connection.execute(query).one()
    return found.digest, None if found.schedule is None else schedule_from_json(found.schedule)


def record(
    connection: sa.Connection,
    version: Version,
    *,
    name: str,
    origin: str,
    anchor: datetime,
    armed: bool,
    at: datetime,
    actor: Actor,
) -> JobRow:
    """Record a job for the first time; its watermark is `at`. `anchor` is naive wall time."""
    values = {
        "guid": str(uuid.uuid4()),
        "name": name,
        "name_folded": name.casefold(),
        "origin": origin,
        "anchor": anchor.isoformat(),
        "watermark": at,
        "known_since": at,
        "schedule_since": at,
        "armed": armed,
    }
    job_id = connection.execute(_JOBS.insert().values(values).returning(_JOBS.c.job_id)).scalar_one()
    _new_version(connection, job_id, version, at)
    events.append(connection, events.Event(at=at, name="record", job=name, actor=actor), job_id=job_id)
    return named(connection, name)


def change(
    connection: sa.Connection,
    row: JobRow,
    version: Version,
    *,
    reset: bool,
    at: datetime,
    actor: Actor,
) -> JobRow:
    """Put a new version of the definition in force; `reset` (the schedule changed) moves the watermark to `at`."""
    before = notifying.of_job(connection, row.job_id)
    _new_version(connection, row.job_id, version, at)
    notifying.changed(connection, row.job_id, before, version.body.get("notify") or {}, at)
    if reset:
        _set(connection, row, watermark=at, schedule_since=at)
        _look_again(connection, row, at)
    reason = "the schedule changed" if reset else "the definition changed"
    event = events.Event(at=at, name="change", job=row.name, actor=actor, reason=reason)
    events.append(connection, event, job_id=row.job_id)
    return named(connection, row.name)


def arm(connection: sa.Connection, row: JobRow, *, armed: bool, at: datetime, actor: Actor, reason: str) -> JobRow:
    """Arm a job (its watermark moves to `at`) or take it out of force; its active runs are looked at again."""
    changes = {"armed": armed, **({"watermark": at, "schedule_since": at} if armed else {})}
    _set(connection, row, **changes)
    _look_again(connection, row, at)
    name = "arm" if armed else "disarm"
    events.append(
        connection, events.Event(at=at, name=name, job=row.name, actor=actor, reason=reason), job_id=row.job_id
    )
    return named(connection, row.name)


def pause(
    connection: sa.Connection, row: JobRow, *, until: datetime | None, note: str | None, at: datetime, actor: Actor
) -> JobRow:
    """Pause from `at`, until an instant or without end; a second pause replaces the first's end and note."""
    since = row.paused_at or at
    _set(connection, row, paused_at=since, paused_until=until, paused_note=note, paused_by=actor.name)
    event = events.Event(at=at, name="pause", job=row.name, actor=actor, reason=note or "")
    events.append(connection, event, job_id=row.job_id)
    return named(connection, row.name)


def resume(connection: sa.Connection, row: JobRow, *, at: datetime, actor: Actor) -> JobRow:
    """End the pause; what came due in it has its rows already, so nothing is replayed."""
    _set(connection, row, paused_at=None, paused_until=None, paused_note=None, paused_by=None, resumed_at=at)
    events.append(connection, events.Event(at=at, name="resume", job=row.name, actor=actor), job_id=row.job_id)
    return named(connection, row.name)


def rename(connection: sa.Connection, row: JobRow, name: str, *, at: datetime, actor: Actor) -> JobRow:
    """Give the job another name, which must be free."""
    renamed = _called(connection, row, name)
    event = events.Event(at=at, name="change", job=name, actor=actor, reason=f"its name was {row.name!r}")
    events.append(connection, event, job_id=row.job_id)
    return renamed


def put_aside(connection: sa.Connection, row: JobRow, word: str) -> JobRow:
    """Free the name of a job that is out of force; it is `NAME (WORD GUID8)` from now on."""
    return _called(connection, row, f"{row.name} ({word} {row.guid[:8]})")


def remove(connection: sa.Connection, row: JobRow, *, at: datetime, actor: Actor) -> JobRow:
    """Take a job of an API out of force for ever: its name is free, nothing is remembered of it."""
    for table in (schema.api_jobs, schema.job_memory):
        connection.execute(table.delete().where(table.c.job_id == row.job_id))
    event = events.Event(at=at, name="remove", job=row.name, actor=actor)
    events.append(connection, event, job_id=row.job_id)
    _set(connection, row, armed=False, watermark=at)
    return put_aside(connection, row, "deleted")


def _called(connection: sa.Connection, row: JobRow, name: str) -> JobRow:
    _set(connection, row, name=name, name_folded=name.casefold())
    return named(connection, name)


def forget_before(connection: sa.Connection, row: JobRow, at: datetime) -> None:
    """Of the time before `at` nothing is known any more."""
    _set(connection, row, known_since=at)


def set_watermark(connection: sa.Connection, row: JobRow, at: datetime) -> None:
    """Occurrences up to and including `at` have their rows."""
    _set(connection, row, watermark=at)


def _set(connection: sa.Connection, row: JobRow, **values: Any) -> None:
    connection.execute(_JOBS.update().where(_JOBS.c.job_id == row.job_id).values(values))


def _look_again(connection: sa.Connection, row: JobRow, at: datetime) -> None:
    active = (schema.runs.c.job_id == row.job_id, schema.IS_ACTIVE)
    connection.execute(schema.runs.update().where(*active).values(wake_at=at))


def _new_version(
    connection: sa.Connection,
    job_id: int,
    version: Version,
    at: datetime,
) -> None:
    values = {
        "job_id": job_id,
        "digest": version.digest,
        "schedule": None if version.schedule is None else schedule_to_json(version.schedule),
        "body": version.body,
        "from_at": at,
    }
    versions = schema.job_versions
    version_id = connection.execute(versions.insert().values(values).returning(versions.c.version_id)).scalar_one()
    connection.execute(_JOBS.update().where(_JOBS.c.job_id == job_id).values(version_id=version_id))
