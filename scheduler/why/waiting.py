"""What an active run waits for, or what will become of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from config.calendars.words import why_closed
from config.definitions import JobDefinition
from scheduler.cycle import next_rerun
from scheduler.lifecycle import State
from scheduler.model import RunRow
from scheduler.planner import goes_before, side_by_side
from scheduler.planner.active import cycle_end
from scheduler.planner.closing import closed_to, closures_of
from scheduler.planner.due import ON_TIME
from scheduler.why.facts import Facts, Force
from scheduler.why.rule import Rule
from scheduler.why.words import named, span, when

_MOST = 5
"""Holders that are named."""


def present(facts: Facts, force: Force, run: RunRow) -> Iterator[Rule]:
    """The rules that hold for an active run from now on; the first of a waiting one is what it waits for."""
    if force.job is None or not force.job.enabled:
        yield _out_of_force(force)
        return
    match run.state:
        case State.PENDING:
            yield from _holds(facts, force, force.job, run)
        case State.RETRYING:
            yield from _between_tries(facts, force, force.job, run)
        case State.RUNNING:
            if run.stop_requested_at is not None:
                since = when(run.stop_requested_at, run.zone)
                yield Rule(
                    "stop", f"it was asked to stop at {since} ({run.stop_note}); its work has not ended yet"
                )
        case State.INCOMPLETE:
            yield _rerun(facts, force, force.job, run)
    if run.window_end is not None and run.state is not State.INCOMPLETE:
        yield Rule("window", f"its window ends at {when(run.window_end, run.zone)}: what is left then is stopped")


def _out_of_force(force: Force) -> Rule:
    if force.unreadable:
        return Rule("definition", "its definition cannot be read (the log says why: job_unreadable): it waits")
    what = "removed" if force.job is None else "disabled"
    return Rule("enabled", f"the job was {what}: a running attempt finishes, what waits is cancelled")


def _holds(facts: Facts, force: Force, job: JobDefinition, run: RunRow) -> Iterator[Rule]:
    """What holds up a pending run, in the order in which the planner asks."""
    if not force.writable:
        yield Rule("ledger", "the ledger cannot be written: nothing starts until it can (ledger_not_writable)")
    if not force.firing:
        yield Rule("daemon", "the daemon is stopping: nothing starts any more")
    closure = closed_to(job, run, force.now)
    if closure is not None:
        yield Rule("calendar", f"{why_closed(closure)} (on_closure: {job.on_closure})")
    if len(facts.working) >= force.max_running:
        yield Rule("max_running", f"all {force.max_running} places are taken, by {_holders(facts.working)}")
    for name in job.limits:
        size = force.limits.get(name, force.max_running)
        if force.used.get(name, 0) >= size:
            theirs = [one for one in facts.working if _in_limit(force, one, name)]
            yield Rule("limits", f"limit {name!r} has {size} places, and they are taken, by {_holders(theirs)}")
    if not side_by_side(job):
        yield from _earlier(facts, run)
    late = force.now - run.fire_time
    if late > ON_TIME and force.pacing:
        yield Rule("pacing", f"it is {span(late)} late, and late starts are paced (settings.catch_up_rate)")


def _earlier(facts: Facts, run: RunRow) -> Iterator[Rule]:
    """Runs of the same job that are to end, or to start, before."""
    for other in facts.active:
        if other.run_no != run.run_no and (other.state is State.RUNNING or goes_before(run, [other])):
            due = when(other.fire_time, other.zone)
            yield Rule("overlap", f"{named(other)} of the job, due {due}, goes before it, and is {other.state}")


def _between_tries(facts: Facts, force: Force, job: JobDefinition, run: RunRow) -> Iterator[Rule]:
    closure = closed_to(job, run, force.now)
    if run.stop_requested_at is not None:
        yield Rule("stop", f"it is to be stopped ({run.stop_note}): one more attempt has its work elsewhere ended")
    elif closure is not None:
        yield Rule("calendar", f"{why_closed(closure)} (on_closure: {job.on_closure})")
    elif run.retry_at is not None and run.retry_at > force.now:
        number = f"{run.tries + 1} of {job.retry.attempts}"
        yield Rule("retry", f"it is tried again at {when(run.retry_at, run.zone)}, try {number}")
    else:
        yield from _holds(facts, force, job, run)


def _rerun(facts: Facts, force: Force, job: JobDefinition, run: RunRow) -> Rule:
    closure = closed_to(job, run, force.now)
    if closure is not None and run.wake_at == closure.end:  # one that is late waits for that
        return Rule("calendar", f"{why_closed(closure)} (on_closure: {job.on_closure})")
    coming = next_rerun(
        run, after=force.now, before=cycle_end(job, facts.row, run), closures=closures_of(job, run)
    )
    if coming is None:
        return Rule("rerun", "no rerun will come any more: it expires")
    if facts.row.paused_on(coming):
        return Rule("pause", f"the job is paused: its rerun of {when(coming, run.zone)} is dropped")
    return Rule("rerun", f"what is left is attempted again at {when(coming, run.zone)}")


def _in_limit(force: Force, run: RunRow, name: str) -> bool:
    job = force.definitions.get(run.job)
    return job is not None and name in job.limits


def _holders(runs: Sequence[RunRow]) -> str:
    told = [f"{one.job} ({named(one)}, since {_began(one)})" for one in runs[:_MOST]]
    more = [f"{len(runs) - _MOST} more"] if len(runs) > _MOST else []
    return ", ".join([*told, *more]) or "work that began by definitions of before"


def _began(run: RunRow) -> str:
    return when(run.started_at or run.opened_at, run.zone)
