"""Running the command of a connection on this host: params on standard input, a verdict at the end.

Only what the configuration lists under `commands` is run. Nothing that the server says comes into an argument, the
environment or the name of a file.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from config.definitions import Command
from runners.api import AssetRef, Execution
from runners.local import environment, process
from runners.local.ending import Cause, Ending, limited
from runners.local.output import Share
from runners.local.words import duration, filled
from runners.sde.hearing import Ear
from runners.sde.masking import Masking
from runners.sde.params import BadParamsError, stdin_text
from runners.sde.verdict import judge, shortened


class Way(StrEnum):
    """How a command ended."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    TIMED_OUT = "timed out"
    STOPPED = "stopped"  # it was asked to: nothing is known of its work


@dataclass(frozen=True, slots=True)
class Done:
    """The end of a command.

    Attributes:
        message: For the job on the server and for operators; no secret, at most 1,000 characters.
        exit_code: Where there was one.
        retryable: Whether trying again may help.
    """

    way: Way
    message: str = ""
    exit_code: int | None = None
    retryable: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be run.

    Attributes:
        asset: The connection, where it is one of several of its attempt.
        connection: Its id, and `kind` its kind.
    """

    command: Command
    params: Mapping[str, Any] = field(repr=False)
    connection: int
    kind: str
    asset: AssetRef | None = None


async def carry_out(execution: Execution, order: Order, share: Share, ending: Ending) -> Done:
    """Run it to its end, or until `ending` or its time limit; what it prints goes to `share`, without secrets."""
    try:
        stdin = stdin_text(order.params, order.command.stdin)
    except BadParamsError as error:
        return Done(Way.FAILED, shortened(str(error)), retryable=False)
    masking = Masking(order.params)
    out, err = Ear(share, masking), Ear(share, masking)
    patience = process.Patience(execution.clock, execution.configuration.settings.kill_after)
    with contextlib.ExitStack() as held:
        for ear in (out, err):
            held.callback(ear.close)
        part = held.enter_context(ending.part())
        async with limited(execution.clock, order.command.timeout, lambda: part.request(Cause.TIMEOUT)):
            program = _program(execution, order, stdin)
            ended = await process.run(program, stdout=out, stderr=err, ending=part, patience=patience)
    if isinstance(ended, process.NotStarted):
        return Done(Way.FAILED, shortened(ended.reason), retryable=ended.passing)
    if ended.unended and order.asset is None:
        execution.report.warn("processes_left", processes=ended.unended)
    elif ended.unended and order.asset is not None:
        execution.report.warn("processes_left", asset=order.asset.id, processes=ended.unended)
    return _done(order.command, ended, (out, err), masking)


def _done(command: Command, ended: process.Exited, ears: tuple[Ear, Ear], masking: Masking) -> Done:
    if ended.cause is Cause.TIMEOUT and command.timeout is not None:
        return Done(Way.TIMED_OUT, f"timed out after {duration(command.timeout)}")
    if ended.cause is not None:
        return Done(Way.STOPPED)
    verdict = judge(ended.code, command.success, *(ear.heard for ear in ears))
    code = ended.code if ended.code is not None and ended.code >= 0 else None
    # Once more: what was taken out of the text may have stood in the midst of a secret.
    message = shortened(masking.text(verdict.message))
    return Done(Way.SUCCEEDED if verdict.succeeded else Way.FAILED, message, code)


def _program(execution: Execution, order: Order, stdin: bytes) -> process.Program:
    folder = execution.configuration.folder
    identity = environment.identity(execution, order.asset)
    values = {
        "job": execution.job.name,
        "run_id": execution.run_id,
        "attempt": str(execution.attempt),
        "fire_time": execution.fire_time.isoformat(),
        "folder": str(folder),
        "connection": str(order.connection),
        "kind": order.kind,
    }
    return process.Program(
        argv=filled(order.command.argv, values, folder),
        token=execution.token,
        environment={**order.command.env, **environment.names(execution), **identity},
        identity=identity,
        stdin=stdin,
        run_as=order.command.run_as,
    )
