"""What is odd about calendars and the jobs that exclude them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice

from config.calendars.expanded import Expanded
from config.definitions import Configuration, JobDefinition, OnClosure
from config.faults import listed, quoted
from recurrence import occurrences
from recurrence.timetable import Timetable

_YEAR = timedelta(days=366)
_DAY = timedelta(days=1)
_LOOKED_AT = 400
"""Occurrences of a job that are looked at."""


def over(configuration: Configuration, *, now: datetime) -> Iterator[str]:
    """`FILE:LINE:COLUMN: warning: …` for calendars of jobs that close nothing in the year from `now` on."""
    looked_at: set[tuple[str, ...]] = set()
    told: set[str] = set()
    for job in configuration.jobs.values():
        if not job.exclude or job.exclude in looked_at:
            continue
        looked_at.add(job.exclude)
        if isinstance(job.closures, Expanded):
            told.update(job.closures.idle(now, now + _YEAR))
    for name in configuration.calendars:
        if name in told:
            place = configuration.places[("calendars", name)]
            yield f"{place}: warning: calendars.{name}: it closes nothing in the year from now"


def of_job(job: JobDefinition, *, now: datetime) -> Iterator[str]:
    """What is odd about `schedule.exclude` and the keys that go with it; `now` is aware."""
    if not job.exclude:
        if job.on_exclude != "skip":
            yield f"on_exclude: {job.on_exclude} has no effect without exclude"
        if job.on_closure is not OnClosure.FINISH:
            yield f"on_closure: {job.on_closure} has no effect without exclude"
        return
    if job.schedule is None or job.schedule.rule is None:
        yield f"exclude {listed(map(quoted, job.exclude))} has no effect: the job never fires by itself"
        return
    schedule = job.schedule.anchored(now)
    table = Timetable(schedule, job.closures)
    some = list(islice(table.judged(now, now + _YEAR), _LOOKED_AT))
    if some and not any(one.fires for one in some):
        count = "each" if len(some) < _LOOKED_AT else f"each of the next {_LOOKED_AT}"
        names = listed(map(quoted, job.exclude))
        yield f"exclude: {count} of its fire times in the year from now lies inside {names}"
    if (
        job.on_exclude == "next-day"
        and len(list(islice(occurrences(schedule, after=now, until=now + _DAY), 3))) > 2
    ):
        yield "on_exclude: next-day moves each excluded fire time to a day on which the job fires often anyway"
