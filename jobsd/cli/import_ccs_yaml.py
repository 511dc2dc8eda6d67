"""CCS Create Job requests as jobsd's YAML. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta

from config.runs import JobType
from config.values import format_duration
from jobsd.cli.names import plain_name, unique_name
from jobsd.cli.yaml_out import printable, text
from runners.ccs.wire import CreateJob, JobDetails, Notification

_HEAD = """\
# Made of {source} by `jobsd import ccs`: fill in what says FILL IN, read it through, then `jobsd check` it.
# Assets and standards keep their GUIDs as names: {{asset.id}} and {{standard}} are replaced by them.
version: 1
settings:
  timezone: {zone}"""
_SMTP = """\
  smtp:
    host: ""  # FILL IN: the mail server, for notify below; username and password if it wants them"""
_ADDRESS = re.compile(r"[^\s@]+@[^\s@]+")


def ccs_yaml(jobs: Sequence[CreateJob], *, source: str, zone: str, weekday_codec: str) -> Iterator[str]:
    """The lines of a whole file; what only the operator knows is left empty, so that the check asks for it."""
    yield from _HEAD.format(source=printable(source), zone=zone).splitlines()
    if weekday_codec != "dotnet":
        yield f"  weekday_codec: {weekday_codec}"
    if any(job.details.on_success or job.details.on_failure for job in jobs):
        yield from _SMTP.splitlines()
    yield from _collectors(jobs)
    yield "jobs:" if jobs else "jobs: []"
    taken: set[str] = set()
    for job in jobs:
        yield from _job(job, unique_name(plain_name(job.details.name) or "job", taken))


def _collectors(jobs: Iterable[CreateJob]) -> Iterator[str]:
    judged: dict[str, bool] = {}
    for job in jobs:
        for asset in job.details.assets:
            judged[asset.type] = judged.get(asset.type, False) or job.job_type is not JobType.COLLECTION
    if judged:
        yield "collectors:  # by asset type: the programs of this host, see docs/collectors.md"
    for kind, evaluates in judged.items():
        yield f"  {text(kind)}:"
        yield '    collect: []  # FILL IN: what collects such an asset, such as [./collect.sh, "{asset.id}"]'
        if evaluates:
            yield '    evaluate: []  # FILL IN: what judges its data, such as [./evaluate.sh, "{standard}"]'


def _job(job: CreateJob, name: str) -> Iterator[str]:
    details = job.details
    yield f"  - name: {text(name)}"
    described = [details.name] if details.name != name else []
    described += [details.description] if details.description else []
    if described:
        yield f"    description: {text(': '.join(described))}"
    yield from _schedule(details)
    yield "    run:"
    yield "      collect:"
    yield f"        type: {job.job_type}"
    yield "        assets:"
    for asset in details.assets:
        yield f"          - {{id: {text(asset.id)}, type: {text(asset.type)}}}"
    yield "        standards:"
    for standard in details.standards:
        yield f"          - {text(standard)}"
    yield from _durations(details)
    yield from _notify(details)


def _schedule(details: JobDetails) -> Iterator[str]:
    block = details.schedule
    if block is None:
        yield "    # No schedule: it runs when it is triggered."
        return
    yield "    schedule:"
    now = block.get("RunNow")
    if now is None:
        yield "      # RunNow is not written, which means true: it also runs once, when it is first loaded."
    elif str(now).strip().lower() == "true":
        yield "      # RunNow: it also runs once, when it is first loaded."
    yield "      ccs:" if block else "      ccs: {}"
    for field, value in block.items():
        yield f"        {field}: {text(value) if isinstance(value, str) else json.dumps(value)}"


def _durations(details: JobDetails) -> Iterator[str]:
    named: dict[str, timedelta | None] = {
        "asset_timeout": details.asset_timeout,
        "collection_timeout": details.collection_timeout,
        "incremental": details.incremental,
    }
    for key, value in named.items():
        if value is not None:
            yield f"        {key}: {format_duration(value)}"


def _notify(details: JobDetails) -> Iterator[str]:
    if details.on_success or details.on_failure:
        yield "    notify:"
    for key, mail in (("success", details.on_success), ("failure", details.on_failure)):
        if mail is not None:
            yield f"      {key}:"
            yield from _mail(mail)
    for key, given, sent in (
        ("success", details.success, details.on_success),
        ("failure", details.failure, details.on_failure),
    ):
        if given is not None and sent is None:
            yield f"    # The mail on {key} is left out: it is switched off in CCS."
    if details.synchronize_results:
        yield "    # Results are not synchronized with a reporting database: there is none here."


def _mail(mail: Notification) -> Iterator[str]:
    yield "        to:"
    for address in mail.recipients:
        yield f"          - {text(address)}{_doubt(address)}"
    sender = (mail.sender or "").strip()
    yield f"        from: {text(sender)}{_doubt(sender)}"
    yield f"        subject: {text(mail.subject or '')}"
    yield f"        body: {text(mail.body or '')}"


def _doubt(address: str) -> str:
    return "" if _ADDRESS.fullmatch(address) else "  # FILL IN: this is not an address, which is name@host"
