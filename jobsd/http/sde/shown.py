"""Runs of connections as jobs of the API. Each function is an operation of the ledger."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from config.definitions import Configuration, User
from jobsd.http.sde.people import People
from jobsd.http.sde.rights import may_see
from jobsd.http.sde.showing import Shower
from runners.sde.sealing import Seal
from runners.sde.wire import Connection, Course, Job, Kind
from scheduler.ledger import Connection as Ledger
from scheduler.ledger import sde_connections, sde_jobs
from scheduler.ledger.sde_connections import ConnectionRow
from scheduler.ledger.sde_jobs import SdeJob


@dataclass(frozen=True, slots=True)
class Viewer:
    """Whoever looks, and with what.

    Attributes:
        expand: The people that are to be shown whole.
        since: When the daemon started.
    """

    configuration: Configuration
    seal: Seal | None
    user: User
    expand: Collection[str] = ()
    since: datetime | None = None

    def sees(self, kind: Kind) -> bool:
        """Whether the params of this kind are shown."""
        return may_see(self.user, kind)


def shown(
    ledger: Ledger, viewer: Viewer, found: Iterable[SdeJob], *, attachment: bool = True
) -> list[dict[str, Any]]:
    """These jobs as the API has them; `attachment` is false where jobs of all kinds are listed."""
    jobs, people = list(found), People.of(viewer.configuration, viewer.since)
    connections = _connections(ledger, viewer, {job.connection_id for job in jobs})
    return [
        _job(job, connections[job.connection_id], people).wire(
            kind := Kind(job.kind), params=viewer.sees(kind), expand=viewer.expand, attachment=attachment
        )
        for job in jobs
    ]


def course_of(job: SdeJob) -> Course:
    """How far a job is; what its run says meanwhile is not its result."""
    return Course(
        ready=job.ready,
        succeeded=job.succeeded,
        automatic=job.automatic,
        last_run=job.run_at,
        result_message=job.reason if job.ready else "",
    )


def _job(job: SdeJob, connection: Connection, people: People) -> Job:
    return Job(
        id=job.run_no,
        connection=connection,
        course=course_of(job),
        user=people.person(job.user),
        triggered_by=people.person(job.triggered_by),
        attachment=job.attachment,
    )


def _connections(ledger: Ledger, viewer: Viewer, ids: Collection[int]) -> dict[int, Connection]:
    """These connections, each put together once: to open params takes its time."""
    rows = sde_connections.several(ledger, ids)
    used = {row.connector_id for row in rows.values() if row.connector_id is not None}
    shower = Shower(viewer.configuration, viewer.seal, sde_connections.several_connectors(ledger, used))
    uploads = [row.connection_id for row in rows.values() if row.upload is not None]
    active = sde_jobs.in_progress(ledger, uploads) if uploads else set()
    return {key: _connection(shower, viewer, row, active=key in active) for key, row in rows.items()}


def _connection(shower: Shower, viewer: Viewer, row: ConnectionRow, *, active: bool) -> Connection:
    connection = shower.connection(row, params=viewer.sees(Kind(row.kind)), in_progress=active)
    if row.upload is None or connection.params is None:
        return connection
    upload = {"file_upload": row.upload}  # first, as the page has it, and whatever else calls itself so
    return replace(connection, params=upload | dict(connection.params) | upload)
