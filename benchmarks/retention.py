"""Retention beside the work: a ledger of many runs is pruned to half while a hundred more fire each minute.

Prints the longest transaction, their mean, and by how much runs start late, without and with retention at work.
Usage: python -P benchmarks/retention.py [RUNS] (-P: a neighbour of this file has the name of a package)
"""

from __future__ import annotations

import asyncio
import sqlite3
import statistics
import sys
import tempfile
import time
import uuid
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog

from config import loads
from config.definitions import Retention
from jobsd.daemon import Daemon
from scheduler import retention
from scheduler.clock import SystemClock
from scheduler.ledger import Ledger
from scheduler.ledger.rows import RUNS, run_row
from scheduler.ledger.writer import Writer

JOBS = 1_000
KEPT = "200d"
SPAN = timedelta(days=400)
BASELINE_S = 60
TEXT = f"""
version: 1
settings: {{retention: {{runs: {KEPT}}}, http: {{listen: "127.0.0.1:0"}}}}
defaults: {{schedule: {{interval: 6s}}, run: {{command: {{argv: ["true"]}}}}}}
jobs: [{", ".join(f"{{name: tick-{n}}}" for n in range(10))}]
"""
CYCLE = '{"window": null, "rerun": null, "gap": "shift", "fold": "first", "offset": 0.0}'


def fill(path: Path, count: int, now: datetime) -> None:
    """Write `count` ended runs, the oldest SPAN ago: four of ten have two assets with two results each."""
    Ledger(path).close()
    begin, step = now - SPAN, SPAN / count
    with closing(sqlite3.connect(path)) as ledger, ledger:
        ledger.executemany(
            "INSERT INTO jobs (job_id, guid, name, name_folded, origin, version_id, watermark, known_since,"
            " schedule_since, armed) VALUES (?, ?, ?, ?, 'yaml', ?, ?, ?, ?, 0)",
            [(n, str(uuid.uuid4()), f"old-{n}", f"old-{n}", n, *[_text(begin)] * 3) for n in range(1, JOBS + 1)],
        )
        ledger.executemany(
            "INSERT INTO job_versions (version_id, job_id, digest, body, from_at) VALUES (?, ?, 'x', '{}', ?)",
            [(n, n, _text(begin)) for n in range(1, JOBS + 1)],
        )
        for first in range(1, count + 1, 10_000):
            _fill(ledger, [(n, _text(begin + step * n)) for n in range(first, min(first + 10_000, count + 1))])


def _fill(ledger: sqlite3.Connection, runs: list[tuple[int, str]]) -> None:
    ledger.executemany(
        "INSERT INTO runs (run_no, run_id, job_id, version_id, kind, fire_time, civil, zone, state, opened_at,"
        " started_at, ended_at, cycle, has_assets, attempts, tries)"
        " VALUES (?, ?, ?, ?, 'fire', ?, ?, 'UTC', 'succeeded', ?, ?, ?, ?, ?, 1, 1)",
        [(n, str(uuid.uuid4()), n % JOBS + 1, n % JOBS + 1, *[at] * 5, CYCLE, n % 10 < 4) for n, at in runs],
    )
    ledger.executemany(
        "INSERT INTO attempts (run_no, number, cause, version_id, owner, token, lease_until, started_at, ended_at,"
        " ended) VALUES (?, 1, 'fire', ?, 'host:1:x', ?, ?, ?, ?, 'completed')",
        [(n, n % JOBS + 1, uuid.uuid4().hex, *[at] * 3) for n, at in runs],
    )
    ledger.executemany(
        "INSERT INTO events (at, name, job_id, run_no, attempt, to_state, actor, actor_by)"
        " VALUES (?, ?, ?, ?, 1, 'running', 'jobsd', 'clock')",
        [(at, name, n % JOBS + 1, n) for n, at in runs for name in ("open", "start", "succeed")],
    )
    assets = [(n, a) for n, _ in runs if n % 10 < 4 for a in ("web-1", "web-2")]
    ledger.executemany(
        "INSERT INTO run_assets (run_no, asset_type, asset_id, position, state) VALUES (?, 'linux', ?, 0, 'done')",
        assets,
    )
    ledger.executemany(
        "INSERT INTO check_results VALUES (?, 'linux', ?, 'cis-1', ?, 0, 'pass', 'it is as it should be')",
        [(n, a, check) for n, a in assets for check in ("1.1.1", "1.1.2")],
    )


