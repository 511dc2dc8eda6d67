"""`jobsd simulate`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from config.definitions import Configuration, Settings
from jobsd.cli.coming import Coming, coming, why_never
from jobsd.cli.files import chosen, file_zone, read
from jobsd.cli.next_times import PROVISIONAL, lines
from jobsd.cli.options import MOMENT, jobs_argument, json_option, required_config
from jobsd.cli.output import Row, echo_json, echo_lines, note, table
from jobsd.cli.progress import tracked
from jobsd.cli.simulation import Overlap, Simulation, simulated, simulation_json
from jobsd.cli.when import as_instant, length, wall
from jobsd.cli.when import now as present

SHOWN = 5
_INSTANT = timedelta(microseconds=1)


@click.command()
@required_config
@click.option("--from", "since", type=MOMENT, required=True, help="Begin, inclusive; a date is its first instant.")
@click.option("--to", "until", type=MOMENT, required=True, help="End, inclusive; a date is the whole day.")
@click.option("--summary", is_flag=True, help="Only the summary, not every fire.")
@json_option
@jobs_argument
def simulate(
    path: Path,
    since: datetime | date,
    until: datetime | date,
    jobs: tuple[str, ...],
    *,
    summary: bool,
    as_json: bool,
) -> None:
    """Show every fire in a span, the busiest minutes, and how many run windows are open at once.

    Times without an offset are read in the file's zone (settings.timezone). Windows of different jobs may overlap
    freely; where one job's windows overlap, its `overlap:` decides.

    Example: jobsd simulate -c jobs.yaml --from 2026-12-01 --to 2026-12-31 --summary
    """
    configuration = read(path)
    zone = file_zone(configuration)
    start, end = as_instant(since, zone), as_instant(until, zone, end=True)
    if end < start:
        raise click.UsageError("--to lies before --from")
    definitions, now = chosen(configuration, jobs, path), present()
    fires = coming(definitions, after=start - _INSTANT, until=end, most=None, now=now)
    span = (end - start) / timedelta(seconds=1) or 1.0
    watched = tracked(fires, lambda fire: (fire.fire_time - start) / timedelta(seconds=1) / span, "simulating")
    simulation = simulated(watched, definitions)
    if as_json:
        echo_json(simulation_json(simulation, start, end))
        return
    if not summary:
        echo_lines(lines((fire.json() for fire in simulation.told), now))
        click.echo()
    echo_lines(_summary(simulation, configuration, start, end, zone))
    for job in definitions:
        if (why := why_never(job)) is not None:
            note(f"{job.name}: {why}")


def _summary(
    simulation: Simulation, configuration: Configuration, start: datetime, end: datetime, zone: ZoneInfo
) -> Iterator[str]:
    fires = len(simulation.fires)
    yield f"{fires} fire{'' if fires == 1 else 's'} from {wall(start, zone)} to {wall(end, zone)}"
    yield from table(
        ("JOB", "FIRES", "FIRST", "LAST"),
        [_counted(name, found) for name, found in simulation.by_job().items() if found],
        indent="  ",
    )
    yield from _excluded(simulation.excluded())
    if any(fire.provisional for fire in simulation.fires):
        yield PROVISIONAL
    busiest = [(minute, jobs) for minute, jobs in simulation.busiest()[:SHOWN] if jobs.total() > 1]
    if busiest:
        yield "Busiest minutes"
        yield from table(("MINUTE", "FIRES", "JOBS"), [_minute(*pair, zone) for pair in busiest], indent="  ")
    yield from _overlaps(simulation, configuration.settings, zone)


def _excluded(found: list[Coming]) -> Iterator[str]:
    """How many occurrences calendars exclude, and what becomes of them."""
    if found:
        moved = sum(one.moved_to is not None for one in found)
        also = f", {moved} of them moved" if moved else ""
        yield f"{len(found)} occurrence{'s' * (len(found) > 1)} excluded by calendars{also}"


def _counted(name: str, fires: list[Coming]) -> Row:
    zone = ZoneInfo(fires[0].zone)
    name += "*" if fires[0].provisional else ""
    return (name, str(len(fires)), wall(fires[0].fire_time, zone), wall(fires[-1].fire_time, zone))


def _minute(minute: datetime, jobs: Counter[str], zone: ZoneInfo) -> Row:
    names = [name if count == 1 else f"{name} ×{count}" for name, count in jobs.most_common(3)]  # noqa: RUF001
    more = f", … {len(jobs) - 3} more" if len(jobs) > 3 else ""
    return (wall(minute, zone), str(jobs.total()), ", ".join(names) + more)


def _overlaps(simulation: Simulation, settings: Settings, zone: ZoneInfo) -> Iterator[str]:
    peak = simulation.peak
    if peak.at is not None:
        room = settings.max_running
        over = f": more than max_running, {room}, so some wait" if peak.windows > room else ""
        yield f"At most {peak.windows} window{'s' * (peak.windows != 1)} at once, {wall(peak.at, zone)}{over}"
    for limit, reached in simulation.limits.items():
        size = settings.limits.get(limit)
        if size is not None and reached.at is not None and reached.windows > size:
            places = f"{size} place{'s' * (size != 1)}"
            yield f"Limit {limit}: {reached.windows} windows at once, {wall(reached.at, zone)}, for {places}"
    often = simulation.often()
    if often:
        yield "Overlapping windows"
        rows = [_together(pair, overlap, simulation, zone) for pair, overlap in often[: 2 * SHOWN]]
        yield from table(("JOBS", "TIMES", "FIRST"), rows, indent="  ")
    if len(often) > 2 * SHOWN:
        yield f"  … {len(often) - 2 * SHOWN} more pairs: --json has them all"


def _together(pair: tuple[str, str], overlap: Overlap, simulation: Simulation, zone: ZoneInfo) -> Row:
    first, second = pair
    names = f"{first}, {second}"
    if first == second:
        job = simulation.definitions[first]
        window = job.schedule.window if job.schedule else None
        names = f"{first} with itself (window {length(window or timedelta())}, overlap: {job.overlap})"
    return (names, str(overlap.times), wall(overlap.first_at.astimezone(UTC), zone))
