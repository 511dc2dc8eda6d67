"""Jobs and their coming fire times as JSON shapes. Pure: rows and definitions in, shapes out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from config.definitions import JobDefinition
from jobsd.views.runs import local_time
from jobsd.views.shapes import CoverageSummary, Explanation, JobView, NextView, PauseView, RunView
from recurrence import explain, next_occurrence, rerun_times
from recurrence.schedule import Occurrence, Schedule
from scheduler.model import JobRow

NO_SCHEDULE = "Never by itself: it has no schedule."
MOST_RERUNS = 100
"""Rerun times shown of one occurrence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFacts:
    """What is shown of a job's definition, whether it is in force or only in the history.

    `schedule` is anchored; `zone` is the schedule's, else that of the settings.
    """

    name: str
    schedule: Schedule | None
    zone: str
    description: str
    labels: Mapping[str, str]
    enabled: bool
    defined: bool

    @classmethod
    def of(cls, definition: JobDefinition, *, zone: str) -> JobFacts:
        """Of a definition in force; `zone` is that of the settings."""
        return cls(
            name=definition.name,
            schedule=definition.schedule,
            zone=zone if definition.schedule is None else definition.schedule.zone,
            description=definition.description,
            labels=definition.labels,
            enabled=definition.enabled,
            defined=True,
        )

    @classmethod
    def remembered(cls, row: JobRow, schedule: Schedule | None, body: Mapping[str, Any], *, zone: str) -> JobFacts:
        """Of a job that is no longer defined: `schedule` and `body` are those of its last version."""
        return cls(
            name=row.name,
            schedule=schedule,
            zone=zone if schedule is None else schedule.zone,
            description=body.get("description", ""),
            labels=body.get("labels", {}),
            enabled=False,
            defined=False,
        )


def job_view(
    row: JobRow,
    facts: JobFacts,
    *,
    creator: str | None,
    last_run: RunView | None,
    coverage: CoverageSummary,
    now: datetime,
) -> JobView:
    """A job. The next fire time is the schedule's, also while the job is paused; disabled jobs have none."""
    coming = _guarded_next(facts.schedule, now) if facts.enabled else None
    return JobView(
        job=row.name,
        guid=row.guid,
        job_no=row.job_id,
        origin=row.origin,
        creator=creator,
        description=facts.description,
        enabled=facts.enabled,
        defined=facts.defined,
        schedule=sentence(facts.schedule),
        timezone=facts.zone,
        known_since=row.known_since,
        next_fire_time=coming,
        local=None if coming is None else local_time(coming, facts.zone),
        last_run=last_run,
        paused=pause_view(row, now),
        labels=dict(facts.labels),
        coverage=coverage,
    )


def pause_view(row: JobRow, now: datetime) -> PauseView | None:
    """The job's pause, if it is paused at `now`."""
    if row.paused_at is None or not row.paused_on(max(now, row.paused_at)):
        return None
    return PauseView(since=row.paused_at, until=row.paused_until, note=row.paused_note, by=row.paused_by)


def sentence(schedule: Schedule | None) -> str:
    """The schedule in one sentence."""
    return NO_SCHEDULE if schedule is None else explain(schedule)


def explanation(facts: JobFacts) -> Explanation:
    """The schedule in one sentence, with its job."""
    return Explanation(job=facts.name, schedule=sentence(facts.schedule), timezone=facts.zone)


def next_views(
    name: str, schedule: Schedule | None, *, after: datetime, until: datetime | None = None, limit: int = 10
) -> list[NextView]:
    """At most `limit` fire times of a schedule, strictly after `after` and up to `until` inclusive (both aware).

    Raises:
        ValueError: The schedule has no start and needs one, or an instant is naive.
    """
    if schedule is None:
        return []
    return [_next_view(name, schedule, *pair) for pair in islice(_pairs(schedule, after, until), limit)]


def _pairs(
    schedule: Schedule, after: datetime, until: datetime | None
) -> Iterator[tuple[Occurrence, datetime | None]]:
    """Occurrences, each with the fire time of the one after it."""
    present = next_occurrence(schedule, after=after)
    while present is not None and (until is None or present.fire_time <= until):
        coming = next_occurrence(schedule, after=present.fire_time)
        yield present, None if coming is None else coming.fire_time
        present = coming


def _next_view(name: str, schedule: Schedule, occurrence: Occurrence, end: datetime | None) -> NextView:
    reruns = (due for due in islice(rerun_times(schedule, occurrence), MOST_RERUNS) if end is None or due < end)
    return NextView(
        job=name,
        fire_time=occurrence.fire_time,
        local=local_time(occurrence.fire_time, schedule.zone),
        timezone=schedule.zone,
        window_end=_later(occurrence.fire_time, schedule.window),
        reruns=list(reruns),
    )


def _later(instant: datetime, span: timedelta | None) -> datetime | None:
    try:
        return None if span is None else instant + span
    except OverflowError:  # the end of the year 9999
        return None


def _guarded_next(schedule: Schedule | None, now: datetime) -> datetime | None:
    """The next fire time; none where the recurrence raises: one broken job must not take the list down."""
    if schedule is None:
        return None
    try:
        found = next_occurrence(schedule, after=now)
    except Exception:  # noqa: BLE001 - the scheduling loop logs it as `trigger_failed`
        return None
    return None if found is None else found.fire_time
