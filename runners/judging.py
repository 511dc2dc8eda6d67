"""What is wrong with a `run:` by the rules of its counterpart: known here, told when the file is read."""

from __future__ import annotations

from collections.abc import Iterator

from config.definitions import CcsRun, Run
from config.faults import quoted
from runners.ccs.wanted import wanted_job
from runners.ccs.wire import WireFaults


class Judging:
    """Judges the jobs of one file, one after the other; a `config` Judge."""

    def __init__(self) -> None:
        self._names: dict[tuple[str, str], str] = {}

    def __call__(self, job: str, run: Run) -> Iterator[tuple[str, str]]:
        """Each fault: the path below `run` and the message."""
        if isinstance(run, CcsRun) and run.job_details is not None:
            yield from self._ccs(job, run)

    def _ccs(self, job: str, run: CcsRun) -> Iterator[tuple[str, str]]:
        try:
            wanted = wanted_job(run)
        except WireFaults as error:
            for fault in error.faults:
                yield f"ccs.job_details.{fault.field}".removesuffix("."), fault.message
            return
        name = wanted.details.name
        first = self._names.setdefault((run.server, name.casefold()), job)
        if first != job:
            message = f"{quoted(name)} is already the name of job {quoted(first)} on that server; write another"
            yield "ccs.job_details", message
