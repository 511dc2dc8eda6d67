"""The alarm clock: APScheduler wakes up, our store says by our clock which jobs are due and marks them.

One APScheduler job stands for each definition, with its `ScheduleTrigger` behind a guard. A wake-up only marks
jobs, in batches; the dispatcher asks the planner what came due. Why the store marks instead of an executor:
APScheduler reads the system's time itself and lists every run time since the last wake-up before it calls an
executor; a store is asked first, and can answer by the daemon's clock, once for each job.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from apscheduler.jobstores.base import BaseJobStore, ConflictingIdError, JobLookupError
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger

from recurrence.closures import Closures
from recurrence.moving import FARTHEST
from recurrence.schedule import Schedule
from recurrence.timetable import Timetable
from recurrence.trigger import ScheduleTrigger
from scheduler.clock import Clock, stopwatch

BATCH = 1000
"""Jobs marked in one wake-up at the most, so that the loop gets its turn between."""

BROKEN_AGAIN = timedelta(minutes=1)
"""When a trigger that raised is asked again."""

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class UnderCalendars:
    """What a job with calendars is woken by; equal where it is woken at the same instants.

    Attributes:
        digest: Of `closures`.
        moves: Whether excluded occurrences are moved: it is woken there too.
        closing: Whether it is also woken where a closure begins and where one ends.
    """

    schedule: Schedule
    digest: str
    closures: Closures = field(compare=False, repr=False)
    moves: bool
    closing: bool


class CalendarTrigger(BaseTrigger):  # type: ignore[misc] # APScheduler has no types
    """Fires whenever a job with calendars is to be looked at; keeps no state of its own."""

    __slots__ = ("_table", "_when")

    def __init__(self, when: UnderCalendars) -> None:
        self._when = when
        self._table = Timetable(when.schedule, when.closures, when.moves)

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        """The first instant after `previous_fire_time`, or after `now` where there is none."""
        after = now if previous_fire_time is None else previous_fire_time
        found = self._table.next(after)
        coming = None if found is None else found.fire_time
        if not self._when.closing:
            return coming
        closure = self._when.closures.at(after)
        if closure is None:
            change = self._when.closures.following(after, after + FARTHEST if coming is None else coming)
            return coming if change is None else change.start
        return closure.end if coming is None else min(closure.end, coming)


class GuardedTrigger(BaseTrigger):  # type: ignore[misc] # APScheduler has no types
    """A trigger that never raises: one exception out of a trigger would end APScheduler's loop for ever."""

    __slots__ = ("_trigger", "job")

    def __init__(self, job: str, trigger: BaseTrigger) -> None:
        self.job = job
        self._trigger = trigger

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        """The trigger's answer; a minute from `now` if it raises, so that it is asked again."""
        try:
            found: datetime | None = self._trigger.get_next_fire_time(previous_fire_time, now)
        except Exception as error:  # noqa: BLE001 - whatever a trigger raises concerns its own job only
            _log.error("trigger_failed", job=self.job, reason=f"{type(error).__name__}: {error}")
            return now + BROKEN_AGAIN
        return found


