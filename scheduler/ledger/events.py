"""The journal: what happened, when, by whom. Each event is written in the transaction of what it tells."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from scheduler.ledger import schema
from scheduler.lifecycle import State
from scheduler.model import Actor, RunRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One line of the journal.

    Attributes:
        name: A `Move`, or `open`, `stop_requested`, `record`, `change`, `remove`, `history_deleted`, `pruned`,
            `pause`, `resume`, `resend`, `clock_back`.
        run: The run as it is after the event; None for events of a job.
    """

    at: datetime
    name: str
    job: str | None
    actor: Actor
    reason: str = ""
    run: RunRow | None = None
    attempt: int | None = None
    from_state: State | None = None


_INSERT = schema.events.insert()


def append(connection: sa.Connection, event: Event, *, job_id: int | None) -> int:
    """Write `event`; its id. It reaches the log and the listeners once the transaction is committed."""
    values = {
        "at": event.at,
        "name": event.name,
        "job_id": job_id,
        "run_no": event.run.run_no if event.run else None,
        "attempt": event.attempt,
        "from_state": event.from_state,
        "to_state": event.run.state if event.run else None,
        "reason": event.reason,
        "actor": event.actor.name,
        "actor_by": event.actor.by.value,
        "actor_from": event.actor.origin,
    }
    written = connection.execute(_INSERT, values)
    connection.info["events"].append(event)
    return written.lastrowid
