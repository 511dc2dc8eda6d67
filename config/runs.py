"""What a job does: one frozen model per kind of `run:`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator
from yaml.nodes import Node, ScalarNode

from config.containers import ListOf, MapOf, OneOf
from config.faults import near_miss, quoted
from config.inventory import ACCOUNT, ARGV, ENV, EXIT_CODES, Asset
from config.nodes import scalar
from config.reading import Reading, Schema, Shape
from config.references import FileReading, Ref
from config.scalars import GUID, URL, Duration
from config.secrets import Secret
from config.shapes import Choice, Integer, Json, Text, words
from config.table import Complaint, Internal, Model, Named, Table


class JobType(StrEnum):
    """The three kinds of collection, by the names of the CCS API (case-sensitive)."""

    COLLECTION = "CollectionJob"
    EVALUATION = "EvaluationJob"
    COLLECTION_EVALUATION = "CollectionEvaluationJob"


JOB_TYPE = words("a type of collection", JobType)


class _AssetItem(Shape):
    """An asset in full, or the id or GUID of one under `assets:`; or the name of a group."""

    noun = "an asset or a group"
    allowed = "{id: …, type: …}, the id or GUID of an asset under assets, or the name of a group"

    def read(self, node: Node, path: str, reading: Reading) -> Any:
        """The Asset, the group's name, or BAD."""
        if not isinstance(node, ScalarNode):
            return Table(Asset).read(node, path, reading)
        name = scalar(node)
        if not isinstance(name, str) or not isinstance(reading, FileReading):
            return self.refuse(node, path, reading)
        asset, groups = reading.names.asset(name), reading.names.known.get("asset group", {})
        if asset is not None and name in groups:
            return reading.fault(node, path, f"{quoted(name)} is both an asset and a group; rename one of them")
        if asset is not None or name in groups:
            return asset or name
        hint = near_miss(name, [*reading.names.known.get("asset", {}), *groups])
        return reading.fault(
            node, path, f"{quoted(name)} is neither an asset nor a group; write {self.allowed}{hint}"
        )

    def schema(self, *, partial: bool) -> Schema:
        """Either."""
        return {"anyOf": [{"type": "string", "minLength": 1}, Table(Asset).schema(partial=partial)]}


ASSET_ITEM = _AssetItem()


class CollectRun(Model):
    """`run.collect`: collect and evaluate assets on this host's collectors.

    `assets` are the written ones; `asset_groups` name groups of the configuration, resolved when a run opens.
    `incremental` is the age below which data is fresh; None collects always.
    """

    NOUN: ClassVar[str] = "a collection"

    kind: Annotated[Literal["collect"], Internal()] = "collect"
    type: Annotated[JobType, JOB_TYPE] = Field(
        default=JobType.COLLECTION_EVALUATION, description="Collect, evaluate, or both."
    )
    assets: Annotated[tuple[Asset, ...], ListOf(ASSET_ITEM, distinct=True)] = Field(
        default=(), description="Assets, in the order in which they are started; a group may be named too."
    )
    asset_groups: Annotated[tuple[str, ...], ListOf(Ref("asset group"), distinct=True)] = Field(
        default=(), description="Groups whose assets are added; read when a run opens."
    )
    standards: Annotated[tuple[str, ...], ListOf(Text("a standard", "its name or GUID"), distinct=True)] = Field(
        default=(), description="Standards to evaluate, by name; required unless type is CollectionJob."
    )
    asset_timeout: Annotated[timedelta | None, Duration()] = Field(
        default=timedelta(minutes=30),
        description="Longest collection of one asset; its process group is then ended.",
    )
    collection_timeout: Annotated[timedelta | None, Duration()] = Field(
        default=None, description="Ends the collecting phase; what is collected is evaluated. Default: no limit."
    )
    incremental: Annotated[timedelta | None, Duration()] = Field(
        default=None, description="Assets whose data is younger are not collected again. Default: collect always."
    )
    parallel: Annotated[int, Integer(1, 1000)] = Field(default=8, description="Assets worked on at the same time.")

    @model_validator(mode="before")
    @classmethod
    def _groups_apart(cls, values: Any) -> Any:
        """Groups that are named among the assets stand with the groups."""
        assets = values.get("assets", ()) if isinstance(values, dict) else ()
        named = [item for item in assets if isinstance(item, str)]
        if not named:
            return values
        assets = tuple(item for item in assets if not isinstance(item, str))
        groups = tuple(dict.fromkeys((*values.get("asset_groups", ()), *named)))
        return values | {"assets": assets, "asset_groups": groups}

    def complaints(self) -> Iterator[Complaint]:
        """Assets there must be, and standards where something is evaluated."""
        if not self.assets and not self.asset_groups:
            yield "assets", ("assets", "asset_groups"), "there is nothing to collect; write assets or asset_groups"
        ids = [asset.id for asset in self.assets]
        for twice in sorted({name for name in ids if ids.count(name) > 1} if len(set(ids)) < len(ids) else ()):
            yield "assets", ("assets",), f"the id {quoted(twice)} stands here with two types; write it once"
        if self.type is not JobType.COLLECTION and not self.standards:
            yield (
                "standards",
                ("type", "standards"),
                f"a {self.type} evaluates; write standards, or type: CollectionJob to collect only",
            )


