"""Sending one report file once, whatever becomes of the answer."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from config.definitions import SdeFileRun
from runners.api import AssetRef, Execution
from runners.patience import StopAsked
from runners.sde import memory
from runners.sde.asking import Asking, rest
from runners.sde.errors import Refused
from runners.sde.files import Identity, Source, UnfitError
from runners.sde.initiating import MOST_SENT, PAUSES
from runners.sde.looking import GoneError, look
from runners.sde.memory import Sending
from runners.sde.wire import FileImport, Job, JobState, Kind
from runners.web import NotSent, Unreachable


@dataclass(slots=True)
class Errand:
    """One execution of `run.sde_file`.

    Attributes:
        remembered: What the run remembers, as it is in the ledger.
        digests: Of the files that were read in this execution.
    """

    run: SdeFileRun
    execution: Execution
    asking: Asking
    remembered: dict[str, str]
    digests: dict[Identity, str] = field(default_factory=dict)

    @property
    def move_to(self) -> Path | None:
        """The folder to which imported files are moved."""
        where = self.run.move_to
        return None if where is None else self.execution.configuration.folder / where

    def digest_of(self, asset: AssetRef, source: Source) -> str:
        """Of the file and of where it goes."""
        run = self.run
        return memory.digest_of(
            source.digest, name=asset.id, server=run.server, system=run.system, project=run.project
        )

    def wanted(self, source: Source) -> FileImport:
        """What is asked for."""
        return FileImport(file_name=source.name, system=self.run.system, project=self.run.project)

    def sending(self, asset: AssetRef) -> Sending | None:
        """What is remembered of the file."""
        return Sending.of(self.remembered, asset.id)

    async def remember(self, asset: AssetRef, sending: Sending, **more: str) -> None:
        """It is on the disk when this returns."""
        values = {memory.file_name(asset.id): sending.text(), **more}
        await self.execution.memory.put(values)
        self.remembered |= values

    async def forget(self, asset: AssetRef) -> None:
        """Nothing was sent of the file."""
        await self.execution.memory.put({memory.file_name(asset.id): None})
        self.remembered.pop(memory.file_name(asset.id), None)


class LostError(Exception):
    """The file did not get through, or no answer did; other files may."""


async def job_of(errand: Errand, asset: AssetRef, source: Source) -> Job:
    """The job that imports the file: an earlier attempt's, unless that ended badly or is gone, else a new one.

    Raises:
        UnfitError: The file cannot be sent.
        NotSent, Refused: As the server says; it has not got the file.
        LostError: It was cut off, or it cannot be told whether the server has got it.
        StopAsked: While it was sent or looked for.
        Unreachable, Silent: The server gives no answers.
    """
    digest, earlier = errand.digest_of(asset, source), errand.sending(asset)
    if earlier is None or earlier.digest != digest:
        return await _send_until_known(errand, asset, source, None)
    if earlier.job is None:
        found = await _look_for(errand, asset, source, earlier)
        return found or await _send_until_known(errand, asset, source, earlier)
    try:
        job = await look(errand.asking, Kind.ANALYSIS, earlier.job)
    except GoneError:
        return await _send_until_known(errand, asset, source, None)
    told = 0 < earlier.failed_in <= errand.execution.told
    if job.state is JobState.FAILED and (told or errand.execution.rerun):
        return await _send_until_known(errand, asset, source, None)
    return job


async def _send_until_known(errand: Errand, asset: AssetRef, source: Source, lost: Sending | None) -> Job:
    """The new job; `lost` is what was sent before, and looked for in vain."""
    repeated = lost is not None
    for _ in range(MOST_SENT):
        answer = await _send(errand, asset, source, lost, sure=not repeated)
        if isinstance(answer, Job):
            return answer
        lost, error = answer
        repeated = True
        if (found := await _look_for(errand, asset, source, lost)) is not None:
            return found
        if not isinstance(error, Unreachable) or isinstance(error, NotSent):
            raise error
    raise LostError(f"whether the server has got it is not known: {error}")


async def _send(
    errand: Errand, asset: AssetRef, source: Source, lost: Sending | None, *, sure: bool
) -> Job | tuple[Sending, Unreachable | Refused]:
    """The new job, or what is remembered and why there is none; `sure` says that nothing was sent before.

    Raises where nothing was sent before and this has certainly not been taken.
    """
    run, asking = errand.execution, errand.asking
    async with asking.claims.turn(_place(errand, source), run.stop):
        if lost is None:
            newest = await asking.throttled(lambda: asking.client.newest_job_id(Kind.ANALYSIS))
            lost = Sending(
                digest=errand.digest_of(asset, source), baseline=newest or 0, sent_at=run.clock.now().isoformat()
            )
            await errand.remember(asset, lost)
        try:
            job = await asking.throttled(lambda: asking.client.upload(errand.wanted(source), source))
        except (Unreachable, Refused, UnfitError, StopAsked) as error:
            unknown = isinstance(error, Unreachable) and not isinstance(error, NotSent) and source.whole
            if sure and not unknown:
                await errand.forget(asset)
                if isinstance(error, Unreachable) and not isinstance(error, NotSent):
                    raise LostError(f"the connection broke while it was sent: {error}") from None
                raise
            if isinstance(error, UnfitError | StopAsked):
                raise
            if unknown:
                run.report.warn("sde_answer_lost", server=errand.run.server, file=asset.id, reason=str(error))
            # Refused perhaps because the first one was taken after all.
            return lost, error
        return await _remember(errand, asset, job, replace(lost, sent_at=run.clock.now().isoformat()))


async def _look_for(errand: Errand, asset: AssetRef, source: Source, lost: Sending) -> Job | None:
    """The job that was made when the answer was lost, looked for several times."""
    run, asking = errand.execution, errand.asking
    for pause in PAUSES:
        if pause:
            await rest(run.clock, run.stop, pause)
        async with asking.claims.turn(_place(errand, source), run.stop):
            newer = await asking.patiently(
                lambda: asking.client.imports_of(errand.wanted(source), after=lost.baseline)
            )
            found = [job for job in reversed(newer) if not await _anothers(errand, job)]
            if len(found) > 1:
                ids = [job.id for job in found]
                run.report.warn("sde_job_ambiguous", server=errand.run.server, sde_job=ids[0], others=ids[1:])
            if found:
                return await _remember(errand, asset, found[0], lost)
    return None


def _place(errand: Errand, source: Source) -> str:
    return f"{source.name} of {errand.run.project}@{errand.asking.client.host}"


async def _anothers(errand: Errand, job: Job) -> bool:
    """Whether it imports another file here, of this run or of another."""
    name = memory.file_job_name(job.id, errand.asking.client.host)
    return name in errand.remembered or await errand.execution.memory.has_another(name, memory.OURS)


async def _remember(errand: Errand, asset: AssetRef, job: Job, sending: Sending) -> Job:
    name = memory.file_job_name(job.id, errand.asking.client.host)
    await errand.remember(asset, replace(sending, job=job.id), **{name: memory.OURS})
    return job
