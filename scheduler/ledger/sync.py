"""A configuration comes into force: what is new, changed, gone or back, in one transaction.

Anchors and watermarks are kept here: a schedule without a `start` begins at the job's first load, and an edit of
a schedule never fires an old slot. What came due under the old schedule and has no row yet is missed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from config.definitions import Configuration, JobDefinition
from recurrence.schedule import Schedule
from scheduler.ledger import jobs
from scheduler.ledger.opening import Opener, open_asked, open_records
from scheduler.model import Actor, Cycle, JobRow, Kind
from scheduler.planner.due import missed

YAML = "yaml"


def put_in_force(
    connection: sa.Connection, configuration: Configuration, *, at: datetime, actor: Actor
) -> Mapping[str, JobDefinition]:
    """Record `configuration`; returns its definitions, each with an anchored schedule, by name."""
    rows = {row.name.casefold(): row for row in jobs.every(connection) if row.origin == YAML}
    definitions = {}
    for name, job in configuration.jobs.items():
        row = rows.pop(name.casefold(), None)
        anchor = _anchor(job, row, configuration, at)
        anchored = job if job.schedule is None else replace(job, schedule=_anchored(job.schedule, anchor))
        definitions[name] = anchored
        version = jobs.Version(job.digest(), anchored.schedule, job.body())
        if row is None:
            _first(connection, anchored, version, configuration, anchor=anchor, at=at, actor=actor)
        else:
            _again(connection, row, anchored, version, configuration, at=at, actor=actor)
    for row in rows.values():
        if row.armed:
            _disarm(connection, row, None, configuration, at=at, actor=actor)
    return definitions


def _anchor(job: JobDefinition, row: JobRow | None, configuration: Configuration, at: datetime) -> datetime:
    if row is not None and row.anchor is not None:
        return row.anchor
    zone = job.schedule.zone if job.schedule is not None else configuration.settings.timezone
    return at.astimezone(ZoneInfo(zone)).replace(tzinfo=None, microsecond=0, fold=0)


def _anchored(schedule: Schedule, anchor: datetime) -> Schedule:
    return schedule if schedule.start is not None else replace(schedule, start=anchor)


def _first(
    connection: sa.Connection,
    job: JobDefinition,
    version: jobs.Version,
    configuration: Configuration,
    *,
    anchor: datetime,
    at: datetime,
    actor: Actor,
) -> None:
    row = jobs.record(
        connection, version, name=job.name, origin=YAML, anchor=anchor, armed=job.enabled, at=at, actor=actor
    )
    if job.enabled and job.schedule is not None and job.schedule.run_now:
        opener = Opener.of(job, configuration)
        open_asked(connection, row, opener, kind=Kind.RUN_NOW, at=at, actor=actor)


def _again(
    connection: sa.Connection,
    row: JobRow,
    job: JobDefinition,
    version: jobs.Version,
    configuration: Configuration,
    *,
    at: datetime,
    actor: Actor,
) -> None:
    digest, old = jobs.present_schedule(connection, row)
    moved = _firing(old) != _firing(version.schedule)
    if row.armed and not job.enabled:
        _disarm(connection, row, job, configuration, at=at, actor=actor)
    elif row.armed and moved:
        _miss(connection, row, old, Opener.of(job, configuration), "schedule changed", at=at, actor=actor)
    if digest != version.digest or moved:
        jobs.change(connection, row, version, reset=moved, at=at, actor=actor)
    if job.enabled and not row.armed:
        jobs.arm(connection, row, armed=True, at=at, actor=actor, reason="defined again")


def _disarm(
    connection: sa.Connection,
    row: JobRow,
    job: JobDefinition | None,
    configuration: Configuration,
    *,
    at: datetime,
    actor: Actor,
) -> None:
    reason = "the job was removed" if job is None else "the job was disabled"
    _, old = jobs.present_schedule(connection, row)
    zone = old.zone if old is not None else configuration.settings.timezone
    opener = Opener(zone, Cycle(), has_assets=False, assets=()) if job is None else Opener.of(job, configuration)
    _miss(connection, row, old, opener, reason, at=at, actor=actor)
    jobs.arm(connection, row, armed=False, at=at, actor=actor, reason=reason)


def _miss(
    connection: sa.Connection,
    row: JobRow,
    old: Schedule | None,
    opener: Opener,
    reason: str,
    *,
    at: datetime,
    actor: Actor,
) -> None:
    """What came due under the old schedule and has no row is missed, and says why."""
    if old is None or old.rule is None or at <= row.watermark:
        return
    records = missed(old, row.watermark, at, reason)
    open_records(connection, row, records, replace(opener, zone=old.zone), at=at, actor=actor)
    jobs.set_watermark(connection, row, at)


def _firing(schedule: Schedule | None) -> Schedule | None:
    """The part of a schedule that says when it fires."""
    return None if schedule is None else replace(schedule, window=None, rerun=None, run_now=False)
