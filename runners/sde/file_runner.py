"""Carrying out `run.sde_file`: report files imported one after the other, each once."""

from __future__ import annotations

from dataclasses import replace

from config.definitions import SdeFileRun, SdeServer
from runners.api import AssetRef, Ended, Execution, Outcome, StopReason
from runners.patience import StopAsked, unless_shutdown
from runners.sde.asking import Asking, Claims, Silent
from runners.sde.clients import Clients
from runners.sde.errors import Refused, Throttled
from runners.sde.importing import files_of, import_file
from runners.sde.outcomes import goes_on, may_pass
from runners.sde.uploading import Errand
from runners.web import Unreachable


class SdeFileRunner:
    """Imports report files into a project."""

    def __init__(self, run: SdeFileRun, clients: Clients, claims: Claims) -> None:
        self._run = run
        self._clients = clients
        self._claims = claims

    async def execute(self, execution: Execution) -> Outcome:
        """Import the files that match, or those of them that an earlier attempt has left."""
        name = self._run.server
        server = execution.configuration.servers[name]
        assert isinstance(server, SdeServer)  # noqa: S101 - the configuration is checked
        client = self._clients.of(name, server, execution.configuration.folder)
        asking = Asking(execution, name, client, self._claims, self._run.poll)
        errand = Errand(self._run, execution, asking, await execution.memory.read())
        try:
            outcome = await _carried_out(errand)
        except Refused as error:
            outcome = Outcome(Ended.FAILED, str(error), retryable=may_pass(error))
        except (Unreachable, Silent, Throttled) as error:
            outcome = Outcome(Ended.FAILED, str(error), retryable=True)
        return replace(outcome, reason=f"{name}: {outcome.reason}") if outcome.reason else outcome


async def _carried_out(errand: Errand) -> Outcome:
    execution, assets = errand.execution, errand.execution.assets
    if not execution.has_assets:
        try:
            found, before = await files_of(errand)
        except StopAsked:
            return Outcome(Ended.STOPPED, "nothing was sent")
        if not found:
            return Outcome(Ended.COMPLETED, _none(errand.run.files, before))
        await execution.report.assets_found(found)
        assets = tuple(found)
    for asset in assets:
        if execution.stop.requested:
            return Outcome(Ended.STOPPED)
        await execution.report.asset_started(asset)
        try:
            report = await unless_shutdown(execution.stop, import_file(errand, asset))
        except StopAsked:
            return _stopped(errand, asset)
        await execution.report.asset_ended(report)
    return Outcome(Ended.COMPLETED)


def _stopped(errand: Errand, asset: AssetRef) -> Outcome:
    """What is said after a stop while a file was at work; the next attempt begins with what is remembered."""
    reason, sending = errand.execution.stop.reason, errand.sending(asset)
    if sending is None:
        return Outcome(Ended.STOPPED)
    if sending.job is None:
        words = f"{asset.id}: whether the server has got it is not known, its answer is lost"
    else:
        words = f"{asset.id}: {goes_on(sending.job, reason)}"
    return Outcome(Ended.STOPPED, words, unsettled=reason is not StopReason.SHUTDOWN)


def _none(pattern: str, before: int) -> str:
    """Why nothing was to be done."""
    if before:
        return f"no files to import: {before} that match {pattern} were imported before"
    return f"no files match {pattern}"
