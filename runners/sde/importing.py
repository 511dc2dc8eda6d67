"""Importing one report file: sent once, watched until it is ready, remembered, moved away."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from runners.api import AssetRef, AssetReport, AssetState
from runners.sde import memory
from runners.sde.asking import DeadlinePassedError
from runners.sde.errors import Refused
from runners.sde.files import MissingError, Source, UnfitError, matching, move, opened
from runners.sde.looking import GoneError, until_ready
from runners.sde.outcomes import failure_of, message_of, overdue
from runners.sde.uploading import Errand, LostError, job_of
from runners.sde.wire import Job, JobState, Kind

TYPE = "sde-file"
"""Of a file as an asset; its id is its name."""

MOST_REMEMBERED = 20_000
"""Imported files of one job that are remembered; those that were imported first are forgotten first."""

_OF_THE_FILE = frozenset({400, 413, 415, 422})

_BEFORE = "imported before"

Settled = tuple[AssetState, str]


async def files_of(errand: Errand) -> tuple[list[AssetRef], int]:
    """The files that are to be imported, the oldest first, and how many match that were imported before.

    Raises:
        StopAsked: While they are read.
    """
    folder, found, before = errand.execution.configuration.folder, [], 0
    imported = await errand.execution.job_memory.read()
    for name in await asyncio.to_thread(matching, folder, errand.run.files):
        path = folder / name
        if (target := errand.move_to) is not None and path.is_relative_to(target):
            continue
        asset = AssetRef(name.encode(errors="backslashreplace").decode(), TYPE)
        with suppress(UnfitError):  # said of the asset, when its turn comes
            async with opened(path, errand.execution.stop, errand.digests) as source:
                if memory.imported_name(errand.digest_of(asset, source)) in imported:
                    before += 1
                    await _move(errand, asset, source)
                    continue
        found.append(asset)
    return found, before


async def import_file(errand: Errand, asset: AssetRef) -> AssetReport:
    """What became of the file.

    Raises:
        StopAsked: It is not settled; what is remembered says how far it came.
        NotSent, Refused, Unreachable, Silent: Of the server, not of this file.
    """
    execution, began = errand.execution, errand.execution.clock.now()
    path = execution.configuration.folder / asset.id
    try:
        async with opened(path, execution.stop, errand.digests) as source:
            digest = errand.digest_of(asset, source)
            async with errand.asking.claims.turn(digest, execution.stop):
                state, reason = await _imported(errand, asset, source, digest)
    except MissingError as error:
        state, reason = await _missing(errand, asset, error)
    except LostError as error:
        state, reason = AssetState.UNREACHABLE, str(error)
    except (UnfitError, GoneError) as error:
        state, reason = AssetState.FAILED, str(error)
    except Refused as error:
        if error.status not in _OF_THE_FILE:
            raise
        state, reason = AssetState.FAILED, str(error)
    return AssetReport(asset, state, reason, began, execution.clock.now())


async def _missing(errand: Errand, asset: AssetRef, error: MissingError) -> Settled:
    """Of a file that is not there: the attempt that imported it, and moved it away, may have been cut off then."""
    sending, imported = errand.sending(asset), await errand.execution.job_memory.read()
    if sending is not None and memory.imported_name(sending.digest) in imported:
        return AssetState.DONE, _BEFORE
    return AssetState.FAILED, str(error)


async def _imported(errand: Errand, asset: AssetRef, source: Source, digest: str) -> Settled:
    imported = await errand.execution.job_memory.read()
    if memory.imported_name(digest) in imported:
        told = _BEFORE
    else:
        settled = await _watched(errand, asset, await job_of(errand, asset, source))
        if settled[0] is not AssetState.DONE:
            return settled
        told = settled[1]
        at = errand.execution.clock.now().isoformat(timespec="seconds")
        forgotten = dict.fromkeys(memory.too_many_imported(imported, MOST_REMEMBERED - 1))
        await errand.execution.job_memory.put({**forgotten, memory.imported_name(digest): f"{at} {asset.id}"})
    moved = await _move(errand, asset, source)
    return AssetState.DONE, "; ".join(filter(None, (told, moved)))


async def _watched(errand: Errand, asset: AssetRef, job: Job) -> Settled:
    """What became of the job of the file."""
    sending = errand.sending(asset)
    assert sending is not None  # noqa: S101 - remembered with the job
    until = datetime.fromisoformat(sending.sent_at) + errand.run.deadline
    try:
        job = await until_ready(errand.asking, Kind.ANALYSIS, job, until=until, seen=_unnoted)
    except DeadlinePassedError:
        return AssetState.TIMED_OUT, overdue(job.id, errand.run.deadline, begun="sent")
    if job.state is JobState.SUCCEEDED:
        return AssetState.DONE, message_of(job)
    await errand.remember(asset, replace(sending, failed_in=errand.execution.attempt))
    return AssetState.FAILED, failure_of(job)


async def _unnoted(_job: Job) -> None:
    """The file's state says enough."""


async def _move(errand: Errand, asset: AssetRef, source: Source) -> str:
    """What is to be said of moving an imported file away; it is imported whatever becomes of this."""
    if errand.move_to is None:
        return ""
    try:
        if not await asyncio.to_thread(source.is_still_at_its_path):
            return "the file at its place is another one by now, and stays there"
        await asyncio.to_thread(move, source.path, errand.move_to)
    except OSError as error:
        reason = f"it could not be moved to {errand.run.move_to}: {error.strerror or error}"
        errand.execution.report.warn("sde_file_not_moved", file=asset.id, reason=reason)
        return reason
    return ""
