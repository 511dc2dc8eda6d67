"""What will become of an instant that has no run yet, and why nothing was due at one that has gone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from config.calendars.words import why_excluded, why_not_moved
from config.definitions import JobDefinition, Overlap
from config.values import format_duration
from recurrence import explain, rerun_times
from recurrence.timetable import Judged
from scheduler.lifecycle import State
from scheduler.why.facts import Facts, Force
from scheduler.why.rule import Rule
from scheduler.why.runs import ended
from scheduler.why.words import named, when

_FIRST = frozenset({State.PENDING, State.RUNNING, State.RETRYING})


def due_in(job: JobDefinition, after: datetime, until: datetime) -> Judged | None:
    """What first gets a row after `after` and before `until`, by the definition in force; None if nothing does."""
    table = job.timetable
    if table is None or table.schedule.rule is None:
        return None
    found = table.next(after)
    return found if found is not None and found.fire_time < until else None


def definition_rules(facts: Facts, force: Force) -> Iterator[Rule]:
    """What the definition in force says of when it fires, and what stands against that."""
    job = force.job
    if force.unreadable:
        yield Rule(
            "definition", "its definition cannot be read (the log says why: job_unreadable): it does not fire"
        )
    elif job is None:
        yield Rule("definition", f"it is not defined any more{_since(facts, force, 'disarm', 'remove')}")
    else:
        schedule = job.schedule
        told = "it has no schedule: it runs only when it is asked for" if schedule is None else explain(schedule)
        yield Rule("definition", told)
        if not job.enabled:
            yield Rule("enabled", f"it is disabled (enabled: false){_since(facts, force, 'disarm', 'record')}")
        if facts.row.paused_on(max(facts.at, force.now)):
            yield Rule("pause", _paused(facts, facts_zone(force, job)))


def _since(facts: Facts, force: Force, *names: str) -> str:
    last = next((change for change in reversed(facts.changes) if change.name in names), None)
    return "" if last is None else f", since {when(last.at, force.zone)} ({last.actor})"


def future(facts: Facts, force: Force, job: JobDefinition, due: Judged) -> tuple[str, str, list[Rule]]:
    """Verdict, sentence and rules of something that will come due."""
    zone = facts_zone(force, job)
    at = when(due.fire_time, zone)
    if due.closure is not None:
        why = why_excluded(due, moves=job.on_exclude == "next-day")
        return "would_skip", f"It will not run at {at}: {why}", [Rule("calendar", why)]
    if due.moved_from is not None and not due.own and not facts.owes(due.moved_from):
        why = why_not_moved(due.moved_from)
        return "would_skip", f"It will not run at {at}: {why}", [Rule("calendar", why)]
    if facts.row.paused_on(due.fire_time):
        return "would_skip", f"It will not run at {at}: {_paused(facts, zone)}", []
    rules = [Rule("calendar", "its calendars are open then")] if job.exclude else []
    if due.moved_from is not None:
        rules.append(
            Rule("calendar", f"the occurrence of {when(due.moved_from, zone)} is excluded and moved here")
        )
    return "will_run", f"It will run at {at}", [*rules, *_conditions(facts, force, job, due, zone)]


def _conditions(facts: Facts, force: Force, job: JobDefinition, due: Judged, zone: str) -> Iterator[Rule]:
    """What may still keep it from running, or from running at once."""
    grace = format_duration(job.catch_up.grace)
    yield Rule("catch_up", f"if the daemon is not there then: {job.catch_up.policy}, within {grace}")
    working = [run for run in facts.active if run.state in _FIRST and run.rerun_at is None]
    if job.overlap is not Overlap.ALLOW:
        now = f"; {named(working[0])} is {working[0].state} now" if working else ""
        yield Rule("overlap", f"if an earlier run is still at its first attempt then: {job.overlap}{now}")
    for name in job.limits:
        size = force.limits.get(name, force.max_running)
        yield Rule("limits", f"limit {name!r} has {size} places, {force.used.get(name, 0)} of them taken now")
    schedule = job.schedule
    if schedule is None:
        return
    if schedule.window is not None:
        yield Rule("window", f"what is left at {when(due.fire_time + schedule.window, zone)} is stopped")
    if schedule.rerun is not None:
        first = next(iter(rerun_times(schedule, due.occurrence)), None)
        if first is not None:
            yield Rule("rerun", f"what is left then is attempted again from {when(first, zone)} on")


def _paused(facts: Facts, zone: str) -> str:
    row = facts.row
    assert row.paused_at is not None  # noqa: S101 - asked for while it is paused
    until = "until it is resumed" if row.paused_until is None else f"until {when(row.paused_until, zone)}"
    note = f" ({row.paused_note})" if row.paused_note else ""
    return f"it is paused by {row.paused_by} since {when(row.paused_at, zone)}, {until}{note}"


def around(facts: Facts, force: Force) -> str:
    """What was due before that instant, and what is next."""
    zone = facts_zone(force, force.job)
    said = []
    if facts.before is not None:
        run = facts.before
        due = when(run.fire_time, zone)
        last = ended(run) if run.ended_at else f"{named(run)}, due {due}, is {run.state}"
        said.append(f"Before that, {last[0].lower()}{last[1:]}")
    job = force.job
    table = None if job is None or not job.enabled else job.timetable
    if table is not None and table.schedule.rule is not None:
        after = max(facts.until, force.now, facts.row.watermark)
        coming = table.next_open(after)
        said.append(
            "It never fires again" if coming is None else f"It fires next at {when(coming.fire_time, zone)}"
        )
    return ". ".join(said)


def facts_zone(force: Force, job: JobDefinition | None) -> str:
    """The zone in which the job's instants are told."""
    return force.zone if job is None or job.schedule is None else job.schedule.zone
