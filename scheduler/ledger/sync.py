"""A configuration comes into force: what is new, changed, gone or back, in one transaction; likewise a single job.

Anchors and watermarks are kept here: a schedule without a `start` begins at the job's first load, and an edit of
a schedule never fires an old slot. What came due under the old schedule and has no row yet is missed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from config.definitions import Configuration, JobDefinition
from config.faults import ConfigError, Fault, quoted
from recurrence.schedule import Occurrence, Schedule
from scheduler.definitions import Decode
from scheduler.ledger import api_jobs, jobs, moves
from scheduler.ledger.opening import Opener, open_asked, open_records
from scheduler.lifecycle import State
from scheduler.model import Actor, Cycle, JobRow, Kind
from scheduler.planner.actions import Record
from scheduler.planner.due import missed

YAML = "yaml"


@dataclass(frozen=True, slots=True)
class InForce:
    """What is in force.

    Attributes:
        definitions: Each with an anchored schedule, by name.
        unreadable: Jobs of an API that have no definition now, by name, and why; their rows stay as they were.
    """

    definitions: Mapping[str, JobDefinition]
    unreadable: Mapping[str, str] = field(default_factory=dict)


def put_in_force(
    connection: sa.Connection, configuration: Configuration, *, decode: Decode, at: datetime, actor: Actor
) -> InForce:
    """Record `configuration`; the jobs of APIs stay, each by what the configuration's tables say of it now.

    Raises:
        ConfigError: A job of the configuration has the name of an API's.
    """
    every = jobs.every(connection)
    rows = {row.name.casefold(): row for row in every if row.origin == YAML}
    made = {row.name.casefold(): row for row in every if row.origin != YAML}
    _refuse_clashes(configuration, made)
    definitions = {}
    for name, job in configuration.jobs.items():
        row = rows.pop(name.casefold(), None)
        if row is None:
            _, definitions[name] = first(connection, job, configuration, origin=YAML, at=at, actor=actor)
        else:
            definitions[name] = again(connection, row, job, configuration, at=at, actor=actor)
    for row in rows.values():
        if row.armed:
            _disarm(connection, row, None, configuration, at=at, actor=actor)
    unreadable = {}
    for row, stored in api_jobs.every(connection):
        try:
            job = decode(row.origin, stored.source, configuration)
        except Exception as error:  # noqa: BLE001 - whatever it raises concerns this job only
            unreadable[row.name] = f"{type(error).__name__}: {error}"
        else:
            definitions[row.name] = again(connection, row, job, configuration, at=at, actor=actor)
    return InForce(definitions, unreadable)


def _refuse_clashes(configuration: Configuration, made: Mapping[str, JobRow]) -> None:
    clashes = [(name, made[name.casefold()]) for name in configuration.jobs if name.casefold() in made]
    if clashes:
        raise ConfigError(_clash(configuration, name, row) for name, row in clashes)


def _clash(configuration: Configuration, name: str, row: JobRow) -> Fault:
    place = configuration.places.get(("jobs", name), ":0:0")
    file, line, column = place.rsplit(":", 2)
    message = (
        f"a job made through the API ({row.origin}) has this name: {quoted(row.name)}, {row.guid}; "
        "write another name, or rename or delete that job through its API"
    )
    return Fault(file, int(line), int(column), name, message)


def first(
    connection: sa.Connection,
    job: JobDefinition,
    configuration: Configuration,
    *,
    origin: str,
    at: datetime,
    actor: Actor,
) -> tuple[JobRow, JobDefinition]:
    """Record a new job, with a run at once if its schedule says RunNow; returns its anchored definition too."""
    anchor = _anchor(job, None, configuration, at)
    anchored = _anchored(job, anchor)
    row = jobs.record(
        connection,
        _version(job, anchored),
        name=job.name,
        origin=origin,
        anchor=anchor,
        armed=job.enabled,
        at=at,
        actor=actor,
    )
    if job.enabled and job.schedule is not None and job.schedule.run_now:
        opener = Opener.of(anchored, configuration)
        open_asked(connection, row, opener, kind=Kind.RUN_NOW, at=at, actor=actor)
    return row, anchored


def again(
    connection: sa.Connection,
    row: JobRow,
    job: JobDefinition,
    configuration: Configuration,
    *,
    at: datetime,
    actor: Actor,
) -> JobDefinition:
    """Put a known job in force as `job` says now, also if nothing changed; returns its anchored definition."""
    anchored = _anchored(job, _anchor(job, row, configuration, at))
    version = _version(job, anchored)
    digest, old = jobs.present_schedule(connection, row)
    moved = _firing(old) != _firing(version.schedule)
    if row.armed and not job.enabled:
        _disarm(connection, row, anchored, configuration, at=at, actor=actor)
    elif row.armed and moved:
        _miss(connection, row, old, Opener.of(anchored, configuration), "schedule changed", at=at, actor=actor)
    if digest != version.digest or moved:
        jobs.change(connection, row, version, reset=moved, at=at, actor=actor)
    if job.enabled and not row.armed:
        jobs.arm(connection, row, armed=True, at=at, actor=actor, reason="defined again")
    return anchored


def _anchor(job: JobDefinition, row: JobRow | None, configuration: Configuration, at: datetime) -> datetime:
    if row is not None and row.anchor is not None:
        return row.anchor
    zone = job.schedule.zone if job.schedule is not None else configuration.settings.timezone
    return at.astimezone(ZoneInfo(zone)).replace(tzinfo=None, microsecond=0, fold=0)


def _anchored(job: JobDefinition, anchor: datetime) -> JobDefinition:
    schedule = job.schedule
    if schedule is None or schedule.start is not None:
        return job
    return replace(job, schedule=replace(schedule, start=anchor))


def _version(job: JobDefinition, anchored: JobDefinition) -> jobs.Version:
    return jobs.Version(job.digest(), anchored.schedule, job.body())


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
    """What came due under the old schedule, or was moved to by then, and has no row is missed, and says why."""
    if old is None or old.rule is None or at <= row.watermark:
        return
    records = {record.occurrence.fire_time: record for record in missed(old, row.watermark, at, reason)}
    for target, source in moves.owed(connection, row, at).items():
        here = Occurrence(target, target.astimezone(ZoneInfo(old.zone)).replace(tzinfo=None, fold=0))
        found = records.get(target) or Record(here, State.MISSED, reason)
        records[target] = replace(found, moved_from=source)
    ordered = [records[instant] for instant in sorted(records)]
    open_records(connection, row, ordered, replace(opener, zone=old.zone), at=at, actor=actor)
    jobs.set_watermark(connection, row, at)


def _firing(schedule: Schedule | None) -> Schedule | None:
    """The part of a schedule that says when it fires."""
    return None if schedule is None else replace(schedule, window=None, rerun=None, run_now=False)