class CommandRun(Model):
    """`run.command`: one program on this host, argv only, never a shell."""

    NOUN: ClassVar[str] = "a command"

    kind: Annotated[Literal["command"], Internal()] = "command"
    argv: Annotated[tuple[str, ...], ARGV] = Field(
        description="Program and arguments, never a shell; a relative path is from the YAML's folder."
    )
    stdin: Annotated[str | None, Text(empty=True)] = Field(default=None, description="Text for standard input.")
    env: Annotated[Mapping[str, str], ENV] = Field(
        default_factory=dict, description="Environment variables to add.", repr=False
    )
    success: Annotated[tuple[int, ...], EXIT_CODES] = Field(
        default=(0,), description="Exit codes that mean success."
    )
    timeout: Annotated[timedelta | None, Duration()] = Field(
        default=None, description="After it the whole process group is ended. Default: the window's end only."
    )
    run_as: Annotated[str | None, ACCOUNT] = Field(
        default=None, description="Account that it runs as; by default the daemon's."
    )


class CcsRun(Model):
    """`run.ccs`: execute a job of a CCS server, given by GUID or created from `job_details` on first use."""

    NOUN: ClassVar[str] = "a CCS run"

    kind: Annotated[Literal["ccs"], Internal()] = "ccs"
    server: Annotated[str, Ref("CCS server")] = Field(description="Name of the server under servers.")
    job: Annotated[str | None, GUID] = Field(default=None, description="GUID of an existing job; never altered.")
    job_details: Annotated[Mapping[str, Any] | None, Json(mapping=True)] = Field(
        default=None, description="JobDetails of the Create Job API, verbatim; the job is created on first use."
    )
    job_type: Annotated[JobType, JOB_TYPE] = Field(
        default=JobType.COLLECTION_EVALUATION, description="JobType of a job made from job_details."
    )
    poll: Annotated[timedelta, Duration()] = Field(
        default=timedelta(seconds=30), description="How often the server is asked for the run's status."
    )

    def complaints(self) -> Iterator[Complaint]:
        """The job is given in one way."""
        if (self.job is None) == (self.job_details is None):
            how = "neither is written" if self.job is None else "both are written"
            yield "job", ("job", "job_details"), f"{how} of job and job_details; write exactly one"


SDE_KINDS = Choice("a kind of connection", {kind: kind for kind in ("alm", "analysis", "ldap")})


class SdeRun(Model):
    """`run.sde`: initiate a job of an SDE connection, then poll until it is ready."""

    NOUN: ClassVar[str] = "an SDE run"

    kind: Annotated[Literal["sde"], Internal()] = "sde"
    server: Annotated[str, Ref("SDE server")] = Field(description="Name of the server under servers.")
    connection_kind: Annotated[str, SDE_KINDS, Named("kind")] = Field(description="alm, analysis or ldap.")
    connection: Annotated[int, Integer(1, 2**31 - 1)] = Field(description="Id of the connection.")
    poll: Annotated[timedelta, Duration()] = Field(
        default=timedelta(seconds=30), description="How often the server is asked whether the job is ready."
    )
    deadline: Annotated[timedelta | None, Duration()] = Field(
        default=None,
        description="How long the job may take until it is ready; by default 6h (5h queued, 1h running), ldap 7h.",
    )