def _text(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}"


def late(daemon: Daemon, begin: datetime, end: datetime) -> list[float]:
    """By how many seconds the runs between these instants started late."""
    rows = daemon.ledger.read(lambda c: [run_row(r) for r in c.execute(RUNS.order_by("run_no")).all()[-5_000:]])
    ours = (run for run in rows if run.job.startswith("tick-") and begin <= run.fire_time < end and run.started_at)
    return [(run.started_at - run.fire_time).total_seconds() for run in ours if run.started_at]


def told(what: str, seconds: list[float]) -> None:
    """One line about delays."""
    ordered = sorted(seconds)
    print(
        f"{what}: {len(ordered)} runs, late by {statistics.median(ordered) * 1e3:.0f} ms (median), "
        f"{ordered[int(len(ordered) * 0.99)] * 1e3:.0f} ms (99 of 100), {ordered[-1] * 1e3:.0f} ms (most)"
    )


def timed_commits() -> list[float]:
    """Have the writer's transactions timed from now on; their seconds."""
    seconds: list[float] = []
    plain = Writer._commit  # noqa: SLF001 - what is measured

    def commit(self: Writer, batch: list[object]) -> None:
        begun = time.perf_counter()
        plain(self, batch)  # type: ignore[arg-type]
        seconds.append(time.perf_counter() - begun)

    Writer._commit = commit  # type: ignore[method-assign,assignment] # noqa: SLF001 - likewise
    return seconds


async def measure(path: Path) -> None:
    """Run the daemon without retention at first, then with a round of it."""
    seconds, clock = timed_commits(), SystemClock()
    configuration = loads(TEXT, file="jobs.yaml", folder=path.parent)
    daemon = Daemon(configuration, path, clock)
    daemon.retention.ages = Retention  # nothing is old yet
    await daemon.start()
    begin = clock.now()
    await asyncio.sleep(BASELINE_S)
    told("before", late(daemon, begin, clock.now() - timedelta(seconds=6)))
    print(f"before: longest transaction {max(seconds) * 1e3:.0f} ms")
    seconds.clear()
    daemon.retention.ages = lambda: configuration.settings.retention
    begin, begun = clock.now(), time.perf_counter()
    done = await daemon.retention.round()
    took = time.perf_counter() - begun
    told("during", late(daemon, begin, clock.now() - timedelta(seconds=6)))
    print(f"during: {done.runs} runs deleted in {took:.0f} s ({done.runs / took:.0f} a second)")
    print(f"during: {len(seconds)} transactions, mean {statistics.mean(seconds) * 1e3:.1f} ms, ", end="")
    print(f"longest {max(seconds) * 1e3:.0f} ms; pause {retention.REST} times a step")
    await daemon.stop()


def main() -> None:
    """Fill a ledger in a folder of its own and measure."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 500_000
    structlog.configure(
        processors=[structlog.dev.ConsoleRenderer()], logger_factory=structlog.ReturnLoggerFactory()
    )
    with tempfile.TemporaryDirectory(prefix="jobsd-retention-") as folder:
        path = Path(folder) / "ledger.db"
        begun = time.perf_counter()
        fill(path, count, SystemClock().now())
        print(f"{count} runs, {path.stat().st_size / 1e6:.0f} MB, written in {time.perf_counter() - begun:.0f} s")
        asyncio.run(measure(path))


if __name__ == "__main__":
    main()
