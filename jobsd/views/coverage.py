"""The coverage of a job as JSON shapes. Pure: standings in, shapes out."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from jobsd.views.runs import result_counts
from jobsd.views.shapes import AssetCoverage, Coverage, CoverageCounts, CoverageSummary
from runners.api import AssetState, Verdict
from scheduler.ledger.assets import COVERED
from scheduler.ledger.covering import Covering, Standing
from scheduler.model import JobRow

NEVER = "never"


def coverage_summary(covering: Covering) -> CoverageSummary:
    """The counts over all assets."""
    states = Counter(standing.state for standing in covering.assets)
    counts = {state.value: states[state] for state in AssetState}
    results: Counter[Verdict] = Counter()
    for standing in covering.assets:
        results += standing.results
    covered, total = sum(states[state] for state in COVERED), len(covering.assets)
    return CoverageSummary(
        counts=CoverageCounts(total=total, never=states[None], **counts),
        share=covered / total if total else None,
        run_id=None if covering.latest is None else covering.latest.run_id,
        results=result_counts(results),
    )


def coverage_view(row: JobRow, covering: Covering, *, zone: str, now: datetime) -> Coverage:
    """The coverage of a job, asset by asset; ages count up to `now`."""
    return Coverage(
        **coverage_summary(covering).model_dump(by_alias=False),
        job=row.name,
        timezone=zone,
        known_since=row.known_since,
        assets=[_asset(standing, now) for standing in covering.assets],
    )


def _asset(standing: Standing, now: datetime) -> AssetCoverage:
    at = standing.covered_at
    return AssetCoverage(
        asset_id=standing.asset.id,
        asset_type=standing.asset.type,
        state=NEVER if standing.state is None else standing.state.value,
        reason=standing.reason,
        run_id=None if standing.last is None else standing.last.run_id,
        covered_at=at,
        covered_by=None if standing.covered is None else standing.covered.run_id,
        age_s=None if at is None else max((now - at).total_seconds(), 0.0),
        results=result_counts(standing.results),
    )
