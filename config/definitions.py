"""What the configuration means once it is valid: frozen values, the same for YAML and for jobs made by an API.

Where a block of the YAML and its meaning have one shape, the model is both. `JobDefinition` is the exception: its
schedule is decoded. Units: durations are timedelta, sizes are bytes. The parts live in modules of their own; this
one has all their names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from config.inventory import (
    Asset,
    Calendar,
    CcsServer,
    Collector,
    Command,
    DateSpan,
    Permission,
    Scope,
    SdeProject,
    SdeServer,
    SdeSystem,
    Server,
    User,
    WeekSpan,
)
from config.jobs import (
    CatchUp,
    CatchUpPolicy,
    Heartbeat,
    JobDefinition,
    Late,
    Mail,
    Notify,
    Overlap,
    Retry,
    Webhook,
)
from config.runs import (
    CcsRun,
    CollectRun,
    CommandRun,
    HttpRun,
    JobType,
    Run,
    SdeAgentRun,
    SdeConnectionRun,
    SdeFileRun,
    SdeRun,
)
from config.schedule_block import OnClosure
from config.secrets import Secret
from config.settings import DaemonHeartbeat, FrequencyTimes, Http, Retention, Settings, Smtp, Tls, Token
from config.table import Model

__all__ = [
    "Asset",
    "Calendar",
    "CatchUp",
    "CatchUpPolicy",
    "CcsRun",
    "CcsServer",
    "CollectRun",
    "Collector",
    "Command",
    "CommandRun",
    "Configuration",
    "DaemonHeartbeat",
    "DateSpan",
    "FrequencyTimes",
    "Heartbeat",
    "Http",
    "HttpRun",
    "JobDefinition",
    "JobType",
    "Late",
    "Mail",
    "Model",
    "Notify",
    "OnClosure",
    "Overlap",
    "Permission",
    "Retention",
    "Retry",
    "Run",
    "Scope",
    "SdeAgentRun",
    "SdeConnectionRun",
    "SdeFileRun",
    "SdeProject",
    "SdeRun",
    "SdeServer",
    "SdeSystem",
    "Secret",
    "Server",
    "Settings",
    "Smtp",
    "Tls",
    "Token",
    "User",
    "Webhook",
    "WeekSpan",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """A whole valid file.

    Attributes:
        folder: The YAML's folder, absolute; relative paths of argv and of files resolve from it.
        settings: The `settings:` block with its defaults.
        jobs: By name, in the file's order.
        collectors: By asset type.
        asset_groups: Resolved to their assets, nested groups included, each asset once.
        calendars: By name.
        servers: By name.
        users: In the file's order; names are unique without regard to case.
        commands: By name.
        assets: By CCS GUID, as written.
        standards: Names by CCS GUID, as written.
        sde_systems: By SDE system.
        sde_projects: By the project's id in digits; where there are none, connections may name any.
        places: Where things stand, `FILE:LINE:COLUMN` by path: ("jobs", name), ("jobs", name, key),
            ("calendars", name), ("collectors", name), ("limits", name), ("settings", key),
            ("users",); for messages.
        warnings: What `jobsd check` says about a valid file (a literal secret, …), `FILE:LINE:COLUMN: …` each.
    """

    folder: Path
    settings: Settings
    jobs: Mapping[str, JobDefinition]
    collectors: Mapping[str, Collector] = field(default_factory=dict)
    asset_groups: Mapping[str, tuple[Asset, ...]] = field(default_factory=dict)
    calendars: Mapping[str, Calendar] = field(default_factory=dict)
    servers: Mapping[str, Server] = field(default_factory=dict)
    users: tuple[User, ...] = ()
    commands: Mapping[str, Command] = field(default_factory=dict)
    assets: Mapping[str, Asset] = field(default_factory=dict)
    standards: Mapping[str, str] = field(default_factory=dict)
    sde_systems: Mapping[str, SdeSystem] = field(default_factory=dict)
    sde_projects: Mapping[str, SdeProject] = field(default_factory=dict)
    places: Mapping[tuple[str, ...], str] = field(default_factory=dict, repr=False, compare=False)
    warnings: tuple[str, ...] = ()
