"""`run.sde_agent`: the connections that the server cannot reach, run on this host; each is an asset of the run."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator

from config.definitions import SdeAgentRun, SdeServer
from runners.api import AssetReport, AssetState, Ended, Execution, Outcome, Posting
from runners.local.ending import Ending, stoppable
from runners.local.output import Log, Share, with_loss
from runners.local.words import STOPPED
from runners.patience import StopAsked
from runners.sde.agent_lists import Lists, read_lists
from runners.sde.agent_plan import Plan, Planner, Runnable, kinds_of, unreadable
from runners.sde.clients import Clients
from runners.sde.commanding import Done, Order, Way, carry_out
from runners.sde.verdict import printable
from runners.sde.wire import Kind

_LEAST_SHARE = 64 * 1024
_STATES = {
    Way.SUCCEEDED: AssetState.DONE,
    Way.FAILED: AssetState.FAILED,
    Way.TIMED_OUT: AssetState.TIMED_OUT,
}


class SdeAgentRunner:
    """Lists a server's inaccessible connections of one frequency, runs their commands, posts what they came to.

    In the execution's folder: `output.log`, what they said, each line with its connection.
    """

    def __init__(self, run: SdeAgentRun, clients: Clients) -> None:
        self._run = run
        self._clients = clients

    async def execute(self, execution: Execution) -> Outcome:
        """Carry out one attempt. Raises what reports raise; no process is left even then."""
        name, configuration = self._run.server, execution.configuration
        server = configuration.servers[name]
        assert isinstance(server, SdeServer)  # noqa: S101 - the configuration is checked
        client = self._clients.of(name, server, configuration.folder)
        kinds = kinds_of(execution.assets) if execution.has_assets else tuple(map(Kind, self._run.kinds))
        try:
            lists = await read_lists(execution, client, kinds)
        except StopAsked:
            return _stopped(execution)
        if kinds and not lists.read:
            return self._unlisted(lists)
        self._tell(execution, lists)
        planner = Planner(name, self._run, lists)
        plan = planner.later(execution.assets) if execution.has_assets else planner.first()
        return await self._carry_out(execution, plan, lists)

    def _unlisted(self, lists: Lists) -> Outcome:
        """Nothing can be done."""
        kinds: dict[str, list[str]] = {}
        for kind, one in lists.unlisted.items():
            kinds.setdefault(one.reason, []).append(kind.value)
        told = "; ".join(f"{', '.join(names)}: {reason}" for reason, names in kinds.items())
        again = any(one.passing for one in lists.unlisted.values())
        return Outcome(Ended.FAILED, f"{self._run.server}: no connections can be listed: {told}", retryable=again)

    def _tell(self, execution: Execution, lists: Lists) -> None:
        report, server = execution.report, self._run.server
        for kind, unlisted in lists.unlisted.items():
            if unlisted.missing:
                report.warn("sde_kind_missing", server=server, connection_kind=kind.value, reason=unlisted.reason)
        for kind, fault in unreadable(lists):
            report.warn("sde_connections_unreadable", server=server, connection_kind=kind.value, reason=fault)

    async def _carry_out(self, execution: Execution, plan: Plan, lists: Lists) -> Outcome:
        if plan.found or not execution.has_assets:
            await execution.report.assets_found(plan.found)
        log = Log(execution.folder / "output.log")
        with contextlib.closing(log):
            async with stoppable(execution.stop) as ending:
                batch = _Batch(execution, self._run, plan, log, ending)
                try:
                    await batch.carry_out()
                except BaseExceptionGroup as faults:
                    # Its first fault is what the operator needs; the others are its consequences.
                    raise faults.exceptions[0] from None
        if batch.left and execution.stop.requested:
            outcome = _stopped(execution, f"; {batch.left} of {len(plan.runnable)} connections left")
        else:
            unread = "; ".join(f"{kind}: {fault}" for kind, fault in unreadable(lists))
            outcome = Outcome(Ended.COMPLETED, f"connections that cannot be read: {unread}" if unread else "")
        return with_loss(outcome, log, execution.report)


def _stopped(execution: Execution, more: str = "") -> Outcome:
    assert execution.stop.reason is not None  # noqa: S101 - asked for
    return Outcome(Ended.STOPPED, f"{STOPPED[execution.stop.reason]}{more}")


class _Batch:
    """The connections of one attempt."""

    def __init__(self, execution: Execution, run: SdeAgentRun, plan: Plan, log: Log, ending: Ending) -> None:
        self._execution = execution
        self._run = run
        self._plan = plan
        self._log = log
        self._ending = ending
        self.left = len(plan.runnable)

    async def carry_out(self) -> None:
        """Settle what is not run, then run the others in order, `parallel` at a time."""
        self._tell()
        for one in self._plan.settled:
            now = self._execution.clock.now()
            await self._execution.report.asset_ended(AssetReport(one.asset, one.state, one.reason, now, now))
        waiting = iter(self._plan.runnable)
        async with asyncio.TaskGroup() as group:
            for _ in range(min(self._run.parallel, len(self._plan.runnable))):
                group.create_task(self._work(waiting))
                # A turn of the loop for each: starting a child takes a moment in which nothing else moves.
                await asyncio.sleep(0)

    def _tell(self) -> None:
        report, server = self._execution.report, self._run.server
        for kind, ids in self._plan.without_params.items():
            report.warn("sde_params_missing", server=server, connection_kind=kind.value, connections=ids)
        for kind, ids in self._plan.in_progress.items():
            report.warn("sde_in_progress", server=server, connection_kind=kind.value, connections=ids)

    async def _work(self, waiting: Iterator[Runnable]) -> None:
        for one in waiting:
            if self._execution.stop.requested:
                return
            await self._settle(one)

    async def _settle(self, one: Runnable) -> None:
        started_at = self._execution.clock.now()
        await self._execution.report.asset_started(one.asset)
        limit = self._execution.configuration.settings.output_limit // len(self._plan.runnable)
        share = Share(self._log, max(limit, _LEAST_SHARE), f"[{one.kind} {one.connection.id}] ")
        share.say(f"{_short(one.connection.alias)}: {_short(one.connection.command)}")
        done = await self._done(one, share)
        share.say(f"{done.way.value}: {done.message}" if done.message else done.way.value)
        state = _STATES.get(done.way)
        if state is None:
            return
        ended_at = self._execution.clock.now()
        posting = self._posting(one, done)
        report = AssetReport(one.asset, state, done.message, started_at, ended_at, posting=posting)
        await self._execution.report.asset_ended(report)
        self.left -= 1

    async def _done(self, one: Runnable, share: Share) -> Done:
        name, params = one.connection.command, one.connection.params
        command = self._execution.configuration.commands.get(name)
        if command is None or params is None:
            return Done(Way.FAILED, f"command {_short(name)!r} is not in this agent's list", retryable=False)
        order = Order(
            command=command, params=params, connection=one.connection.id, kind=one.kind.value, asset=one.asset
        )
        return await carry_out(self._execution, order, share, self._ending)

    def _posting(self, one: Runnable, done: Done) -> Posting:
        name = self._run.server
        body = {
            "server": name,
            "kind": one.kind.value,
            "connection": one.connection.id,
            "succeeded": done.way is Way.SUCCEEDED,
            "result_message": done.message,
        }
        channel = f"sde:{name}:{one.connection.id}"
        return Posting(kind="sde_result", about="result", target=name, channel=channel, body=body)


def _short(text: str) -> str:
    """A name of the server's, for the log and for a reason."""
    return printable(text.encode("utf-8", "replace"))[:100]
