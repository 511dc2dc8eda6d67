"""`jobsd logs`."""

from __future__ import annotations

import codecs
import sys
from collections.abc import Iterator

import click

from jobsd.cli import daemon
from jobsd.cli.options import json_option
from jobsd.cli.output import echo_json


@click.command()
@daemon.url_option
@click.option("-f", "--follow", is_flag=True, help="Go on until the run has ended.")
@click.option("--attempt", type=click.IntRange(1), metavar="N", help="Only of this attempt; default: of all.")
@json_option
@click.argument("run")
def logs(url: str | None, run: str, attempt: int | None, *, follow: bool, as_json: bool) -> None:
    """Print what a run's work has printed, attempt after attempt.

    On a terminal, control characters are made visible; elsewhere the bytes are passed on as they are.

    Example: jobsd logs 5f3a9c21 -f
    """
    if follow and as_json:
        raise click.UsageError("--follow has no end, JSON has: leave one out")
    query = [("follow", "true")] if follow else []
    query += [("attempt", str(attempt))] if attempt is not None else []
    path = f"/v1/runs/{daemon.quoted(run)}/log"
    asked = daemon.connect(url)
    if as_json:
        echo_json({"run": run, "attempt": attempt, "log": asked.text(path, query)})
        return
    with asked.stream(path, query) as chunks:
        _print(chunks)


def _print(chunks: Iterator[bytes]) -> None:
    if not sys.stdout.isatty():
        out = sys.stdout.buffer
        for chunk in chunks:
            out.write(chunk)
            out.flush()
        return
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    for chunk in chunks:
        sys.stdout.write(harmless(decoder.decode(chunk)))
        sys.stdout.flush()


def harmless(text: str) -> str:
    """`text` with nothing in it that drives a terminal, but line ends and tabs."""
    return "".join(char if char.isprintable() or char in "\n\t" else f"\\x{ord(char):02x}" for char in text)
