"""A connection of the served SDE API: its system's command, run here with its params."""

from __future__ import annotations

import contextlib
from typing import Any

from config.definitions import SdeConnectionRun
from runners.api import Ended, Execution, Outcome
from runners.local.ending import stoppable
from runners.local.output import Log, Share, with_loss
from runners.local.words import STOPPED
from runners.sde.commanding import Done, Order, Way, carry_out
from runners.sde.systems import Systems
from runners.sde.tasks import NoTaskError, Task, Tasks


class ServedRunner:
    """Runs the command of one connection; its output goes to `output.log` in the execution's folder."""

    def __init__(self, run: SdeConnectionRun, tasks: Tasks) -> None:
        self._run = run
        self._tasks = tasks

    async def execute(self, execution: Execution) -> Outcome:
        """Run it once. Raises OSError if its log cannot be written at all."""
        try:
            order = self._order(execution, await self._tasks.task(self._run.connection))
        except NoTaskError as error:
            return Outcome(Ended.FAILED, str(error))
        log = Log(execution.folder / "output.log")
        with contextlib.closing(log):
            async with stoppable(execution.stop) as ending:
                share = Share(log, execution.configuration.settings.output_limit)
                done = await carry_out(execution, order, share, ending)
        return with_loss(_outcome(execution, done), log, execution.report)

    def _order(self, execution: Execution, task: Task) -> Order:
        """What is to be run. Raises NoTaskError."""
        if task.inaccessible:
            raise NoTaskError("the connection is inaccessible: its jobs are run by a remote agent")
        name = Systems.of(execution.configuration).command(task.system, upload=task.upload is not None)
        if not name:
            raise NoTaskError(f"the system {task.system!r} is not configured (sde_systems)")
        command = execution.configuration.commands.get(name)
        if command is None:
            raise NoTaskError(f"command {name!r} is not configured (commands)")
        # None at all is all that there are: here, unlike at an agent, nothing is hidden.
        return Order(command=command, params=_params(task), connection=self._run.connection, kind=task.kind.value)


def _params(task: Task) -> dict[str, Any]:
    upload = {} if task.upload is None else {"file_upload": str(task.upload)}
    return {**task.params, **upload}


def _outcome(execution: Execution, done: Done) -> Outcome:
    if done.way is Way.STOPPED and execution.stop.reason is not None:
        return Outcome(Ended.STOPPED, STOPPED[execution.stop.reason])
    if done.way is Way.SUCCEEDED:
        return Outcome(Ended.COMPLETED, done.message, exit_code=done.exit_code)
    return Outcome(Ended.FAILED, done.message, retryable=done.retryable, exit_code=done.exit_code)
