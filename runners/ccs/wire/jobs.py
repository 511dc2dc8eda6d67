"""Creating and updating jobs."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Any

from config.runs import JobType
from runners.ccs.wire.details import JobDetails
from runners.ccs.wire.faults import WireFault, WireFaults
from runners.ccs.wire.fields import Fields
from runners.ccs.wire.reading import DETAILS, Codec, read_details


@dataclass(frozen=True, slots=True)
class CreateJob:
    """The body of POST `/jobs`."""

    job_type: JobType
    details: JobDetails

    def wire(self) -> dict[str, Any]:
        """As the API has it."""
        return {"JobDetails": self.details.wire(), "JobType": self.job_type.value}


@dataclass(frozen=True, slots=True)
class UpdateJob:
    """The body of PATCH `/jobs`.

    Attributes:
        job_id: GUID in lower case.
        given: The fields of JobDetails that are to change, as they came, each valid by itself.
    """

    job_id: str
    given: Mapping[str, Any]

    @classmethod
    def whole(cls, job_id: str, details: JobDetails) -> UpdateJob:
        """All that is given in `details` but the Schedule, which then stays as it is."""
        return cls(job_id, {name: value for name, value in details.wire().items() if name != "Schedule"})

    @classmethod
    def freshness(cls, job_id: str, details: JobDetails) -> UpdateJob:
        """What `details` say of the age of data that is not collected again, and nothing else."""
        names = ("IsIncremental", "IncrementalPeriod")
        return cls(job_id, {name: value for name, value in details.wire().items() if name in names})

    @property
    def runs_now(self) -> bool:
        """Whether it says itself that the job is to run at once: RunNow's default is for creation only."""
        block = Fields(self.given).within("Schedule")
        return block is not None and block.flag("RunNow") is True

    def applied(
        self,
        details: JobDetails,
        *,
        zone: str = "UTC",
        weekday_codec: str = "dotnet",
        names: Container[str] = (),
    ) -> JobDetails:
        """The details after the update; Schedule and notifications are replaced whole.

        Raises:
            WireFaults: Together they are not valid.
        """
        whole = details.wire() | dict(self.given)
        if "IncrementalPeriod" in self.given and "IsIncremental" not in self.given:
            whole.pop("IsIncremental", None)
        fields = Fields(whole)
        found = read_details(fields, Codec(zone, weekday_codec, names), partial=False)
        fields.settle()
        return found

    def wire(self) -> dict[str, Any]:
        """As the API has it."""
        return {"JobDetails": dict(self.given), "JobID": self.job_id}


def parse_create_job(
    body: object, *, zone: str = "UTC", weekday_codec: str = "dotnet", names: Container[str] = ()
) -> CreateJob:
    """The body of POST `/jobs`, a JSON value.

    Args:
        body: As JSON gives it; anything but a valid object is refused. Null is missing, a boolean may also be the
            text "true" or "false", an asset or standard that stands twice counts once.
        zone: Zone of a StartDate that has an offset.
        weekday_codec: How weekdays are numbered, see `recurrence.ccs`.
        names: What the Id of an asset may be beside a GUID, in lower case: names of groups.

    Raises:
        WireFaults: All its faults at once.
        ValueError: The zone or the codec is unknown.
    """
    fields = Fields.of_message(body)
    fields.refuse_unknown(
        ("JobDetails", "JobType"), "a Create Job request", dict.fromkeys(DETAILS, "write it inside JobDetails")
    )
    fields.require("JobDetails", "JobType")
    inner = fields.within("JobDetails", unnamed=True)
    details = None if inner is None else read_details(inner, Codec(zone, weekday_codec, names), partial=False)
    job_type = _job_type(fields)
    fields.settle()
    assert details is not None  # noqa: S101 - it is mandatory: without it a fault was noted
    assert job_type is not None  # noqa: S101 - likewise
    return CreateJob(job_type, details)


def parse_unscheduled_job(details: Mapping[str, Any], job_type: JobType) -> CreateJob:
    """A job from its details alone, which may have no Schedule: somebody else keeps its time.

    Raises:
        WireFaults: All its faults at once.
    """
    faults: list[WireFault] = []
    if details.get("Schedule") is not None:
        faults.append(WireFault("Schedule", "must not stand here: the time is kept by the job's own schedule"))
    inner = {name: value for name, value in details.items() if name != "Schedule"}
    try:
        found = parse_create_job({"JobDetails": inner, "JobType": job_type.value})
    except WireFaults as error:
        raise WireFaults([*faults, *error.faults]) from None
    if faults:
        raise WireFaults(faults)
    return found


def parse_update_job(
    body: object, *, zone: str = "UTC", weekday_codec: str = "dotnet", names: Container[str] = ()
) -> UpdateJob:
    """The body of PATCH `/jobs`, a JSON value: any fields of JobDetails, and the JobID; `names` as above.

    Raises:
        WireFaults: All its faults at once; what the fields are together with the job's is judged by `applied`.
        ValueError: The zone or the codec is unknown.
    """
    fields = Fields.of_message(body)
    fields.refuse_unknown(
        ("JobDetails", "JobID"), "an Update Job request", dict.fromkeys(DETAILS, "write it inside JobDetails")
    )
    fields.require("JobDetails", "JobID")
    inner = fields.within("JobDetails", unnamed=True)
    if inner is not None:
        read_details(inner, Codec(zone, weekday_codec, names), partial=True)
    job_id = fields.guid("JobID")
    fields.settle()
    given = {name: value for name, value in fields.value("JobDetails").items() if value is not None}
    return UpdateJob(job_id or "", given)


def job_name(body: object) -> str | None:
    """The name in a Create Job request that may be at fault, for messages about it; None where there is none."""
    details = body.get("JobDetails") if isinstance(body, Mapping) else None
    name = details.get("JobName") if isinstance(details, Mapping) else None
    return name if isinstance(name, str) else None


def created(job_id: str) -> dict[str, Any]:
    """The answer to a creation."""
    return {"JobID": job_id}


def parse_created(answer: object) -> str:
    """The GUID of the job that was created, in lower case; other fields of the answer are ignored.

    Raises:
        WireFaults: There is none.
    """
    fields = Fields.of_message(answer)
    fields.require("JobID")
    guid = fields.guid("JobID")
    fields.settle()
    return guid or ""


def _job_type(fields: Fields) -> JobType | None:
    value = fields.value("JobType")
    if isinstance(value, str) and value in list(JobType):
        return JobType(value)
    if value is not None:
        fields.refuse("JobType", "must be CollectionEvaluationJob, CollectionJob or EvaluationJob, in this case")
    return None
