"""What is remembered of a CCS server, by name: in the run's memory and in the job's."""

from __future__ import annotations

import json
from typing import Any

from runners.ccs.wire import JobStatus

JOB = "ccs_job"
"""Run: the id of the job that was executed. Job: the id of the job made from its job_details."""
BASELINE = "ccs_baseline"
"""Run: the newest job run before execute was sent; empty if there was none."""
SENT = "ccs_sent"
"""Run: the instant before execute was sent. Without RUN beside it, its answer is not known."""
EXECUTED_IN = "ccs_executed_in"
"""Run: the number of the attempt that sent it."""
RUN = "ccs_run"
"""Run: the id of its job run."""
STATUS = "ccs_status"
"""Run: the last status of its job run, as JSON."""

SERVER = "ccs_server"
"""Job: a digest of the address for which DIGEST and INCREMENTAL hold."""
DIGEST = "ccs_digest"
"""Job: JobType and digest of the definition that the server certainly has."""
INCREMENTAL = "ccs_incremental"
"""Job: days of the IncrementalPeriod that a rerun has set, until it is set back."""
CREATING = "ccs_creating"
"""Job: the name and digest with which its creation was sent, until its answer is known."""

_TEXT = 8_000
_ACTIVITIES = 100
_ACTIVITIES_TEXT = 32_000


def status_text(status: JobStatus) -> str:
    """A status as JSON, bounded: a server may tell much of thousands of assets."""
    return json.dumps({name: _bounded(value) for name, value in status.wire().items()})


def _bounded(value: Any) -> Any:
    if isinstance(value, str):
        return value if len(value) <= _TEXT else value[: _TEXT - 1] + "…"
    if not isinstance(value, list):
        return value
    kept, size = [], 0
    for item in value[:_ACTIVITIES]:
        size += len(json.dumps(item))
        if size > _ACTIVITIES_TEXT:
            break
        kept.append(item)
    return kept if len(kept) == len(value) else [*kept, {"omitted": len(value) - len(kept)}]
