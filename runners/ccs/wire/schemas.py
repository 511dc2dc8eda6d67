"""The bodies of the API as JSON Schema, for its OpenAPI document. What decides is what `parse_…` reads."""

from __future__ import annotations

from typing import Any

from config.runs import JobType
from runners.ccs.wire.search import ATTRIBUTES

Schema = dict[str, Any]


def _object(properties: dict[str, Schema], *required: str, **more: Any) -> Schema:
    return {"type": "object", "properties": properties, "required": list(required), **more}


_GUID: Schema = {"type": "string", "format": "uuid"}
_TEXT: Schema = {"type": "string"}
_NAME: Schema = {"type": "string", "minLength": 1}
_FLAG: Schema = {"anyOf": [{"type": "boolean"}, {"type": "string", "enum": ["true", "false"]}]}
_MOMENT: Schema = {"type": "string", "description": "YYYY-MM-DDThh:mm:ss[.fffffff][Z or offset]"}
_COUNT: Schema = {"type": "integer", "minimum": 0}


def _number(low: int, high: int) -> Schema:
    return {"type": "integer", "minimum": low, "maximum": high}


NOTIFICATION = _object(
    {"ToEmailAddress": _TEXT, "FromEmailAddress": _TEXT, "Subject": _TEXT, "Body": _TEXT},
    additionalProperties=False,
)

SCHEDULE = _object(
    {
        "EndJobRunConfigured": _FLAG,
        "EndJobRunTimeInterval": {"type": "string", "example": "04:00:00"},
        "SubScheduleRepeatDays": _COUNT,
        "SubScheduleRepeatPeriodDays": _COUNT,
        "MonthlyDay": _COUNT,
        "MonthlyDayOfTheWeek": _COUNT,
        "MonthlyIsByOrdinalDay": _FLAG,
        "MonthlyOrdinalDay": _COUNT,
        "MonthlyRecurEvery": _COUNT,
        "RecurrenceType": _number(0, 3),
        "RepeatDays": _COUNT,
        "RepeatMinutes": _COUNT,
        "RunEveryNDays": _FLAG,
        "RunNow": _FLAG,
        "RunOnce": _FLAG,
        "RunPeriodically": _FLAG,
        "StartDate": _MOMENT,
        "WeeklyDay": _COUNT,
        "WeeklyRecurEvery": _COUNT,
    },
    additionalProperties=False,
)

_ASSET = _object({"Id": _GUID, "Type": _NAME}, "Id", "Type", additionalProperties=False)

_DETAILS: dict[str, Schema] = {
    "AssetsResolutionInfo": {"type": "array", "minItems": 1, "items": _ASSET},
    "JobName": _NAME,
    "Standards": {"type": "array", "minItems": 1, "items": _GUID},
    "AssetTimeOut": _number(1, 500),
    "JobDescription": _TEXT,
    "IsIncremental": _FLAG,
    "IncrementalPeriod": _number(0, 100),
    "CollectionOnlyTimeOutHours": _number(0, 1000),
    "CollectionOnlyTimeOutMins": _number(0, 59),
    "SuccessNotification": NOTIFICATION,
    "FailureNotification": NOTIFICATION,
    "ShouldSendSuccessNotification": _FLAG,
    "ShouldSendFailureNotification": _FLAG,
    "ShouldSynchronizeResults": _FLAG,
    "Schedule": SCHEDULE,
}

_WHOLE = _object(_DETAILS, "AssetsResolutionInfo", "JobName", "Standards", additionalProperties=False)
_PART = _object(_DETAILS, additionalProperties=False)

CREATE_JOB = _object(
    {"JobDetails": _WHOLE, "JobType": {"type": "string", "enum": [str(kind) for kind in JobType]}},
    "JobDetails",
    "JobType",
    additionalProperties=False,
)
UPDATE_JOB = _object({"JobDetails": _PART, "JobID": _GUID}, "JobDetails", "JobID", additionalProperties=False)
OPERATION = _object({"Operation": {"type": "string", "enum": ["execute", "abort"]}}, "Operation")
TOKEN_REQUEST = _object(
    {
        "grant_type": {"type": "string", "enum": ["password", "refresh_token"]},
        "username": _TEXT,
        "password": {"type": "string", "description": "Plain, or the Base64 of its UTF-8."},
        "refresh_token": _TEXT,
    },
    "grant_type",
)

TOKENS = _object(
    {"access_token": _TEXT, "refresh_token": _TEXT, "token_type": _TEXT, "expires_in": _COUNT},
    "access_token",
    "refresh_token",
)
CREATED = _object({"JobID": _GUID}, "JobID")
MESSAGE = _object({"Message": _TEXT}, "Message")
ERROR = _object(
    {
        "Message": _TEXT,
        "Errors": {"type": "array", "items": _object({"Field": _TEXT, "Message": _TEXT}, "Field", "Message")},
    },
    "Message",
)
_NULLABLE: Schema = {"anyOf": [_TEXT, {"type": "null"}]}
JOB_STATUS = _object(
    {
        "JobRunID": _GUID,
        "JobID": _GUID,
        "CustomStatusText": _TEXT,
        "Exception": _NULLABLE,
        "JobStartTime": _MOMENT,
        "JobEndTime": _MOMENT,
        "JobSummary": _NULLABLE,
        "Status": _number(0, 7),
        "ActivityStatusList": {"type": "array", "items": {"type": "object"}},
    },
    "JobRunID", "JobID", "CustomStatusText", "Exception", "JobStartTime", "JobEndTime", "JobSummary", "Status",
    "ActivityStatusList",
)  # fmt: skip
JOB = _object(
    {
        **dict.fromkeys(ATTRIBUTES, _TEXT),
        "JobID": _GUID,
        "JobDescription": _TEXT,
        "LastRunStatus": _number(0, 7),
        "CreatedBy": _TEXT,
        "JobDetails": {"type": "object"},
    },
    *ATTRIBUTES,
    "JobDescription",
    "CreatedBy",
    "JobDetails",
)
