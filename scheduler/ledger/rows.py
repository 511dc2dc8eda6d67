"""From the tables' rows to the program's values and back."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from recurrence.schedule import Fold, Gap, Rerun
from scheduler.ledger import schema
from scheduler.lifecycle import State
from scheduler.model import AttemptRow, Cause, Cycle, JobRow, Kind, RunRow

RUNS = sa.select(schema.runs, schema.jobs.c.name.label("job")).join_from(schema.runs, schema.jobs)
"""Runs with the names of their jobs; add a WHERE."""

_JOB_COLUMNS = frozenset(JobRow.__dataclass_fields__)
_RUN_COLUMNS = frozenset(RunRow.__dataclass_fields__)
_ATTEMPT_COLUMNS = frozenset(AttemptRow.__dataclass_fields__)


def job_row(row: sa.Row[Any]) -> JobRow:
    """A row of `jobs`."""
    values = {key: value for key, value in row._mapping.items() if key in _JOB_COLUMNS}  # noqa: SLF001 - its public name
    values["anchor"] = None if values["anchor"] is None else datetime.fromisoformat(values["anchor"])
    return JobRow(**values)


def run_row(row: sa.Row[Any]) -> RunRow:
    """A row of `RUNS`."""
    values = {key: value for key, value in row._mapping.items() if key in _RUN_COLUMNS}  # noqa: SLF001 - its public name
    values["kind"] = Kind(values["kind"])
    values["state"] = State(values["state"])
    values["civil"] = datetime.fromisoformat(values["civil"])
    values["cycle"] = cycle_from_json(values["cycle"])
    return RunRow(**values)


def attempt_row(row: sa.Row[Any]) -> AttemptRow:
    """A row of `attempts`."""
    values = {key: value for key, value in row._mapping.items() if key in _ATTEMPT_COLUMNS}  # noqa: SLF001 - its public name
    values["cause"] = Cause(values["cause"])
    return AttemptRow(**values)


def storable(text: str) -> str:
    """`text` as UTF-8 holds it: half characters (of a file's name that is not UTF-8) are escaped."""
    return text.encode("utf-8", "backslashreplace").decode()


def cycle_to_json(cycle: Cycle) -> dict[str, Any]:
    """`cycle` as JSON values, durations in seconds."""
    return {
        "window": None if cycle.window is None else cycle.window.total_seconds(),
        "rerun": None
        if cycle.rerun is None
        else [cycle.rerun.every.total_seconds(), cycle.rerun.period.total_seconds()],
        "gap": cycle.gap.value,
        "fold": cycle.fold.value,
        "offset": cycle.offset.total_seconds(),
    }


def cycle_from_json(body: dict[str, Any]) -> Cycle:
    """What `cycle_to_json` wrote."""
    window, rerun = body["window"], body["rerun"]
    return Cycle(
        None if window is None else timedelta(seconds=window),
        None if rerun is None else Rerun(timedelta(seconds=rerun[0]), timedelta(seconds=rerun[1])),
        Gap(body["gap"]),
        Fold(body["fold"]),
        timedelta(seconds=body["offset"]),
    )
