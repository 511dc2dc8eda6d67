"""`jobsd show`."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, tzinfo
from typing import Any

import click

from jobsd.cli import daemon, deliveries
from jobsd.cli.options import json_option
from jobsd.cli.output import Cell, Row, beneath, echo_json, echo_lines, plain, table
from jobsd.cli.when import length, parsed, wall, zone_of
from jobsd.cli.when import now as present
from jobsd.cli.wording import SHORT, attempt_row, run_facts, state, verdicts


@click.command()
@daemon.url_option
@click.option("--csv", "as_csv", is_flag=True, help="The results of its checks as CSV.")
@click.option("--all", "everything", is_flag=True, help="Also the results that pass.")
@json_option
@click.argument("run")
def show(url: str | None, run: str, *, as_csv: bool, everything: bool, as_json: bool) -> None:
    """Show one run: its attempts, its assets with the results of their checks, who was told, what happened when.

    RUN is its id, the beginning of the id, or its number. JSON: as `jobsd runs --json`, and `attempt_list`,
    `asset_list`, `events`, `deliveries`, `memory`, `next_rerun_at`.

    Example: jobsd show 5f3a9c21 --csv > results.csv
    """
    if as_csv and as_json:
        raise click.UsageError("--json and --csv are two outputs; choose one")
    asked = daemon.connect(url)
    path = f"/v1/runs/{daemon.quoted(run)}"
    if as_csv:
        with asked.stream(f"{path}/results.csv") as chunks:
            for chunk in chunks:
                sys.stdout.buffer.write(chunk)
        return
    found: dict[str, Any] = asked.get(path)
    found["asset_list"] = asked.get(f"{path}/assets")
    if as_json:
        echo_json(found)
    else:
        echo_lines(lines(found, present(), everything=everything))


def lines(run: dict[str, Any], now: datetime, *, everything: bool) -> Iterator[str]:
    """The whole run; of the results only what does not pass, unless `everything`."""
    yield from table(("", ""), run_facts(run, now), headed=False)
    zone = zone_of(run)
    if run["attempt_list"]:
        yield ""
        rows = [attempt_row(attempt, zone) for attempt in run["attempt_list"]]
        yield from table(("ATTEMPT", "CAUSE", "STARTED", "TOOK", "ENDED"), rows)
    if run["asset_list"]:
        yield ""
        assets = run["asset_list"]
        under = [list(_results(asset, everything=everything)) for asset in assets]
        yield from beneath(("ASSET", "TYPE", "STATE", "TRY", "TOOK", "RESULTS"), map(_asset, assets), under)
        if any(asset["results"] for asset in assets):
            yield f"all results, and the sums of each standard: jobsd results {run['run_id'][:SHORT]}"
    if run["deliveries"]:
        yield ""
        yield from deliveries.lines(run["deliveries"], now)
    if run["memory"]:
        yield ""
        rows = [(name, value) for name, value in run["memory"].items()]
        yield from table(("MEMORY", "VALUE"), rows)
    yield ""
    rows = [_event(event, zone) for event in run["events"]]
    yield from table(("WHEN", "EVENT", "STATE", "BY", "REASON"), rows)


def _asset(asset: dict[str, Any]) -> Row:
    began, ended = parsed(asset["started_at"]), parsed(asset["ended_at"])
    took = length(ended - began) if began and ended else ""
    counts = Counter(result["result"] for result in asset["results"])
    attempt = "" if asset["attempt"] is None else str(asset["attempt"])
    return (asset["asset_id"], asset["asset_type"], state(asset["state"]), attempt, took, verdicts(counts))


def _results(asset: dict[str, Any], *, everything: bool) -> Iterator[str]:
    if asset["reason"]:
        yield f"    {plain(asset['reason'])}"
    for result in asset["results"]:
        if everything or result["result"] not in ("pass", "notapplicable"):
            yield f"    {state(result['result']).styled()}  {plain(result['standard'])}/{plain(result['check'])}"
            if result["message"]:
                yield f"        {plain(result['message'])}"


def _event(event: dict[str, Any], zone: tzinfo) -> Row:
    at = datetime.fromisoformat(event["at"]).replace(microsecond=0)
    became: str | Cell = state(event["to_state"]) if event["to_state"] else ""
    attempt = f" {event['attempt']}" if event["attempt"] is not None else ""
    return (wall(at, zone), event["name"] + attempt, became, event["actor"], event["reason"])
