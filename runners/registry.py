"""Which runner carries out which kind of `run:`."""

from __future__ import annotations

from config.definitions import CollectRun, CommandRun, Run
from runners.api import Runner
from runners.local.collect import CollectRunner
from runners.local.command import CommandRunner


class UnsupportedRunError(Exception):
    """This version has no runner for that kind of `run:`."""


def runner_for(run: Run) -> Runner:
    """The runner that carries `run` out. Raises UnsupportedRunError, whose text is for an operator."""
    match run:
        case CommandRun():
            return CommandRunner(run)
        case CollectRun():
            return CollectRunner(run)
        case _:
            raise UnsupportedRunError(f"this version cannot carry out run.{run.kind} yet")
