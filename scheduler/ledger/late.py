"""What is late: told once of each occurrence that has not succeeded some time after it was due.

A notice is written when the occurrence gets its row, and judged when it comes due. It tells of every occurrence
since the last success that has ended by then or is late as well, and none of these is told again: a job that hangs
for days, and a long downtime, are one notice for each `after` at the most.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from config.definitions import JobDefinition
from config.values import origin
from scheduler import lateness, notices
from scheduler.lateness import Lateness
from scheduler.ledger import assets, deliveries, schema
from scheduler.ledger.deliveries import MAIL, WEBHOOK, Delivery, Fate, Void, Wait
from scheduler.ledger.rows import RUNS, run_row
from scheduler.lifecycle import ACTIVE, FINAL, State
from scheduler.model import Kind, RunRow
from scheduler.planner.closing import closed_to

TOLD = "told"
"""Name of the progress: up to which instant a delivered notice tells."""

LISTED = 10
"""Occurrences that a notice names; it counts the others."""

CHANGED = "the job's notify was changed"

LOOK_AGAIN = timedelta(minutes=1)
"""An occurrence that a calendar keeps waiting is looked at again after `after`, and no sooner than this."""

_RUNS, _TABLE = schema.runs, schema.deliveries
_BY_HAND = frozenset({Kind.MANUAL, Kind.POSTED})
"""Kinds of runs that somebody asked for: of these only what does not end is told."""

_TOLD_AT = _TABLE.c.body["progress", TOLD].as_string()


def run_opened(connection: sa.Connection, run: RunRow, notify: Mapping[str, Any], at: datetime) -> None:
    """Write the notices for when `run` is late, to be judged then."""
    late, webhook = notify.get("late"), notify.get("webhook")
    if not late or (run.state in FINAL and (run.state is State.SUCCEEDED or lateness.by_hand(run))):
        return
    if run.kind in _BY_HAND and run.state in FINAL:
        return
    due_at = max(at, run.fire_time + _after(late))
    mail = {"to": list(late["to"]), "sender": late.get("sender"), "subject": late.get("subject"),
            "text": late.get("body")}  # fmt: skip
    written = [(MAIL, ", ".join(late["to"]), mail)]
    if webhook:
        body = {"url": webhook["url"], "token": webhook.get("token")}
        written.append((WEBHOOK, origin(webhook["url"]), body))
    for kind, target, body in written:
        channel = f"late-{kind}:{run.job_id}"  # a job may be renamed
        if run.state in FINAL and due_at == at and _joined(connection, run, channel, at):
            continue
        deliveries.create(
            connection, kind=kind, about=notices.LATE, target=target, body=body, at=at, due_at=due_at,
            channel=channel, run=run,
        )  # fmt: skip


def _joined(connection: sa.Connection, run: RunRow, channel: str, at: datetime) -> bool:
    """Whether a notice that is late already and was written with this one is about `run` from now on.

    A long downtime is many occurrences missed at once: whatever keeps the newest of them from being told keeps
    the others too, so one notice is enough.
    """
    same = (_TABLE.c.channel == channel, _TABLE.c.due_at.is_not(None))
    now = (_TABLE.c.created_at == at, _TABLE.c.since_at == at)
    missed = sa.exists().where(_RUNS.c.run_no == _TABLE.c.run_no, _RUNS.c.ended_at == at)
    joined = _TABLE.update().where(*same, *now, missed).values(run_no=run.run_no)
    return connection.execute(joined).rowcount > 0


def changed(
    connection: sa.Connection, job_id: int, before: Mapping[str, Any], after: Mapping[str, Any], at: datetime
) -> None:
    """`notify` of a job was changed: what waits is written anew by what it says now, also for runs under way."""
    if _of(before) == _of(after):
        return
    mine = (_TABLE.c.job_id == job_id, _TABLE.c.about == notices.LATE)
    deliveries.make_void(connection, *mine, at=at, reason=CHANGED)
    if not after.get("late"):
        return
    waited = sa.select(_TABLE.c.run_no).where(*mine, _TABLE.c.ended_at == at, _TABLE.c.reason == CHANGED)
    told = sa.select(_TABLE.c.run_no).where(
        *mine, _TABLE.c.state.in_([Fate.DELIVERED.value, Fate.REFUSED.value]), _TABLE.c.run_no.is_not(None)
    )
    open_still = sa.and_(_RUNS.c.job_id == job_id, schema.IS_ACTIVE)
    chosen = RUNS.where(sa.or_(open_still, _RUNS.c.run_no.in_(waited)), _RUNS.c.run_no.not_in(told))
    for row in connection.execute(chosen.order_by(_RUNS.c.run_no)).all():
        run_opened(connection, run_row(row), after, at)


def ready(
    connection: sa.Connection,
    delivery: Delivery,
    notify: Mapping[str, Any],
    now: datetime,
    definition: Callable[[str], JobDefinition | None],
) -> Delivery | Void | Wait:
    """The notice as it is to be sent now, in words; or why nothing is to be told, or not yet."""
    row = connection.execute(RUNS.where(_RUNS.c.run_no == delivery.run_no)).one_or_none()
    if row is None:
        return Void("its run was deleted")
    run, late = run_row(row), notify.get("late")
    if not late:
        return Void(CHANGED)
    if (moot := _moot(connection, delivery, run, now)) is not None:
        return Void(moot)
    if run.state in ACTIVE and (lateness.by_hand(run) or _kept_waiting(definition(run.job), run, now)):
        return Wait(now + max(_after(late), LOOK_AGAIN), run.reason)
    return _worded(connection, delivery, run, _lateness(connection, run, late, now))


def _kept_waiting(job: JobDefinition | None, run: RunRow, now: datetime) -> bool:
    """Whether `run` is not at work because a calendar does not let it start now."""
    return job is not None and run.state is not State.RUNNING and closed_to(job, run, now) is not None


def _worded(connection: sa.Connection, delivery: Delivery, run: RunRow, found: Lateness) -> Delivery:
    """The notice with our own words where none are given, and up to when it tells."""
    tally, body = assets.tally(connection, run.run_no), dict(delivery.body)
    if delivery.kind == WEBHOOK:
        body["payload"] = lateness.payload(run, tally, found)
    else:
        body["subject"] = body["subject"] or notices.subject(run, notices.LATE)
        body["text"] = body["text"] or lateness.text(run, tally, found)
    return replace(delivery, body={**body, TOLD: found.told_at.isoformat()})


def _of(notify: Mapping[str, Any]) -> tuple[Any, Any] | None:
    """What of a `notify` is about lateness."""
    return (notify["late"], notify.get("webhook")) if notify.get("late") else None


def _after(late: Mapping[str, Any]) -> timedelta:
    return timedelta(seconds=late["after"])


def _moot(connection: sa.Connection, delivery: Delivery, run: RunRow, now: datetime) -> str | None:
    """Why nobody is to be told (any more), or None."""
    if run.state is State.SUCCEEDED:
        return "the run has succeeded"
    if run.state in FINAL and (lateness.by_hand(run) or run.kind in _BY_HAND):
        return f"nobody is told of it: {run.reason or run.state}"
    armed = sa.select(schema.jobs.c.armed).where(schema.jobs.c.job_id == run.job_id)
    if not connection.execute(armed).scalar_one():
        return "the job is not in force any more"
    later = _RUNS.c.fire_time >= (run.last_fire_time or run.fire_time)
    if connection.execute(_succeeded(run.job_id).where(later, _RUNS.c.kind.in_(list(Kind))).limit(1)).first():
        return "a later run has succeeded"
    known = min(delivery.since_at, run.ended_at or delivery.since_at)
    told_at = _told_at(connection, delivery)
    if told_at is not None and known <= told_at <= now:  # one of a clock that was ahead says nothing of this time
        return f"the notice of {told_at:%Y-%m-%dT%H:%M:%SZ} tells it"
    return None


def _told_at(connection: sa.Connection, delivery: Delivery) -> datetime | None:
    """Up to when the job's newest notice of this kind that somebody got tells."""
    mine = (_TABLE.c.job_id == delivery.job_id, _TABLE.c.kind == delivery.kind, _TABLE.c.about == notices.LATE)
    query = sa.select(_TOLD_AT).where(*mine, _TABLE.c.state == Fate.DELIVERED.value)
    found = connection.execute(query.order_by(_TABLE.c.delivery_no.desc()).limit(1)).scalar()
    return None if found is None else datetime.fromisoformat(found)


