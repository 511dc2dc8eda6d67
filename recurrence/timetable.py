"""A schedule under its calendars: which occurrences fire, which are excluded, and where these are moved.

A pure function of the schedule and its closures: the planner, `jobsd next`, `jobsd simulate` and the check of the
ledger all ask here, so they say the same. Source of the rules: docs/calendars.md.
"""

from __future__ import annotations

import heapq
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from recurrence.closures import ALWAYS_OPEN, Closure, Closures
from recurrence.fire import count_occurrences, latest_occurrence, next_occurrence, occurrences
from recurrence.moving import FARTHEST, Targets, sources
from recurrence.schedule import Occurrence, Schedule

if TYPE_CHECKING:
    from collections.abc import Iterator

_END = datetime.max.replace(tzinfo=UTC)

INSTANT = timedelta(microseconds=1)
"""What turns an exclusive bound into an inclusive one: fire times are whole seconds."""


MOST_CLOSURES = 400
"""So many closures are looked behind for an occurrence that fires."""


@dataclass(frozen=True, slots=True)
class Judged:
    """An instant that gets a row: an occurrence that fires or is excluded, or the place to which one was moved.

    Attributes:
        occurrence: Its fire time and civil time; of a moved one those to which it was moved.
        closure: What excludes it; None if it fires.
        moved_to: The fire time to which an excluded one was moved; None if it was not.
        moved_from: The fire time of the first excluded occurrence that was moved here; None if none was.
        own: Whether the schedule has an occurrence here itself.
    """

    occurrence: Occurrence
    closure: Closure | None = None
    moved_to: datetime | None = None
    moved_from: datetime | None = None
    own: bool = True

    @property
    def fire_time(self) -> datetime:
        """Of the occurrence, aware UTC."""
        return self.occurrence.fire_time

    @property
    def fires(self) -> bool:
        """Whether a run belongs to it; else a row that says why not."""
        return self.closure is None


@dataclass(frozen=True, slots=True)
class Timetable:
    """A schedule, what its calendars close, and whether an excluded occurrence moves to the next open day.

    Every method takes aware instants, `after` exclusive and `until` inclusive, and raises ValueError as
    `recurrence.next_fire_time` does.
    """

    schedule: Schedule
    closures: Closures = ALWAYS_OPEN
    moves: bool = False

    @property
    def always_open(self) -> bool:
        """Whether no calendar ever closes: each occurrence fires."""
        return not self.closures.digest

    def judged(self, after: datetime, until: datetime) -> Iterator[Judged]:
        """All that get a row in (after, until], strictly increasing by fire time."""
        if self.moves and not self.always_open:
            return self._moved_too(after, until)
        found = occurrences(self.schedule, after=after, until=until)
        if self.always_open:
            return map(Judged, found)
        return (Judged(one, self.closures.at(one.fire_time)) for one in found)

    def next(self, after: datetime) -> Judged | None:
        """The first that gets a row strictly after `after`; None if there is none ever again."""
        own = next_occurrence(self.schedule, after=after)
        if self.moves and not self.always_open:
            last = min(after, _END - FARTHEST) + FARTHEST if own is None else own.fire_time
            return next(self._moved_too(after, last), None)
        return None if own is None else Judged(own, self.closures.at(own.fire_time))

    def next_open(self, after: datetime) -> Judged | None:
        """The first strictly after `after` that fires; None if there is none before `MOST_CLOSURES` in its way."""
        for _ in range(MOST_CLOSURES):
            found = self.next(after)
            if found is None or found.closure is None:
                return found
            after = found.closure.end - INSTANT  # nothing fires inside, and nothing is moved there
        return None

    def latest(self, after: datetime, until: datetime) -> Judged | None:
        """The last in (after, until] that fires, or None."""
        for low, high, closure in reversed(list(self.stretches(after, until))):
            if closure is None and (found := self._latest_open(low, high)) is not None:
                return found
        return None

    def _latest_open(self, after: datetime, until: datetime) -> Judged | None:
        """The last in (after, until], where nothing is closed."""
        own = latest_occurrence(self.schedule, after=after, until=until)
        if not self.moves:
            return None if own is None else Judged(own)
        low = after if own is None else own.fire_time - INSTANT
        last = deque(self._moved_too(low, until), maxlen=1)
        return last[0] if last else None

    def count_open(self, after: datetime, until: datetime) -> int:
        """How many fire in (after, until], a span in which nothing is closed."""
        if self.moves:
            return sum(1 for _ in self._moved_too(after, until))
        return count_occurrences(self.schedule, after=after, until=until)

    def stretches(self, after: datetime, until: datetime) -> Iterator[tuple[datetime, datetime, Closure | None]]:
        """(after, until] cut where a closure begins or ends: (after, until, what closes it) each."""
        while after < until:
            closure = self.closures.at(after + INSTANT)
            if closure is not None:
                end = min(until, closure.end - INSTANT)
            else:
                coming = self.closures.following(after + INSTANT, until)
                end = until if coming is None else coming.start - INSTANT
            yield after, end, closure
            after = end

    def _moved_too(self, after: datetime, until: datetime) -> Iterator[Judged]:
        targets, landed = Targets(self.schedule, self.closures), _Landed()
        for source in sources(self.schedule, self.closures, after, until):
            if self.closures.at(source.fire_time) is not None:
                target = targets.of(source)
                if target is not None and after < target.fire_time <= until:
                    landed.add(target, source)
        for own in occurrences(self.schedule, after=after, until=until):
            yield from landed.before(own.fire_time)
            closure = self.closures.at(own.fire_time)
            if closure is None:
                yield Judged(own, moved_from=landed.taken(own.fire_time))
                continue
            target = targets.of(own)
            if target is not None and target.fire_time <= until:
                landed.add(target, own)
            yield Judged(own, closure, None if target is None else target.fire_time)
        yield from landed.before(None)


class _Landed:
    """Where excluded occurrences were moved, until that comes."""

    def __init__(self) -> None:
        self._from: dict[datetime, tuple[Occurrence, datetime]] = {}
        self._order: list[datetime] = []

    def add(self, target: Occurrence, source: Occurrence) -> None:
        """`source` was moved to `target`; of several the first counts."""
        known = self._from.get(target.fire_time)
        if known is None:
            heapq.heappush(self._order, target.fire_time)
        if known is None or source.fire_time < known[1]:
            self._from[target.fire_time] = target, source.fire_time

    def before(self, instant: datetime | None) -> Iterator[Judged]:
        """Those before `instant`, or all, in order; they are taken."""
        while self._order and (instant is None or self._order[0] < instant):
            found = self._from.pop(heapq.heappop(self._order), None)
            if found is not None:
                yield Judged(found[0], moved_from=found[1], own=False)

    def taken(self, instant: datetime) -> datetime | None:
        """The fire time of the first that was moved to `instant`, where the schedule has an occurrence itself."""
        found = self._from.pop(instant, None)
        return None if found is None else found[1]


def excluded(
    schedule: Schedule, closures: Closures, *, moves: bool, after: datetime, until: datetime
) -> Iterator[Judged]:
    """The excluded occurrences with `after` < fire time <= `until`, in order."""
    return (one for one in Timetable(schedule, closures, moves).judged(after, until) if not one.fires)
