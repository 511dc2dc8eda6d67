"""Reading JobDetails: every field of the Create Job page with its bounds."""

from __future__ import annotations

import math
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from recurrence.ccs import FIELDS, ScheduleBlockError, decode_schedule_block
from runners.ccs.wire.details import AssetRef, JobDetails, Notification
from runners.ccs.wire.faults import WireFault, clean, shown
from runners.ccs.wire.fields import Fields

DETAILS = (
    "AssetsResolutionInfo",
    "JobName",
    "Standards",
    "AssetTimeOut",
    "JobDescription",
    "IsIncremental",
    "IncrementalPeriod",
    "CollectionOnlyTimeOutHours",
    "CollectionOnlyTimeOutMins",
    "SuccessNotification",
    "FailureNotification",
    "ShouldSendSuccessNotification",
    "ShouldSendFailureNotification",
    "ShouldSynchronizeResults",
    "Schedule",
)
MANDATORY = DETAILS[:3]
_MAIL = ("ToEmailAddress", "FromEmailAddress", "Subject", "Body")
_SOME_DAY = datetime(2001, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Codec:
    """How details are read.

    Attributes:
        zone: Of the wall times of a Schedule block.
        weekdays: How its weekdays are numbered.
        names: What the Id of an asset may be beside a GUID, in lower case: names of groups.
    """

    zone: str = "UTC"
    weekdays: str = "dotnet"
    names: Container[str] = ()


def read_details(fields: Fields, codec: Codec, *, partial: bool) -> JobDetails:
    """The details; of use only where no fault was noted.

    `partial`: an update, in which fields may be missing; what they must be together is not judged.
    """
    fields.refuse_unknown(DETAILS, "JobDetails", {"JobType": "write it beside JobDetails"})
    if not partial:
        fields.require(*MANDATORY)
    assets = _assets(fields, codec.names)
    name = fields.text("JobName") or ""
    standards = [part.guid(item) for part, item in _each(fields, "Standards", "GUID")]
    minutes = fields.number("AssetTimeOut", 1, 500)
    description = fields.text("JobDescription", empty=True, lines=True)
    is_incremental = fields.flag("IsIncremental")
    # Clients that send every field have 0 here where it is switched off.
    days = fields.number("IncrementalPeriod", 0 if is_incremental is False else 1, 100)
    hours = fields.number("CollectionOnlyTimeOutHours", 0, 1000)
    mins = fields.number("CollectionOnlyTimeOutMins", 0, 59)
    send_success = fields.flag("ShouldSendSuccessNotification")
    send_failure = fields.flag("ShouldSendFailureNotification")
    success = _notification(fields, "SuccessNotification", needed=not partial and send_success is True)
    failure = _notification(fields, "FailureNotification", needed=not partial and send_failure is True)
    synchronize = fields.flag("ShouldSynchronizeResults")
    return JobDetails(
        name=name, assets=assets, standards=tuple(dict.fromkeys(guid for guid in standards if guid)),
        description=description, asset_timeout=None if minutes is None else timedelta(minutes=minutes),
        is_incremental=is_incremental, incremental_days=days, collection_hours=hours, collection_minutes=mins,
        success=success, failure=failure, send_success=send_success, send_failure=send_failure,
        synchronize_results=synchronize, schedule=_schedule(fields, codec),
    )  # fmt: skip


def _each(fields: Fields, name: str, noun: str) -> Iterator[tuple[Fields, str]]:
    """The items of a list; a null item is refused as missing."""
    for part, item in fields.items(name, noun):
        part.require(item)
        yield part, item


def _assets(fields: Fields, names: Container[str]) -> tuple[AssetRef, ...]:
    found: dict[str, str] = {}
    for part, item in _each(fields, "AssetsResolutionInfo", "{Id, Type}"):
        inner = part.within(item)
        if inner is None:
            continue
        inner.refuse_unknown(("Id", "Type"), "an asset")
        inner.require("Id", "Type")
        guid, kind = _id(inner, names), inner.text("Type")
        if guid and kind and found.setdefault(guid, kind) != kind:
            inner.refuse("Type", f"must be {shown(found[guid])}, as the same Id has above")
    return tuple(AssetRef(guid, kind) for guid, kind in found.items())


def _id(fields: Fields, names: Container[str]) -> str | None:
    value = fields.value("Id")
    name = value.strip().lower() if isinstance(value, str) else ""
    return name if name and name in names else fields.guid("Id")


def _notification(fields: Fields, name: str, *, needed: bool) -> Notification | None:
    why = f"it is mandatory when ShouldSend{name} is true"
    if needed:
        fields.require(name, why=why)
    inner = fields.within(name)
    if inner is None:
        return None
    inner.refuse_unknown(_MAIL, "a notification")
    if needed:
        inner.require(*_MAIL, why=why)
    to, sender, subject = (inner.text(part, empty=not needed) for part in _MAIL[:3])
    mail = Notification(to, sender, subject, inner.text("Body", empty=not needed, lines=True))
    if needed and to is not None and not mail.recipients:
        inner.refuse("ToEmailAddress", "must name at least one address")
    return mail


def _schedule(fields: Fields, codec: Codec) -> Mapping[str, Any] | None:
    inner = fields.within("Schedule")
    if inner is None:
        return None
    inner.refuse_unknown(FIELDS, "a Schedule block")
    block = {name: inner.value(name) for name in FIELDS if inner.value(name) is not None}
    odd = [name for name, value in block.items() if not _is_plain(value)]
    for name in odd:
        inner.refuse(name, "must be a plain value: a text, a number, true or false")
    try:
        # Whether a recurrence without a StartDate begins today is for those who create the job.
        decode_schedule_block(
            {name: value for name, value in block.items() if name not in odd},
            zone=codec.zone, weekday_codec=codec.weekdays, created=_SOME_DAY,
        )  # fmt: skip
    except ScheduleBlockError as error:
        for fault in error.faults:
            tail = "" if fault.value is None else f" (it is {shown(fault.value)})"
            if fault.field not in odd:
                fields.faults.append(WireFault(f"Schedule.{clean(fault.field)}", fault.message + tail))
    return block


def _is_plain(value: object) -> bool:
    """Whether an answer and a file can hold it, also where its mode is not active and nothing else is asked."""
    if isinstance(value, str):
        return all(char != "\0" and not "\ud800" <= char <= "\udfff" for char in value)
    return isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value))
