"""`jobsd check`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

import config
from jobsd.cli.files import Failed
from jobsd.cli.options import CONFIG, json_option
from jobsd.cli.output import echo_json
from jobsd.cli.when import now
from jobsd.loading import load


@click.command()
@click.argument("path", type=CONFIG, metavar="FILE")
@json_option
def check(path: Path, *, as_json: bool) -> None:
    """Validate FILE: every fault with its place, then what is odd in a valid file.

    Faults and warnings go to standard error, one per line, as FILE:LINE:COLUMN: …; with faults the exit code is 1.
    Warnings tell of schedules that never fire, of the coming year's clock changes, of windows against reruns.

    Example: jobsd check jobs.yaml
    """
    try:
        configuration = load(path)
    except config.ConfigError as error:
        if as_json:
            faults = [asdict(fault) for fault in error.faults]
            echo_json({"valid": False, "jobs": None, "faults": faults, "warnings": []})
            raise click.exceptions.Exit(1) from None
        raise Failed(str(error)) from None
    warnings = [*configuration.warnings, *config.lint(configuration, now=now())]
    if as_json:
        echo_json({"valid": True, "jobs": len(configuration.jobs), "faults": [], "warnings": warnings})
        return
    for warning in warnings:
        click.echo(warning, err=True)
    click.echo(summary(len(configuration.jobs), len(warnings)))


def summary(jobs: int, warnings: int) -> str:
    """The last line about a valid file."""
    tail = f" ({warnings} warning{'' if warnings == 1 else 's'})" if warnings else ""
    return f"{jobs} job{'' if jobs == 1 else 's'}, valid{tail}"
