"""The top level of the file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field
from yaml.nodes import MappingNode, Node

from config.containers import ListOf, MapOf
from config.groups import GROUP
from config.inventory import SERVER, Asset, Calendar, Collector, Command, SdeProject, SdeSystem, User
from config.jobs import JobBlock
from config.nodes import key_text
from config.reading import Reading, Schema
from config.scalars import GUID
from config.settings import Settings
from config.shapes import NAME, Choice, Text
from config.table import Model, Table


class _Standard(Text):
    """A standard's name, written as it is or as `{id: NAME}`, as assets are."""

    def read(self, node: Node, path: str, reading: Reading) -> Any:
        """The name, or BAD."""
        inner = node.value[0] if isinstance(node, MappingNode) and len(node.value) == 1 else None
        if inner is not None and key_text(inner[0]) == "id":
            return super().read(inner[1], f"{path}.id", reading)
        return super().read(node, path, reading)

    def schema(self, *, partial: bool) -> Schema:
        """Either."""
        name = super().schema(partial=partial)
        keys = {"id": {**name, "description": "Its name."}}
        named = {"type": "object", "properties": keys, "required": ["id"], "additionalProperties": False}
        return {"anyOf": [name, named]}


PROJECT_ID = Text("the id of a project", "a number from 1", "[1-9][0-9]{0,8}")
STANDARD = _Standard("a standard", "its name")
JOB = Table(JobBlock)


class FileBlock(Model):
    """A whole file; config.load reads its parts in the order in which they refer to each other."""

    NOUN: ClassVar[str] = "a configuration"

    version: Annotated[Literal[1], Choice("a version of this format", {1: 1})] = Field(
        description="Version of this format."
    )
    settings: Settings = Field(default_factory=Settings, description="What holds for the whole daemon.")
    users: Annotated[tuple[User, ...], ListOf(Table(User), distinct_key="name")] = Field(
        default=(), description="People and scripts of the CCS, SDE and web faces."
    )
    servers: Annotated[Mapping[str, Any], MapOf(NAME, SERVER)] = Field(
        default_factory=dict, description="Counterparts, by name."
    )
    calendars: Annotated[Mapping[str, Calendar], MapOf(NAME, Table(Calendar))] = Field(
        default_factory=dict, description="Times in which jobs do not fire, by name."
    )
    commands: Annotated[Mapping[str, Command], MapOf(NAME, Table(Command))] = Field(
        default_factory=dict, description="The only commands that a remote definition may name."
    )
    collectors: Annotated[Mapping[str, Collector], MapOf(Text(), Table(Collector))] = Field(
        default_factory=dict, description="By asset type: how to collect, and how to evaluate a standard."
    )
    assets: Annotated[Mapping[str, Asset], MapOf(GUID, Table(Asset))] = Field(
        default_factory=dict, description="By CCS GUID: the asset of this file that it means."
    )
    standards: Annotated[Mapping[str, str], MapOf(GUID, STANDARD)] = Field(
        default_factory=dict, description="By CCS GUID: the standard's name."
    )
    asset_groups: Annotated[Mapping[str, Any], MapOf(NAME, GROUP)] = Field(
        default_factory=dict, description="Groups of assets and of other groups, by name."
    )
    sde_systems: Annotated[Mapping[str, SdeSystem], MapOf(NAME, Table(SdeSystem))] = Field(
        default_factory=dict, description="By SDE system: the commands for its connections."
    )
    sde_projects: Annotated[Mapping[str, SdeProject], MapOf(PROJECT_ID, Table(SdeProject))] = Field(
        default_factory=dict,
        description="By its id: the only projects that SDE connections may name; by default any may be named.",
    )
    defaults: Annotated[Mapping[str, Any], JOB] = Field(
        default_factory=dict, description="Any key of a job but its name; inherited by every job."
    )
    jobs: Annotated[tuple[Any, ...], ListOf(JOB)] = Field(default=(), description="The jobs.")
