"""Job statuses: what execute answers, and what is polled."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any

from runners.ccs.wire.faults import WireFault, WireFaults, shown
from runners.ccs.wire.fields import Fields
from runners.ccs.wire.moments import format_moment, parse_moment

_NOT_STORABLE = re.compile("[\0\ud800-\udfff]")


class Status(IntEnum):
    """The codes of the page."""

    NONE = 0
    PENDING = 1
    EXECUTING = 2
    IDLE = 3
    COMPLETED = 4
    FAULTED = 5
    CUSTOM = 6
    ABORTED = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class JobStatus:
    """One job run.

    Attributes:
        job_run_id: GUID in lower case.
        job_id: GUID in lower case.
        started_at: None while it is not set.
        ended_at: None while it is not set.
        activities: ActivityStatusList as it came; its items are not documented.
    """

    job_run_id: str
    job_id: str
    status: Status
    custom_status_text: str = ""
    exception: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    summary: str | None = None
    activities: tuple[Any, ...] = ()

    @property
    def ended(self) -> bool:
        """Whether the job run is over; a custom status is where its end is set."""
        over = (Status.COMPLETED, Status.FAULTED, Status.ABORTED)
        return self.status in over or (self.status is Status.CUSTOM and self.ended_at is not None)

    def wire(self) -> dict[str, Any]:
        """As the API has it, bare as in the page's sample."""
        return {
            "JobRunID": self.job_run_id,
            "JobID": self.job_id,
            "CustomStatusText": self.custom_status_text,
            "Exception": self.exception,
            "JobStartTime": format_moment(self.started_at),
            "JobEndTime": format_moment(self.ended_at),
            "JobSummary": self.summary,
            "Status": self.status.value,
            "ActivityStatusList": list(self.activities),
        }


def parse_job_status(answer: object) -> JobStatus:
    """A job status, bare or wrapped in JobStatusInfo; what is not known in it is ignored.

    A text field that holds something else is kept as JSON text; a text's NUL and half characters are replaced.

    Raises:
        WireFaults: It is no object, an id or the status is missing or wrong, or a time is none.
    """
    fields = Fields.of_message(answer)
    fields = fields.within("JobStatusInfo", unnamed=True) or fields
    fields.require("JobRunID", "JobID", "Status")
    run_id, job_id = fields.guid("JobRunID"), fields.guid("JobID")
    status = fields.number("Status", 0, max(Status))
    started_at, ended_at = _moment(fields, "JobStartTime"), _moment(fields, "JobEndTime")
    fields.settle()
    activities = fields.value("ActivityStatusList")
    return JobStatus(
        job_run_id=run_id or "", job_id=job_id or "", status=Status(status or 0),
        custom_status_text=_text(fields.value("CustomStatusText")) or "",
        exception=_text(fields.value("Exception")), summary=_text(fields.value("JobSummary")),
        started_at=started_at, ended_at=ended_at,
        activities=tuple(activities) if isinstance(activities, list) else (),
    )  # fmt: skip


def parse_job_runs(answer: object) -> tuple[JobStatus, ...]:
    """The answer of jobruns: a list of statuses, each bare or wrapped; also a single one.

    Raises:
        WireFaults: It is neither, or one of them is at fault: fields are told with the place in the list.
    """
    if isinstance(answer, dict):
        return (parse_job_status(answer),)
    if not isinstance(answer, list):
        raise WireFaults([WireFault("", f"the answer must be a list of job statuses (it is {shown(answer)})")])
    found: list[JobStatus] = []
    faults: list[WireFault] = []
    for place, item in enumerate(answer):
        try:
            found.append(parse_job_status(item))
        except WireFaults as error:
            faults += [WireFault(f"[{place}].{fault.field}".rstrip("."), fault.message) for fault in error.faults]
    if faults:
        raise WireFaults(faults)
    return tuple(found)


def _moment(fields: Fields, name: str) -> datetime | None:
    value = fields.value(name)
    if value is None:
        return None
    try:
        return parse_moment(value if isinstance(value, str) else "")
    except ValueError:
        fields.refuse(name, "must be YYYY-MM-DDThh:mm:ss, with or without a fraction and an offset or Z")
        return None


def _text(value: Any) -> str | None:
    if value is None:
        return None
    text = value if isinstance(value, str) else json.dumps(value)
    return _NOT_STORABLE.sub("\N{REPLACEMENT CHARACTER}", text)
