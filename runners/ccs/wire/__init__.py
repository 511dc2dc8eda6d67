"""The CCS REST API as values: what client and served API send and read. No HTTP, no I/O.

Names of the wire stand here and in recurrence.ccs only. `parse_…` read JSON values and raise WireFaults, `wire()`
gives them.
"""

from runners.ccs.wire.details import AssetRef, JobDetails, Notification
from runners.ccs.wire.faults import WireFault, WireFaults
from runners.ccs.wire.jobs import (
    CreateJob,
    UpdateJob,
    created,
    job_name,
    parse_create_job,
    parse_created,
    parse_unscheduled_job,
    parse_update_job,
)
from runners.ccs.wire.moments import format_moment, parse_moment
from runners.ccs.wire.operations import NOT_AUTHORIZED, Operation, message, parse_operation
from runners.ccs.wire.status import JobStatus, Status, parse_job_runs, parse_job_status
from runners.ccs.wire.tokens import PasswordGrant, RefreshGrant, Tokens, parse_token_request, parse_tokens

__all__ = [
    "NOT_AUTHORIZED",
    "AssetRef",
    "CreateJob",
    "JobDetails",
    "JobStatus",
    "Notification",
    "Operation",
    "PasswordGrant",
    "RefreshGrant",
    "Status",
    "Tokens",
    "UpdateJob",
    "WireFault",
    "WireFaults",
    "created",
    "format_moment",
    "job_name",
    "message",
    "parse_create_job",
    "parse_created",
    "parse_job_runs",
    "parse_job_status",
    "parse_moment",
    "parse_operation",
    "parse_token_request",
    "parse_tokens",
    "parse_unscheduled_job",
    "parse_update_job",
]
