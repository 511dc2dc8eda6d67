"""One asset: collected, then judged by each standard."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from config.definitions import Collector, CollectRun
from runners.api import AssetRef, AssetState, CheckResult, Collected, Execution
from runners.local import environment, process, protocol
from runners.local.ending import Cause, Ending
from runners.local.output import DataFile, Share
from runners.local.words import duration, exit_words, filled

_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")
_NAME_LENGTH = 40


class NotDoneError(Exception):
    """The asset is not done: `state` says how, OPEN that it was interrupted and is to be done another time."""

    def __init__(self, state: AssetState, reason: str = "") -> None:
        super().__init__(reason)
        self.state = state
        self.reason = reason


@dataclass(frozen=True, slots=True)
class AssetWork:
    """What the programs of one asset have in common."""

    execution: Execution
    run: CollectRun
    number: int
    asset: AssetRef
    share: Share
    ending: Ending

    async def collect(self, stage: Ending) -> Collected:
        """Run the asset's collector and keep what it printed. Raises NotDoneError."""
        collector = self._collector()
        path = self._path("data", "data")
        asset = json.dumps({"id": self.asset.id, "type": self.asset.type}).encode()
        limit = self.execution.configuration.settings.output_limit
        with self._file(path, limit, "settings.output_limit", stage) as data:
            await self._carry_out("collect", (collector, collector.collect, {}), asset, data, stage)
        try:
            return await self.execution.data.keep(self.asset, path, self.execution.clock.now())
        except OSError as error:
            path.unlink(missing_ok=True)
            raise NotDoneError(AssetState.FAILED, f"its data cannot be kept: {error.strerror}") from error

    async def evaluate(self, data: Collected) -> tuple[CheckResult, ...]:
        """Judge `data` by every standard of the job. Raises NotDoneError; then nothing of it counts."""
        found: list[CheckResult] = []
        for number, standard in enumerate(self.run.standards):
            with self.ending.part() as stage:
                found += await self._judge(data, number, standard, stage)
        return tuple(found)

    async def _judge(self, data: Collected, number: int, standard: str, stage: Ending) -> tuple[CheckResult, ...]:
        collector = self._collector()
        if collector.evaluate is None:
            raise NotDoneError(AssetState.FAILED, f"no evaluate command for assets of type {self.asset.type!r}")
        path = self._path("results", f"{number:03d}.json")
        what = f"evaluate {standard}"
        with self._file(path, protocol.RESULTS_LIMIT, "the most an evaluator may print", stage) as out:
            command = (collector, collector.evaluate, {"standard": standard})
            await self._carry_out(what, command, data.path, out, stage)
        try:
            return protocol.results(path.read_bytes(), standard)
        except protocol.ProtocolError as error:
            raise NotDoneError(AssetState.FAILED, f"{what}: {error}") from error

    def _collector(self) -> Collector:
        collector = self.execution.configuration.collectors.get(self.asset.type)
        if collector is None:
            raise NotDoneError(
                AssetState.FAILED, f"no collector for assets of type {self.asset.type!r} (collectors:)"
            )
        return collector

    def _path(self, folder: str, end: str) -> Path:
        # The number makes it unique, the rest is for the eye: an id may hold anything.
        readable = _UNSAFE.sub("_", self.asset.id)[:_NAME_LENGTH]
        return self.execution.folder / folder / f"{self.number:05d}-{readable}.{end}"

    @contextlib.contextmanager
    def _file(self, path: Path, limit: int, limit_name: str, stage: Ending) -> Iterator[DataFile]:
        """A file that is removed again unless what is to fill it succeeds."""
        try:
            file = DataFile(path, limit, limit_name, lambda: stage.request(Cause.OUTPUT))
        except OSError as error:
            raise NotDoneError(AssetState.FAILED, f"no file for its output: {error.strerror}") from error
        try:
            with contextlib.closing(file):
                yield file
        except BaseException:
            path.unlink(missing_ok=True)
            raise

    async def _carry_out(
        self,
        what: str,
        command: tuple[Collector, tuple[str, ...], dict[str, str]],
        stdin: bytes | Path,
        out: DataFile,
        stage: Ending,
    ) -> None:
        collector, argv, more = command
        settings = self.execution.configuration.settings
        with contextlib.closing(self.share.stream()) as err:
            ended = await process.run(
                self._program(collector, argv, more, stdin),
                stdout=out,
                stderr=err,
                ending=stage,
                patience=process.Patience(self.execution.clock, settings.kill_after),
            )
        if isinstance(ended, process.NotStarted):
            raise NotDoneError(AssetState.FAILED, f"{what}: {ended.reason}")
        if ended.unended:
            self.execution.report.warn("processes_left", asset=self.asset.id, processes=ended.unended)
        self._check(what, ended, out, err.last_line)

    def _check(self, what: str, ended: process.Exited, out: DataFile, last_line: str) -> None:
        if ended.cause is Cause.TIMEOUT and self.run.asset_timeout is not None:
            after = duration(self.run.asset_timeout)
            raise NotDoneError(AssetState.TIMED_OUT, f"{what}: timed out after {after} (asset_timeout)")
        if ended.cause in (Cause.STOP, Cause.PHASE):
            raise NotDoneError(AssetState.OPEN)
        if out.fault:
            raise NotDoneError(AssetState.FAILED, f"{what}: {out.fault}")
        if ended.code == protocol.UNREACHABLE:
            raise NotDoneError(AssetState.UNREACHABLE, f"{what}: {last_line or 'exit code 75'}")
        if ended.code != 0:
            raise NotDoneError(AssetState.FAILED, f"{what}: {exit_words(ended.code, last_line)}")

    def _program(
        self, collector: Collector, argv: tuple[str, ...], more: dict[str, str], stdin: bytes | Path
    ) -> process.Program:
        execution = self.execution
        folder = execution.configuration.folder
        identity = environment.identity(execution, self.asset)
        values = {
            "asset.id": self.asset.id,
            "asset.type": self.asset.type,
            "job": execution.job.name,
            "run_id": execution.run_id,
            "folder": str(folder),
        }
        return process.Program(
            argv=filled(argv, values | more, folder),
            token=execution.token,
            environment={**environment.names(execution), **identity},
            identity=identity,
            stdin=stdin,
            run_as=collector.run_as,
        )
