"""Who is told of a run: from its job's `notify` to rows of the outbox, in the transaction that moves the run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from config.definitions import JobDefinition
from config.values import origin
from scheduler import notices
from scheduler.ledger import assets, deliveries, heartbeats, late, schema
from scheduler.ledger.deliveries import Delivery, Void, Wait
from scheduler.lifecycle import FINAL
from scheduler.model import RunRow

_NOTIFY = (
    sa.select(schema.job_versions.c.body["notify"])
    .join_from(schema.jobs, schema.job_versions, schema.jobs.c.version_id == schema.job_versions.c.version_id)
    .where(schema.jobs.c.job_id == sa.bindparam("job_id"))
)


def run_opened(connection: sa.Connection, run: RunRow, at: datetime) -> None:
    """Write what an opened run calls for: a word for when it is late, and its outcome if it has ended already."""
    notify = of_job(connection, run.job_id)
    late.run_opened(connection, run, notify, at)
    if run.state in FINAL:
        _tell(connection, run, notify, at)


def run_ended(connection: sa.Connection, run: RunRow, at: datetime) -> None:
    """Write what the outcome of `run` calls for by the present version of its job."""
    if run.state in notices.OUTCOMES:
        _tell(connection, run, of_job(connection, run.job_id), at)


def of_job(connection: sa.Connection, job_id: int) -> Mapping[str, Any]:
    """The `notify` block of the job's present version; empty if it has none."""
    found: Mapping[str, Any] | None = connection.execute(_NOTIFY, {"job_id": job_id}).scalar()
    return found or {}


def changed(
    connection: sa.Connection, job_id: int, before: Mapping[str, Any], after: Mapping[str, Any], at: datetime
) -> None:
    """The `notify` of a job was `before` and is `after` now: what is not told yet is told by the new one."""
    late.changed(connection, job_id, before, after, at)


def ready(
    connection: sa.Connection,
    delivery: Delivery,
    now: datetime,
    definition: Callable[[str], JobDefinition | None],
) -> Delivery | Void | Wait:
    """`delivery` as it is to be sent now; or why there is nothing to tell any more, or not yet."""
    if delivery.about != notices.LATE:
        return delivery
    return late.ready(connection, delivery, of_job(connection, delivery.job_id or 0), now, definition)


def _tell(connection: sa.Connection, run: RunRow, notify: Mapping[str, Any], at: datetime) -> None:
    about = notices.OUTCOMES.get(run.state)
    if about is None:
        return
    mail, webhook, heartbeat = notify.get(about), notify.get("webhook"), notify.get("heartbeat")
    if mail:
        _mail(connection, run, about, mail, at=at)
    if webhook:
        body = {
            "url": webhook["url"],
            "token": webhook.get("token"),
            "payload": notices.payload(run, about, assets.tally(connection, run.run_no)),
        }
        target = origin(webhook["url"])
        deliveries.create(
            connection, kind=deliveries.WEBHOOK, about=about, target=target, body=body, at=at, run=run
        )
    if heartbeat:
        heartbeats.run_ended(connection, run, about, heartbeat, at)


def _mail(connection: sa.Connection, run: RunRow, about: str, mail: Mapping[str, Any], *, at: datetime) -> None:
    tally = assets.tally(connection, run.run_no)
    body = {
        "to": list(mail["to"]),
        "sender": mail.get("sender"),
        "subject": notices.subject(run, about) if mail.get("subject") is None else mail["subject"],
        "text": notices.text(run, tally) if mail.get("body") is None else mail["body"],
    }
    target = ", ".join(mail["to"])
    deliveries.create(connection, kind=deliveries.MAIL, about=about, target=target, body=body, at=at, run=run)
