"""`jobsd rehearse`."""

from __future__ import annotations

from pathlib import Path

import click

from jobsd.cli.options import required_config
from jobsd.cli.run import listen_option, loading, state_option


@click.command()
@required_config
@state_option
@listen_option
def rehearse(path: Path, state: Path | None, listen: str | None) -> None:
    """Run a stand-in: the daemon of this file with faults to order, for tests and rehearsals.

    It serves the APIs that `jobsd run` serves, with local collectors, and `/rehearsal/faults`: slow answers,
    errors, dropped connections, job runs that end in any status. docs/rehearsal.md lists them. It refuses the
    state folder of a daemon that is no rehearsal.

    Example: jobsd rehearse -c stand-in.yaml --state-dir ./rehearsal --listen 127.0.0.1:12431
    """
    # The daemon's libraries take a second to load; completion and --help import this module too.
    with loading():
        from jobsd.rehearsal import Rehearsal  # noqa: PLC0415
        from jobsd.serve import run_daemon  # noqa: PLC0415

    raise click.exceptions.Exit(run_daemon(path, state=state, listen=listen, layer=Rehearsal()))