class MarkingStore(BaseJobStore):  # type: ignore[misc] # APScheduler has no types
    """Jobs in a heap by their next fire time; asked for the due ones, it marks them and arms them anew."""

    def __init__(self, clock: Clock, mark: Callable[[list[str]], None]) -> None:
        super().__init__()
        self._clock = clock
        self._mark = mark
        self._jobs: dict[str, Any] = {}
        self._heap: list[tuple[datetime, int, str]] = []
        self._order = itertools.count()
        self._turn: dict[str, int] = {}
        self.moved_at = stopwatch()

    def get_due_jobs(self, now: datetime) -> list[Any]:
        """Mark what is due by the daemon's clock; nothing is left for APScheduler to execute."""
        del now
        self.moved_at = stopwatch()
        now = self._clock.now()
        due: list[str] = []
        while len(due) < BATCH and (head := self._head()) is not None and head <= now:
            _, _, job_id = heapq.heappop(self._heap)
            due.append(job_id)
            self._arm(self._jobs[job_id], now)
        if due:
            self._mark(due)
        return []

    def get_next_run_time(self) -> datetime | None:
        """The system time of the next fire time."""
        head = self._head()
        return None if head is None else self._clock.alarm_time(head)

    def next_fire_time(self) -> datetime | None:
        """The next fire time of all, by the daemon's clock."""
        return self._head()

    def lookup_job(self, job_id: str) -> Any:
        """The job, or None."""
        return self._jobs.get(job_id)

    def get_all_jobs(self) -> list[Any]:
        """All jobs, in no order."""
        return list(self._jobs.values())

    def add_job(self, job: Any) -> None:
        """Add a job and arm it."""
        if job.id in self._jobs:
            raise ConflictingIdError(job.id)
        self._jobs[job.id] = job
        self._arm(job, self._clock.now())

    def update_job(self, job: Any) -> None:
        """Take the job's new trigger and arm it."""
        if job.id not in self._jobs:
            raise JobLookupError(job.id)
        self._jobs[job.id] = job
        self._arm(job, self._clock.now())

    def remove_job(self, job_id: str) -> None:
        """Forget a job."""
        if self._jobs.pop(job_id, None) is None:
            raise JobLookupError(job_id)
        self._turn.pop(job_id, None)

    def remove_all_jobs(self) -> None:
        """Forget all."""
        self._jobs.clear()
        self._turn.clear()
        self._heap.clear()

    def _arm(self, job: Any, now: datetime) -> None:
        instant = job.trigger.get_next_fire_time(None, now)
        turn = next(self._order)
        self._turn[job.id] = turn
        if instant is not None:
            heapq.heappush(self._heap, (instant.astimezone(UTC), turn, job.id))

    def _head(self) -> datetime | None:
        while self._heap and self._turn.get(self._heap[0][2]) != self._heap[0][1]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None


def _never_called() -> None:
    """APScheduler wants a callable; the store leaves it nothing to call."""


class Alarm:
    """Marks jobs as due at their fire times.

    `mark` is called in the loop's thread with the names of due jobs.
    """

    def __init__(self, clock: Clock, mark: Callable[[list[str]], None]) -> None:
        self._store = MarkingStore(clock, mark)
        self._scheduler = AsyncIOScheduler(timezone=UTC, jobstores={"default": self._store})
        self._schedules: dict[str, Schedule | UnderCalendars] = {}

    def start(self) -> None:
        """Begin to wake up; call it in the running loop."""
        self._scheduler.start()

    def set(self, schedules: Mapping[str, Schedule | UnderCalendars]) -> None:
        """Arm exactly these jobs."""
        for name in self._schedules.keys() - schedules.keys():
            self.disarm(name)
        for name, schedule in schedules.items():
            self.arm(name, schedule)

    def arm(self, name: str, schedule: Schedule | UnderCalendars) -> None:
        """Arm one job, in place of its schedule until now if it had one."""
        if self._schedules.get(name) == schedule:
            return
        inner = ScheduleTrigger(schedule) if isinstance(schedule, Schedule) else CalendarTrigger(schedule)
        trigger = GuardedTrigger(name, inner)
        self._scheduler.add_job(
            _never_called, trigger, id=name, replace_existing=True, misfire_grace_time=None, next_run_time=None
        )
        self._schedules[name] = schedule

    def disarm(self, name: str) -> None:
        """Disarm one job; nothing happens if it is not armed."""
        if self._schedules.pop(name, None) is not None:
            self._scheduler.remove_job(name)

    def wake(self) -> None:
        """Look at the clock now (it may have been stepped, the machine suspended); once stopped, do nothing."""
        if self._scheduler.running:
            self._scheduler.wakeup()

    @property
    def moved_at(self) -> float:
        """The stopwatch reading of the last wake-up: proof that APScheduler's loop is alive."""
        return self._store.moved_at

    @property
    def next_fire_time(self) -> datetime | None:
        """The next fire time of all jobs."""
        return self._store.next_fire_time()

    @property
    def names(self) -> Iterable[str]:
        """The armed jobs."""
        return self._schedules.keys()

    def stop(self) -> None:
        """Fire no more."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
