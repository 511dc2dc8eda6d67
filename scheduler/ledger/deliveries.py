"""The outbox: what is to be sent to somebody, written in the transaction of what it tells.

A pending delivery has an instant at which it is due; every other one has ended. Those of one channel go strictly
in order: only the oldest pending one may be sent.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from scheduler.ledger import events, schema
from scheduler.ledger.errors import NotFound, StaleMove
from scheduler.ledger.rows import RUNS, run_row, storable
from scheduler.model import Actor, RunRow

MAIL, WEBHOOK, SDE_RESULT, HEARTBEAT = "mail", "webhook", "sde_result", "heartbeat"

_TABLE = schema.deliveries
_NUMBER_DIGITS = 18  # more do not fit the ledger's integers


class Fate(StrEnum):
    """Where a delivery stands. Void: there was nothing to tell any more when it came due, or another tells it."""

    PENDING = "pending"
    DELIVERED = "delivered"
    REFUSED = "refused"
    VOID = "void"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Something to be sent.

    Attributes:
        delivery_no: The integer id, ascending in the order of writing; `delivery_id` is the GUID.
        kind: How it is sent: mail, webhook, sde_result, heartbeat.
        about: What it tells: success, failure, late, result.
        channel: Deliveries of one channel go in order; None goes whenever it is due.
        target: To whom, as people read it; never a secret.
        body: What is sent, as its kind has it, and under `progress` what is done of it.
        reason: Why it was refused, is void, or could not be sent at the last try.
        tries: Made so far.
        since_at: When it was first due; how long it is tried counts from here.
        zone: Of its run.
    """

    delivery_no: int
    delivery_id: str
    kind: str
    about: str
    channel: str | None
    target: str
    body: Mapping[str, Any]
    job: str | None
    job_id: int | None
    run_id: str | None
    run_no: int | None
    state: Fate
    reason: str
    tries: int
    created_at: datetime
    since_at: datetime
    due_at: datetime | None
    ended_at: datetime | None
    zone: str | None


@dataclass(frozen=True, slots=True)
class Void:
    """There is nothing to tell any more; `reason` says why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Whether there is something to tell is to be seen `until` then."""

    until: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryFilter:
    """Which deliveries: of a job, of a run, in any of `states`."""

    job_id: int | None = None
    run_no: int | None = None
    states: frozenset[Fate] = field(default_factory=frozenset)


_ROWS = (
    sa.select(_TABLE, schema.jobs.c.name.label("job"), schema.runs.c.run_id, schema.runs.c.zone)
    .select_from(_TABLE)
    .outerjoin(schema.jobs, _TABLE.c.job_id == schema.jobs.c.job_id)
    .outerjoin(schema.runs, _TABLE.c.run_no == schema.runs.c.run_no)
)


def _delivery(row: sa.Row[Any]) -> Delivery:
    values = {name: row._mapping[name] for name in Delivery.__dataclass_fields__}  # noqa: SLF001 - its public name
    return Delivery(**{**values, "state": Fate(values["state"])})


def lane(delivery: Delivery) -> str:
    """Deliveries of one lane share their room: mails all of them, others those to one receiver."""
    return delivery.kind if delivery.kind == MAIL else f"{delivery.kind}:{delivery.target}"


_LANE = sa.case((_TABLE.c.kind == MAIL, _TABLE.c.kind), else_=_TABLE.c.kind + ":" + _TABLE.c.target)


def create(
    connection: sa.Connection,
    *,
    kind: str,
    about: str,
    target: str,
    body: Mapping[str, Any],
    at: datetime,
    due_at: datetime | None = None,
    channel: str | None = None,
    run: RunRow | None = None,
) -> str:
    """Write a delivery, due at once unless `due_at` says otherwise; returns its GUID."""
    delivery_id = str(uuid.uuid4())
    values = {
        "delivery_id": delivery_id,
        "kind": kind,
        "about": about,
        "channel": channel,
        "target": target,
        "body": dict(body),
        "job_id": None if run is None else run.job_id,
        "run_no": None if run is None else run.run_no,
        "state": Fate.PENDING.value,
        "created_at": at,
        "since_at": due_at or at,
        "due_at": due_at or at,
    }
    connection.execute(_TABLE.insert().values(values))
    return delivery_id


