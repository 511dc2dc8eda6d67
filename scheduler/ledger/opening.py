"""Opening the runs of a job: for occurrences, for an operator, for RunNow."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from config.definitions import CollectRun, Configuration, JobDefinition
from recurrence.schedule import Occurrence
from runners.api import AssetRef
from scheduler.ledger import jobs, moves, runs
from scheduler.ledger.rows import storable
from scheduler.lifecycle import State
from scheduler.model import Actor, Cycle, JobRow, Kind, RunRow
from scheduler.planner.actions import Open, Record

GONE = "asset group that is gone"
"""The type of what stands for a group that is no longer configured: nothing collects it, so it fails."""


@dataclass(frozen=True, slots=True)
class Opener:
    """What a definition gives to each of its runs, frozen when the run opens."""

    zone: str
    cycle: Cycle
    has_assets: bool
    assets: tuple[AssetRef, ...]

    @classmethod
    def of(cls, job: JobDefinition, configuration: Configuration) -> Opener:
        """For runs of `job`; its asset groups are resolved here."""
        zone = job.schedule.zone if job.schedule is not None else configuration.settings.timezone
        collects = isinstance(job.run, CollectRun)
        return cls(zone, Cycle.of(job.schedule), collects, assets_of(job, configuration))

    def run(self, record: Record) -> runs.NewRun:
        """The run of an occurrence."""
        return runs.NewRun(
            kind=Kind.FIRE,
            occurrence=record.occurrence,
            zone=self.zone,
            cycle=self.cycle,
            state=record.state,
            reason=record.reason,
            assets=self.assets,
            has_assets=self.has_assets,
            last=record.last,
            moved_from=record.moved_from,
            count=record.count,
        )


def assets_of(job: JobDefinition, configuration: Configuration) -> tuple[AssetRef, ...]:
    """The assets that a run of `job` opened now would have, groups resolved, each once, in their order.

    A group that is not configured any more is one asset of its name that nothing can collect.
    """
    if not isinstance(job.run, CollectRun):
        return ()
    found = {AssetRef(asset.id, asset.type): None for asset in job.run.assets}
    for group in job.run.asset_groups:
        members = configuration.asset_groups.get(group)
        if members is None:  # an API's job may outlive a group of the file: that must not pass for "all done"
            found[AssetRef(group, GONE)] = None
        else:
            found |= {AssetRef(asset.id, asset.type): None for asset in members}
    return tuple(found)


def open_due(
    connection: sa.Connection, action: Open, opener: Opener, *, at: datetime, actor: Actor
) -> list[RunRow]:
    """Write the rows of what came due and move the watermark. Occurrences that have their row are passed over."""
    row = jobs.named(connection, action.job)
    opened = open_records(connection, row, action.records, opener, at=at, actor=actor)
    jobs.set_watermark(connection, row, action.watermark)
    return opened


def open_records(
    connection: sa.Connection,
    row: JobRow,
    records: Iterable[Record],
    opener: Opener,
    *,
    at: datetime,
    actor: Actor,
) -> list[RunRow]:
    """Open one run for each record that has none yet."""
    kept = (moves.kept(connection, row, record) for record in records)
    opened = (runs.open_run(connection, row, opener.run(record), at=at, actor=actor) for record in kept)
    return [run for run in opened if run is not None]


def open_asked(
    connection: sa.Connection,
    row: JobRow,
    opener: Opener,
    *,
    kind: Kind,
    at: datetime,
    actor: Actor,
    assets: tuple[AssetRef, ...] | None = None,
    parent_run: str | None = None,
) -> RunRow:
    """Open a run that stands for no occurrence: its fire time is the instant of acceptance."""
    new = runs.NewRun(
        kind=kind,
        occurrence=_accepted(at, opener),
        zone=opener.zone,
        cycle=opener.cycle,
        assets=opener.assets if assets is None else assets,
        has_assets=opener.has_assets or bool(assets),
        parent_run=parent_run,
    )
    return _always(runs.open_run(connection, row, new, at=at, actor=actor))


def open_posted(
    connection: sa.Connection,
    row: JobRow,
    opener: Opener,
    *,
    state: State,
    reason: str,
    at: datetime,
    actor: Actor,
) -> RunRow:
    """Open a run that was carried out elsewhere and has ended in `state`."""
    new = runs.NewRun(
        kind=Kind.POSTED,
        occurrence=_accepted(at, opener),
        zone=opener.zone,
        cycle=opener.cycle,
        state=state,
        reason=storable(reason),
    )
    return _always(runs.open_run(connection, row, new, at=at, actor=actor))


def _accepted(at: datetime, opener: Opener) -> Occurrence:
    return Occurrence(at, at.astimezone(ZoneInfo(opener.zone)).replace(tzinfo=None, fold=0))


def _always(run: RunRow | None) -> RunRow:
    assert run is not None  # noqa: S101 - one that stands for no occurrence moves on to a free microsecond
    return run
