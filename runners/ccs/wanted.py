"""What a job of `job_details` is to be on its server. Pure."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import timedelta

from config.definitions import CcsRun
from runners.ccs.wire import CreateJob, JobDetails, parse_unscheduled_job

MOST_DAYS = 100
"""Of the age below which data is not collected again."""


def wanted_job(run: CcsRun) -> CreateJob:
    """What `job_details` define. Raises WireFaults."""
    return parse_unscheduled_job(run.job_details or {}, run.job_type)


def digest_of(wanted: CreateJob) -> str:
    """Type and digest of a definition."""
    text = json.dumps(wanted.wire(), sort_keys=True)
    return f"{wanted.job_type}:{hashlib.sha256(text.encode()).hexdigest()}"


def for_rerun(details: JobDetails, age: timedelta) -> JobDetails:
    """The same, but data younger than the run is not collected again; `age` is the time since its fire time."""
    days = min(max(age // timedelta(days=1) + 1, (details.incremental or timedelta(0)).days), MOST_DAYS)
    return replace(details, is_incremental=True, incremental_days=days)


def outright(details: JobDetails) -> JobDetails:
    """The same with the defaults written out: an update leaves alone what it does not name."""
    return replace(
        details,
        description=details.description or "",
        is_incremental=details.incremental is not None,
        incremental_days=details.incremental_days or 1,
        collection_hours=details.collection_hours or 0,
        collection_minutes=details.collection_minutes or 0,
        send_success=details.send_success is True,
        send_failure=details.send_failure is True,
    )