def due(
    connection: sa.Connection,
    now: datetime,
    *,
    limit: int,
    without: Collection[int] = (),
    full: Collection[str] = (),
    busy: Collection[str] = (),
) -> list[Delivery]:
    """At most `limit` deliveries that may be sent now, the longest due first.

    Of each channel only its oldest pending one. None of `without`, the numbers of those that are being sent,
    none of the lanes in `full`, and none of the channels in `busy`: an older one may be due again by a resend.
    """
    older = _TABLE.alias("older")
    blocked = sa.select(older.c.delivery_no).where(
        older.c.channel == _TABLE.c.channel,
        older.c.delivery_no < _TABLE.c.delivery_no,
        older.c.due_at.is_not(None),
    )
    query = _ROWS.where(_TABLE.c.due_at <= now, ~blocked.exists())
    if without:
        query = query.where(_TABLE.c.delivery_no.not_in(without))
    if full:
        query = query.where(_LANE.not_in(full))
    if busy:
        query = query.where(sa.or_(_TABLE.c.channel.is_(None), _TABLE.c.channel.not_in(busy)))
    query = query.order_by(_TABLE.c.due_at, _TABLE.c.delivery_no).limit(limit)
    return [_delivery(row) for row in connection.execute(query)]


def settle(
    connection: sa.Connection,
    delivery_no: int,
    state: Fate,
    *,
    at: datetime,
    reason: str = "",
    progress: Mapping[str, Any] | None = None,
    due_at: datetime | None = None,
) -> None:
    """Record a try: `state` is how it ended, or pending with the next one at `due_at`.

    A delivery that is not pending any more stays as it is, but for one that was made void on its way and arrived.
    """
    pending = state is Fate.PENDING
    changes: dict[str, Any] = {
        "state": state.value,
        "reason": storable(reason),
        "due_at": due_at if pending else None,
        "ended_at": None if pending else at,
    }
    if state is not Fate.VOID:
        changes["tries"] = _TABLE.c.tries + 1
    open_still: sa.ColumnElement[bool] = _TABLE.c.due_at.is_not(None)
    if state is Fate.DELIVERED:
        open_still = sa.or_(open_still, _TABLE.c.state == Fate.VOID.value)
    if progress is not None:
        changes["body"] = _with(connection, delivery_no, progress)
    connection.execute(_TABLE.update().where(_TABLE.c.delivery_no == delivery_no, open_still).values(changes))


def put_off(connection: sa.Connection, delivery_no: int, wait: Wait) -> None:
    """Look at a pending delivery again at another instant, from which on it is tried; this is no try."""
    changes = {"due_at": wait.until, "since_at": wait.until, "reason": wait.reason}
    where = (_TABLE.c.delivery_no == delivery_no, _TABLE.c.due_at.is_not(None))
    connection.execute(_TABLE.update().where(*where).values(changes))


def make_void(connection: sa.Connection, *where: sa.ColumnElement[bool], at: datetime, reason: str) -> str:
    """Void the pending deliveries for which all of `where` hold; returns why the newest was not sent, or ""."""
    chosen = (*where, _TABLE.c.due_at.is_not(None))
    newest = sa.select(_TABLE.c.reason).where(*chosen).order_by(_TABLE.c.delivery_no.desc()).limit(1)
    found: str | None = connection.execute(newest).scalar()
    if found is not None:
        changes = {"state": Fate.VOID.value, "reason": reason, "due_at": None, "ended_at": at}
        connection.execute(_TABLE.update().where(*chosen).values(changes))
    return found or ""


def note(connection: sa.Connection, delivery_no: int, progress: Mapping[str, Any]) -> None:
    """Put down how far a try has come, while it is being made."""
    body = _with(connection, delivery_no, progress)
    connection.execute(_TABLE.update().where(_TABLE.c.delivery_no == delivery_no).values(body=body))


