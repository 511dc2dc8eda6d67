"""What came due for one job since its watermark: one record for each occurrence, or one for a stretch of misses.

Sources: docs/recurrence.md, docs/design.md "Catch-up", "Overlap".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from config.calendars.words import zulu
from config.definitions import CatchUpPolicy, JobDefinition, Overlap
from config.values import format_duration
from recurrence.schedule import Occurrence, Schedule
from runners.api import StopReason
from scheduler.lifecycle import Move, State
from scheduler.model import JobRow, Kind, RunRow
from scheduler.planner.actions import PAUSED, Action, Apply, Open, Record, RequestStop
from scheduler.planner.walks import BATCH, Plain, Walk, walk_of
from scheduler.traits import traits_of

ON_TIME = timedelta(seconds=60)
"""With `catch_up: none`, an occurrence observed this late still counts as observed."""

_FIRST_ATTEMPT = frozenset({State.PENDING, State.RUNNING, State.RETRYING})


def plan_due(job: JobDefinition, row: JobRow, runs: Sequence[RunRow], now: datetime) -> list[Action]:
    """Actions for the occurrences of `job` in (watermark, now]; none if nothing came due.

    `runs` are the job's active runs. The watermark moves to the last occurrence that got its row.
    """
    schedule = job.schedule
    if schedule is None or schedule.rule is None or now <= row.watermark:
        return []
    walk = walk_of(job, schedule)
    first = walk.next(row.watermark)
    if first is None or first > now:
        return []
    waiting = sum(run.state is State.PENDING for run in runs)
    if job.catch_up.policy is CatchUpPolicy.ALL and waiting >= BATCH and _past_pause(row):
        return []  # the rest when these have started: however long the downtime, so many wait at the most
    until = now
    records: list[Record] = []
    for start, end, paused in _stretches(row, now):
        if paused:
            note = f": {row.paused_note}" if row.paused_note else ""
            records += walk.same(start, end, State.SKIPPED, f"{PAUSED}{note}")
            continue
        fresh, reached = _catch_up(job, walk, start, end, now)
        records += fresh
        if reached < end:
            until = reached
            break
    verdict, moves = _judged(job, runs, records)
    return [*moves, Open(job.name, verdict, until)]


def _judged(
    job: JobDefinition, runs: Sequence[RunRow], records: list[Record]
) -> tuple[tuple[Record, ...], list[Action]]:
    """`records` as catch-up over a pause and the overlap policy leave them, and what happens to `runs`."""
    actions: list[Action] = []
    judged = list(records)
    wanted = [number for number, record in enumerate(records) if record.state is State.PENDING]
    if job.catch_up.policy is not CatchUpPolicy.ALL:
        for number in wanted[:-1]:  # a pause lay between them
            why = _superseded(job.catch_up.policy, records[wanted[-1]].occurrence)
            judged[number] = replace(records[number], state=State.MISSED, reason=why)
        wanted = wanted[-1:]
    for number in wanted:
        judged[number], moves = _overlap(job, runs, records[number])
        actions += [move for move in moves if move not in actions]
    return tuple(judged), actions


def _superseded(policy: CatchUpPolicy, later: Occurrence) -> str:
    return f"not run: the later occurrence of {zulu(later.fire_time)} took its place (catch_up: {policy})"


def missed(schedule: Schedule, after: datetime, until: datetime, reason: str) -> list[Record]:
    """All of (after, until] as missed."""
    return Plain(schedule).same(after, until, State.MISSED, reason)


_INSTANT = timedelta(microseconds=1)


def _past_pause(row: JobRow) -> bool:
    """Whether all that the present pause passes over has its rows; before that, its end would replay it."""
    if row.paused_at is None:
        return True
    return row.paused_until is not None and row.watermark >= row.paused_until - _INSTANT


def _stretches(row: JobRow, now: datetime) -> Iterator[tuple[datetime, datetime, bool]]:
    """(watermark, now] cut at the pause: (after, until, paused) each."""
    if row.paused_at is None:
        yield row.watermark, now, False
        return
    begin = max(row.watermark, row.paused_at - _INSTANT)
    end = now if row.paused_until is None else min(now, row.paused_until - _INSTANT)
    if row.watermark < begin:
        yield row.watermark, min(begin, now), False
    if begin < end:
        yield begin, end, True
    if end < now and begin < now:
        yield max(begin, end), now, False


def _catch_up(
    job: JobDefinition, walk: Walk, after: datetime, until: datetime, now: datetime
) -> tuple[list[Record], datetime]:
    """The records of (after, until] before overlap is judged, and the instant up to which they reach."""
    policy, grace = job.catch_up.policy, job.catch_up.grace
    if policy is CatchUpPolicy.ALL:
        oldest = max(after, min(now - grace, until) - _INSTANT)
        late = walk.same(after, oldest, State.MISSED, _too_late(grace)) if oldest > after else []
        batch, reached = walk.batch(oldest, until)
        return [*late, *batch], reached
    latest = walk.latest(after, until)
    if latest is None:
        return walk.excluded(after, until), until
    fire_time = latest.occurrence.fire_time
    before = fire_time - _INSTANT
    why = _superseded(policy, latest.occurrence)
    earlier = walk.same(after, before, State.MISSED, why) if before > after else []
    later = walk.excluded(fire_time, until)
    if policy is CatchUpPolicy.NONE and now - fire_time > ON_TIME:
        latest = replace(latest, state=State.MISSED, reason="came due unobserved (catch_up: none)")
    elif now - fire_time > grace:
        latest = replace(latest, state=State.MISSED, reason=_too_late(grace))
    return [*earlier, latest, *later], until


def _too_late(grace: timedelta) -> str:
    return f"came due unobserved and is later than its grace of {format_duration(grace)}"


def _overlap(job: JobDefinition, runs: Sequence[RunRow], record: Record) -> tuple[Record, list[Action]]:
    """`record` as the overlap policy leaves it, and what happens to the runs that are there."""
    stops: list[Action] = [
        RequestStop(run.run_no, StopReason.NEW_OCCURRENCE, "a new occurrence began")
        for run in runs
        if run.state is State.RUNNING and run.rerun_at is not None and not run.stop_requested_at
    ]
    first = [run for run in runs if run.state in _FIRST_ATTEMPT and run.rerun_at is None]
    if not first or job.catch_up.policy is CatchUpPolicy.ALL or job.overlap is Overlap.ALLOW:
        return record, stops
    if job.overlap is Overlap.SKIP:
        reason = f"overlap: run {first[0].run_id} is still {first[0].state} (overlap: skip)"
        return replace(record, state=State.SKIPPED, reason=reason), stops
    for run in first:
        stops += _displace(job, run)
    return record, stops


def _displace(job: JobDefinition, run: RunRow) -> list[Action]:
    if run.state is State.PENDING and run.kind is Kind.FIRE:
        return [Apply(run.run_no, Move.SKIP, f"a newer occurrence took its place (overlap: {job.overlap})")]
    if job.overlap is not Overlap.REPLACE or run.state is State.PENDING or run.stop_requested_at:
        return []
    reason = "a new occurrence began (overlap: replace)"
    if run.state is State.RUNNING or traits_of(job.run).ended_elsewhere:
        return [RequestStop(run.run_no, StopReason.NEW_OCCURRENCE, reason)]
    return [Apply(run.run_no, Move.LEAVE, reason)]
