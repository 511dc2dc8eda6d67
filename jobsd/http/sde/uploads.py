"""Importing report files: each makes a connection, and queues a run of its system's command for files."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import structlog

from jobsd.http.sde import incoming, projects
from jobsd.http.sde.incoming import FOLDER, Form, arrived, no_room, stored_name
from jobsd.http.sde.media import MULTIPART, MediaType
from jobsd.http.sde.routes import Call
from jobsd.http.sde.vault import sealed
from jobsd.http.service import Unanswered
from runners.sde.definition import ORIGIN, source_of
from runners.sde.systems import Systems
from runners.sde.wire import FileImport, Frequency, Kind, UploadedFile, parse_file_import
from runners.sde.wire.fields import Fields
from scheduler.ledger import Connection, Ledger, sde_connections, sde_jobs
from scheduler.model import JobRow, RunRow

_log = structlog.get_logger()

KIND = Kind.ANALYSIS
"""Of the connections that files make."""


async def import_file(call: Call) -> int:
    """Take a file in and queue its import; the id of the job.

    Raises WireFaults, what `arrived` raises, and what the scheduling loop refuses.
    """
    if not MediaType.parse(call.request.headers.get("content-type", "")).fits(MULTIPART):
        asked(call, await call.data(), None)
    call.still_serving()
    uploads, limit = call.service.folder / FOLDER, call.service.configuration.settings.http.upload_limit
    async with arrived(call.request, uploads, limit) as form:
        wanted = asked(call, form.texts, form.file)
        params = sealed(call.state.vault.of(call.service.configuration), wanted.params)
        call.still_serving()
        async with call.state.changes:  # ids of connections are given out one after another
            return await _imported(call, wanted, form, params)


def asked(call: Call, parts: object, file: UploadedFile | None) -> FileImport:
    """What a form asks for. Raises WireFaults, always where there is no file."""
    configuration = call.service.configuration
    Fields.of_message(parts)
    return parse_file_import(
        parts if isinstance(parts, Mapping) else {},
        file,
        systems=Systems.of(configuration),
        projects=lambda key: projects.exists(configuration, key),
    )


async def _imported(call: Call, wanted: FileImport, form: Form, params: str | None) -> int:
    systems, uploads = Systems.of(call.service.configuration), call.service.folder / FOLDER
    key = await call.service.read(sde_connections.next_id)
    name, email = stored_name(wanted.file_name), call.caller.email
    alias = f"File Upload Connection - {systems.shown(wanted.system).short_name}"
    opened, kept = list[RunRow](), list[Path]()
    shared: dict[str, Any] = {
        "kind": KIND.value, "alias": alias, "system": wanted.system,
        "frequency": Frequency.MANUALLY.value, "inaccessible": False,
    }  # fmt: skip
    now = call.service.now()

    def also(connection: Connection, row: JobRow) -> None:
        own = {"connection_id": key, "job_id": row.job_id, "project": wanted.project, "upload": name}
        unused = {"connector_id": None, "debug_mode": False, "params": params}
        sde_connections.add(connection, {**shared, **own, **unused}, at=now)
        kept.append(uploads / str(key))
        form.keep(uploads, key)

    def begins(connection: Connection, run: RunRow) -> None:
        sde_jobs.add(connection, run.run_no, automatic=False, user=email, triggered_by=email, attachment=name)
        opened.append(run)

    source = source_of(connection=key, created_at=now, **shared)
    create = call.service.control.create(ORIGIN, source, call.caller.actor, also=also, begins=begins)
    try:
        await call.service.act(create)
    except Unanswered:  # it may still be done
        raise
    except OSError as error:
        await _forget(kept)
        raise no_room(error) from error
    except Exception:
        await _forget(kept)
        raise
    return opened[0].run_no


async def _forget(folders: Iterable[Path]) -> None:
    for folder in folders:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


def tidy(folder: Path, ledger: Ledger) -> None:
    """Remove from the state folder what imports left that were cut off. Raises LedgerUnavailable."""
    known = ledger.read(sde_connections.uploads)
    try:
        count = incoming.clear(folder / FOLDER, known)
    except OSError as error:  # they take room, and harm nobody
        _log.error("uploads_stuck", reason=str(error))
        return
    if count:
        _log.warning("uploads_removed", entries=count)
