"""`jobsd coverage`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import click

from jobsd.cli import daemon
from jobsd.cli.options import job_argument, json_option
from jobsd.cli.output import Row, beneath, echo_json, echo_lines, plain
from jobsd.cli.when import length, wall, zone_of
from jobsd.cli.wording import SHORT, state, verdicts


@click.command()
@daemon.url_option
@json_option
@job_argument
def coverage(url: str | None, job: str, *, as_json: bool) -> None:
    """Show what JOB covers: each asset's last state, how old its data is, what the checks say.

    Example: jobsd coverage weekly-linux-compliance
    """
    found = daemon.connect(url).get(f"/v1/jobs/{daemon.quoted(job)}/coverage")
    if as_json:
        echo_json(found)
    else:
        echo_lines(lines(found))


def lines(found: dict[str, Any]) -> Iterator[str]:
    """The sums, then a table of the assets with their reasons."""
    counts = found["counts"]
    if not counts["total"]:
        yield f"{found['job']} has no assets"
        return
    told = ", ".join(f"{n} {name}" for name, n in counts.items() if n and name != "total")
    run = f" (latest run {found['run_id'][:SHORT]})" if found["run_id"] else ""
    yield f"{found['job']}: {found['share'] or 0:.0%} of {counts['total']} assets covered: {told}{run}"
    yield f"known since {wall(datetime.fromisoformat(found['known_since']), zone_of(found))}"
    if results := verdicts(found["results"]):
        yield f"newest results: {results}"
    rows = [_row(asset) for asset in found["assets"]]
    under = [[f"    {plain(asset['reason'])}"] if asset["reason"] else [] for asset in found["assets"]]
    yield from beneath(("ASSET", "TYPE", "STATE", "AGE", "RUN", "RESULTS"), rows, under)


def _row(asset: dict[str, Any]) -> Row:
    age = "" if asset["age_s"] is None else length(timedelta(seconds=asset["age_s"]))
    by = (asset["covered_by"] or "")[:SHORT]
    return (asset["asset_id"], asset["asset_type"], state(asset["state"]), age, by, verdicts(asset["results"]))
