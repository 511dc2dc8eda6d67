"""How far the assets of a job are covered: the last state of each, who covered it last, what its checks said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from runners.api import AssetRef, AssetState, Verdict
from scheduler.ledger import runs, schema
from scheduler.ledger.assets import COVERED, of_run
from scheduler.ledger.queries import CHUNK, RunFilter, list_runs
from scheduler.lifecycle import State
from scheduler.model import RunRow

WALK = (1, 8, 64)
"""Runs looked at in one query each, newest first; what they do not answer is asked for asset by asset."""

WORKED = frozenset(State) - {State.MISSED, State.SKIPPED}
"""Runs in these states had their assets opened."""

_ROWS = schema.run_assets
_RESULTS = schema.check_results


@dataclass(slots=True)
class Standing:
    """Where one asset of a job stands.

    Attributes:
        last: The newest run of the job that had it; None if there is none. `state` and `reason` are from there.
        covered: The newest run of the job that has it done or fresh, and when that was; None if there is none.
        results: What the checks of the covering run said about it.
    """

    asset: AssetRef
    last: RunRow | None = None
    state: AssetState | None = None
    reason: str = ""
    covered: RunRow | None = None
    covered_at: datetime | None = None
    results: Counter[Verdict] = field(default_factory=Counter)

    @property
    def settled(self) -> bool:
        """Whether nothing older can add anything."""
        return self.last is not None and self.covered is not None

    def learn(self, run: RunRow, row: sa.Row[Any]) -> None:
        """Take what an older run, or the newest one, has about it."""
        state = AssetState(row.state)
        if self.last is None:
            self.last, self.state, self.reason = run, state, row.reason
        if self.covered is None and state in COVERED:
            self.covered, self.covered_at = run, row.ended_at


@dataclass(frozen=True, slots=True)
class Covering:
    """The assets of a job in the order they were asked for, and the newest run that had assets, if any."""

    latest: RunRow | None
    assets: tuple[Standing, ...]


def covering(connection: sa.Connection, job_id: int, assets: Sequence[AssetRef]) -> Covering:
    """Where each of `assets` stands by the runs of a job."""
    found = {asset: Standing(asset) for asset in assets}
    latest = before = None
    which = RunFilter(job_id=job_id, states=WORKED, with_assets=True)
    for size in WALK if found else ():
        batch = list_runs(connection, which, limit=size, before=before)
        _learn(connection, batch, found)
        latest = latest or (batch[0] if batch else None)
        if len(batch) < size or all(standing.settled for standing in found.values()):
            break
        before = batch[-1]
    else:
        for standing in found.values():
            _dig(connection, job_id, standing)
    _count_results(connection, found)
    return Covering(latest, tuple(found.values()))


def newest_assets(connection: sa.Connection, job_id: int) -> tuple[AssetRef, ...]:
    """The assets of a job's newest run that had any: all that is known of those that are found at work."""
    which = RunFilter(job_id=job_id, states=WORKED, with_assets=True)
    found = [row.asset for run in list_runs(connection, which, limit=1) for row in of_run(connection, run.run_no)]
    return tuple(found)


def _learn(connection: sa.Connection, batch: Sequence[RunRow], found: dict[AssetRef, Standing]) -> None:
    """Take what `batch`, newest run first, says about each asset."""
    rows: dict[int, list[sa.Row[Any]]] = {run.run_no: [] for run in batch}
    for row in connection.execute(sa.select(_ROWS).where(_ROWS.c.run_no.in_(list(rows)))):
        rows[row.run_no].append(row)
    for run in batch:
        for row in rows[run.run_no]:
            standing = found.get(AssetRef(row.asset_id, row.asset_type))
            if standing is not None:
                standing.learn(run, row)


def _dig(connection: sa.Connection, job_id: int, standing: Standing) -> None:
    """Look through the whole history for what is not known of an asset yet."""
    if standing.last is None:
        _dig_for(connection, job_id, standing, AssetState)
    if standing.covered is None:
        _dig_for(connection, job_id, standing, COVERED)


def _dig_for(connection: sa.Connection, job_id: int, standing: Standing, states: Iterable[AssetState]) -> None:
    asset = standing.asset
    mine = (_ROWS.c.asset_type == asset.type, _ROWS.c.asset_id == asset.id, schema.runs.c.job_id == job_id)
    newest = []
    for state in states:
        query = sa.select(_ROWS).join(schema.runs).where(*mine, _ROWS.c.state == state.value)
        row = connection.execute(query.order_by(_ROWS.c.run_no.desc()).limit(1)).one_or_none()
        newest += [] if row is None else [row]
    if newest:
        row = max(newest, key=lambda row: int(row.run_no))
        standing.learn(runs.get(connection, row.run_no), row)


def _count_results(connection: sa.Connection, found: dict[AssetRef, Standing]) -> None:
    numbers = list({s.covered.run_no for s in found.values() if s.covered is not None})
    columns = (_RESULTS.c.run_no, _RESULTS.c.asset_type, _RESULTS.c.asset_id, _RESULTS.c.result)
    for start in range(0, len(numbers), CHUNK):
        query = sa.select(*columns, sa.func.count().label("number")).group_by(*columns)
        for row in connection.execute(query.where(_RESULTS.c.run_no.in_(numbers[start : start + CHUNK]))):
            standing = found.get(AssetRef(row.asset_id, row.asset_type))
            if standing is not None and standing.covered is not None and standing.covered.run_no == row.run_no:
                standing.results[Verdict(row.result)] += row.number
