"""The coming occurrences of definitions, without a daemon. Pure."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile
from typing import Any

from config.calendars.words import why_excluded
from config.definitions import JobDefinition
from jobsd.cli.when import local_text, utc_text
from recurrence import rerun_times
from recurrence.schedule import Schedule
from recurrence.timetable import Judged, Timetable

MOST_RERUNS = 100
"""Rerun times told of one occurrence."""

KEYS = ("job", "fire_time", "local", "window_end", "reruns", "excluded", "moved_to", "moved_from", "provisional")
"""What `--json` promises of a fire time."""

WHERE_SO = frozenset({"excluded", "moved_to", "moved_from", "provisional"})
"""Those of them that are there only where they say something."""

END = datetime(9999, 12, 31, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Coming:
    """An occurrence to come.

    Attributes:
        zone: IANA name of the job's zone.
        window_end: When the run is stopped; None without a window.
        next_at: The job's next fire time, at which this run's reruns end; None if there is none.
        reruns: When what is left would be rerun.
        provisional: The file has no start, so the daemon's first load may tell other fire times.
        excluded: Why a calendar lets it not run; None if it runs.
        moved_to: The fire time to which it was moved; `moved_from`: of the first that was moved here.
    """

    job: str
    zone: str
    fire_time: datetime
    window_end: datetime | None
    next_at: datetime | None
    reruns: tuple[datetime, ...]
    provisional: bool
    excluded: str | None = None
    moved_to: datetime | None = None
    moved_from: datetime | None = None

    def json(self) -> dict[str, Any]:
        """As the daemon tells it, and `provisional` where that is true."""
        found: dict[str, Any] = {
            "job": self.job,
            "fire_time": utc_text(self.fire_time),
            "local": local_text(self.fire_time, self.zone),
            "timezone": self.zone,
            "window_end": None if self.window_end is None else utc_text(self.window_end),
            "reruns": [utc_text(due) for due in self.reruns],
        }
        found |= {} if self.excluded is None else {"excluded": self.excluded}
        found |= {} if self.moved_to is None else {"moved_to": utc_text(self.moved_to)}
        found |= {} if self.moved_from is None else {"moved_from": utc_text(self.moved_from)}
        return {**found, "provisional": True} if self.provisional else found


def published(rows: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """The rows with the keys that `--json` promises, whoever told them."""
    for row in rows:
        yield {key: row[key] for key in KEYS if key in row and (row[key] or key not in WHERE_SO)}


def provisional(schedule: Schedule | None) -> bool:
    """Whether fire times depend on a start that only the daemon's first load gives."""
    return schedule is not None and schedule.start is None and schedule.needs_anchor


def told(schedule: Schedule, now: datetime) -> Schedule:
    """`schedule` as it can be told before the daemon knows it: with the start `now` if it needs one.

    Where a start would only be a lower bound, none is taken: fire times of the past can be asked for.
    """
    return schedule.anchored(now) if provisional(schedule) else schedule


def why_never(job: JobDefinition) -> str | None:
    """Why a job has no fire times whatever the span, or None if it has a recurrence in force."""
    if not job.enabled:
        return "is disabled"
    if job.schedule is None or (job.schedule.rule is None and not job.schedule.run_now):
        return "never fires by itself"
    if job.schedule.rule is None:
        return "runs once, when the daemon first records it"
    return None


def coming(
    jobs: Iterable[JobDefinition], *, after: datetime, until: datetime | None, most: int | None, now: datetime
) -> Iterator[Coming]:
    """Occurrences with `after` < fire time <= `until`, of each job at most `most`, by fire time.

    At one instant by name. Schedules that need a start and have none begin at `now`. Unbounded without `until`
    and `most`.
    """
    streams = [islice(_of(job, after, until, now), most) for job in jobs if why_never(job) is None]
    return heapq.merge(*streams, key=lambda one: (one.fire_time, one.job))


def _of(job: JobDefinition, after: datetime, until: datetime | None, now: datetime) -> Iterator[Coming]:
    if job.schedule is None:
        return
    schedule = told(job.schedule, now)
    # Beyond `until` by one: the last occurrence's reruns end at the one after it.
    table = Timetable(schedule, job.closures, job.on_exclude == "next-day")
    walk = table.judged(after, END)
    found = next(walk, None)
    while found is not None and (until is None or found.fire_time <= until):
        following = next(walk, None)
        yield _coming(job, table, found, following)
        found = following


def _coming(job: JobDefinition, table: Timetable, this: Judged, following: Judged | None) -> Coming:
    schedule, next_at = table.schedule, None if following is None else following.fire_time
    reruns: Iterable[datetime] = ()
    if this.fires:
        due = (instant for instant in rerun_times(schedule, this.occurrence) if job.closures.at(instant) is None)
        reruns = islice(due, MOST_RERUNS)
    return Coming(
        job=job.name,
        zone=schedule.zone,
        fire_time=this.fire_time,
        window_end=_later(this.fire_time, schedule.window) if this.fires else None,
        next_at=next_at,
        reruns=tuple(takewhile(lambda due: next_at is None or due < next_at, reruns)),
        provisional=provisional(job.schedule),
        excluded=None if this.fires else why_excluded(this, moves=table.moves),
        moved_to=this.moved_to,
        moved_from=this.moved_from,
    )


def _later(instant: datetime, span: timedelta | None) -> datetime | None:
    try:
        return None if span is None else instant + span
    except OverflowError:  # the end of the year 9999
        return None
