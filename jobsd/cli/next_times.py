"""`jobsd next`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from itertools import count, islice
from pathlib import Path
from typing import Any

import click

from config.definitions import JobDefinition
from jobsd.cli import daemon
from jobsd.cli.coming import coming, published, why_never
from jobsd.cli.files import chosen, file_zone, read
from jobsd.cli.options import MOMENT, config_option, jobs_argument, json_option
from jobsd.cli.output import Row, beneath, echo_json_list, echo_lines, note, plain
from jobsd.cli.when import as_instant, is_utc, relative, utc_text, wall, zone_of
from jobsd.cli.when import now as present

SHOWN = 10
PAGE = 1000
MOST_ASKED = 1000
"""Fire times of one job in one answer of the daemon."""
PROVISIONAL = "* provisional: the file has no start; it is the instant at which the daemon first loads the job"


@click.command("next")
@config_option
@daemon.url_option
@click.option("-n", "most", type=click.IntRange(1), help=f"So many of each job; {SHOWN}, or with --until all.")
@click.option("--after", type=MOMENT, help="Only later ones (exclusive); default: now.")
@click.option("--until", type=MOMENT, help="Only up to then (inclusive; a date is the whole day).")
@json_option
@jobs_argument
def next_times(
    path: Path | None,
    url: str | None,
    most: int | None,
    after: datetime | date | None,
    until: datetime | date | None,
    jobs: tuple[str, ...],
    *,
    as_json: bool,
) -> None:
    """Show coming fire times in each job's zone and in UTC, with the window's end and the reruns.

    Occurrences that a calendar excludes are shown too, and count for -n.

    With -c no daemon is needed; without, the daemon is asked, which also knows jobs made through its API. Times
    without an offset are read in the file's zone (settings.timezone), without a file in UTC.

    Example: jobsd next -c jobs.yaml weekly-linux-compliance -n 5 --after 2026-11-01
    """
    now = present()
    each = most if most is not None or until is not None else SHOWN
    rows: Iterable[Mapping[str, Any]]
    if path is None:
        since = now if after is None else as_instant(after, UTC)
        rows = _asked(url, jobs, since, None if until is None else as_instant(until, UTC, end=True), each)
    else:
        configuration = read(path)
        zone = file_zone(configuration)
        since = now if after is None else as_instant(after, zone)
        end = None if until is None else as_instant(until, zone, end=True)
        definitions = chosen(configuration, jobs, path)
        rows = (one.json() for one in coming(definitions, after=since, until=end, most=each, now=now))
        if not as_json:
            rows = _remarked(rows, definitions)
    if as_json:
        echo_json_list(published(rows))
    else:
        echo_lines(lines(rows, now))


def _asked(
    url: str | None, jobs: tuple[str, ...], after: datetime, until: datetime | None, most: int | None
) -> list[Mapping[str, Any]]:
    """The daemon's answer."""
    query: list[tuple[str, str]] = [("after", utc_text(after))]
    query += [("until", utc_text(until))] if until is not None else []
    query += [("n", str(most))] if most is not None else []
    query += [("job", name) for name in jobs]
    found: list[Mapping[str, Any]] = daemon.connect(url).get("/v1/next", query)
    if most is None:
        for job, told in Counter(row["job"] for row in found).items():
            if told == MOST_ASKED:
                note(f"{job}: only the first {MOST_ASKED} are shown: ask for a shorter span, or with -c FILE")
    return found


def _remarked(rows: Iterable[Mapping[str, Any]], definitions: list[JobDefinition]) -> Iterator[Mapping[str, Any]]:
    """The rows, with a remark at the end about each job that has none."""
    seen = set()
    for row in rows:
        seen.add(row["job"])
        yield row
    for job in definitions:
        if job.name not in seen:
            note(f"{job.name}: {why_never(job) or 'does not fire in that time'}")


def lines(rows: Iterable[Mapping[str, Any]], now: datetime) -> Iterator[str]:
    """A table of fire times; under a row its window's end and reruns, where it has them.

    It comes a page at a time, so that a long one begins at once.
    """
    left, provisional, headings = iter(rows), False, ("LOCAL", "UTC", "", "JOB")
    for number in count():
        page = list(islice(left, PAGE))
        if not page:
            break
        under = [list(_beneath(row)) for row in page]
        yield from beneath(headings, [_cells(row, now) for row in page], under, headed=number == 0)
        provisional = provisional or any(row.get("provisional") for row in page)
    if provisional:
        yield PROVISIONAL


def _cells(row: Mapping[str, Any], now: datetime) -> Row:
    instant, zone = datetime.fromisoformat(row["fire_time"]), zone_of(row)
    local = f"{instant.astimezone(zone):%a} {wall(instant, zone)}"
    utc = "" if is_utc(instant, zone) else wall(instant, UTC)
    return (local, utc, relative(instant, now), row["job"] + ("*" if row.get("provisional") else ""))


def _beneath(row: Mapping[str, Any]) -> Iterator[str]:
    zone = zone_of(row)
    parts = []
    if row.get("excluded"):
        parts.append(f"skipped: {plain(row['excluded'])}")
    if row.get("moved_from"):
        parts.append(f"moved from {wall(datetime.fromisoformat(row['moved_from']), zone)}")
    if row["window_end"]:
        parts.append(f"stops {wall(datetime.fromisoformat(row['window_end']), zone)}")
    if row["reruns"]:
        due = [wall(datetime.fromisoformat(text), zone) for text in row["reruns"]]
        more = f", … {len(due) - 3} more" if len(due) > 3 else ""
        parts.append(f"reruns {', '.join(due[:3])}{more}")
    for part in parts:
        yield f"    {part}"
