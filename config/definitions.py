"""What the configuration means once it is valid: frozen values, the same for YAML and for jobs made by an API.

Where a block of the YAML and its meaning have one shape, the model is both. `JobDefinition` is the exception: its
schedule is decoded. Units: durations are timedelta, sizes are bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from recurrence.schedule import Schedule


class Model(BaseModel):
    """A frozen block of the YAML; unknown keys are faults."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_enum_values=False)


class JobType(StrEnum):
    """The three kinds of collection, by the names of the CCS API (case-sensitive)."""

    COLLECTION = "CollectionJob"
    EVALUATION = "EvaluationJob"
    COLLECTION_EVALUATION = "CollectionEvaluationJob"


class Overlap(StrEnum):
    """What a fire time does while an earlier run of the job makes its first attempt."""

    SKIP = "skip"
    QUEUE = "queue"
    REPLACE = "replace"
    ALLOW = "allow"


class CatchUpPolicy(StrEnum):
    """What is run of the occurrences that came due while nobody could fire them."""

    LATEST = "latest"
    ALL = "all"
    NONE = "none"


class Asset(Model):
    """An asset of a job: its id, and the type that chooses its collector."""

    id: str
    type: str


class CollectRun(Model):
    """`run.collect`: collect and evaluate assets on this host's collectors.

    `assets` are the written ones; `asset_groups` name groups of the configuration, resolved when a run opens.
    `incremental` is the age below which data is fresh; None collects always.
    """

    kind: Literal["collect"] = "collect"
    type: JobType = JobType.COLLECTION_EVALUATION
    assets: tuple[Asset, ...] = ()
    asset_groups: tuple[str, ...] = ()
    standards: tuple[str, ...] = ()
    asset_timeout: timedelta | None = timedelta(minutes=30)
    collection_timeout: timedelta | None = None
    incremental: timedelta | None = None
    parallel: int = 8


class CommandRun(Model):
    """`run.command`: one program on this host, argv only, never a shell."""

    kind: Literal["command"] = "command"
    argv: tuple[str, ...]
    stdin: str | None = None
    env: Mapping[str, str] = Field(default_factory=dict)
    success: tuple[int, ...] = (0,)
    timeout: timedelta | None = None
    run_as: str | None = None


class UnsupportedRun(Model):
    """A `run:` that parses and is checked, and whose runner comes with later work; `body` is its block."""

    kind: Literal["ccs", "sde", "sde_agent", "sde_file", "http"]
    body: Mapping[str, Any]


Run = CollectRun | CommandRun | UnsupportedRun


class Retry(Model):
    """Tries of one firing or one rerun, in total, and the pause before the next: backoff·2ⁿ up to max_backoff."""

    attempts: int = 1
    backoff: timedelta = timedelta(seconds=30)
    max_backoff: timedelta = timedelta(minutes=10)


class CatchUp(Model):
    """What happens to occurrences that came due unobserved; those later than `grace` are missed."""

    policy: CatchUpPolicy = CatchUpPolicy.LATEST
    grace: timedelta = timedelta(hours=6)


class Collector(Model):
    """How assets of one type are collected, and how a standard is evaluated on what was collected."""

    collect: tuple[str, ...]
    evaluate: tuple[str, ...] | None = None
    run_as: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobDefinition:
    """One job.

    Attributes:
        name: Unique over YAML and API jobs, without regard to case.
        schedule: When; None never fires by itself. Its `start` may be None: the ledger anchors it.
        run: What, exactly one.
        notify: The checked `notify:` block, as it was written (secrets as references).
        place: `FILE:LINE` of the definition, for messages; empty for jobs made by an API.
    """

    name: str
    run: Run
    schedule: Schedule | None = None
    description: str = ""
    retry: Retry = field(default_factory=Retry)
    overlap: Overlap = Overlap.SKIP
    catch_up: CatchUp = field(default_factory=CatchUp)
    exclude: tuple[str, ...] = ()
    on_exclude: Literal["skip", "next-day"] = "skip"
    limits: tuple[str, ...] = ()
    priority: int = 0
    labels: Mapping[str, str] = field(default_factory=dict)
    idempotent: bool = False
    notify: Mapping[str, Any] = field(default_factory=dict)
    enabled: bool = True
    place: str = ""

    def body(self) -> dict[str, Any]:
        """The definition as plain JSON values, without secrets and without its place; stable in its order."""
        return _body(self)

    def digest(self) -> str:
        """SHA-256 of `body()`, hex: two definitions with one digest mean the same."""
        return hashlib.sha256(json.dumps(self.body(), sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """A whole valid file.

    Attributes:
        folder: The YAML's folder; relative paths of argv and of files resolve from it.
        settings: The `settings:` block with its defaults.
        jobs: By name, in the file's order.
        collectors: By asset type.
        asset_groups: Resolved to their assets, nested groups included.
        warnings: What `jobsd check` says about a valid file (a literal secret, …), `FILE:LINE:COLUMN: …` each.
    """

    folder: Path
    settings: Settings
    jobs: Mapping[str, JobDefinition]
    collectors: Mapping[str, Collector] = field(default_factory=dict)
    asset_groups: Mapping[str, tuple[Asset, ...]] = field(default_factory=dict)
    calendars: Mapping[str, Any] = field(default_factory=dict)
    servers: Mapping[str, Any] = field(default_factory=dict)
    users: tuple[Any, ...] = ()
    commands: Mapping[str, Any] = field(default_factory=dict)
    assets: Mapping[str, Asset] = field(default_factory=dict)
    standards: Mapping[str, str] = field(default_factory=dict)
    sde_systems: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


class Http(Model):
    """`settings.http`: the one listener; `listen` is HOST:PORT, port 0 takes a free one."""

    listen: str = "127.0.0.1:8642"
    tls: Any = None
    tokens: tuple[Any, ...] = ()


class Settings(Model):
    """`settings:` with its defaults; `ledger` None is the state directory's `ledger.db`."""

    timezone: str = "UTC"
    ledger: str | None = None
    executor: Literal["local", "procrastinate"] = "local"
    max_running: int = 64
    stop_timeout: timedelta = timedelta(seconds=60)
    kill_after: timedelta = timedelta(seconds=10)
    catch_up_rate: float = 20.0
    output_limit: int = 64 * 1024 * 1024
    limits: Mapping[str, int] = Field(default_factory=dict)
    weekday_codec: Literal["dotnet", "flags"] = "dotnet"
    http: Http = Field(default_factory=Http)
    smtp: Any = None
    retention: Any = None
    frequencies: Any = None


def _body(job: JobDefinition) -> dict[str, Any]:
    raise AssertionError(job)
