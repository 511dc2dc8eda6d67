"""The pure core: `plan(now, definitions, snapshot)` says what to do now; it does nothing itself."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import TypeVar

from config.definitions import CatchUpPolicy, JobDefinition, Overlap
from scheduler.lifecycle import State
from scheduler.model import Cause, JobRow, Kind, RunRow
from scheduler.planner.actions import Action, Start
from scheduler.planner.active import cycle_end, plan_run, startable
from scheduler.planner.due import ON_TIME, plan_due

__all__ = ["Capacity", "Plan", "Snapshot", "goes_before", "plan", "side_by_side"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the ledger says about the jobs and runs to look at.

    Attributes:
        jobs: By name: those marked as due, and those of `runs` that are not just `startable`.
        due: Names of the jobs whose occurrences are to be planned.
        runs: Every active run of the `due` jobs, every active run whose `wake_at` has come (all pending ones are
            among these), and while runs are pending, every retrying one.
        running: Names of the jobs of all runs that are running now, one for each run.
    """

    jobs: Mapping[str, JobRow]
    due: frozenset[str]
    runs: Sequence[RunRow]
    running: Sequence[str]


@dataclass(frozen=True, slots=True)
class Capacity:
    """How much may run at once.

    Attributes:
        max_running: In all.
        limits: By named limit; `used`: what is at work counts in these, by the definitions with which it started.
        late: How many late starts may be made now.
    """

    max_running: int
    limits: Mapping[str, int]
    late: float = math.inf
    used: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do now.

    Attributes:
        broken: The jobs of which nothing can be said: name -> what their recurrence raised.
        late: How many late starts wait, for whatever; `held`: whether `Capacity.late` holds up one of them.
    """

    actions: Sequence[Action]
    broken: Mapping[str, str]
    late: int = 0
    held: bool = False


def plan(now: datetime, definitions: Mapping[str, JobDefinition], snapshot: Snapshot, capacity: Capacity) -> Plan:
    """What to do at `now`. Call again after carrying it out, until there are no actions.

    What comes due is opened before anything starts, so that overlap is judged on all that is there.
    """
    by_job: dict[str, list[RunRow]] = {}
    for run in snapshot.runs:
        by_job.setdefault(run.job, []).append(run)
    broken: dict[str, str] = {}
    opened: list[Action] = []
    for name in sorted(snapshot.due):
        job = definitions.get(name)
        if job is not None and job.enabled:
            due = partial(plan_due, job, snapshot.jobs[name], by_job.get(name, ()), now)
            opened += _guarded(name, due, broken) or ()
    if opened:
        return Plan(opened, broken)
    changes: list[Action] = []
    wanted: list[tuple[RunRow, Start]] = []
    paced = 0
    for run in snapshot.runs:
        job = definitions.get(run.job)
        if capacity.late < 1 and job is not None and _only_waits(job, run, now):
            paced += 1
            continue
        row = snapshot.jobs.get(run.job)
        end = None  # where the recurrence raises: what runs is held to its own window and reruns
        if job is not None and row is not None and not startable(run, now):
            end = _guarded(run.job, partial(cycle_end, job, row, run), broken)
        action = _guarded(run.job, partial(plan_run, job, row, run, now, end), broken)
        if isinstance(action, Start) and not action.ending:
            wanted.append((run, action))
        elif action is not None:
            changes.append(action)
    late = frozenset(run.run_no for run, start in wanted if _late(run, start, now))
    admitted, held = _admit(definitions, wanted, by_job, snapshot.running, capacity, late)
    waiting = paced + len(late) - sum(start.late for start in admitted)
    return Plan([*changes, *admitted], broken, waiting, held or paced > 0)


def _guarded(name: str, ask: Callable[[], T], broken: dict[str, str]) -> T | None:
    """The answer, or None with the job noted as broken: one job's recurrence must not hold up the others."""
    try:
        return ask()
    except Exception as error:  # noqa: BLE001 - whatever a recurrence raises concerns its own job only
        broken[name] = f"{type(error).__name__}: {error}"
        return None


def _only_waits(job: JobDefinition, run: RunRow, now: datetime) -> bool:
    """Whether a late start is all that `run` may want: while none may be made, ten thousand such cost nothing."""
    if not startable(run, now) or run.kind is not Kind.FIRE or not job.enabled or job.exclude:
        return False
    return ON_TIME < now - run.fire_time <= job.catch_up.grace


def _late(run: RunRow, start: Start, now: datetime) -> bool:
    """Whether `start` comes more than `ON_TIME` after it was due; what was asked for by hand never does."""
    due = {Cause.FIRE: run.fire_time, Cause.RETRY: run.retry_at, Cause.RERUN: start.rerun_at}.get(start.cause)
    return due is not None and now - due > ON_TIME


def _admit(
    definitions: Mapping[str, JobDefinition],
    wanted: list[tuple[RunRow, Start]],
    by_job: Mapping[str, Sequence[RunRow]],
    running: Sequence[str],
    capacity: Capacity,
    late: Collection[int],
) -> tuple[list[Start], bool]:
    """The starts for which there is room, by priority, then fire time, and `Plan.held`; `late` are run numbers."""
    used = Counter(capacity.used)
    total, busy = len(running), Counter(running)
    admitted: list[Start] = []
    taken, held = 0, False
    for run, start in sorted(wanted, key=lambda pair: (-definitions[pair[0].job].priority, pair[0].fire_time)):
        job = definitions[run.job]
        if total >= capacity.max_running:
            break
        if any(used[name] >= capacity.limits.get(name, capacity.max_running) for name in job.limits):
            continue
        if not side_by_side(job) and (busy[run.job] or goes_before(run, by_job[run.job])):
            continue
        if run.run_no in late:
            if taken >= capacity.late:
                held = True
                continue
            start, taken = replace(start, late=True), taken + 1  # noqa: PLW2901 - the same start, marked
        admitted.append(start)
        total += 1
        busy[run.job] += 1
        used.update(job.limits)
    return admitted, held


def side_by_side(job: JobDefinition) -> bool:
    """Whether runs of the job may be at work at once; `catch_up: all` is one after the other in any case."""
    return job.overlap is Overlap.ALLOW and job.catch_up.policy is not CatchUpPolicy.ALL


def goes_before(run: RunRow, siblings: Sequence[RunRow]) -> bool:
    """Whether another first attempt of the job, one of `siblings`, is to go before `run`'s first one."""
    if run.state is not State.PENDING:
        return False
    return any(
        other.state is State.RETRYING or (other.state is State.PENDING and other.run_no < run.run_no)
        for other in siblings
        if other.run_no != run.run_no
    )
