"""When what is left of an incomplete run is done again."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import TYPE_CHECKING

from recurrence.rules import Fold
from recurrence.walltime import DAY, instants
from recurrence.zones import load_zone

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from recurrence.schedule import Occurrence, Rerun, Schedule


def rerun_times(
    schedule: Schedule, occurrence: Occurrence, *, after: datetime | None = None
) -> Iterator[datetime]:
    """The instants at which reruns of `occurrence` are due, in UTC, strictly increasing; none without a rerun.

    Rerun k (k >= 1, while k·every < period) is due k·every after the run. Where `every` is whole days that is the
    run's wall time on a later date under the schedule's DST policy, with the first pass for `both`; else it is
    that much elapsed time after the fire time. The next occurrence, which ends a run's reruns, is not known here.

    Only those strictly after `after`, where given, at a cost that does not grow with its distance.
    """
    rerun = schedule.rerun
    if rerun is None:
        return
    try:
        for instant in _due(schedule, rerun, occurrence, after):
            if after is None or instant > after:
                yield instant
    except OverflowError:  # the end of the year 9999
        return


_MARGIN = 2 * DAY
"""Wall times lie within so much of elapsed time."""


def _first(rerun: Rerun, elapsed: timedelta) -> int:
    """A rerun number from 1 before which none is due later than `elapsed` after the fire time."""
    margin = _MARGIN if rerun.every % DAY == timedelta(0) else timedelta(0)
    return max(1, (elapsed - margin) // rerun.every)


def _due(schedule: Schedule, rerun: Rerun, occurrence: Occurrence, after: datetime | None) -> Iterator[datetime]:
    zone = load_zone(schedule.zone)
    fold = Fold.FIRST if schedule.fold is Fold.BOTH else schedule.fold
    last = occurrence.fire_time
    wait = rerun.every * (1 if after is None else _first(rerun, after - occurrence.fire_time))
    while wait < rerun.period:
        due: tuple[datetime, ...] = (occurrence.fire_time + wait,)
        if rerun.every % DAY == timedelta(0):
            wall = occurrence.civil.replace(tzinfo=UTC, fold=0) + wait
            due = tuple(instant + schedule.offset for instant in instants(zone, wall, schedule.gap, fold))
        for instant in due:
            if instant > last:
                last = instant
                yield instant
        wait += rerun.every
