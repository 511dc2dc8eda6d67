"""A job as the reading calls answer it: its properties, and what it was made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from config.runs import JobType
from runners.ccs.wire.moments import format_moment
from runners.ccs.wire.status import Status

CATEGORIES: Mapping[JobType, str] = {
    JobType.COLLECTION_EVALUATION: "Collection-Evaluation",
    JobType.COLLECTION: "Data Collection",
    JobType.EVALUATION: "Evaluation",
}
"""JobCategory: its values are not documented, these are the page's words for the three types."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobProperties:
    """One job.

    Attributes:
        job_id: GUID in lower case.
        details: JobDetails as the API has them.
        created_by: The user; empty for a job that no API made.
        last_status: Of the newest job run; NONE before the first.
        last_run_at: When that one started; None before.
    """

    job_id: str
    name: str
    job_type: JobType
    description: str
    details: Mapping[str, Any]
    created_at: datetime
    modified_at: datetime
    created_by: str = ""
    last_status: Status = Status.NONE
    last_run_at: datetime | None = None

    @property
    def category(self) -> str:
        """JobCategory."""
        return CATEGORIES[self.job_type]

    def wire(self) -> dict[str, Any]:
        """As the API has it."""
        return {
            "JobID": self.job_id,
            "JobName": self.name,
            "JobCategory": self.category,
            "JobType": self.job_type.value,
            "JobDescription": self.description,
            "JobCreationTime": format_moment(self.created_at),
            "JobModifiedTime": format_moment(self.modified_at),
            "LastRunStatus": self.last_status.value,
            "LastRunDate": format_moment(self.last_run_at),
            "CreatedBy": self.created_by,
            "JobDetails": dict(self.details),
        }
