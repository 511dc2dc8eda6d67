"""From a definition of the configuration file to JobDetails: how CCS clients see a job that no API made.

Ids that CCS clients know are those of the `assets:` and `standards:` tables; everything else has an id made from
its name, always the same one.
"""

from __future__ import annotations

import uuid
from datetime import timedelta

from config.definitions import CollectRun, Configuration, JobDefinition, Mail
from runners.ccs.wire import AssetRef, JobDetails, Notification

GROUP_TYPE = "asset-group"
"""Type of a group of the configuration: CCS's own name for it is not documented."""

_OURS = uuid.uuid5(uuid.NAMESPACE_URL, "urn:jobsd:ccs")
_DAY, _HOUR, _MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)


def details_of(job: JobDefinition, run: CollectRun, configuration: Configuration) -> JobDetails:
    """What `job` does, whole days and minutes rounded up; its schedule may be one that no block can say."""
    known = {(asset.id, asset.type): guid.lower() for guid, asset in configuration.assets.items()}
    standards = {name: guid.lower() for guid, name in configuration.standards.items()}
    assets = [AssetRef(_id(f"{a.type}:{a.id}", a.id, known.get((a.id, a.type))), a.type) for a in run.assets]
    groups = [AssetRef(_id(f"{GROUP_TYPE}:{name}", name, None), GROUP_TYPE) for name in run.asset_groups]
    timeout, fresh, limit = run.asset_timeout, run.incremental, run.collection_timeout
    success, failure = job.notify.success, job.notify.failure
    minutes = None if limit is None else -(-limit // _MINUTE)
    return JobDetails(
        name=job.name,
        assets=tuple(dict.fromkeys((*assets, *groups))),
        standards=tuple(_id(f"standard:{name}", name, standards.get(name)) for name in run.standards),
        description=job.description or None,
        asset_timeout=None if timeout is None else -(-timeout // _MINUTE) * _MINUTE,
        is_incremental=fresh is not None,
        incremental_days=None if fresh is None else -(-fresh // _DAY),
        collection_hours=None if minutes is None else minutes // 60,
        collection_minutes=None if minutes is None else minutes % 60,
        success=_notification(success),
        failure=_notification(failure),
        send_success=success is not None,
        send_failure=failure is not None,
    )


def _id(path: str, name: str, known: str | None) -> str:
    """The known GUID, the name itself where it is one, or one made from `path`."""
    if known is not None:
        return known
    try:
        if str(uuid.UUID(name)) == name.lower():
            return name.lower()
    except ValueError:
        pass
    return str(uuid.uuid5(_OURS, path))


def _notification(mail: Mail | None) -> Notification | None:
    if mail is None:
        return None
    return Notification(", ".join(mail.to), mail.sender, mail.subject, mail.body)
