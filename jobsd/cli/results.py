"""`jobsd results`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import click

from config.faults import listed, near_miss, quoted
from jobsd.cli import daemon
from jobsd.cli.files import Failed
from jobsd.cli.options import json_option
from jobsd.cli.output import Row, beneath, echo_json, echo_lines, plain, table
from jobsd.cli.when import wall
from jobsd.cli.wording import SHORT, VERDICTS, done, state

NOT_PASSED = ("fail", "unknown", "error")

Query = list[tuple[str, str]]


@click.command()
@daemon.url_option
@click.option("--csv", "as_csv", is_flag=True, help="CSV instead of a table.")
@click.option("--excel", is_flag=True, help="CSV with the mark by which spreadsheets know UTF-8.")
@click.option("--failed", is_flag=True, help="Only what does not pass: fail, unknown, error.")
@click.option("--standard", "standards", multiple=True, metavar="S", help="Only this standard; may be repeated.")
@click.option("--asset", "assets", multiple=True, metavar="A", help="Only this asset; may be repeated.")
@json_option
@click.argument("run")
def results(
    url: str | None,
    run: str,
    *,
    as_csv: bool,
    excel: bool,
    failed: bool,
    standards: Sequence[str],
    assets: Sequence[str],
    as_json: bool,
) -> None:
    """Show what the checks of a run say: the sums of each standard, then every result.

    RUN is its id, the beginning of the id, or its number. An asset that was not evaluated stands in every output,
    with the reason. JSON: `run_id`, `job`, `fire_time`, `state`, `assets`, `standards`, `results`.

    Example: jobsd results 5f3a9c21 --failed
    """
    if as_json and (as_csv or excel):
        raise click.UsageError("--json and CSV are two outputs; choose one")
    asked = daemon.connect(url)
    path = f"/v1/runs/{daemon.quoted(run)}/results"
    _check(asked, path, standards, assets)
    query = [("standard", name) for name in standards] + [("asset", name) for name in assets]
    query += [("result", verdict) for verdict in NOT_PASSED if failed]
    if as_csv or excel:
        with asked.stream(f"{path}.csv", [*query, ("mark", str(excel).lower())]) as chunks:
            for chunk in chunks:
                sys.stdout.buffer.write(chunk)
        return
    found = asked.get(path, query)
    if as_json:
        echo_json(found)
    else:
        echo_lines(lines(found))


def _check(asked: daemon.Daemon, path: str, standards: Sequence[str], assets: Sequence[str]) -> None:
    """Raise Failed for a standard or an asset that the run does not have: that must not look like nothing bad."""
    short: Query = [("result", "error")]  # the sums are whole, the lines few
    if standards:
        known = [one["standard"] for one in asked.get(path, short)["standards"]]
        for name in standards:
            if name not in known:
                hint = f"; it has {listed(known, most=12)}{near_miss(name, known)}" if known else ""
                raise Failed(f"the run has no results of the standard {quoted(name)}{hint}")
    for name in assets:
        found = asked.get(path, [*short, ("asset", name)])
        if not found["standards"] and not found["results"]:
            raise Failed(f"the run has no asset {quoted(name)}; see jobsd show")


def lines(found: dict[str, Any]) -> Iterator[str]:
    """The run, the sums of its standards, the results; assets without results last."""
    at = wall(datetime.fromisoformat(found["fire_time"]).replace(microsecond=0), UTC)
    yield f"run {found['run_id'][:SHORT]} of {plain(found['job'])}, {at}: {found['state']}"
    if not found["assets"]["total"]:
        yield "it has no assets, so there are no results"
        return
    yield f"{done(found['assets'])} assets done"
    if found["standards"]:
        yield ""
        yield from table(
            ("STANDARD", "ASSETS", "CLEAN", *map(str.upper, VERDICTS)), map(_sums, found["standards"])
        )
    judged = [line for line in found["results"] if line["standard"] is not None]
    if judged:
        yield ""
        under = [[f"    {plain(line['message'])}"] if line["message"] else [] for line in judged]
        yield from beneath(("ASSET", "STANDARD", "CHECK", "RESULT"), map(_result, judged), under)
    left = [line for line in found["results"] if line["standard"] is None]
    if left:
        yield ""
        under = [[f"    {plain(line['asset_reason'])}"] if line["asset_reason"] else [] for line in left]
        yield from beneath(("NO RESULTS", "TYPE", "STATE"), map(_unjudged, left), under)


def _sums(one: dict[str, Any]) -> Row:
    counts = [str(one["results"][verdict]) for verdict in VERDICTS]
    return (one["standard"], str(one["assets"]), str(one["passed"]), *counts)


def _result(line: dict[str, Any]) -> Row:
    return (line["asset_id"], line["standard"], line["check"], state(line["result"]))


def _unjudged(line: dict[str, Any]) -> Row:
    return (line["asset_id"], line["asset_type"], state(line["asset_state"]))
