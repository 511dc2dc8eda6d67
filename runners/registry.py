"""Which runner carries out which kind of `run:`, and what the runners keep between executions."""

from __future__ import annotations

from collections.abc import Mapping

from config.definitions import (
    CcsRun,
    CollectRun,
    CommandRun,
    Run,
    SdeAgentRun,
    SdeConnectionRun,
    SdeFileRun,
    SdeRun,
)
from runners.api import Runner
from runners.ccs.runner import CcsRunner
from runners.ccs.sessions import Sessions
from runners.ccs.work import Claims
from runners.local.collect import CollectRunner
from runners.local.command import CommandRunner
from runners.sde import asking
from runners.sde.agent import SdeAgentRunner
from runners.sde.clients import Clients
from runners.sde.file_runner import SdeFileRunner
from runners.sde.runner import SdeRunner
from runners.sde.served import ServedRunner
from runners.sde.tasks import Tasks


class UnsupportedRunError(Exception):
    """This version has no runner for that kind of `run:`."""


class Runners:
    """The runners of one daemon, on one event loop.

    `environ` is where secrets are looked for, `tasks` the connections of the served SDE API, if it is served.
    """

    def __init__(self, environ: Mapping[str, str], tasks: Tasks | None = None) -> None:
        self._sessions = Sessions(environ)
        self._claims = Claims()
        self._clients = Clients(environ)
        self._sde_claims = asking.Claims()
        self._tasks = tasks

    async def aclose(self) -> None:
        """Close what was kept; no execution may be under way."""
        await self._sessions.aclose()
        await self._clients.aclose()

    def runner_for(self, run: Run) -> Runner:
        """The runner that carries `run` out. Raises UnsupportedRunError, whose text is for an operator."""
        match run:
            case CommandRun():
                return CommandRunner(run)
            case CollectRun():
                return CollectRunner(run)
            case CcsRun():
                return CcsRunner(run, self._sessions, self._claims)
            case SdeRun():
                return SdeRunner(run, self._clients, self._sde_claims)
            case SdeFileRun():
                return SdeFileRunner(run, self._clients, self._sde_claims)
            case SdeAgentRun():
                return SdeAgentRunner(run, self._clients)
            case SdeConnectionRun() if self._tasks is not None:
                return ServedRunner(run, self._tasks)
            case _:
                raise UnsupportedRunError(f"this version cannot carry out run.{run.kind} yet")
