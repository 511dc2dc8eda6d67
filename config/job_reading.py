"""Jobs: each read over the defaults, and checked against the rest of the file."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from config.calendars import Book
from config.faults import listed, quoted
from config.file_block import JOB
from config.inventory import Asset, Collector
from config.jobs import JobBlock, JobDefinition, Mail, Notify
from config.nodes import is_blank, is_null, key_text, scalar, shown
from config.reading import BAD, Bad
from config.references import FileReading, deepest, entry_of
from config.runs import CollectRun, JobType, Run
from config.schedule_block import OnClosure, ScheduleBlock
from config.schedules import schedule_of
from config.settings import Settings
from recurrence.closures import ALWAYS_OPEN
from recurrence.schedule import Schedule

Judge = Callable[[str, Run], Iterable[tuple[str, str]]]
"""What is wrong with the `run:` of the job of that name beyond its form: the path below `run` and the message."""


BEGUN_ANEW = frozenset({"command", "http", "sde_connection"})
"""Kinds of `run:` of which nobody knows afterwards what was done when they were stopped."""


@dataclass
class Jobs:
    """Reads the jobs of one file; `unsure` are the settings that had faults of their own."""

    reading: FileReading
    settings: Settings
    collectors: Mapping[str, Collector]
    groups: Mapping[str, tuple[Asset, ...]]
    calendars: Book
    unsure: Collection[str] = ()
    judge: Judge | None = None
    defaults: Node | None = None
    _lines: dict[str, int] = field(default_factory=dict)

    def read_defaults(self, node: Node) -> None:
        """Check the defaults by themselves, and keep them for the jobs."""
        if is_null(node):
            return
        if isinstance(node, MappingNode):
            for name in [key for key, _ in node.value if key_text(key) == "name"]:
                self.reading.fault(name, "defaults", '"name" cannot be inherited; write it in each job')
            node.value = [entry for entry in node.value if key_text(entry[0]) != "name"]
        self.reading.partial = True
        JOB.read(node, "defaults", self.reading)
        self.reading.partial = False
        self.defaults = node if isinstance(node, MappingNode) else None

    def read(self, node: Node) -> dict[str, JobDefinition]:
        """The jobs that have no fault, by name."""
        if not isinstance(node, SequenceNode):
            found_instead = "nothing is written here" if is_blank(node) else f"{shown(node)} is not a list"
            self.reading.fault(node, "jobs", f'{found_instead}; write one "- name: …" for each job')
            return {}
        found = (self._job(item) for item in node.value)
        return {job.name: job for job in found if job is not BAD}

    def _job(self, node: Node) -> JobDefinition | Bad:
        reading = self.reading
        name_node = entry_of(node, "name")
        name = scalar(name_node) if isinstance(name_node, ScalarNode) else None
        reading.job = name if isinstance(name, str) and name else None
        try:
            whole = JOB.merge(self.defaults, node) if self.defaults is not None else node
            unique = reading.job is None or name_node is None or self._is_unique(reading.job, name_node)
            found = JOB.values(whole, "" if reading.job else "jobs", reading)
            if found is None:
                return BAD
            checked = self._checked(found, whole)
            schedule = self._schedule(found, whole, inherited=entry_of(node, "schedule") is None)
            if schedule is BAD or any(value is BAD for value in found.values()) or not (checked and unique):
                return BAD
            return self._definition(JOB.built(found), schedule, whole)
        finally:
            reading.job = None

    def _is_unique(self, name: str, node: Node) -> bool:
        first = self._lines.get(name)
        self._lines.setdefault(name, node.start_mark.line + 1)
        if first is not None:
            self.reading.fault(
                node, "name", f"{quoted(name)} is already the job on line {first}; write another name"
            )
        return first is None

    def _schedule(self, found: Mapping[str, Any], node: Node, *, inherited: bool) -> Schedule | Bad | None:
        block, place = found.get("schedule"), entry_of(node, "schedule")
        if not isinstance(block, ScheduleBlock) or place is None:
            return BAD if block is BAD else None
        return schedule_of(block, place, self.reading, self.settings, inherited=inherited)

    def _definition(self, block: JobBlock, schedule: Schedule | None, node: Node) -> JobDefinition:
        exclude = block.schedule.exclude if block.schedule else ()
        return JobDefinition(
            name=block.name, run=block.run, schedule=schedule, description=block.description, retry=block.retry,
            overlap=block.overlap, catch_up=block.catch_up,
            exclude=exclude, closures=self.calendars.closures(exclude, schedule.zone) if schedule else ALWAYS_OPEN,
            on_exclude=block.schedule.on_exclude if block.schedule else "skip",
            on_closure=block.schedule.on_closure if block.schedule else OnClosure.FINISH,
            limits=block.limits, priority=block.priority, labels=block.labels, idempotent=block.idempotent,
            notify=block.notify, enabled=block.enabled, place=self._place(node),
        )  # fmt: skip

    def _checked(self, found: Mapping[str, Any], node: Node) -> bool:
        before = len(self.reading.faults)
        self._check_evaluation(found.get("run"), node)
        self._check_run(found, node)
        self._check_hold(found, node)
        if "smtp" not in self.unsure and isinstance(found.get("notify"), Notify):
            self._check_mails(found["notify"], node)
        return len(self.reading.faults) == before

    def _place(self, node: Node) -> str:
        return f"{self.reading.file}:{node.start_mark.line + 1}"

    def _check_evaluation(self, run: object, node: Node) -> None:
        """Every asset type that is evaluated has a collector that can."""
        if not isinstance(run, CollectRun) or run.type is JobType.COLLECTION:
            return
        types = {asset.type for asset in run.assets}
        types |= {asset.type for group in run.asset_groups for asset in self.groups.get(group, ())}
        silent = sorted(t for t in types if t in self.collectors and self.collectors[t].evaluate is None)
        if silent:
            collect = entry_of(entry_of(node, "run"), "collect")
            place = entry_of(collect, "standards") or collect or node
            message = f"the collector of {listed(silent)} has no evaluate; write it under collectors"
            self.reading.fault(place, "run.collect.standards", message)

    def _check_run(self, found: Mapping[str, Any], node: Node) -> None:
        run, place = found.get("run"), entry_of(node, "run")
        if self.judge is None or not isinstance(run, Run) or place is None:
            return
        for path, message in self.judge(str(found.get("name")), run):
            self.reading.fault(deepest(place, path), f"run.{path}", message)

    def _check_hold(self, found: Mapping[str, Any], node: Node) -> None:
        """A run that is held goes on afterwards: what its runner cannot take up again must be safe to repeat."""
        block, run = found.get("schedule"), found.get("run")
        if (
            not isinstance(block, ScheduleBlock)
            or block.on_closure is not OnClosure.HOLD
            or not isinstance(run, Run)
        ):
            return
        if run.kind in BEGUN_ANEW and found.get("idempotent") is not True:
            place = entry_of(entry_of(node, "schedule"), "on_closure") or node
            advice = "write idempotent: true if it may be begun anew, or on_closure: finish or stop"
            self.reading.fault(
                place, "schedule.on_closure", f"hold stops a {run.kind} that cannot go on; {advice}"
            )

    def _check_mails(self, found: Notify, node: Node) -> None:
        notify = entry_of(node, "notify")
        for key in ("success", "failure", "late"):
            mail: Mail | None = getattr(found, key)
            place = entry_of(notify, key)
            if mail is None or place is None:
                continue
            if self.settings.smtp is None:
                self.reading.fault(place, f"notify.{key}", "a mail needs a mail server; write settings.smtp")
            elif mail.sender is None and self.settings.smtp.sender is None:
                self.reading.fault(place, f"notify.{key}", '"from" is missing; write it, or settings.smtp.sender')
