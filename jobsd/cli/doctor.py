"""`jobsd doctor`."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from config import ConfigError
from jobsd.cli.options import CONFIG, json_option, required_config
from jobsd.cli.output import Cell, echo_json, echo_lines, plain
from jobsd.cli.when import now
from jobsd.loading import load

if TYPE_CHECKING:
    from jobsd.doctor import Finding

_COLOURS = {"ok": "green", "warning": "yellow", "fail": "red"}
_WIDTH = max(map(len, _COLOURS))


@click.command()
@required_config
@click.option(
    "--state-dir", "state", type=CONFIG, metavar="DIR", help="The state folder, as given to `jobsd run`."
)
@json_option
def doctor(path: Path, state: Path | None, *, as_json: bool) -> None:
    """Look at what the daemon needs: file, secrets, servers, clock, zone data, disk, rights, programs, mail.

    Works beside a running daemon and without one; changes nothing. Exit code 1 if anything fails. Run it as the
    daemon's user, in the daemon's environment: what another user sees may differ.

    Example: jobsd doctor -c jobs.yaml
    """
    # Clients, TLS and the ledger take their time to load; --help needs none of them.
    from jobsd.doctor import Health  # noqa: PLC0415

    findings: list[Finding] = []
    asyncio.run(_examine(path, state, findings, told=not as_json))
    failed = any(finding.health is Health.FAIL for finding in findings)
    if as_json:
        echo_json({"healthy": not failed, "findings": [asdict(finding) for finding in findings]})
    else:
        click.echo(summary(findings))
    if failed:
        raise click.exceptions.Exit(1)


async def _examine(path: Path, state: Path | None, findings: list[Finding], *, told: bool) -> None:
    """Fill `findings`, and with `told` print each as soon as it is there."""
    from jobsd.doctor import Patient, examine, faults  # noqa: PLC0415

    try:
        patient = Patient.of(path, load(path), os.environ, state=state)
    except ConfigError as error:
        for finding in faults(error, now()):
            _take(finding, findings, told=told)
        return
    async for finding in examine(patient):
        _take(finding, findings, told=told)


def _take(finding: Finding, findings: list[Finding], *, told: bool) -> None:
    findings.append(finding)
    if told:
        echo_lines(lines(finding))


def lines(finding: Finding) -> Sequence[str]:
    """A finding as people read it: the state first, what to do about it beneath."""
    health = Cell(f"{finding.health:<{_WIDTH}}", _COLOURS[finding.health]).styled()
    name = f" {finding.name}" if finding.name else ""
    told = [f"{health}  {plain(f'{finding.area}{name}: {finding.found}')}"]
    return [*told, f"{' ' * _WIDTH}  {plain(finding.advice)}"] if finding.advice else told


def summary(findings: Sequence[Finding]) -> str:
    """The last line: how many of each."""
    counts = Counter(str(finding.health) for finding in findings)
    return ", ".join(f"{counts[health]} {health}" for health in _COLOURS if counts[health])
