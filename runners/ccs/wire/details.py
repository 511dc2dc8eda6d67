"""JobDetails, as the Create Job page has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any


@dataclass(frozen=True, slots=True)
class AssetRef:
    """An asset or asset group: its GUID or a group's name, in lower case; its type, case-sensitive."""

    id: str
    type: str


@dataclass(frozen=True, slots=True)
class Notification:
    """A mail. A part may be None or empty only where the mail is switched off.

    Attributes:
        to: As it came: an address, or several with commas or semicolons between. No address is checked.
    """

    to: str | None = None
    sender: str | None = None
    subject: str | None = None
    body: str | None = None

    @property
    def recipients(self) -> tuple[str, ...]:
        """The addresses of `to`, each once."""
        parts = (part.strip() for part in (self.to or "").replace(";", ",").split(","))
        return tuple(dict.fromkeys(part for part in parts if part))

    def wire(self) -> dict[str, Any]:
        """As the API has it."""
        parts = {
            "ToEmailAddress": self.to,
            "FromEmailAddress": self.sender,
            "Subject": self.subject,
            "Body": self.body,
        }
        return {name: value for name, value in parts.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class JobDetails:
    """What a job does. None is "not given", and kept apart from a given false or 0.

    Attributes:
        name: JobName, verbatim.
        assets: At least one, each once, in the order given.
        standards: GUIDs in lower case; at least one, each once.
        asset_timeout: AssetTimeOut.
        is_incremental: IsIncremental as given; what it comes to with the period is `incremental`.
        incremental_days: IncrementalPeriod as given.
        collection_hours: CollectionOnlyTimeOutHours as given.
        collection_minutes: CollectionOnlyTimeOutMins as given.
        success: SuccessNotification as given, also when it is switched off.
        failure: FailureNotification, likewise.
        send_success: ShouldSendSuccessNotification.
        send_failure: ShouldSendFailureNotification.
        synchronize_results: ShouldSynchronizeResults.
        schedule: The Schedule block, verbatim and valid; None never fires by itself.
    """

    name: str
    assets: tuple[AssetRef, ...]
    standards: tuple[str, ...]
    description: str | None = None
    asset_timeout: timedelta | None = None
    is_incremental: bool | None = None
    incremental_days: int | None = None
    collection_hours: int | None = None
    collection_minutes: int | None = None
    success: Notification | None = None
    failure: Notification | None = None
    send_success: bool | None = None
    send_failure: bool | None = None
    synchronize_results: bool | None = None
    schedule: Mapping[str, Any] | None = None

    @property
    def incremental(self) -> timedelta | None:
        """The age below which data is not collected again; None collects always.

        A given period switches it on unless IsIncremental is false; IsIncremental alone means one day.
        """
        if self.is_incremental is False or (self.is_incremental is None and self.incremental_days is None):
            return None
        return timedelta(days=self.incremental_days or 1)

    @property
    def collection_timeout(self) -> timedelta | None:
        """What limits the collecting phase; None, or hours and minutes of 0, is no limit."""
        limit = timedelta(hours=self.collection_hours or 0, minutes=self.collection_minutes or 0)
        return limit or None

    @property
    def on_success(self) -> Notification | None:
        """The mail to send on success, complete; None for none."""
        return self.success if self.send_success else None

    @property
    def on_failure(self) -> Notification | None:
        """The mail to send on failure, complete; None for none."""
        return self.failure if self.send_failure else None

    def wire(self) -> dict[str, Any]:
        """As the API has it: the fields that were given."""
        fields = {
            "AssetsResolutionInfo": [{"Id": asset.id, "Type": asset.type} for asset in self.assets],
            "JobName": self.name,
            "Standards": list(self.standards),
            "AssetTimeOut": None if self.asset_timeout is None else self.asset_timeout // timedelta(minutes=1),
            "JobDescription": self.description,
            "IsIncremental": self.is_incremental,
            "IncrementalPeriod": self.incremental_days,
            "CollectionOnlyTimeOutHours": self.collection_hours,
            "CollectionOnlyTimeOutMins": self.collection_minutes,
            "SuccessNotification": None if self.success is None else self.success.wire(),
            "FailureNotification": None if self.failure is None else self.failure.wire(),
            "ShouldSendSuccessNotification": self.send_success,
            "ShouldSendFailureNotification": self.send_failure,
            "ShouldSynchronizeResults": self.synchronize_results,
            "Schedule": None if self.schedule is None else dict(self.schedule),
        }
        return {name: value for name, value in fields.items() if value is not None}