def _with(connection: sa.Connection, delivery_no: int, progress: Mapping[str, Any]) -> dict[str, Any]:
    body = connection.execute(sa.select(_TABLE.c.body).where(_TABLE.c.delivery_no == delivery_no)).scalar()
    return {**(body or {}), "progress": dict(progress)}


def received(connection: sa.Connection, channel: str, *, name: str, above: int) -> frozenset[int]:
    """What the counterpart calls the delivered ones of a channel: the integers `progress[name]` above `above`."""
    value = _TABLE.c.body["progress", name].as_integer()
    where = (_TABLE.c.channel == channel, _TABLE.c.state == Fate.DELIVERED.value, value > above)
    return frozenset(connection.execute(sa.select(value).where(*where)).scalars())


def resend(connection: sa.Connection, key: str, *, at: datetime, actor: Actor) -> Delivery:
    """Make a refused or pending delivery due now; whoever had it already is not sent it again.

    Raises NotFound, and StaleMove for one that was delivered or is void.
    """
    found = find(connection, key)
    if found.state not in {Fate.PENDING, Fate.REFUSED}:
        raise StaleMove(f"delivery {found.delivery_id} is {found.state}: there is nothing to send again")
    changes: dict[str, Any] = {"state": Fate.PENDING.value, "due_at": at, "ended_at": None}
    if found.state is Fate.REFUSED:
        done = dict(found.body.get("progress") or {})
        done.pop("refused", None)
        changes |= {"since_at": at, "tries": 0, "body": {**found.body, "progress": done}}
    connection.execute(_TABLE.update().where(_TABLE.c.delivery_no == found.delivery_no).values(changes))
    run = None
    if found.run_no is not None:
        run = run_row(connection.execute(RUNS.where(schema.runs.c.run_no == found.run_no)).one())
    reason = f"{found.kind} ({found.about}) to {found.target}"
    event = events.Event(at=at, name="resend", job=found.job, actor=actor, reason=reason, run=run)
    events.append(connection, event, job_id=found.job_id)
    return get(connection, found.delivery_no)


def get(connection: sa.Connection, delivery_no: int) -> Delivery:
    """The delivery with this number; NotFound."""
    row = connection.execute(_ROWS.where(_TABLE.c.delivery_no == delivery_no)).one_or_none()
    if row is None:
        raise NotFound(f"there is no delivery {delivery_no}")
    return _delivery(row)


def find(connection: sa.Connection, key: str) -> Delivery:
    """The delivery that `key` names: its number, its GUID, or the beginning of one GUID only; NotFound."""
    if key.isascii() and key.isdigit() and len(key) <= _NUMBER_DIGITS:
        row = connection.execute(_ROWS.where(_TABLE.c.delivery_no == int(key))).one_or_none()
        if row is not None:
            return _delivery(row)
    begins = _TABLE.c.delivery_id.startswith(key.lower(), autoescape=True)
    found = connection.execute(_ROWS.where(begins).limit(2)).all() if key else []
    if len(found) != 1:
        raise NotFound(f"more than one delivery begins with {key}" if found else f"there is no delivery {key!r}")
    return _delivery(found[0])


def list_deliveries(
    connection: sa.Connection, which: DeliveryFilter, *, limit: int, before: Delivery | None = None
) -> list[Delivery]:
    """At most `limit` deliveries, newest first; only those older than `before`, where given."""
    query = _ROWS
    if which.job_id is not None:
        query = query.where(_TABLE.c.job_id == which.job_id)
    if which.run_no is not None:
        query = query.where(_TABLE.c.run_no == which.run_no)
    if which.states:
        query = query.where(_TABLE.c.state.in_([state.value for state in which.states]))
    if before is not None:
        query = query.where(_TABLE.c.delivery_no < before.delivery_no)
    return [_delivery(row) for row in connection.execute(query.order_by(_TABLE.c.delivery_no.desc()).limit(limit))]


def of_run(connection: sa.Connection, run_no: int) -> list[Delivery]:
    """The deliveries of a run, oldest first."""
    rows = connection.execute(_ROWS.where(_TABLE.c.run_no == run_no).order_by(_TABLE.c.delivery_no))
    return [_delivery(row) for row in rows]
