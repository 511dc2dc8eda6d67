"""From the ledger's rows and the definitions to what people and programs read: the same for every face."""

from jobsd.views.coverage import coverage_summary, coverage_view
from jobsd.views.deliveries import delivery_detail, delivery_view
from jobsd.views.jobs import JobFacts, explanation, job_view, next_views, pause_view, sentence
from jobsd.views.runs import (
    asset_counts,
    asset_views,
    attempt_view,
    event_view,
    local_time,
    next_rerun_at,
    run_detail,
    run_view,
)

__all__ = [
    "JobFacts",
    "asset_counts",
    "asset_views",
    "attempt_view",
    "coverage_summary",
    "coverage_view",
    "delivery_detail",
    "delivery_view",
    "event_view",
    "explanation",
    "job_view",
    "local_time",
    "next_rerun_at",
    "next_views",
    "pause_view",
    "run_detail",
    "run_view",
    "sentence",
]
