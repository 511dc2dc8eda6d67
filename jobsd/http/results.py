"""The results of a run, some assets at a time: the answer is never whole in memory."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from jobsd.http.service import Service
from jobsd.views.results import ResultLine, RunSummary, result_lines, run_summary
from scheduler.ledger import Connection, assets, results
from scheduler.ledger.assets import AssetRow
from scheduler.ledger.results import ResultFilter
from scheduler.model import RunRow

COLUMNS = tuple(ResultLine.model_fields)
HEADER = ("job", "run_id", "fire_time", *COLUMNS)
AT_ONCE = 100
"""Assets read at once."""

BYTE_ORDER_MARK = "\ufeff"
"""By it spreadsheets know that a file is UTF-8; other programs take it for a part of the first column's name."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""How a text begins that a spreadsheet would take for a formula; the last four are these signs in full width."""


@dataclass(frozen=True, slots=True)
class Results:
    """Those results of a run that `which` wants, and every asset that has none."""

    service: Service
    run: RunRow
    which: ResultFilter

    async def csv(self, *, mark: bool) -> AsyncIterator[str]:
        """The lines of a CSV file, the header first; with `mark` a spreadsheet knows its encoding."""
        yield (BYTE_ORDER_MARK if mark else "") + _text([HEADER])
        run = (self.run.job, self.run.run_id, _instant(self.run.fire_time))
        async for lines in self._lines():
            yield _text((*run, *(_cell(getattr(line, name)) for name in COLUMNS)) for line in lines)

    async def json(self) -> AsyncIterator[str]:
        """A `RunResults`, bit by bit."""
        summary = await self.service.read(self._summary)
        yield summary.model_dump_json()[:-1] + ',"results":['
        before = ""
        async for lines in self._lines():
            if lines:
                yield before + ",".join(line.model_dump_json() for line in lines)
                before = ","
        yield "]}"

    async def _lines(self) -> AsyncIterator[list[ResultLine]]:
        rows = await self.service.read(lambda c: assets.of_run(c, self.run.run_no))
        wanted = [row for row in rows if not self.which.assets or row.asset.id in self.which.assets]
        for start in range(0, len(wanted), AT_ONCE):
            chunk = wanted[start : start + AT_ONCE]
            yield await self.service.read(lambda c, chunk=chunk: self._of(c, chunk))  # type: ignore[misc]

    def _of(self, connection: Connection, rows: Sequence[AssetRow]) -> list[ResultLine]:
        found = results.of_assets(connection, self.run.run_no, [row.asset for row in rows], self.which)
        return list(result_lines(rows, found))

    def _summary(self, connection: Connection) -> RunSummary:
        tally = assets.tally(connection, self.run.run_no)
        return run_summary(self.run, tally, results.tallies(connection, self.run.run_no, self.which))


def _cell(value: str | int | datetime | None) -> str:
    if isinstance(value, datetime):
        return _instant(value)
    return "" if value is None else str(value)


def _instant(value: datetime) -> str:
    return value.isoformat().replace("+00:00", "Z")


def _text(lines: Iterable[Sequence[str]]) -> str:
    out = io.StringIO()
    csv.writer(out).writerows([_harmless(cell) for cell in line] for line in lines)
    return out.getvalue()


def _harmless(cell: str) -> str:
    """A text that a spreadsheet would take for a formula is marked as text; control characters become visible."""
    seen = "".join(char if char.isprintable() or char in "\t\r\n" else _visible(char) for char in cell)
    return f"'{seen}" if seen.startswith(_FORMULA) else seen


def _visible(char: str) -> str:
    """Only what moves a terminal's cursor or a reader's eye: other signs are left as they are."""
    return f"\\x{ord(char):02x}" if ord(char) < 0xA0 or "\u202a" <= char <= "\u202e" else char
