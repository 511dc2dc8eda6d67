"""The results of a run as CSV, some assets at a time."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Iterable, Sequence

from jobsd.http.service import Service
from scheduler.ledger import Connection, assets
from scheduler.ledger.assets import AssetRow
from scheduler.model import RunRow

HEADER = (
    "job",
    "run_id",
    "fire_time",
    "asset_id",
    "asset_type",
    "asset_state",
    "asset_reason",
    "standard",
    "check",
    "result",
    "message",
)
AT_ONCE = 100
"""Assets read at once: the answer is never whole in memory."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


async def csv_lines(service: Service, run: RunRow) -> AsyncIterator[str]:
    """The lines of the file, the header first."""
    yield _text([HEADER])
    rows = await service.read(lambda c: assets.of_run(c, run.run_no))
    for start in range(0, len(rows), AT_ONCE):
        chunk = rows[start : start + AT_ONCE]
        yield await service.read(lambda c, chunk=chunk: _text(_lines(c, run, chunk)))  # type: ignore[misc]


def _lines(connection: Connection, run: RunRow, rows: Sequence[AssetRow]) -> Iterable[Sequence[str]]:
    fire_time = run.fire_time.isoformat().replace("+00:00", "Z")
    for row in rows:
        asset = (run.job, run.run_id, fire_time, row.asset.id, row.asset.type, row.state.value, row.reason)
        results = assets.results(connection, run.run_no, row.asset)
        if not results:
            yield (*asset, "", "", "", "")
        for _, result in results:
            yield (*asset, result.standard, result.check, result.result.value, result.message)


def _text(lines: Iterable[Sequence[str]]) -> str:
    out = io.StringIO()
    csv.writer(out).writerows([_harmless(cell) for cell in line] for line in lines)
    return out.getvalue()


def _harmless(cell: str) -> str:
    """A collected text that a spreadsheet would take for a formula is marked as text."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
