"""What a span of time brings: fires, busiest minutes, windows that overlap. Pure.

A window counts from its fire time to its end; runs of jobs without a window have no length here.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from config.definitions import JobDefinition
from jobsd.cli.coming import Coming, published
from jobsd.cli.when import utc_text

BUSIEST = 10


@dataclass(frozen=True, slots=True)
class Peak:
    """The most windows open at once, and when that was first so."""

    windows: int = 0
    at: datetime | None = None

    def json(self) -> dict[str, Any]:
        """As `--json` has it."""
        return {"windows": self.windows, "at": None if self.at is None else utc_text(self.at)}


@dataclass(slots=True)
class Overlap:
    """How often windows of two jobs (or of one, twice) were open together, and when first."""

    times: int
    first_at: datetime


@dataclass(slots=True)
class Simulation:
    """Built up by `add`, fire after fire in order of time.

    Attributes:
        overlaps: By the names of the two jobs, in the definitions' order; a job with itself has its name twice.
        limits: The peak of each named limit.
        told: The fires and what calendars exclude, in order of time.
    """

    definitions: Mapping[str, JobDefinition]
    fires: list[Coming] = field(default_factory=list)
    told: list[Coming] = field(default_factory=list)
    minutes: dict[datetime, Counter[str]] = field(default_factory=dict)
    overlaps: dict[tuple[str, str], Overlap] = field(default_factory=dict)
    peak: Peak = field(default_factory=Peak)
    limits: dict[str, Peak] = field(default_factory=dict)
    _open: list[tuple[datetime, int, str]] = field(default_factory=list)

    def add(self, fire: Coming) -> None:
        """Take one more fire, or an occurrence that is excluded, not before the last one."""
        self.told.append(fire)
        if fire.excluded is not None:
            return
        self.fires.append(fire)
        minute = fire.fire_time.replace(second=0, microsecond=0)
        self.minutes.setdefault(minute, Counter())[fire.job] += 1
        while self._open and self._open[0][0] <= fire.fire_time:
            heapq.heappop(self._open)
        if fire.window_end is None:
            return
        for _, _, other in self._open:
            self._note_overlap(other, fire)
        heapq.heappush(self._open, (fire.window_end, len(self.fires), fire.job))
        self.peak = _higher(self.peak, len(self._open), fire.fire_time)
        self._note_limits(fire)

    def _note_overlap(self, other: str, fire: Coming) -> None:
        pair = (other, fire.job) if other <= fire.job else (fire.job, other)
        if pair in self.overlaps:
            self.overlaps[pair].times += 1
        else:
            self.overlaps[pair] = Overlap(1, fire.fire_time)

    def _note_limits(self, fire: Coming) -> None:
        for limit in self.definitions[fire.job].limits:
            taken = sum(limit in self.definitions[job].limits for _, _, job in self._open)
            self.limits[limit] = _higher(self.limits.get(limit, Peak()), taken, fire.fire_time)

    def busiest(self) -> list[tuple[datetime, Counter[str]]]:
        """The minutes with the most fires, the busiest first, at one rank the earliest; at most `BUSIEST`."""
        return heapq.nsmallest(BUSIEST, self.minutes.items(), key=lambda pair: (-pair[1].total(), pair[0]))

    def by_job(self) -> dict[str, list[Coming]]:
        """The fires of each job, in the definitions' order; jobs without any too."""
        found: dict[str, list[Coming]] = {name: [] for name in self.definitions}
        for fire in self.fires:
            found[fire.job].append(fire)
        return found

    def excluded(self) -> list[Coming]:
        """What calendars exclude, in order of time."""
        return [one for one in self.told if one.excluded is not None]

    def often(self) -> list[tuple[tuple[str, str], Overlap]]:
        """The overlaps, the most frequent first."""
        return sorted(self.overlaps.items(), key=lambda pair: (-pair[1].times, pair[1].first_at, pair[0]))


def simulated(fires: Iterable[Coming], definitions: Sequence[JobDefinition]) -> Simulation:
    """The simulation of `fires`, in order of time, of these definitions."""
    simulation = Simulation({job.name: job for job in definitions})
    for fire in fires:
        simulation.add(fire)
    return simulation


def simulation_json(simulation: Simulation, since: datetime, until: datetime) -> dict[str, Any]:
    """`jobsd simulate --json`: instants in UTC; `fires` as `jobsd next --json` has them."""
    return {
        "from": utc_text(since),
        "to": utc_text(until),
        "total": len(simulation.fires),
        "jobs": [
            {
                "job": name,
                "fires": len(fires),
                "first": utc_text(fires[0].fire_time) if fires else None,
                "last": utc_text(fires[-1].fire_time) if fires else None,
            }
            for name, fires in simulation.by_job().items()
        ],
        "busiest_minutes": [
            {"minute": utc_text(minute), "fires": jobs.total(), "jobs": dict(jobs)}
            for minute, jobs in simulation.busiest()
        ],
        "overlaps": [
            {"jobs": list(pair), "times": overlap.times, "first_at": utc_text(overlap.first_at)}
            for pair, overlap in simulation.often()
        ],
        "peak": simulation.peak.json(),
        "limits": {limit: peak.json() for limit, peak in sorted(simulation.limits.items())},
        "fires": list(published(fire.json() for fire in simulation.fires)),
        "excluded": list(published(one.json() for one in simulation.excluded())),
    }


def _higher(peak: Peak, windows: int, at: datetime) -> Peak:
    return Peak(windows, at) if windows > peak.windows else peak