def _succeeded(job_id: int) -> sa.Select[Any]:
    where = (_RUNS.c.job_id == job_id, _RUNS.c.state == State.SUCCEEDED.value)
    return sa.select(_RUNS.c.fire_time, _RUNS.c.ended_at).where(*where)


def _lateness(connection: sa.Connection, run: RunRow, late: Mapping[str, Any], now: datetime) -> Lateness:
    """Since when the job has not succeeded, and which occurrences have not since then."""
    newest = [
        connection.execute(
            _succeeded(run.job_id).where(_RUNS.c.kind == kind).order_by(_RUNS.c.fire_time.desc()).limit(1)
        ).first()
        for kind in Kind
    ]
    successes = [found for found in newest if found is not None]
    known_since = connection.execute(
        sa.select(schema.jobs.c.known_since).where(schema.jobs.c.job_id == run.job_id)
    ).scalar_one()
    reason = _RUNS.c.reason
    hand = sa.or_(*(reason.startswith(prefix, autoescape=True) for prefix in lateness.HANDS))
    told_of = (
        _RUNS.c.job_id == run.job_id,
        sa.or_(_RUNS.c.kind.not_in(_BY_HAND), _RUNS.c.ended_at.is_(None)),
        *((_RUNS.c.fire_time > max(found.fire_time for found in successes),) if successes else ()),
        _RUNS.c.state.not_in([State.SUCCEEDED.value, State.CANCELLED.value]),
        ~sa.and_(_RUNS.c.state.in_([state.value for state in lateness.KEPT]), hand),
        sa.or_(_RUNS.c.ended_at.is_not(None), _RUNS.c.fire_time <= now - _after(late)),
    )
    count = connection.execute(sa.select(sa.func.sum(_RUNS.c.occurrences)).where(*told_of)).scalar()
    listed = connection.execute(RUNS.where(*told_of).order_by(_RUNS.c.fire_time.desc()).limit(LISTED))
    return Lateness(
        since=max((found.ended_at for found in successes), default=None),
        known_since=known_since,
        count=count or 0,
        runs=tuple(run_row(row) for row in listed),
        told_at=now,
    )
