"""Jobs and their coming fire times as JSON shapes. Pure: rows and definitions in, shapes out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from config.calendars import words as calendars
from config.definitions import JobDefinition
from jobsd.views.runs import local_time
from jobsd.views.shapes import CoverageSummary, ExcludedView, Explanation, JobView, NextView, PauseView, RunView
from recurrence import explain, rerun_times
from recurrence.schedule import Schedule
from recurrence.timetable import Judged, Timetable
from scheduler.model import JobRow

NO_SCHEDULE = "Never by itself: it has no schedule."
MOST_RERUNS = 100
"""Rerun times shown of one occurrence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFacts:
    """What is shown of a job's definition, whether it is in force or only in the history.

    `schedule` is anchored; `zone` is the schedule's, else that of the settings. `definition` is the one in force.
    """

    name: str
    schedule: Schedule | None
    zone: str
    description: str
    labels: Mapping[str, str]
    enabled: bool
    defined: bool
    definition: JobDefinition | None = None

    @property
    def timetable(self) -> Timetable | None:
        """The schedule under the calendars in force."""
        if self.definition is not None:
            return self.definition.timetable
        return None if self.schedule is None else Timetable(self.schedule)

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
            definition=definition,
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
    """A job. Its next fire time is by schedule and calendars, also in a pause; disabled jobs have none."""
    coming, excluded = _guarded_next(facts.timetable, now) if facts.enabled else (None, None)
    return JobView(
        job=row.name,
        guid=row.guid,
        job_no=row.job_id,
        origin=row.origin,
        creator=creator,
        description=facts.description,
        enabled=facts.enabled,
        defined=facts.defined,
        schedule=sentence(facts),
        timezone=facts.zone,
        known_since=row.known_since,
        next_fire_time=coming,
        local=None if coming is None else local_time(coming, facts.zone),
        next_excluded=excluded,
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


def sentence(facts: JobFacts) -> str:
    """The schedule and its calendars in one sentence."""
    if facts.schedule is None:
        return NO_SCHEDULE
    told = explain(facts.schedule)
    return told if facts.definition is None else calendars.sentence(told, facts.definition)


def explanation(facts: JobFacts) -> Explanation:
    """The schedule in one sentence, with its job."""
    return Explanation(job=facts.name, schedule=sentence(facts), timezone=facts.zone)


def next_views(
    name: str, timetable: Timetable | None, *, after: datetime, until: datetime | None = None, limit: int = 10
) -> list[NextView]:
    """At most `limit` fire times, excluded ones too, after `after` (exclusive), up to `until` (inclusive).

    Raises:
        ValueError: The schedule has no start and needs one, or an instant is naive.
    """
    if timetable is None:
        return []
    return [_next_view(name, timetable, *pair) for pair in islice(_pairs(timetable, after, until), limit)]


def _pairs(
    timetable: Timetable, after: datetime, until: datetime | None
) -> Iterator[tuple[Judged, datetime | None]]:
    """What gets a row, each with the fire time of the one after it."""
    present = timetable.next(after)
    while present is not None and (until is None or present.fire_time <= until):
        coming = timetable.next(present.fire_time)
        yield present, None if coming is None else coming.fire_time
        present = coming


def _next_view(name: str, timetable: Timetable, one: Judged, end: datetime | None) -> NextView:
    schedule, at = timetable.schedule, timetable.closures.at
    due = islice(rerun_times(schedule, one.occurrence), MOST_RERUNS) if one.fires else ()
    return NextView(
        job=name,
        fire_time=one.fire_time,
        local=local_time(one.fire_time, schedule.zone),
        timezone=schedule.zone,
        window_end=_later(one.fire_time, schedule.window) if one.fires else None,
        reruns=[instant for instant in due if (end is None or instant < end) and at(instant) is None],
        excluded=None if one.fires else calendars.why_excluded(one, moves=timetable.moves),
        moved_to=one.moved_to,
        moved_from=one.moved_from,
    )


def _later(instant: datetime, span: timedelta | None) -> datetime | None:
    try:
        return None if span is None else instant + span
    except OverflowError:  # the end of the year 9999
        return None


def _guarded_next(timetable: Timetable | None, now: datetime) -> tuple[datetime | None, ExcludedView | None]:
    """The next fire time at which it runs, and what is excluded before that.

    None where the recurrence raises: one broken job must not take the list down.
    """
    if timetable is None:
        return None, None
    try:
        found = timetable.next(now)
        runs = found if found is None or found.fires else timetable.next_open(now)
    except Exception:  # noqa: BLE001 - the scheduling loop logs it as `trigger_failed`
        return None, None
    excluded = None
    if found is not None and not found.fires:
        why = calendars.why_excluded(found, moves=timetable.moves)
        excluded = ExcludedView(fire_time=found.fire_time, reason=why)
    return (None if runs is None else runs.fire_time), excluded
