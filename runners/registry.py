"""Which runner carries out which kind of `run:`, and what the runners keep between executions."""

from __future__ import annotations

from collections.abc import Mapping

from config.definitions import CcsRun, CollectRun, CommandRun, Run
from runners.api import Runner
from runners.ccs.runner import CcsRunner
from runners.ccs.sessions import Sessions
from runners.ccs.work import Claims
from runners.local.collect import CollectRunner
from runners.local.command import CommandRunner


class UnsupportedRunError(Exception):
    """This version has no runner for that kind of `run:`."""


class Runners:
    """The runners of one daemon, on one event loop; `environ` is where secrets are looked for."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._sessions = Sessions(environ)
        self._claims = Claims()

    async def aclose(self) -> None:
        """Close what was kept; no execution may be under way."""
        await self._sessions.aclose()

    def runner_for(self, run: Run) -> Runner:
        """The runner that carries `run` out. Raises UnsupportedRunError, whose text is for an operator."""
        match run:
            case CommandRun():
                return CommandRunner(run)
            case CollectRun():
                return CollectRunner(run)
            case CcsRun():
                return CcsRunner(run, self._sessions, self._claims)
            case _:
                raise UnsupportedRunError(f"this version cannot carry out run.{run.kind} yet")