class SdeAgentRun(Model):
    """`run.sde_agent`: run the inaccessible connections of a frequency here and post their results."""

    NOUN: ClassVar[str] = "an SDE agent"

    kind: Annotated[Literal["sde_agent"], Internal()] = "sde_agent"
    server: Annotated[str, Ref("SDE server")] = Field(description="Name of the server under servers.")
    kinds: Annotated[tuple[str, ...], ListOf(SDE_KINDS, least=1, distinct=True)] = Field(
        default=("alm", "analysis", "ldap"), description="Kinds of connections."
    )
    frequency: Literal["hourly", "daily", "weekly", "monthly"] = Field(
        description="Connections of this frequency; manually is never run by an agent."
    )
    parallel: Annotated[int, Integer(1, 1000)] = Field(default=4, description="Commands at the same time.")


class SdeFileRun(Model):
    """`run.sde_file`: import report files into a project."""

    NOUN: ClassVar[str] = "an SDE file import"

    kind: Annotated[Literal["sde_file"], Internal()] = "sde_file"
    server: Annotated[str, Ref("SDE server")] = Field(description="Name of the server under servers.")
    system: Annotated[str, Text()] = Field(description="Id of the system, such as fortify_file_upload.")
    project: Annotated[int, Integer(1, 2**31 - 1)] = Field(description="Id of the project.")
    files: Annotated[str, Text()] = Field(description="A path or pattern (reports/*.fpr), from the YAML's folder.")
    move_to: Annotated[str | None, Text()] = Field(
        default=None,
        description="Folder to which an imported file is moved; by default it stays, and is not sent again.",
    )
    poll: Annotated[timedelta, Duration()] = Field(
        default=timedelta(seconds=30), description="How often the server is asked whether the job is ready."
    )
    deadline: Annotated[timedelta, Duration()] = Field(
        default=timedelta(hours=6), description="How long one file's job may take until it is ready."
    )


class SdeConnectionRun(Model):
    """What a connection of the served SDE API does: its system's command, with its params. Not for the YAML."""

    NOUN: ClassVar[str] = "an SDE connection"

    kind: Annotated[Literal["sde_connection"], Internal()] = "sde_connection"
    connection: Annotated[int, Integer(1, 2**31 - 1)] = Field(description="Id of the connection.")


METHODS = Choice("an HTTP method", {m: m for m in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")})
HEADER = Text("a header's name", "letters, digits and '-'", "[A-Za-z0-9-]+")


class HttpRun(Model):
    """`run.http`: one request; its status says whether it succeeded."""

    NOUN: ClassVar[str] = "an HTTP request"

    kind: Annotated[Literal["http"], Internal()] = "http"
    method: Annotated[str, METHODS] = Field(default="POST", description="Method of the request.")
    url: Annotated[str, URL] = Field(description="Address.", repr=False)
    headers: Annotated[Mapping[str, str], MapOf(HEADER, Text(secret=True))] = Field(
        default_factory=dict, description="Headers to add; nothing secret.", repr=False
    )
    token: Secret | None = Field(default=None, description="Sent as Authorization: Bearer.")
    body: Annotated[Any, Json()] = Field(default=None, description="A text as it is, anything else as JSON.")
    expect: Annotated[tuple[int, ...], ListOf(Integer(100, 599), least=1, distinct=True)] = Field(
        default=(200, 201, 202, 204), description="Statuses that mean success."
    )
    timeout: Annotated[timedelta, Duration()] = Field(
        default=timedelta(seconds=30), description="Longest wait for the answer."
    )


Run = CollectRun | CommandRun | CcsRun | SdeRun | SdeAgentRun | SdeFileRun | SdeConnectionRun | HttpRun

RUN = OneOf({
    "collect": (Table(CollectRun), "Collect and evaluate assets with this host's collectors."),
    "ccs": (Table(CcsRun), "Execute a job of a CCS server."),
    "sde": (Table(SdeRun), "Initiate a job of an SDE connection, then poll until it is ready."),
    "sde_agent": (Table(SdeAgentRun), "Run SDE's inaccessible connections on this host."),
    "sde_file": (Table(SdeFileRun), "Import files into an SDE project."),
    "command": (Table(CommandRun), "Run one program on this host."),
    "http": (Table(HttpRun), "Send one HTTP request."),
}, noun="a run")  # fmt: skip
