"""What an active run needs now: a stop, a rerun, an end, or nothing yet.

Sources: docs/recurrence.md "Run window", "Rerun subschedule"; docs/design.md "Windows, reruns, overlap".
"""

from __future__ import annotations

from datetime import datetime

from config.calendars.words import why_closed
from config.definitions import JobDefinition, OnClosure
from config.values import format_duration
from recurrence import next_fire_time
from runners.api import StopReason
from scheduler.cycle import due_rerun, next_rerun
from scheduler.ending import HELD, longest_pause
from scheduler.lifecycle import Move, State
from scheduler.model import Cause, JobRow, Kind, RunRow
from scheduler.planner.actions import Action, Apply, Postpone, RequestStop, Start
from scheduler.planner.closing import closed_to, closures_of, reached, stop_of, waiting_since
from scheduler.planner.walks import walk_of
from scheduler.traits import traits_of

_CAUSE = {Kind.FIRE: Cause.FIRE, Kind.RUN_NOW: Cause.RUN_NOW, Kind.MANUAL: Cause.MANUAL, Kind.POSTED: Cause.MANUAL}


def cycle_end(job: JobDefinition, row: JobRow | None, run: RunRow) -> datetime | None:
    """The fire time at which `run`'s cycle ends: the job's next one, also if it is skipped or missed.

    A run that was moved has one too. Without a row the present schedule is taken to be that of the run.
    """
    if job.schedule is None or job.schedule.rule is None:
        return None
    after = run.fire_time if row is None else max(run.fire_time, row.schedule_since)
    if job.on_exclude == "skip" or not job.exclude:
        return next_fire_time(job.schedule, after=after)
    return walk_of(job, job.schedule).next(after)


def startable(run: RunRow, now: datetime) -> bool:
    """Whether `run` is pending with its window open: of its job, only the definition has to be known."""
    return run.state is State.PENDING and (run.window_end is None or now < run.window_end)


def plan_run(
    job: JobDefinition | None, row: JobRow | None, run: RunRow, now: datetime, end: datetime | None
) -> Action | None:
    """The one thing that `run` needs now, or None. A `Start` still has to find room.

    `end` is its `cycle_end`. For a `startable` run `row` and `end` may be None.
    """
    if job is None or not job.enabled:
        return _out_of_force(job, run, now)
    if startable(run, now):
        return _startable(job, run, now)
    assert row is not None  # noqa: S101 - as said above
    match run.state:
        case State.PENDING:
            return _closed(job, run, now, end)
        case State.RUNNING:
            return _running(job, run, now, end)
        case State.RETRYING:
            return _retrying(job, run, now, end)
        case State.INCOMPLETE:
            return _incomplete(job, row, run, now, end)
        case _:
            return None


def _out_of_force(job: JobDefinition | None, run: RunRow, now: datetime) -> Action | None:
    """A running attempt finishes, though its job is gone: within its window."""
    if run.state is not State.RUNNING:
        reason = "the job was removed" if job is None else "the job was disabled"
        if job is not None and run.state is State.RETRYING and traits_of(job.run).ended_elsewhere:
            return _ended_elsewhere(run, StopReason.CANCEL, reason)
        return Apply(run.run_no, Move.CANCEL, reason)
    if run.window_end is None or now < run.window_end or run.stop_requested_at is not None:
        return None
    return RequestStop(run.run_no, StopReason.WINDOW_END, "the window closed")


def _startable(job: JobDefinition, run: RunRow, now: datetime) -> Action | None:
    closure = closed_to(job, run, now)
    if closure is not None:
        if job.on_closure is OnClosure.HOLD:
            return None
        rerun = next_rerun(run, after=now, before=cycle_end(job, None, run), closures=closures_of(job, run))
        return Apply(run.run_no, Move.LEAVE if rerun else Move.MISS, why_closed(closure))
    if run.kind is Kind.FIRE and now - waiting_since(job, run, now) > job.catch_up.grace:
        return Apply(
            run.run_no, Move.MISS, f"not started within its grace of {format_duration(job.catch_up.grace)}"
        )
    return Start(run.run_no, _CAUSE[run.kind])


def _closed(job: JobDefinition, run: RunRow, now: datetime, end: datetime | None) -> Action:
    """The window closed before the run could start: incomplete with nothing done if a rerun will come."""
    shut = closures_of(job, run)
    rerun = due_rerun(run, now, before=end, closures=shut) or next_rerun(run, after=now, before=end, closures=shut)
    return Apply(run.run_no, Move.LEAVE if rerun else Move.MISS, "the window closed before it could start")


