"""`run.command`: one program on this host."""

from __future__ import annotations

import contextlib

from config.definitions import CommandRun
from runners.api import Ended, Execution, Outcome
from runners.local import environment, process
from runners.local.ending import Cause, limited, stoppable
from runners.local.output import Log, LogStream, Share, with_loss
from runners.local.words import STOPPED, duration, exit_words, filled


class CommandRunner:
    """Runs a command; its output goes to `output.log` in the execution's folder."""

    def __init__(self, run: CommandRun) -> None:
        self._run = run

    async def execute(self, execution: Execution) -> Outcome:
        """Run it once. Raises OSError if its log cannot be written at all."""
        log = Log(execution.folder / "output.log")
        share = Share(log, execution.configuration.settings.output_limit)
        out, err = share.stream(), share.stream()
        with contextlib.ExitStack() as files:
            for closed in (log, err, out):
                files.callback(closed.close)
            async with (
                stoppable(execution.stop) as ending,
                limited(execution.clock, self._run.timeout, lambda: ending.request(Cause.TIMEOUT)),
            ):
                ended = await process.run(
                    self._program(execution),
                    stdout=out,
                    stderr=err,
                    ending=ending,
                    patience=process.Patience(execution.clock, execution.configuration.settings.kill_after),
                )
        if isinstance(ended, process.Exited) and ended.unended:
            execution.report.warn("processes_left", processes=ended.unended)
        return with_loss(self._outcome(execution, ended, err), log, execution.report)

    def _program(self, execution: Execution) -> process.Program:
        identity = environment.identity(execution, None)
        values = {
            "job": execution.job.name,
            "run_id": execution.run_id,
            "attempt": str(execution.attempt),
            "fire_time": execution.fire_time.isoformat(),
            "folder": str(execution.configuration.folder),
        }
        return process.Program(
            argv=filled(self._run.argv, values, execution.configuration.folder),
            token=execution.token,
            environment={**self._run.env, **environment.names(execution), **identity},
            identity=identity,
            stdin=(self._run.stdin or "").encode(),
            run_as=self._run.run_as,
        )

    def _outcome(
        self, execution: Execution, ended: process.Exited | process.NotStarted, err: LogStream
    ) -> Outcome:
        if isinstance(ended, process.NotStarted):
            return Outcome(Ended.FAILED, ended.reason, retryable=ended.passing)
        if ended.cause is Cause.STOP and execution.stop.reason is not None:
            return Outcome(Ended.STOPPED, STOPPED[execution.stop.reason])
        if ended.cause is Cause.TIMEOUT and self._run.timeout is not None:
            return Outcome(Ended.FAILED, f"timed out after {duration(self._run.timeout)}", retryable=True)
        code = ended.code if ended.code is not None and ended.code >= 0 else None
        if code in self._run.success:
            return Outcome(Ended.COMPLETED, exit_code=code)
        return Outcome(Ended.FAILED, exit_words(ended.code, err.last_line), retryable=True, exit_code=code)
