"""The assets of runs, what was found about them, and the newest data of each asset over all jobs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from runners.api import AssetRef, AssetReport, AssetState, CheckResult, Collected, Verdict
from scheduler.ledger import schema
from scheduler.ledger.rows import storable

COVERED = frozenset({AssetState.DONE, AssetState.FRESH})
_ROWS = schema.run_assets
_RESULTS = schema.check_results
_OF_RUN = _ROWS.c.run_no == sa.bindparam("run")
_LEFT = (
    sa.select(_ROWS.c.asset_id, _ROWS.c.asset_type)
    .where(_OF_RUN, _ROWS.c.state.not_in([state.value for state in COVERED]))
    .order_by(_ROWS.c.position)
)
_TALLY = sa.select(_ROWS.c.state, sa.func.count()).where(_OF_RUN).group_by(_ROWS.c.state)


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetRow:
    """An asset of a run; `starts` counts how often work on it began, `attempt` is the last that touched it."""

    asset: AssetRef
    state: AssetState
    reason: str
    attempt: int | None
    starts: int
    started_at: datetime | None
    ended_at: datetime | None


def left(connection: sa.Connection, run_no: int) -> tuple[AssetRef, ...]:
    """What is left of a run: all assets but the done and the fresh ones, in the run's order."""
    return tuple(AssetRef(id_, type_) for id_, type_ in connection.execute(_LEFT, {"run": run_no}))


def tally(connection: sa.Connection, run_no: int) -> Counter[AssetState]:
    """How many assets of a run are in each state."""
    return Counter({AssetState(state): count for state, count in connection.execute(_TALLY, {"run": run_no})})


def of_run(connection: sa.Connection, run_no: int) -> list[AssetRow]:
    """The assets of a run, in its order."""
    query = sa.select(_ROWS).where(_ROWS.c.run_no == run_no).order_by(_ROWS.c.position)
    return [
        AssetRow(
            asset=AssetRef(row.asset_id, row.asset_type),
            state=AssetState(row.state),
            reason=row.reason,
            attempt=row.attempt,
            starts=row.starts,
            started_at=row.started_at,
            ended_at=row.ended_at,
        )
        for row in connection.execute(query)
    ]


def add(connection: sa.Connection, run_no: int, found: Sequence[AssetRef]) -> None:
    """Further assets of a run, open; those that it has already stay as they are."""
    mine = sa.select(_ROWS.c.asset_id, _ROWS.c.asset_type).where(_ROWS.c.run_no == run_no)
    known = {AssetRef(row.asset_id, row.asset_type) for row in connection.execute(mine)}
    new = [asset for asset in dict.fromkeys(found) if asset not in known]
    if new:
        connection.execute(_ROWS.insert(), opened(run_no, new, begin=len(known)))


def opened(run_no: int, assets: Sequence[AssetRef], *, begin: int = 0) -> list[dict[str, Any]]:
    """The rows of assets that nothing was done about yet; positions count from `begin`."""
    return [
        {"run_no": run_no, "asset_type": a.type, "asset_id": a.id, "position": i, "state": AssetState.OPEN.value}
        for i, a in enumerate(assets, begin)
    ]


def started(connection: sa.Connection, run_no: int, attempt: int, asset: AssetRef, at: datetime) -> None:
    """Work on an asset begins: one more start; what an earlier attempt said about it is forgotten."""
    changes = {
        "state": AssetState.OPEN.value,
        "reason": "",
        "attempt": attempt,
        "starts": _ROWS.c.starts + 1,
        "started_at": at,
        "ended_at": None,
    }
    connection.execute(_ROWS.update().where(*_key(run_no, asset)).values(changes))


def settle(connection: sa.Connection, run_no: int, attempt: int, report: AssetReport) -> None:
    """An asset is settled: its state, and the results of its evaluation in place of any earlier ones."""
    changes = {
        "state": report.state.value,
        "reason": storable(report.reason),
        "attempt": attempt,
        "started_at": report.started_at,
        "ended_at": report.ended_at,
    }
    connection.execute(_ROWS.update().where(*_key(run_no, report.asset)).values(changes))
    asset = report.asset
    mine = (_RESULTS.c.run_no == run_no, _RESULTS.c.asset_id == asset.id, _RESULTS.c.asset_type == asset.type)
    connection.execute(_RESULTS.delete().where(*mine))
    rows = [
        {
            "run_no": run_no,
            "asset_type": asset.type,
            "asset_id": asset.id,
            "standard": result.standard,
            "check_name": result.check,
            "position": position,
            "result": result.result.value,
            "message": result.message,
        }
        for position, result in enumerate(report.results)
    ]
    if rows:
        connection.execute(_RESULTS.insert(), rows)


def results(
    connection: sa.Connection, run_no: int, asset: AssetRef | None = None
) -> list[tuple[AssetRef, CheckResult]]:
    """The evaluation results of a run, or of one asset of it, in the evaluators' order."""
    where = [_RESULTS.c.run_no == run_no]
    if asset is not None:
        where += [_RESULTS.c.asset_id == asset.id, _RESULTS.c.asset_type == asset.type]
    query = (
        sa.select(_RESULTS).where(*where).order_by(_RESULTS.c.asset_type, _RESULTS.c.asset_id, _RESULTS.c.position)
    )
    return [
        (
            AssetRef(row.asset_id, row.asset_type),
            CheckResult(row.standard, row.check_name, Verdict(row.result), row.message),
        )
        for row in connection.execute(query)
    ]


def newest_data(connection: sa.Connection, asset: AssetRef) -> Collected | None:
    """The newest data of an asset from any job."""
    data = schema.asset_data
    query = sa.select(data).where(data.c.asset_id == asset.id, data.c.asset_type == asset.type)
    row = connection.execute(query).one_or_none()
    return None if row is None else Collected(Path(row.path), row.collected_at)


def keep_data(connection: sa.Connection, asset: AssetRef, collected: Collected) -> Collected | None:
    """Note the newest data of an asset; returns what it replaces."""
    before = newest_data(connection, asset)
    data = schema.asset_data
    values = {"path": str(collected.path), "collected_at": collected.collected_at}
    if before is None:
        connection.execute(data.insert().values(asset_id=asset.id, asset_type=asset.type, **values))
    else:
        mine = (data.c.asset_id == asset.id, data.c.asset_type == asset.type)
        connection.execute(data.update().where(*mine).values(values))
    return before


def _key(run_no: int, asset: AssetRef) -> tuple[sa.ColumnElement[bool], ...]:
    return (_ROWS.c.run_no == run_no, _ROWS.c.asset_id == asset.id, _ROWS.c.asset_type == asset.type)
