"""`jobsd run`."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator
from pathlib import Path

import click

from config.reading import Refused
from config.scalars import LISTEN
from jobsd.cli.options import CONFIG, required_config


@contextlib.contextmanager
def loading() -> Iterator[None]:
    """While libraries are loaded: they stay for ever, and to look through them for garbage costs a sixth of it."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


class Listen(click.ParamType[str]):
    """HOST:PORT, by the rule of settings.http.listen."""

    name = "HOST:PORT"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The address as written."""
        try:
            return LISTEN.parse(value)
        except Refused as refused:
            self.fail(f"{value!r} is not HOST:PORT; {refused}", param, ctx)


state_option = click.option(
    "--state-dir", "state", type=CONFIG, metavar="DIR", help="Folder of the ledger and all other state."
)
listen_option = click.option(
    "--listen", type=Listen(), help="Instead of settings.http.listen; port 0 takes any free one."
)


@click.command()
@required_config
@state_option
@listen_option
def run(path: Path, state: Path | None, listen: str | None) -> None:
    """Run the daemon in the foreground until SIGTERM or Ctrl-C; SIGHUP reads the file anew.

    State is kept in --state-dir, else where settings.ledger says, else in $STATE_DIRECTORY, else in ./.jobsd.

    Example: jobsd run -c jobs.yaml --state-dir /var/lib/jobsd
    """
    # The daemon's libraries take a second to load; completion and --help import this module too.
    with loading():
        from jobsd.serve import run_daemon  # noqa: PLC0415

    raise click.exceptions.Exit(run_daemon(path, state=state, listen=listen))