def _running(job: JobDefinition, run: RunRow, now: datetime, end: datetime | None) -> Action | None:
    if run.stop_requested_at is not None:
        return None
    stop = _reason_to_stop(job, run, now, end)
    if stop is None and (closure := reached(job, run, now)) is not None:
        stop = stop_of(closure)
    return None if stop is None else RequestStop(run.run_no, *stop)


def _retrying(job: JobDefinition, run: RunRow, now: datetime, end: datetime | None) -> Action | None:
    stop = _reason_to_stop(job, run, now, end)
    closure = closed_to(job, run, now)
    if run.stop_reason is not None:
        stop = StopReason(run.stop_reason), run.stop_note or ""
    elif (
        stop is None and closure is not None and (job.on_closure is OnClosure.STOP or _cut_off_elsewhere(job, run))
    ):
        stop = stop_of(closure)
    if stop is not None:
        if traits_of(job.run).ended_elsewhere:
            return _ended_elsewhere(run, *stop)
        return Apply(run.run_no, Move.LEAVE, stop[1])
    if closure is not None:
        return None
    if run.reason.startswith(HELD) or run.retry_at is None or run.retry_at <= now:
        return Start(run.run_no, Cause.RETRY)  # held until an end that may have been moved to here since
    # further away than any pause: the clock was set back meanwhile
    return Start(run.run_no, Cause.RETRY) if run.retry_at - now > longest_pause(job.retry) else None


def _cut_off_elsewhere(job: JobDefinition, run: RunRow) -> bool:
    """Whether the daemon died over work that goes on at a counterpart: a closure ends that too."""
    return run.interruptions > 0 and traits_of(job.run).ended_elsewhere


def _ended_elsewhere(run: RunRow, stop: StopReason, reason: str) -> Action:
    """What an attempt has begun at a counterpart may go on there: one more attempt has it ended."""
    if run.stop_requested_at is None:
        return RequestStop(run.run_no, stop, reason)
    return Start(run.run_no, Cause.RETRY, ending=True)


def _reason_to_stop(
    job: JobDefinition, run: RunRow, now: datetime, end: datetime | None
) -> tuple[StopReason, str] | None:
    if run.rerun_at is not None and end is not None and end <= now:
        return StopReason.NEW_OCCURRENCE, "a new occurrence began"
    if run.window_end is not None and run.window_end <= now:
        return StopReason.WINDOW_END, "the window closed"
    rerun = next_rerun(run, before=end, closures=closures_of(job, run))
    if rerun is not None and rerun <= now:
        return StopReason.NEXT_RERUN, "the next rerun is due"
    return None


def _incomplete(
    job: JobDefinition, row: JobRow, run: RunRow, now: datetime, end: datetime | None
) -> Action | None:
    if end is not None and end <= now:
        return Apply(run.run_no, Move.EXPIRE, "a new occurrence began")
    shut = closures_of(job, run)
    due = due_rerun(run, now, after=_pause_over(row, now), before=end, closures=shut)
    if due is not None and not row.paused_on(now):
        closure = closed_to(job, run, now)
        if closure is None:
            return Start(run.run_no, Cause.RERUN, due)
        if run.cycle.window is None or closure.end < due + run.cycle.window:
            return Postpone(run.run_no, closure.end) if run.wake_at != closure.end else None
    coming = next_rerun(run, after=now, before=end, closures=shut)
    if coming is None:
        return Apply(run.run_no, Move.EXPIRE, _why_expired(run, now, end))
    return Postpone(run.run_no, coming) if run.wake_at != coming else None


def _pause_over(row: JobRow, now: datetime) -> datetime | None:
    """The end of the job's last pause, up to which its reruns are dropped; None if there was none."""
    ends = [row.resumed_at, row.paused_until if row.paused_until is not None and row.paused_until <= now else None]
    return max((end for end in ends if end is not None), default=None)


def _why_expired(run: RunRow, now: datetime, end: datetime | None) -> str:
    if run.cycle.rerun is None:
        why = "no rerun is configured"
    elif next_rerun(run, after=now) is None:
        why = "its rerun period is over"
    elif next_rerun(run, after=now, before=end) is not None:
        why = "what is left of its rerun period lies inside a closure of its calendars"
    else:
        why = "the next occurrence comes before its next rerun"
    return f"{run.reason}; {why}" if run.reason else why
