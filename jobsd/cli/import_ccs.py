"""`jobsd import ccs`."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import click

from config.faults import quoted
from jobsd.cli.files import Failed
from jobsd.cli.import_ccs_yaml import ccs_yaml
from jobsd.cli.options import CONFIG
from jobsd.cli.output import note, plain
from jobsd.cli.zone_option import zone_option
from recurrence.ccs import WEEKDAY_CODECS
from runners.ccs.wire import CreateJob, WireFaults, job_name, parse_create_job

_BLANKS = re.compile(r"\s*")


@click.command()
@click.argument("path", type=CONFIG, metavar="FILE")
@zone_option("of the CCS server")
@click.option(
    "--weekday-codec", type=click.Choice(WEEKDAY_CODECS), default="dotnet", show_default=True,
    help="How its weekdays are numbered: 0 Sunday to 6, or 1, 2, 4 … summed.",
)  # fmt: skip
def ccs(path: Path, *, zone: str, weekday_codec: str) -> None:
    """Print the jobs of CCS Create Job requests; - reads standard input.

    FILE holds one request, a JSON list of them, or several one after the other. With a fault in any, nothing is
    printed. What is to be filled in (programs that collect, the mail server) is marked, and refused until it is.

    Example: jobsd import ccs requests.json > jobs.yaml
    """
    jobs = list(_jobs(path, zone, weekday_codec))
    for line in ccs_yaml(jobs, source=str(path), zone=zone, weekday_codec=weekday_codec):
        click.echo(line)
    if jobs:
        note(f"{len(jobs)} job{'' if len(jobs) == 1 else 's'}; search for FILL IN, then run jobsd check")


def _jobs(path: Path, zone: str, weekday_codec: str) -> Iterator[CreateJob]:
    """Every request, read; raises Failed with all faults of all of them."""
    faults: list[str] = []
    try:
        for number, body in enumerate(_requests(_text(path), str(path)), start=1):
            try:
                yield parse_create_job(body, zone=zone, weekday_codec=weekday_codec)
            except WireFaults as error:
                faults += [f"{path}: job {number}{_called(body)}: {fault}" for fault in error.faults]
    except Failed as error:
        faults.append(error.message)
    if faults:
        raise Failed("\n".join(plain(fault) for fault in faults))


def _called(body: Any) -> str:
    name = job_name(body)
    return "" if name is None else f" ({quoted(name)})"


def _text(path: Path) -> str:
    """The file's text, in any of JSON's encodings: PowerShell writes UTF-16. Raises Failed."""
    try:
        data = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
        return data.decode(json.detect_encoding(data)).removeprefix("\ufeff")
    except OSError as error:
        raise Failed(f"{path}: the file cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise Failed(f"{path}: the byte at {error.start} is not UTF-8; save the file as UTF-8") from None


def _requests(text: str, file: str) -> Iterator[Any]:
    """JSON values one after the other; those of a list one by one. Raises Failed where the text is no JSON."""
    decoder = json.JSONDecoder(parse_constant=_not_json)
    at = _after_blanks(text, 0)
    if at == len(text):
        raise Failed(f"{file}: there is no request in it")
    while at < len(text):
        try:
            value, at = decoder.raw_decode(text, at)
        except json.JSONDecodeError as error:
            place = f"{file}:{error.lineno}:{error.colno}"
            raise Failed(f"{place}: not JSON: {error.msg[:1].lower()}{error.msg[1:]}") from None
        except (ValueError, RecursionError) as error:
            why = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
            raise Failed(f"{file}: not JSON: {why}") from None
        yield from value if isinstance(value, list) else [value]
        at = _after_blanks(text, at)


def _after_blanks(text: str, at: int) -> int:
    found = _BLANKS.match(text, at)
    return found.end() if found else at


def _not_json(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number")
