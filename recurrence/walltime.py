"""From wall time to instants: the one place where gaps and folds are decided.

Inside this package a wall time is a datetime labelled UTC: adding and subtracting then needs no change of label,
which costs ten times as much as the arithmetic. `tzinfo.utcoffset` reads the fields of its argument as wall time
in the zone whatever the label says, so the label is never taken for an instant.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import accumulate, chain
from typing import TYPE_CHECKING

from recurrence.rules import Fold, Gap

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import tzinfo
    from zoneinfo import ZoneInfo

DAY = timedelta(days=1)
# No zone changes its offset and changes it back within three days (a test holds this against the zone data), so
# equal offsets three days apart say that no gap and no fold lies between them.
LOOK_AHEAD = timedelta(days=3)
# A gap or fold lasts 24 hours at most, so one that begins just behind the quiet span would still reach into its
# last day: that day is not counted as quiet.
QUIET = LOOK_AHEAD - DAY


def offset_of(zone: ZoneInfo, wall: datetime) -> timedelta:
    """The UTC offset of `wall` in `zone`: in a gap and in a fold, the one in force before it."""
    offset = zone.utcoffset(wall)
    if offset is None:  # only for times without a date, which cannot get here
        raise ValueError(f"{zone.key} has no offset at {wall}")
    return offset


def offset_at(zone: tzinfo, instant: datetime) -> timedelta:
    """The UTC offset in force at `instant`."""
    offset = instant.astimezone(zone).utcoffset()
    return timedelta(0) if offset is None else offset


def instants(zone: ZoneInfo, wall: datetime, gap: Gap, fold: Fold) -> tuple[datetime, ...]:
    """The instants at which an occurrence at `wall` fires: one, none (gap skipped) or two (both of a fold)."""
    before = offset_of(zone, wall)
    after = offset_of(zone, wall.replace(fold=1))
    if before == after:
        return (wall - before,)
    if before < after:
        return () if gap is Gap.SKIP else (wall - before,)
    if fold is Fold.BOTH:
        return (wall - before, wall - after)
    return (wall - before,) if fold is Fold.FIRST else (wall - after,)


def transition(zone: tzinfo, before: datetime, after: datetime) -> datetime:
    """The first instant in (before, after] with the offset of `after`: one change of offset lies between them.

    Both are whole seconds.
    """
    new = offset_at(zone, after)
    second = timedelta(seconds=1)
    while after - before > second:
        middle = before + timedelta(seconds=int((after - before).total_seconds()) // 2)
        if offset_at(zone, middle) == new:
            after = middle
        else:
            before = middle
    return after


def progression(first: datetime, steps: Iterable[timedelta]) -> Iterator[datetime]:
    """`first`, and on from it step by step; OverflowError at the end of the year 9999."""
    # accumulate() adds in C, five times as fast as a generator; typing has no word for its mixed operands.
    return accumulate(chain((first,), steps))  # type: ignore[arg-type]
