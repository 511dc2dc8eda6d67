"""The rows of a span of time for one job: of its occurrences, and of what its calendars make of them. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Protocol

from config.calendars.words import MOVED_EACH, why_closed, why_excluded
from config.definitions import JobDefinition
from recurrence import count_occurrences, latest_occurrence, next_occurrence, occurrences
from recurrence.closures import Closure
from recurrence.schedule import Schedule
from recurrence.timetable import Judged, Timetable
from scheduler.lifecycle import State
from scheduler.planner.actions import Record

STRETCH = 100
"""More rows than this at once become one for each stretch of them."""

BATCH = 200
"""With `catch_up: all`, at most so many runs are opened at a time."""


class Walk(Protocol):
    """What gets a row, in spans from `after` (exclusive) to `until` (inclusive), in order of time."""

    def next(self, after: datetime) -> datetime | None:
        """The first instant after `after` at which something gets a row; None if never again."""

    def latest(self, after: datetime, until: datetime) -> Record | None:
        """The last that would run, pending; None if none would."""

    def same(self, after: datetime, until: datetime, state: State, reason: str) -> list[Record]:
        """All of the span: what would run as `state` with `reason`, what is excluded as skipped."""

    def excluded(self, after: datetime, until: datetime) -> list[Record]:
        """A span in which nothing would run: what is excluded, as skipped."""

    def batch(self, after: datetime, until: datetime) -> tuple[list[Record], datetime]:
        """The first that would run, pending, `BATCH` at most, the excluded among them, and how far that goes."""


def walk_of(job: JobDefinition, schedule: Schedule) -> Walk:
    """The walk of a job, of which `schedule` is the schedule."""
    if not job.exclude:
        return Plain(schedule)
    return Excluding(Timetable(schedule, job.closures, job.on_exclude == "next-day"))


@dataclass(frozen=True, slots=True)
class Plain:
    """The walk of a job without calendars: every occurrence would run."""

    schedule: Schedule

    def next(self, after: datetime) -> datetime | None:
        """The next fire time."""
        found = next_occurrence(self.schedule, after=after)
        return None if found is None else found.fire_time

    def latest(self, after: datetime, until: datetime) -> Record | None:
        """The last occurrence."""
        found = latest_occurrence(self.schedule, after=after, until=until)
        return None if found is None else Record(found, State.PENDING)

    def same(self, after: datetime, until: datetime, state: State, reason: str) -> list[Record]:
        """One record each, or one for the whole stretch where there are many."""
        if after >= until:
            return []
        some = list(islice(occurrences(self.schedule, after=after, until=until), STRETCH + 1))
        if len(some) <= STRETCH:
            return [Record(occurrence, state, reason) for occurrence in some]
        last = latest_occurrence(self.schedule, after=after, until=until)
        count = count_occurrences(self.schedule, after=after, until=until)
        return [Record(some[0], state, reason, last.fire_time if last else None, count)]

    def excluded(self, after: datetime, until: datetime) -> list[Record]:
        """Nothing."""
        del after, until
        return []

    def batch(self, after: datetime, until: datetime) -> tuple[list[Record], datetime]:
        """The first occurrences."""
        found = list(islice(occurrences(self.schedule, after=after, until=until), BATCH))
        reached = found[-1].fire_time if len(found) == BATCH else until
        return [Record(occurrence, State.PENDING) for occurrence in found], reached


@dataclass(frozen=True, slots=True)
class Excluding:
    """The walk of a job under its calendars."""

    table: Timetable

    def next(self, after: datetime) -> datetime | None:
        """The next occurrence, excluded or not, or where one was moved."""
        found = self.table.next(after)
        return None if found is None else found.fire_time

    def latest(self, after: datetime, until: datetime) -> Record | None:
        """The last that is open."""
        found = self.table.latest(after, until)
        return None if found is None else self._record(found, State.PENDING)

    def same(self, after: datetime, until: datetime, state: State, reason: str) -> list[Record]:
        """One record each; where there are many, one for each stretch between the ends of closures."""
        some = list(islice(self.table.judged(after, until), STRETCH + 1)) if after < until else []
        if len(some) <= STRETCH:
            return [self._record(one, state, reason) for one in some]
        stretches = (self._stretch(*cut, state, reason) for cut in self.table.stretches(after, until))
        return [record for record in stretches if record is not None]

    def excluded(self, after: datetime, until: datetime) -> list[Record]:
        """As `same`, where nothing runs."""
        return self.same(after, until, State.SKIPPED, "")

    def batch(self, after: datetime, until: datetime) -> tuple[list[Record], datetime]:
        """The first that are open, and all that is excluded up to there."""
        records: list[Record] = []
        left = BATCH
        for low, high, closure in self.table.stretches(after, until):
            if closure is not None:
                records += self.excluded(low, high)
                continue
            found = list(islice(self.table.judged(low, high), left))
            records += [self._record(one, State.PENDING) for one in found]
            left -= len(found)
            if not left:
                return records, found[-1].fire_time
        return records, until

    def _record(self, one: Judged, state: State, reason: str = "") -> Record:
        """Of one that would run, `state`; of an excluded one, why it does not."""
        if one.closure is None:
            return Record(one.occurrence, state, reason, moved_from=one.moved_from, own=one.own)
        return Record(one.occurrence, State.SKIPPED, why_excluded(one, moves=self.table.moves))

    def _stretch(
        self, after: datetime, until: datetime, closure: Closure | None, state: State, reason: str
    ) -> Record | None:
        """One record for a span that is all open, or all closed; None if nothing is due in it."""
        first = next(self.table.judged(after, until), None)
        if first is None:
            return None
        if closure is None:
            last, count = self.table.latest(after, until), self.table.count_open(after, until)
            end = first.fire_time if last is None else last.fire_time
        else:
            schedule = self.table.schedule
            found = latest_occurrence(schedule, after=after, until=until)
            end = first.fire_time if found is None else found.fire_time
            count = count_occurrences(schedule, after=after, until=until)
        if count == 1:
            return self._record(first, state, reason)
        if closure is None:
            return Record(first.occurrence, state, reason, end, count, first.moved_from)
        moved = MOVED_EACH if first.moved_to is not None else ""
        return Record(first.occurrence, State.SKIPPED, why_closed(closure) + moved, end, count)
