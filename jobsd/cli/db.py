"""`jobsd db`: the ledger's file, beside the daemon that has it or without one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from jobsd.cli.files import Failed, read
from jobsd.cli.finding import folders
from jobsd.cli.options import CONFIG, config_option, json_option
from jobsd.cli.output import echo_json, note, plain
from jobsd.state import UnsupportedLedger, ledger_path

if TYPE_CHECKING:
    from scheduler.checks.finding import Finding

state_option = click.option(
    "--state-dir", "state", type=CONFIG, metavar="DIR", help="The state folder, as given to `jobsd run`."
)


@click.group()
def db() -> None:
    """Look after the ledger.

    Example: jobsd db check -c jobs.yaml
    """


@db.command()
@config_option
@state_option
@json_option
def check(path: Path | None, state: Path | None, *, as_json: bool) -> None:
    """Check that the ledger holds what it promises; exit code 1 with a line for each thing that is wrong.

    It is read only, and may be at work for a daemon meanwhile. Every occurrence since a job was known has its row,
    every run its events, every attempt its end, and more: docs/guarantees.md lists it all.

    The ledger is found by --state-dir, by the file given with -c, or else where a daemon would put it:
    $STATE_DIRECTORY, ./.jobsd, /var/lib/jobsd.

    JSON: `ledger`, `sound`, `findings`: a list of `invariant`, `job`, `run_id`, `says`.

    Example: jobsd db check -c jobs.yaml
    """
    from scheduler.ledger import LedgerError  # noqa: PLC0415 - the ledger takes its time to load
    from scheduler.ledger.checking import check as checked  # noqa: PLC0415 - likewise

    ledger = located(path, state)
    try:
        findings = checked(ledger)
    except LedgerError as error:
        raise Failed(str(error)) from None
    if as_json:
        echo_json({"ledger": str(ledger), "sound": not findings, "findings": [_json(one) for one in findings]})
    else:
        for finding in findings:
            click.echo(plain(str(finding)))
        count = "sound" if not findings else "1 finding" if len(findings) == 1 else f"{len(findings)} findings"
        note(f"{ledger}: {count}")
    if findings:
        raise click.exceptions.Exit(1)


@db.command()
@config_option
@state_option
def upgrade(path: Path | None, state: Path | None) -> None:
    """Bring the ledger to this program's schema, as a daemon does when it starts; a copy is kept beside it.

    Refused while a daemon has the ledger. A SQLite ledger needs it only to be read before a daemon is started.

    Example: jobsd db upgrade -c jobs.yaml
    """
    from scheduler.ledger import Ledger, LedgerError  # noqa: PLC0415 - the ledger takes its time to load
    from scheduler.ledger.looking import schema_of  # noqa: PLC0415 - likewise

    ledger = located(path, state)
    try:
        before, head = schema_of(ledger)
        if before is None:
            raise Failed(f"there is no ledger at {ledger}: a daemon makes it when it starts")
        if before == head:
            note(f"{ledger}: schema {head}: nothing to do. A daemon upgrades its SQLite ledger when it starts")
            return
        Ledger(ledger).close()
    except LedgerError as error:
        raise Failed(str(error)) from None
    note(f"{ledger}: schema {before} is {head} now; a copy is {ledger.name}.before-{head}")


def located(path: Path | None, state: Path | None) -> Path:
    """The ledger's file, absolute. Raises Failed."""
    if state is not None:
        return (state / "ledger.db").resolve()
    if path is not None:
        try:
            return ledger_path(read(path).settings)
        except UnsupportedLedger as error:
            raise Failed(str(error)) from None
    looked = []
    for name, folder in folders(os.environ):
        if (folder / "ledger.db").exists():
            return (folder / "ledger.db").resolve()
        looked.append(name)
    raise Failed(f"no ledger found; looked at {', '.join(looked)}: say where it is with --state-dir or -c")


def _json(finding: Finding) -> dict[str, str | None]:
    return {
        "invariant": finding.invariant, "job": finding.job, "run_id": finding.run_id, "says": finding.says
    }  # fmt: skip
