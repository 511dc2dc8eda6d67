"""From a file's path to its Configuration, or to all of its faults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from yaml.nodes import MappingNode, Node

from config.calendars import Book
from config.definitions import Configuration
from config.faults import ConfigError, Fault, listed, near_miss, quoted
from config.file_block import FileBlock
from config.groups import Groups
from config.inventory import Asset
from config.job_reading import Jobs, Judge
from config.jobs import JobDefinition
from config.nodes import is_blank, is_null, key_text, shown
from config.places import places_of, with_jobs
from config.reading import BAD
from config.references import FileReading, entry_of
from config.settings import Settings
from config.structure import Structure
from config.table import Table, read_value
from config.yaml_text import compose, decode

_FILE = Table(FileBlock)
_SETTINGS = Table(Settings)
_APART = ("settings", "defaults", "jobs")


def load(path: Path, *, judge: Judge | None = None) -> Configuration:
    """The configuration in the file at `path`, which messages name as it was given.

    `judge` knows faults of a job's `run:` that its counterpart's rules make; it is asked once for each job.

    Raises:
        ConfigError: The file cannot be read or has faults; all of them at once, in file order.
    """
    file = str(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError([Fault(file, 1, 1, None, f"the file cannot be read: {error.strerror}")]) from None
    return loads(decode(data, file=file), file=file, folder=path.parent, judge=judge)


def loads(text: str, *, file: str, folder: Path, judge: Judge | None = None) -> Configuration:
    """The configuration in `text`; `file` names it in messages, relative paths resolve from `folder`.

    `judge` is asked as in `load`.

    Raises:
        ConfigError: It has faults; all of them at once, in file order.
    """
    root = compose(text, file=file)
    if root is None or is_blank(root):
        raise ConfigError([Fault(file, 1, 1, None, "the file is empty; write version: 1 and jobs")])
    structure = Structure(file)
    structure.settle(root)
    reading = FileReading(file=file, folder=folder.absolute(), faults=structure.faults)
    reading.known |= {(fault.line, fault.column) for fault in structure.faults}
    configuration = _File(root, reading, judge).read() if isinstance(root, MappingNode) else None
    if not isinstance(root, MappingNode):
        reading.fault(root, "", f"{shown(root)} is not a configuration; write key: value lines such as version: 1")
    if reading.faults or configuration is None:
        raise ConfigError(with_jobs(root, reading.faults))
    return configuration


@dataclass
class _File:
    """One file while it is read."""

    root: MappingNode
    reading: FileReading
    judge: Judge | None = None

    def read(self) -> Configuration:
        """Everything that can be read; the faults are in `reading`."""
        nodes = self._nodes()
        self._define_names(nodes)
        settings, unsure = self._settings(nodes)
        values = {key: self._block(key, nodes) for key in _FILE.keys if key not in _APART}
        groups = self._groups(nodes, values["asset_groups"])
        calendars = Book(values["calendars"] or {}, nodes.get("calendars"), self.reading)
        jobs = self._jobs(nodes, Jobs(
            self.reading, settings, values["collectors"] or {}, groups, calendars, unsure, self.judge
        ))  # fmt: skip
        return Configuration(
            folder=self.reading.folder, settings=settings, jobs=jobs, collectors=values["collectors"] or {},
            asset_groups=groups, calendars=values["calendars"] or {}, servers=values["servers"] or {},
            users=values["users"] or (), commands=values["commands"] or {}, assets=values["assets"] or {},
            standards=values["standards"] or {}, sde_systems=values["sde_systems"] or {},
            sde_projects=values["sde_projects"] or {},
            places=places_of(self.reading.file, nodes),
            warnings=tuple(f"{w.file}:{w.line}:{w.column}: warning: {w.text}" for w in self.reading.warnings),
        )  # fmt: skip

    def _nodes(self) -> dict[str, Node]:
        nodes: dict[str, Node] = {}
        for key_node, value in self.root.value:
            key = key_text(key_node) or ""
            if key not in _FILE.keys:
                message = (
                    f"{quoted(key)} is not a key; write one of {listed(_FILE.keys)}{near_miss(key, _FILE.keys)}"
                )
                self.reading.fault(key_node, "", message)
            elif is_blank(value) or not is_null(value):
                nodes[key] = value
        if "version" not in nodes:
            self.reading.fault(self.root, "", '"version" is missing; write version: 1')
        return nodes

    def _define_names(self, nodes: Mapping[str, Node]) -> None:
        names = self.reading.names
        for what, place in (
            ("calendar", "calendars"),
            ("command", "commands"),
            ("collector", "collectors"),
            ("asset group", "asset_groups"),
        ):
            names.define(what, place, _keys(nodes.get(place)))
        names.define("limit", "settings.limits", _keys(entry_of(nodes.get("settings"), "limits")))
        for kind, what in (("ccs", "CCS server"), ("sde", "SDE server")):
            servers = _keys(nodes.get("servers"))
            names.define(what, "servers", {n: v for n, v in servers.items() if _is_server(v, kind)})
        assets = Table(Asset)
        known: dict[str, Any] = {}
        quiet = FileReading(file="", folder=self.reading.folder)
        quiet.names = names
        for guid, node in _keys(nodes.get("assets")).items():
            asset = assets.read(node, "", quiet)
            known |= {} if asset is BAD else {guid: asset, asset.id: asset}
        names.define("asset", "assets", known)

    def _block(self, key: str, nodes: Mapping[str, Node]) -> Any:
        if key not in nodes:
            return None
        value = read_value(_FILE.keys[key], nodes[key], key, self.reading)
        return None if value is BAD else value

    def _groups(self, nodes: Mapping[str, Node], read: Any) -> dict[str, tuple[Asset, ...]]:
        node = nodes.get("asset_groups")
        return Groups(node, read, self.reading).resolved() if read and isinstance(node, MappingNode) else {}

    def _jobs(self, nodes: Mapping[str, Node], jobs: Jobs) -> dict[str, JobDefinition]:
        if "defaults" in nodes:
            jobs.read_defaults(nodes["defaults"])
        return jobs.read(nodes["jobs"]) if "jobs" in nodes else {}

    def _settings(self, nodes: Mapping[str, Node]) -> tuple[Settings, set[str]]:
        """The settings, with defaults for what had faults, and the names of these."""
        node = nodes.get("settings")
        settings = self._block("settings", nodes)
        if node is None or settings is not None:
            settings = settings or Settings()
            self.reading.weekday_codec = settings.weekday_codec
            return settings, set()
        quiet = FileReading(file="", folder=self.reading.folder)
        found = _SETTINGS.values(node, "", quiet) or {}
        return _SETTINGS.built(found), {name for name, value in found.items() if value is BAD}


def _keys(node: Node | None) -> dict[str, Node]:
    entries = node.value if isinstance(node, MappingNode) else []
    return {key_text(key) or "": value for key, value in entries}


def _is_server(node: Node, kind: str) -> bool:
    tag = entry_of(node, "type")
    return tag is None or tag.value == kind or tag.value not in ("ccs", "sde")
