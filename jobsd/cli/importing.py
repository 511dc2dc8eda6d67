"""`jobsd import`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from jobsd.cli.crontab import Untold, read_crontab
from jobsd.cli.crontab_yaml import crontab_yaml
from jobsd.cli.files import Failed
from jobsd.cli.import_ccs import ccs
from jobsd.cli.import_sde import sde
from jobsd.cli.options import CONFIG
from jobsd.cli.output import echo_lines, note
from jobsd.cli.zone_option import zone_option


@click.group("import")
def importing() -> None:
    """Print other schedulers' jobs as jobsd's YAML.

    Example: jobsd import crontab /etc/crontab > jobs.yaml
    """


importing.add_command(ccs)
importing.add_command(sde)


@importing.command()
@click.argument("path", type=CONFIG, metavar="FILE")
@click.option(
    "--system/--user",
    default=None,
    help="Whether a user's name stands before each command; default: so for /etc/crontab and /etc/cron.d.",
)
@zone_option("cron works in")
def crontab(path: Path, *, system: bool | None, zone: str) -> None:
    """Print the jobs of a crontab; - reads standard input.

    Lines that have no counterpart are told on standard error as FILE:LINE and stay in the YAML as comments.

    Example: crontab -l | jobsd import crontab - > jobs.yaml
    """
    with_users = _is_system(path) if system is None else system
    found = list(read_crontab(_read(path), system=with_users))
    echo_lines(crontab_yaml(found, source=str(path), zone=zone))
    for part in found:
        if isinstance(part, Untold):
            note(f"{path}:{part.line}: not taken over: {part.why}")


def _is_system(path: Path) -> bool:
    whole = path.absolute()
    return whole == Path("/etc/crontab") or whole.parent == Path("/etc/cron.d")


def _read(path: Path) -> str:
    try:
        data = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    except OSError as error:
        raise Failed(f"{path}: the file cannot be read: {error.strerror}") from None
    return data.decode(errors="surrogateescape")
