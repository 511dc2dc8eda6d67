"""Heartbeats of jobs: whoever watches an address is told of each success, and misses the calls that stop.

The ledger has only the origin of an address: the whole of it is read from the definition when it is called.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from config.values import origin
from scheduler.ledger import deliveries, schema
from scheduler.ledger.deliveries import HEARTBEAT
from scheduler.model import RunRow

SUPERSEDED = "a newer one tells how the job is"

KEYS: Mapping[str, str] = {"success": "url", "failure": "failure"}
"""The key of `notify.heartbeat` that has the address, by what is told."""


def run_ended(
    connection: sa.Connection, run: RunRow, about: str, heartbeat: Mapping[str, Any], at: datetime
) -> None:
    """Write the call that an outcome asks for, in place of those of the job that nobody has got yet.

    Why the last of those failed goes on to the new one: a receiver that is away is told of once.
    """
    address = heartbeat.get(KEYS[about])
    if address is None:
        return
    table, channel = schema.deliveries, f"{HEARTBEAT}:{run.job_id}"  # a job may be renamed
    reason = deliveries.make_void(connection, table.c.channel == channel, at=at, reason=SUPERSEDED)
    made = deliveries.create(
        connection,
        kind=HEARTBEAT,
        about=about,
        target=origin(address),
        body={},
        at=at,
        channel=channel,
        run=run,
    )
    connection.execute(table.update().where(table.c.delivery_id == made).values(reason=reason))
