"""That the clock was set back, in the journal: deliveries and assets end without events that would show it."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa

from scheduler.ledger import events, schema
from scheduler.model import CLOCK_ACTOR

NAME = "clock_back"
"""Of the event."""

_LEAST = timedelta(seconds=1)
_HAD_SHOWN = "the clock was set back: it had shown "


def note(connection: sa.Connection, now: datetime, before: datetime | None = None) -> None:
    """Write down what the clock had shown, where that is later than `now`; `before` is the last look at it.

    What had been shown is also told by the newest event and by all that is still to end.
    """
    sent, assets = schema.deliveries.c, schema.run_assets.c
    newest = sa.select(sa.func.max(schema.events.c.event_id)).scalar_subquery()
    open_runs = sa.select(schema.runs.c.run_no).where(schema.IS_ACTIVE)
    queries = (
        sa.select(schema.events.c.at).where(schema.events.c.event_id == newest),
        sa.select(sa.func.max(sent.created_at, type_=schema.Instant)).where(sent.due_at.is_not(None)),
        sa.select(sa.func.max(assets.started_at, type_=schema.Instant)).where(assets.run_no.in_(open_runs)),
    )
    found = [before, *(connection.execute(query).scalar() for query in queries)]
    shown = max((at for at in found if at is not None), default=now)
    if shown - now >= _LEAST:
        event = events.Event(at=now, name=NAME, job=None, actor=CLOCK_ACTOR, reason=_HAD_SHOWN + shown.isoformat())
        events.append(connection, event, job_id=None)


def had_shown(reason: str) -> datetime | None:
    """The instant that the reason of such an event tells; None for one that tells none."""
    try:
        at = datetime.fromisoformat(reason.removeprefix(_HAD_SHOWN))
    except ValueError:
        return None
    return at if at.tzinfo is not None else None
