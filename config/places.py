"""Where things stand in a file, and which job a place belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from config.faults import Fault
from config.nodes import key_text
from config.references import entry_of
from config.yaml_text import STR


def places_of(file: str, nodes: Mapping[str, Node]) -> dict[tuple[str, ...], str]:
    """`FILE:LINE:COLUMN` of jobs, their keys, what jobs refer to, commands, settings, users, systems, by path."""
    found: dict[tuple[str, ...], str] = {
        (block,): _place(file, nodes[block]) for block in ("users", "sde_systems") if block in nodes
    }
    blocks = {name: nodes.get(name) for name in ("settings", "calendars", "collectors", "commands")}
    for block, node in {**blocks, "limits": entry_of(nodes.get("settings"), "limits")}.items():
        for key, _ in node.value if isinstance(node, MappingNode) else ():
            found[(block, key_text(key) or "")] = _place(file, key)
    for job in _jobs(nodes.get("jobs")):
        name = _name(job)
        found[("jobs", name)] = _place(file, job)
        found.update({("jobs", name, key_text(key) or ""): _place(file, key) for key, _ in job.value})
    return found


def with_jobs(root: Node, faults: list[Fault]) -> list[Fault]:
    """The faults, those within a job's lines with that job's name."""
    spans = [(job.start_mark, job.end_mark, _name(job)) for job in _jobs(entry_of(root, "jobs")) if _name(job)]
    return [_with_job(fault, spans) for fault in faults]


def _with_job(fault: Fault, spans: list[Any]) -> Fault:
    if fault.job is not None:
        return fault
    place = (fault.line - 1, fault.column - 1)
    for start, end, name in spans:
        if (start.line, start.column) <= place < (end.line, end.column):
            return replace(fault, job=name)
    return fault


def _jobs(node: Node | None) -> list[MappingNode]:
    return [job for job in node.value if isinstance(job, MappingNode)] if isinstance(node, SequenceNode) else []


def _name(job: MappingNode) -> str:
    node = entry_of(job, "name")
    return str(node.value) if isinstance(node, ScalarNode) and node.tag == STR else ""


def _place(file: str, node: Node) -> str:
    return f"{file}:{node.start_mark.line + 1}:{node.start_mark.column + 1}"
