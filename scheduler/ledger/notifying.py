"""Who is told of a run: from its job's `notify` to rows of the outbox, in the transaction that moves the run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa

from scheduler import notices
from scheduler.ledger import assets, deliveries, schema
from scheduler.ledger.deliveries import Delivery
from scheduler.ledger.rows import RUNS, run_row
from scheduler.lifecycle import ACTIVE, FINAL
from scheduler.model import RunRow

_NOTIFY = (
    sa.select(schema.job_versions.c.body["notify"])
    .join_from(schema.jobs, schema.job_versions, schema.jobs.c.version_id == schema.job_versions.c.version_id)
    .where(schema.jobs.c.job_id == sa.bindparam("job_id"))
)


def run_opened(connection: sa.Connection, run: RunRow, at: datetime) -> None:
    """Write what an opened run calls for: its outcome if it has ended already, else a word for when it is late."""
    if run.state in FINAL:
        run_ended(connection, run, at)
        return
    late = _notify(connection, run.job_id).get("late")
    if late:
        due_at = max(at, run.fire_time + timedelta(seconds=late["after"]))
        _mail(connection, run, notices.LATE, late, at=at, due_at=due_at)


def run_ended(connection: sa.Connection, run: RunRow, at: datetime) -> None:
    """Write what the outcome of `run` calls for by the present version of its job."""
    about = notices.OUTCOMES.get(run.state)
    if about is None:
        return
    notify = _notify(connection, run.job_id)
    mail, webhook = notify.get(about), notify.get("webhook")
    if mail:
        _mail(connection, run, about, mail, at=at)
    if webhook:
        body = {
            "url": webhook["url"],
            "token": webhook.get("token"),
            "payload": notices.payload(run, about, assets.tally(connection, run.run_no)),
        }
        target = _origin(webhook["url"])
        deliveries.create(
            connection, kind=deliveries.WEBHOOK, about=about, target=target, body=body, at=at, run=run
        )


def _notify(connection: sa.Connection, job_id: int) -> Mapping[str, Any]:
    """The `notify` block of the job's present version; empty if it has none."""
    found: Mapping[str, Any] | None = connection.execute(_NOTIFY, {"job_id": job_id}).scalar()
    return found or {}


def _mail(
    connection: sa.Connection,
    run: RunRow,
    about: str,
    mail: Mapping[str, Any],
    *,
    at: datetime,
    due_at: datetime | None = None,
) -> None:
    to = list(mail["to"])
    body = {"to": to, "sender": mail.get("sender"), "subject": mail.get("subject"),
            "text": mail.get("body")}  # fmt: skip
    if about != notices.LATE:  # what is late is told as it stands when it is told
        body = _composed(connection, run, about, body)
    deliveries.create(
        connection,
        kind=deliveries.MAIL,
        about=about,
        target=", ".join(to),
        body=body,
        at=at,
        due_at=due_at,
        run=run,
    )


def _composed(connection: sa.Connection, run: RunRow, about: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """The body of a mail with our own words where none are given."""
    given = {name: value for name, value in body.items() if value is not None}
    ours: dict[str, Any] = {"sender": None}
    if "subject" not in given:
        ours["subject"] = notices.subject(run, about)
    if "text" not in given:
        ours["text"] = notices.text(run, about, assets.tally(connection, run.run_no))
    return {**ours, **given}


def _origin(url: str) -> str:
    """Scheme, host and port: the path of a webhook may be a secret of its own."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def ready(connection: sa.Connection, delivery: Delivery) -> Delivery | None:
    """`delivery` as it is to be sent now; None if there is nothing to tell any more: its run is late no longer."""
    if delivery.about != notices.LATE:
        return delivery
    if delivery.run_no is None:  # the job's history was deleted
        return None
    row = connection.execute(RUNS.where(schema.runs.c.run_no == delivery.run_no)).one_or_none()
    run = None if row is None else run_row(row)  # it may be deleted since the delivery was read
    if run is None or run.state not in ACTIVE:
        return None
    return replace(delivery, body=_composed(connection, run, notices.LATE, delivery.body))
