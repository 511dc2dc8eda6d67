"""Configuration files as commands read them."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

import click

import config
from config.definitions import Configuration, JobDefinition
from config.faults import near_miss, quoted
from jobsd.loading import load


class Failed(click.ClickException):
    """The command was refused or has failed: its text on standard error, exit code 1."""

    exit_code = 1

    def show(self, file: object = None) -> None:
        """The text alone: it says what is wrong by itself."""
        del file
        click.echo(self.format_message(), err=True)


def read(path: Path) -> Configuration:
    """The configuration at `path`. Raises Failed with every fault on a line of its own."""
    try:
        return load(path)
    except config.ConfigError as error:
        raise Failed(str(error)) from None


def chosen(configuration: Configuration, names: tuple[str, ...], path: Path) -> list[JobDefinition]:
    """The jobs of these names in the file's order, or all. Raises Failed for an unknown one."""
    for name in names:
        if name not in configuration.jobs:
            raise Failed(f"there is no job {quoted(name)} in {path}{near_miss(name, configuration.jobs)}")
    return [job for job in configuration.jobs.values() if not names or job.name in names]


def file_zone(configuration: Configuration) -> ZoneInfo:
    """The file's own zone: in it times without an offset are read."""
    return ZoneInfo(configuration.settings.timezone)
