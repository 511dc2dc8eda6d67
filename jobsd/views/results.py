"""The results of a run: one line for each, and their sums by standard. Pure: rows in, shapes out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from pydantic import Field

from jobsd.views.runs import Tally, asset_counts, result_counts
from jobsd.views.shapes import AssetCounts, ResultCounts, View
from runners.api import AssetRef, CheckResult
from scheduler.ledger.assets import AssetRow
from scheduler.ledger.results import StandardTally
from scheduler.model import RunRow


class StandardSummary(View):
    """The results of one standard in a run."""

    standard: str
    assets: int = Field(description="How many assets were evaluated by it.")
    passed: int = Field(description="How many of these have no result but pass and notapplicable.")
    results: ResultCounts


class ResultLine(View):
    """One result; or an asset that has none, with nulls from `standard` on."""

    asset_id: str
    asset_type: str
    asset_state: str
    asset_reason: str
    attempt: int | None = Field(description="The last attempt that touched the asset.")
    started_at: datetime | None = Field(description="When work on the asset began.")
    ended_at: datetime | None = Field(description="When it was settled: collected and evaluated.")
    standard: str | None
    check: str | None
    result: str | None = Field(description="pass, fail, unknown, error or notapplicable.")
    message: str | None


class RunSummary(View):
    """A run, its assets and what its evaluations found, summed up."""

    run_id: str
    job: str
    fire_time: datetime
    state: str
    reason: str
    assets: AssetCounts
    standards: list[StandardSummary]


class RunResults(RunSummary):
    """The same with every result, in the order of the run's assets and of their evaluators."""

    results: list[ResultLine]


def run_summary(run: RunRow, tally: Tally, standards: Iterable[StandardTally]) -> RunSummary:
    """A run, summed up; `tally` counts its assets."""
    return RunSummary(
        run_id=run.run_id,
        job=run.job,
        fire_time=run.fire_time,
        state=run.state.value,
        reason=run.reason,
        assets=asset_counts(tally),
        standards=[
            StandardSummary(
                standard=one.standard,
                assets=one.assets,
                passed=one.passed,
                results=result_counts(one.verdicts),
            )
            for one in standards
        ],
    )


def result_lines(
    rows: Iterable[AssetRow], results: Mapping[AssetRef, Sequence[CheckResult]]
) -> Iterator[ResultLine]:
    """The lines of some assets; one that is not in `results` has a line of its own."""
    for row in rows:
        found = results.get(row.asset)
        if found is None:
            yield _line(row, None)
        for result in found or ():
            yield _line(row, result)


def _line(row: AssetRow, result: CheckResult | None) -> ResultLine:
    return ResultLine(
        asset_id=row.asset.id,
        asset_type=row.asset.type,
        asset_state=row.state.value,
        asset_reason=row.reason,
        attempt=row.attempt,
        started_at=row.started_at,
        ended_at=row.ended_at,
        standard=None if result is None else result.standard,
        check=None if result is None else result.check,
        result=None if result is None else result.result.value,
        message=None if result is None else result.message,
    )
