"""From a connection of the served SDE API to a definition: its frequency becomes a schedule, its id a run.

`complaint` says what cannot be carried out; `definition_of` never refuses, because the configuration may have lost
since what a connection needs: its runs then fail and say why.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from config.definitions import Configuration, JobDefinition, Overlap, SdeConnectionRun
from config.schedules import frequency_schedule
from recurrence.schedule import Schedule
from runners.sde.systems import Systems
from runners.sde.wire import Frequency, Kind

ORIGIN = "sde"
"""Of the jobs of connections, in the ledger."""


def job_name(kind: str, connection: int) -> str:
    """The name of a connection's job, which no job of a configuration file can have."""
    return f"sde:{kind}:{connection}"


def source_of(
    *,
    connection: int,
    kind: str,
    alias: str,
    system: str,
    frequency: str,
    inaccessible: bool,
    created_at: datetime,
) -> dict[str, Any]:
    """What is kept of a connection beside its row, as JSON: nothing of its params."""
    return {
        "connection": connection,
        "kind": kind,
        "alias": alias,
        "system": system,
        "frequency": frequency,
        "inaccessible": inaccessible,
        "created_at": created_at.isoformat(),
    }


def definition_of(source: Mapping[str, Any], configuration: Configuration) -> JobDefinition:
    """The definition of a connection's job with this configuration."""
    name = job_name(source["kind"], source["connection"])
    return JobDefinition(
        name=name,
        description=source["alias"],
        schedule=_schedule(source, name, configuration),
        run=SdeConnectionRun(connection=source["connection"]),
        overlap=Overlap.QUEUE,
    )


def complaint(source: Mapping[str, Any], configuration: Configuration) -> str:
    """What of a connection cannot be carried out with this configuration, in words; empty if all can.

    One that a remote agent runs needs nothing here.
    """
    if source["inaccessible"] or Systems.of(configuration).entry(source["system"]) is not None:
        return ""
    what = "LDAP connections" if source["kind"] == Kind.LDAP else "its system"
    return f"sde_systems has no {source['system']!r}, which {what} would need to be run"


def _schedule(source: Mapping[str, Any], name: str, configuration: Configuration) -> Schedule | None:
    """None where the connection never runs by itself here: manually, or by a remote agent."""
    if source["frequency"] == Frequency.MANUALLY or source["inaccessible"]:
        return None
    return frequency_schedule(source["frequency"], name, configuration.settings)
