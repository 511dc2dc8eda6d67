"""The SD Elements API as values: what client and served API send and read. No HTTP, no I/O.

Names of the wire stand here only. `parse_…` read JSON values and raise WireError, mostly WireFaults; `wire()`
gives them. Requests are read as Django REST framework reads them and refused in its words;
answers are read leniently.
"""

from runners.sde.wire.agents import AgentView, agent_view
from runners.sde.wire.bodies import BadJsonError, parse_json, said
from runners.sde.wire.connection_requests import ConnectionFields, effective_params, parse_connection_request
from runners.sde.wire.connections import Connection, Shape, parse_connection
from runners.sde.wire.connectors import Connector, ConnectorFields, parse_connector, parse_connector_request
from runners.sde.wire.credentials import BadCredentialsError, Login, TokenKey, parse_authorization
from runners.sde.wire.faults import WireFault, WireFaults
from runners.sde.wire.filters import (
    ConnectionFilter,
    JobFilter,
    parse_connection_filter,
    parse_expand,
    parse_include,
    parse_job_filter,
)
from runners.sde.wire.ids import is_id, is_number
from runners.sde.wire.imports import FILE_FIELD, FileImport, UploadedFile, base_name, parse_file_import
from runners.sde.wire.job_requests import InitiateJob, JobRequest, PostResult, named_id, parse_job_request
from runners.sde.wire.jobs import Job, parse_job
from runners.sde.wire.kinds import BASE, FILE_SEGMENT, SEGMENTS, Frequency, Kind, Paths
from runners.sde.wire.last_job import Course, JobState, LastJob
from runners.sde.wire.listings import Listing, parse_listing
from runners.sde.wire.moments import format_moment, parse_moment
from runners.sde.wire.paging import InvalidPageError, Paging, Window, paged, parse_paging, unpaged
from runners.sde.wire.people import Person, Role, User, email_of, parse_user
from runners.sde.wire.projects import Project, parse_project
from runners.sde.wire.refusals import (
    FORBIDDEN,
    INVALID_LOGIN,
    INVALID_PAGE,
    INVALID_TOKEN,
    NO_CREDENTIALS,
    NOT_FOUND,
    Refusal,
    WireError,
    method_not_allowed,
    throttled,
    unauthorized,
    unsupported_media_type,
)
from runners.sde.wire.systems import System
from runners.sde.wire.trials import (
    Trial,
    TrialResult,
    parse_connection_trial,
    parse_connector_trial,
    parse_trial_result,
)

__all__ = [
    "BASE",
    "FILE_FIELD",
    "FILE_SEGMENT",
    "FORBIDDEN",
    "INVALID_LOGIN",
    "INVALID_PAGE",
    "INVALID_TOKEN",
    "NOT_FOUND",
    "NO_CREDENTIALS",
    "SEGMENTS",
    "AgentView",
    "BadCredentialsError",
    "BadJsonError",
    "Connection",
    "ConnectionFields",
    "ConnectionFilter",
    "Connector",
    "ConnectorFields",
    "Course",
    "FileImport",
    "Frequency",
    "InitiateJob",
    "InvalidPageError",
    "Job",
    "JobFilter",
    "JobRequest",
    "JobState",
    "Kind",
    "LastJob",
    "Listing",
    "Login",
    "Paging",
    "Paths",
    "Person",
    "PostResult",
    "Project",
    "Refusal",
    "Role",
    "Shape",
    "System",
    "TokenKey",
    "Trial",
    "TrialResult",
    "UploadedFile",
    "User",
    "Window",
    "WireError",
    "WireFault",
    "WireFaults",
    "agent_view",
    "base_name",
    "effective_params",
    "email_of",
    "format_moment",
    "is_id",
    "is_number",
    "method_not_allowed",
    "named_id",
    "paged",
    "parse_authorization",
    "parse_connection",
    "parse_connection_filter",
    "parse_connection_request",
    "parse_connection_trial",
    "parse_connector",
    "parse_connector_request",
    "parse_connector_trial",
    "parse_expand",
    "parse_file_import",
    "parse_include",
    "parse_job",
    "parse_job_filter",
    "parse_job_request",
    "parse_json",
    "parse_listing",
    "parse_moment",
    "parse_paging",
    "parse_project",
    "parse_trial_result",
    "parse_user",
    "said",
    "throttled",
    "unauthorized",
    "unpaged",
    "unsupported_media_type",
]
