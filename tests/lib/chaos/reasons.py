"""Whether the reasons that rows give are true: an occurrence that was not run had to be left out.

A scheduler that writes "missed" for what it could have run loses nothing that can be counted. So each reason is held
against the other rows, and one that the checker does not know is a fault.
"""

import re
from datetime import timedelta

from chaos.rows import instant

ON_TIME = timedelta(minutes=1)
MOMENT = timedelta(seconds=5)
"""By the daemon's clock, which runs fast: an end has its instant so long before it is on the disk at the most."""


class Reasons:
    """Of the rows of one ledger, as rows.read has them, in a world."""

    def __init__(self, ledger, world):
        self._jobs, self._closed = world.jobs, world.closed
        self._rows = {row["run_id"]: row for row in ledger["runs"]}
        self._by_time = {(row["job_id"], instant(row["fire_time"])): row for row in ledger["runs"]}
        self._names = {row["job_id"]: row["name"] for row in ledger["jobs"]}
        self._since = {row["job_id"]: instant(row["known_since"]) for row in ledger["jobs"]}
        self._paused = {row["job_id"] for row in ledger["jobs"] if row["paused_at"]}
        self._events = ledger["events"].by("run_no")

    def unfounded(self):
        """The rows whose reason is not true, in words."""
        for row in self._rows.values():
            job = self._jobs.get(self._names[row["job_id"]])
            if job is None or row["kind"] != "fire":
                continue
            if not self._founded(job, row):
                yield f"{job.name} {row['fire_time']} is {row['state']}, which is not founded: {row['reason']}"

    def _founded(self, job, row):
        excluded = job.closes and self._closed(instant(row["fire_time"]))
        if excluded or row["reason"].startswith("calendar "):
            return excluded and row["state"] == "skipped" and row["reason"].startswith("calendar ")
        return row["state"] not in ("missed", "skipped") or self._holds(job, row)

    def _holds(self, job, row):
        """Whether the one reason that is told is true."""
        told = {
            "missed": {
                r"came due unobserved and is later than its grace of ": self._too_old,
                r"came due unobserved \(catch_up: none\)": self._unobserved,
                r"not started within its grace of ": self._waited,
                r"not run: the later occurrence of (\S+) took its place": self._superseded,
                r"the window closed before it could start": self._closed_window,
            },
            "skipped": {
                r"paused": self._pause,
                r"overlap: run (\S+) is still \w+ \(overlap: skip\)": self._overlapped,
                r"a newer occurrence took its place \(overlap: (?:queue|replace)\)": self._displaced,
            },
        }
        for pattern, holds in told[row["state"]].items():
            if found := re.match(pattern, row["reason"]):
                return holds(job, row, *found.groups())
        return False

    def _too_old(self, job, row):
        return instant(row["opened_at"]) - instant(row["last_fire_time"] or row["fire_time"]) > job.grace

    def _unobserved(self, job, row):
        return "policy: none" in job.text and instant(row["opened_at"]) - instant(row["fire_time"]) > ON_TIME

    def _waited(self, job, row):
        return instant(row["ended_at"]) - instant(row["fire_time"]) > job.grace

    def _superseded(self, _, row, later):
        """At the same look a later occurrence was found."""
        at = instant(later.replace("Z", ""))
        other = self._by_time.get((row["job_id"], at))
        if at <= instant(row["last_fire_time"] or row["fire_time"]):
            return False
        if other is None:  # retention has it
            return at < self._since[row["job_id"]]
        return other["opened_at"] == row["opened_at"]

    def _closed_window(self, _, row):
        return row["window_end"] is not None and instant(row["window_end"]) <= instant(row["ended_at"])

    def _pause(self, _, row):
        return row["job_id"] in self._paused

    def _overlapped(self, _, row, run_id):
        """That run was there, and had not ended at the look, or, if the clock was set back since, when this was written."""
        other = self._rows.get(run_id)
        if other is None:  # retention has it
            return True
        mine, theirs = self._events[row["run_no"]][0]["event_id"], self._events[other["run_no"]]
        ended = other["ended_at"] is not None and instant(other["ended_at"]) + MOMENT < instant(row["opened_at"])
        return (
            other["job_id"] == row["job_id"]
            and theirs[0]["event_id"] < mine
            and (not ended or mine < theirs[-1]["event_id"])
        )

    def _displaced(self, _, row):
        """A newer one was there, or was opened in the transaction that skipped this one."""
        return any(
            other["job_id"] == row["job_id"]
            and instant(other["fire_time"]) > instant(row["fire_time"])
            and other["opened_at"] <= row["ended_at"]
            for other in self._rows.values()
        )
