"""Whether every fire time of a job has its row, once, and every row its fire time. Pure.

What was in force when is put together anew from the versions of the definition and from when it was armed.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from recurrence import count_occurrences, fire_times
from recurrence.schedule import Schedule
from scheduler.checks.finding import Finding
from scheduler.checks.life import iso

_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Known:
    """A job as its row has it; all fire times in (since, watermark] are accounted for."""

    name: str
    since: datetime
    watermark: datetime
    armed: bool


@dataclass(frozen=True, slots=True)
class Terms:
    """One version of its definition, and from when; `moves` where what a calendar excludes goes to another day.

    `closures` is the digest of what its calendars close.
    """

    version_id: int
    from_at: datetime
    schedule: Schedule | None
    closures: str
    moves: bool

    def fires_like(self, other: Terms) -> bool:
        """Whether both have the same fire times, the moved ones included."""
        return (self.schedule, self.closures, self.moves) == (other.schedule, other.closures, other.moves)


@dataclass(frozen=True, slots=True)
class Toggle:
    """It was put in force (`armed`) or taken out of it."""

    at: datetime
    armed: bool


@dataclass(frozen=True, slots=True)
class Fired:
    """The row of an occurrence, or of `count` of them up to `last`; where it was moved, if it was.

    `run_no` has the order in which rows were written; where `opened_at` has another, the clock was set back.
    """

    run_no: int
    opened_at: datetime
    run_id: str
    fire_time: datetime
    last: datetime
    count: int
    version_id: int
    moved_from: datetime | None
    moved_to: datetime | None


@dataclass(frozen=True, slots=True)
class Span:
    """A span of time, from `after` (exclusive) until `until` (inclusive), in which `schedule` fired."""

    after: datetime
    until: datetime
    schedule: Schedule
    terms: Terms


def account(
    job: Known, terms: Sequence[Terms], toggles: Sequence[Toggle], rows: Sequence[Fired]
) -> Iterator[Finding]:
    """What is missing, twice or too much; `terms` and `toggles` in the order in which they were written.

    `rows` are all rows of occurrences of the job, by fire time.
    """
    found: set[str] = set()
    held = list(spans(job, terms, toggles))
    for span in held:
        yield from _gaps(job, span, rows, found)
    by_version = {one.version_id: one for one in terms}
    for row in rows:
        yield from _own(job, row, by_version, known=row.run_id in found)
    yield from _twice(job, rows, by_version)
    yield from _moved(job, rows, by_version, held)


def spans(job: Known, terms: Sequence[Terms], toggles: Sequence[Toggle]) -> Iterator[Span]:
    """When which schedule fired, as far as it is accounted for. Where a clock was set back, spans may overlap."""
    starts = [one.from_at for one in terms]
    ends = [*starts[1:], job.watermark]
    for begin, end in _armed(job, toggles):
        for one, start, stop in zip(terms, starts, ends, strict=True):
            after, until = max(begin, start, job.since), min(end, stop, job.watermark)
            if one.schedule is not None and one.schedule.rule is not None and after < until:
                yield Span(after, until, one.schedule, one)


def _armed(job: Known, toggles: Sequence[Toggle]) -> Iterator[tuple[datetime, datetime]]:
    """When it was in force. What it was before the first toggle is told by that: each one turns it over."""
    armed, since = not toggles[0].armed if toggles else job.armed, job.since
    for toggle in toggles:
        if armed:
            yield since, toggle.at
        armed, since = toggle.armed, toggle.at
    if armed:
        yield since, job.watermark


def _gaps(job: Known, span: Span, rows: Sequence[Fired], found: set[str]) -> Iterator[Finding]:
    """The fire times of `span` without a row; the rows that have one are added to `found`."""
    coming = fire_times(span.schedule, span.after, span.until)
    number = 0
    while (instant := next(coming, None)) is not None:
        while number < len(rows) and rows[number].last < instant:
            number += 1
        row = rows[number] if number < len(rows) else None
        if row is not None and row.fire_time <= instant:
            found.add(row.run_id)
            if row.count > 1:
                coming = fire_times(span.schedule, row.last, span.until)
            continue
        until = span.until if row is None else min(row.fire_time - _INSTANT, span.until)
        yield Finding("gap", _missing(span.schedule, instant, until), job.name)
        coming = fire_times(span.schedule, until, span.until)


def _missing(schedule: Schedule, first: datetime, until: datetime) -> str:
    count = count_occurrences(schedule, after=first - _INSTANT, until=until)
    if count == 1:
        return f"its fire time {iso(first)} has no row"
    return f"{count} of its fire times have no row, from {iso(first)} until {iso(until)}"


def _own(job: Known, row: Fired, terms: Mapping[int, Terms], *, known: bool) -> Iterator[Finding]:
    """Whether the row is of a fire time of the definition that it was opened by, and counts right."""
    one = terms.get(row.version_id)
    if one is None or one.schedule is None or one.schedule.rule is None:
        says = f"it stands for {iso(row.fire_time)}, and its job had no schedule"
        yield Finding("extra", says, job.name, row.run_id)
        return
    before = row.fire_time - _INSTANT
    if not known and row.moved_from is None and not any(fire_times(one.schedule, before, row.fire_time)):
        says = f"it stands for {iso(row.fire_time)}, which was no fire time of its job"
        yield Finding("extra", says, job.name, row.run_id)
    if row.count > 1:
        count = count_occurrences(one.schedule, after=before, until=row.last)
        if row.count < count or (row.count > count and not one.moves):
            says = f"it stands for {row.count} occurrences until {iso(row.last)}, and there were {count}"
            yield Finding("stretch", says, job.name, row.run_id)


def _twice(job: Known, rows: Sequence[Fired], terms: Mapping[int, Terms]) -> Iterator[Finding]:
    """Rows that lie in the stretch that another one of the same schedule stands for."""
    stretch: Fired | None = None
    for row in rows:
        if stretch is not None and row.fire_time <= stretch.last and row.moved_from is None:
            mine, other = terms.get(row.version_id), terms.get(stretch.version_id)
            early = stretch.run_no < row.run_no and stretch.opened_at > row.opened_at  # by a clock that was ahead
            if mine is not None and other is not None and mine.schedule == other.schedule and not early:
                says = f"its fire time {iso(row.fire_time)} is also one of run {stretch.run_id}"
                yield Finding("twice", says, job.name, row.run_id)
        if row.count > 1 and (stretch is None or row.last > stretch.last):
            stretch = row


def _moved(
    job: Known, rows: Sequence[Fired], terms: Mapping[int, Terms], held: Sequence[Span]
) -> Iterator[Finding]:
    """Rows of moved occurrences without one at the instant to which they were moved."""
    for row in rows:
        target, mine = row.moved_to, terms.get(row.version_id)
        if target is None or mine is None:
            continue
        due = any(span.after < target <= span.until and span.terms.fires_like(mine) for span in held)
        there = bisect_right(rows, target, key=_fire_time)
        if due and not (there and rows[there - 1].last >= target):
            yield Finding("gap", f"it was moved to {iso(target)}, and no row is there", job.name, row.run_id)


def _fire_time(row: Fired) -> datetime:
    return row.fire_time
