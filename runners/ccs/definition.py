"""From a Create Job request to a definition: assets to collectors, standards to names, a block to a schedule.

`judge` refuses what cannot be carried out here; `definition_of` never does, because the configuration may have
lost since what a stored request needs: those assets then fail and say why.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from config.definitions import Asset, CollectRun, Configuration, JobDefinition, JobType, Mail, Notify
from recurrence.ccs import decode_schedule_block
from recurrence.schedule import Schedule
from runners.ccs.wire import AssetRef, CreateJob, JobDetails, Notification, WireFault, WireFaults, parse_create_job
from runners.ccs.wire.faults import shown
from runners.ccs.wire.fields import Fields

ORIGIN = "ccs"
"""Of jobs made through the CCS API, in the ledger."""

_CCS_TYPE = "symc-"
_GROUP = "(asset group)"
_TOLD = 100


class Anything:
    """Holds every name: of what was judged before."""

    def __contains__(self, _name: object) -> bool:
        """Yes."""
        return True


def group_names(configuration: Configuration) -> frozenset[str]:
    """What the Id of an asset may be beside a GUID."""
    return frozenset(name.lower() for name in configuration.asset_groups)


def source_of(request: CreateJob, *, zone: str, weekday_codec: str, created_at: datetime) -> dict[str, Any]:
    """What is kept of a request, as JSON: all that its meaning depends on beside the inventory.

    `created_at` (aware) anchors a recurrence without a StartDate.
    """
    return {
        "request": request.wire(),
        "zone": zone,
        "weekday_codec": weekday_codec,
        "created_at": created_at.isoformat(),
    }


def request_of(source: Mapping[str, Any]) -> CreateJob:
    """The request that `source_of` was given; a group that it names may be gone."""
    return parse_create_job(
        source["request"], zone=source["zone"], weekday_codec=source["weekday_codec"], names=Anything()
    )


def details_in(source: Mapping[str, Any]) -> Mapping[str, Any]:
    """JobDetails of that request, as the API has them."""
    details: Mapping[str, Any] = source["request"]["JobDetails"]
    return details


def judge(request: CreateJob, configuration: Configuration) -> None:
    """Whether its assets can be collected, and evaluated where it evaluates, with this configuration.

    Raises:
        WireFaults: All that cannot, by its place in the request.
    """
    inventory = _Inventory(configuration)
    faults = [
        WireFault(f"AssetsResolutionInfo[{place}].{field_name}", message)
        for place, asset in enumerate(request.details.assets)
        for field_name, message in inventory.complaints(asset, request.job_type)
    ]
    if faults:
        raise WireFaults(faults)


def definition_of(source: Mapping[str, Any], configuration: Configuration) -> JobDefinition:
    """The definition that a stored request means with this configuration."""
    request = request_of(source)
    details = request.details
    return JobDefinition(
        name=details.name,
        description=details.description or "",
        schedule=_schedule(details, source),
        run=_run(request, _Inventory(configuration)),
        notify=Notify(success=_mail(details.on_success), failure=_mail(details.on_failure)),
    )


@dataclass(frozen=True, slots=True)
class _Inventory:
    """The tables of the configuration, by GUID and name in lower case."""

    configuration: Configuration
    assets: Mapping[str, Asset] = field(init=False)
    groups: Mapping[str, str] = field(init=False)
    standards: Mapping[str, str] = field(init=False)

    def __post_init__(self) -> None:
        known = self.configuration
        object.__setattr__(self, "assets", {guid.lower(): asset for guid, asset in known.assets.items()})
        object.__setattr__(self, "groups", {name.lower(): name for name in known.asset_groups})
        object.__setattr__(self, "standards", {guid.lower(): name for guid, name in known.standards.items()})

    def resolved(self, ref: AssetRef) -> Asset | str | None:
        """An asset, the name of a group, or None for a type that is not known."""
        if (asset := self.assets.get(ref.id)) is not None:
            known = ref.type == asset.type or ref.type in self.configuration.collectors
            # CCS's own type says as much as ours, unless the table says with CCS's words that it is another one.
            of_ccs = ref.type.startswith(_CCS_TYPE) and not asset.type.startswith(_CCS_TYPE)
            return asset if known or of_ccs else None
        if (group := self.groups.get(ref.id)) is not None:
            return group
        collected = ref.type in self.configuration.collectors and not _is_name(ref)
        return Asset(id=ref.id, type=ref.type) if collected else None

    def complaints(self, ref: AssetRef, job_type: JobType) -> Iterator[tuple[str, str]]:
        """The field at fault and why."""
        found = self.resolved(ref)
        if found is None:
            yield "Type", self._unknown(ref)
        elif job_type is not JobType.COLLECTION:
            members = [found] if isinstance(found, Asset) else self.configuration.asset_groups[found]
            for name in dict.fromkeys(asset.type for asset in members):
                if self.configuration.collectors[name].evaluate is None:
                    yield (
                        "Type",
                        f"{shown(name)} has a collector that cannot evaluate, and a {job_type} evaluates",
                    )

    def _unknown(self, ref: AssetRef) -> str:
        what = f"{shown(ref.type)} is no asset type that is collected here"
        if ref.id in self.assets:
            return f"{what}: the asset {ref.id} has the type {shown(self.assets[ref.id].type)}"
        names = ", ".join(list(self.configuration.collectors)[:_TOLD])
        collected = f"collected are {names}" if names else "there are no collectors"
        tail = ", and Id is in none of its tables" if ref.type.startswith(_CCS_TYPE) else ""
        return f"{what}: {collected}{tail}"


def _run(request: CreateJob, inventory: _Inventory) -> CollectRun:
    details = request.details
    assets: dict[Asset | str, None] = {}
    for ref in details.assets:
        # A group that is gone must not be taken for a host of its name: it has a type that nothing collects.
        lost = Asset(id=ref.id, type=_GROUP if _is_name(ref) else ref.type)
        assets[inventory.resolved(ref) or lost] = None
    given = details.asset_timeout
    return CollectRun(
        type=request.job_type,
        assets=tuple(asset for asset in assets if isinstance(asset, Asset)),
        asset_groups=tuple(name for name in assets if isinstance(name, str)),
        standards=tuple(dict.fromkeys(inventory.standards.get(guid, guid) for guid in details.standards)),
        collection_timeout=details.collection_timeout,
        incremental=details.incremental,
        asset_timeout=CollectRun.model_fields["asset_timeout"].default if given is None else given,
    )


def _is_name(ref: AssetRef) -> bool:
    return Fields({"Id": ref.id}).guid("Id") is None


def _schedule(details: JobDetails, source: Mapping[str, Any]) -> Schedule | None:
    if details.schedule is None:
        return None
    return decode_schedule_block(
        details.schedule,
        zone=source["zone"],
        weekday_codec=source["weekday_codec"],
        created=datetime.fromisoformat(source["created_at"]),
    )


def _mail(notification: Notification | None) -> Mail | None:
    if notification is None:
        return None
    return Mail(
        to=notification.recipients,
        sender=notification.sender,
        subject=notification.subject,
        body=notification.body,
    )
