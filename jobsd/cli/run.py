"""`jobsd run`."""

from __future__ import annotations

from pathlib import Path

import click

from jobsd.cli.options import CONFIG, required_config


@click.command()
@required_config
@click.option("--state-dir", "state", type=CONFIG, metavar="DIR", help="Folder of the ledger and all other state.")
@click.option("--listen", metavar="HOST:PORT", help="Instead of settings.http.listen; port 0 takes any free one.")
def run(path: Path, state: Path | None, listen: str | None) -> None:
    """Run the daemon in the foreground until SIGTERM or Ctrl-C; SIGHUP reads the file anew.

    State is kept in --state-dir, else where settings.ledger says, else in $STATE_DIRECTORY, else in ./.jobsd.

    Example: jobsd run -c jobs.yaml --state-dir /var/lib/jobsd
    """
    # The daemon's libraries take half a second to load; completion and --help import this module too.
    from jobsd.serve import run_daemon  # noqa: PLC0415

    raise click.exceptions.Exit(run_daemon(path, state=state, listen=listen))
