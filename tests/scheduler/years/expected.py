"""The rows that the ledger should have, by the rules of the pages, from what the walk found and what befell the jobs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

ON_TIME = timedelta(seconds=60)
ENDS = {
    "ok": ("succeeded",),
    "fails": ("failed",),
    "flaky": ("succeeded",),
    "left": ("succeeded", "expired", "cancelled"),
}


@dataclass(frozen=True)
class Row:
    """One occurrence's row: the states that it may end in, words of its reason, and where it was moved from."""

    states: tuple[str, ...]
    reason: str = ""
    moved_from: datetime | None = None


@dataclass
class Known:
    """A job in force: what is still to come due of it (ascending), and since when its schedule holds."""

    job: Any
    due: list[Any]
    since: datetime
    rows: dict[datetime, Row] = field(default_factory=dict)


class Expected:
    """Follows every job through what happens; `times(when, since)` is what the walk finds after an instant."""

    def __init__(self, times: Any) -> None:
        self.times = times
        self.known: dict[str, Known] = {}
        self.paused: dict[str, tuple[datetime, datetime | None]] = {}
        """By name: a job that goes from the file and comes back is still paused."""
        self.rows: dict[str, dict[datetime, Row]] = {}

    def put(self, jobs: Any, at: datetime) -> None:
        """The file says this from `at` on: what came due before under another schedule is missed."""
        named = {job.name: job for job in jobs}
        for name, known in list(self.known.items()):
            job = named.get(name)
            if job is not None and job.enabled and job.when == known.job.when:
                known.job = job
                continue
            reason = (
                "the job was removed"
                if job is None
                else "schedule changed"
                if job.enabled
                else "the job was disabled"
            )
            promised = {at for at, row in known.rows.items() if row.reason == "calendar "}
            for due in self.taken(known, at):
                origin = next((origin for origin in due.origins if origin in promised), None)
                if due.own or origin is not None:
                    known.rows[due.at] = Row(("missed",), reason, origin)
            if job is None or not job.enabled:
                del self.known[name]
            else:
                known.job, known.due, known.since = job, self.times(job.when, at), at
        for name, job in named.items():
            if job.enabled and name not in self.known:
                rows = self.rows.setdefault(name, {})
                self.known[name] = Known(job, self.times(job.when, at), at, rows=rows)

    def pause(self, name: str, at: datetime, until: datetime | None) -> None:
        """A pause begins."""
        self.paused[name] = (at, until)

    def resume(self, name: str) -> None:
        """It ends by hand; all that came due by now has its row."""
        del self.paused[name]

    def awake(self, until: datetime) -> None:
        """Everything up to `until` is seen at its own instant."""
        for known in self.known.values():
            for due in self.taken(known, until):
                self.judge(known, [due], due.at)

    def blind(self, until: datetime) -> None:
        """Nothing is seen up to `until`, and then all at once."""
        for known in self.known.values():
            self.judge(known, self.taken(known, until), until)

    def taken(self, known: Known, until: datetime) -> list[Any]:
        """What comes due by then and was not seen."""
        number = 0
        while number < len(known.due) and known.due[number].at <= until:
            number += 1
        found, known.due = known.due[:number], known.due[number:]
        return found

    def judge(self, known: Known, due: list[Any], now: datetime) -> None:
        """Rows for what is seen at `now`: closed, paused, run, or missed by the job's catch-up."""
        job, wanted = known.job, []
        for one in due:
            origin = one.origins[0] if one.origins else None
            if one.closed:
                known.rows[one.at] = Row(("skipped",), "calendar ")
            elif self.is_paused(job.name, one.at):
                known.rows[one.at] = Row(("skipped",), "paused", origin)
            else:
                wanted.append(one)
        for one in wanted:
            origin, late = one.origins[0] if one.origins else None, now - one.at
            if job.policy != "all" and one is not wanted[-1]:
                row = Row(("missed",), "took its place", origin)
            elif job.policy == "none" and late > ON_TIME:
                row = Row(("missed",), "catch_up: none", origin)
            elif late > job.grace:
                row = Row(("missed",), "later than its grace", origin)
            else:
                row = self.run(known, one)
            known.rows[one.at] = row

    def is_paused(self, name: str, at: datetime) -> bool:
        """Whether an instant lies in the job's pause."""
        begin, end = self.paused.get(name, (None, None))
        return begin is not None and begin <= at and (end is None or at < end)

    def run(self, known: Known, one: Any) -> Row:
        """It runs, unless it was moved from times at which this schedule was not in force."""
        moved = [origin for origin in one.origins if origin > known.since]
        if moved or one.own:
            return Row(ENDS[known.job.does], "", moved[0] if moved else None)
        return Row(("skipped",), "was not moved when it came due", one.origins[0])
