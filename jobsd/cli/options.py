"""Options that several commands take, and the completion of jobs' names."""

from __future__ import annotations

from pathlib import Path

import click
from click.shell_completion import CompletionItem

import config
from jobsd.cli.when import Moment

MOMENT = Moment()
AGO = Moment(-1)
AHEAD = Moment(1)

CONFIG = click.Path(path_type=Path, readable=False)
"""What cannot be read is told by whoever reads it, in the one form of a file's faults."""

_NAMES = ("-c", "--config", "path")
config_option = click.option(*_NAMES, type=CONFIG, metavar="FILE", help="The YAML; no daemon is asked.")
required_config = click.option(*_NAMES, type=CONFIG, metavar="FILE", required=True, help="The YAML.")
json_option = click.option("--json", "as_json", is_flag=True, help="JSON instead of a table.")


def complete_job(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Names of jobs: of the file if one is given, else the daemon's; none where neither can be read."""
    del param
    path = ctx.params.get("path")
    names = _in_file(Path(path)) if path else _of_daemon(ctx.params.get("url"))
    return [CompletionItem(name, help=text) for name, text in names.items() if name.startswith(incomplete)]


def _in_file(path: Path) -> dict[str, str]:
    try:
        return {job.name: job.description for job in config.load(path).jobs.values()}
    except config.ConfigError:
        return {}


def _of_daemon(url: str | None) -> dict[str, str]:
    from jobsd.cli.daemon import quiet_jobs  # noqa: PLC0415 - an HTTP client is loaded only when it is asked

    return {job["job"]: job.get("description") or "" for job in quiet_jobs(url)}


job_argument = click.argument("job", shell_complete=complete_job)
jobs_argument = click.argument("jobs", nargs=-1, metavar="[JOB]...", shell_complete=complete_job)
