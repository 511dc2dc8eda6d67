"""Compares what was due with what the ledger says and with what the work itself wrote down.

It reads the ledger with plain SQL and counts occurrences itself: no code of the product has a say.
"""

import math
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from chaos.counterparts import LYING
from chaos.reasons import Reasons
from chaos.rows import instant

FINAL = {"succeeded", "failed", "missed", "skipped", "expired", "lost", "cancelled"}
NEED_A_REASON = FINAL - {"succeeded"}
TOLD = {"succeeded", "failed", "expired", "missed", "lost"}
CUT_OFF = {"interrupted", "stopped", "failed", "lost"}

NO_ROOM, NO_ROOM_FOR_DATA = "could not be kept", "cannot be kept"
"""In the reason of an attempt, and of an asset, whose output found no room on a full disk: it failed, and is left."""

SOON_S = 10.0
"""What a counterpart got may come again if the daemon was killed within so many seconds; later it is written down."""

LATE_S = 1.0
"""A counterpart may read so much later what a daemon sent that is dead by then."""


@dataclass
class Findings:
    """Faults by kind, each in words; `repeats` are the repeats at the points that docs/guarantees.md names."""

    lost: list = field(default_factory=list)
    extra: list = field(default_factory=list)
    duplicated: list = field(default_factory=list)
    unaccounted: list = field(default_factory=list)
    repeats: Counter = field(default_factory=Counter)
    occurrences: int = 0
    rows: Counter = field(default_factory=Counter)

    @property
    def faults(self):
        """All faults, in words."""
        kinds = ("lost", "extra", "duplicated", "unaccounted")
        return [f"{kind}: {one}" for kind in kinds for one in getattr(self, kind)]

    def add(self, other):
        """Those of another world too."""
        for kind in ("lost", "extra", "duplicated", "unaccounted"):
            getattr(self, kind).extend(getattr(other, kind))
        self.repeats += other.repeats
        self.rows += other.rows
        self.occurrences += other.occurrences


class Judge:
    """Over one world; `glance` after each kill, `judge` at the end."""

    def __init__(self, world):
        self.world = world
        self.findings = Findings()
        self._final = {}
        self._ended = {}
        self._done = {}
        self._no_room = set()
        self.tokens = {}
        self._deliveries_seen = {}
        self._delivered = {}
        self._job_runs = {}

    def glance(self, ledger, *, now=None, dead_at=math.inf):
        """What was told once stays so: ends of runs and attempts, assets that are done, up to the age of retention.

        `dead_at` is the stopwatch when the daemon had just died.
        """
        kept_from = self._kept_from(now)
        runs = {row["run_no"]: row for row in ledger["runs"]}
        jobs = {row["job_id"]: row["name"] for row in ledger["jobs"]}
        for row in ledger["attempts"]:
            run = runs.get(row["run_no"])
            if run is not None:
                self.tokens[row["token"]] = (run["run_id"], jobs[run["job_id"]])
        self._no_room |= {
            (runs[row["run_no"]]["run_id"], row["attempt"], row["asset_id"])
            for row in ledger["run_assets"]
            if NO_ROOM_FOR_DATA in row["reason"] and row["run_no"] in runs
        }
        self._deliveries_seen |= {row["delivery_id"]: row for row in ledger["deliveries"]}
        for row in ledger["deliveries"]:
            if row["state"] == "delivered":
                self._delivered.setdefault(row["delivery_id"], dead_at)
        memory = ledger["run_memory"].by("run_no")
        for run_no, rows in ((run_no, memory[run_no]) for run_no in memory.keys() & runs.keys()):
            self._job_runs[runs[run_no]["run_id"]] = {row["name"]: row["value"] for row in rows}
        present = {run["run_id"] for run in runs.values()}
        gone = {run_id for run_id, value in self._final.items() if run_id not in present}
        for run_id in gone:
            if kept_from is None or instant(self._final[run_id][2]) > kept_from:
                self.findings.lost.append(f"run {run_id} was {self._final[run_id]} and is gone")
        now_final = {r["run_id"]: (r["state"], r["reason"], r["ended_at"]) for r in runs.values() if r["ended_at"]}
        now_ended = {
            (runs[r["run_no"]]["run_id"], r["number"]): (r["ended"], r["ended_at"])
            for r in ledger["attempts"]
            if r["ended_at"] and r["run_no"] in runs
        }
        now_done = {
            (runs[r["run_no"]]["run_id"], r["asset_type"], r["asset_id"]): (r["state"], r["attempt"])
            for r in ledger["run_assets"]
            if r["state"] in ("done", "fresh") and r["run_no"] in runs
        }
        for known, found, what in (
            (self._final, now_final, "run"),
            (self._ended, now_ended, "attempt"),
            (self._done, now_done, "asset"),
        ):
            for key, value in known.items():
                if (key[0] if isinstance(key, tuple) else key) not in gone and found.get(key) != value:
                    self.findings.lost.append(f"{what} {key} was {value} and is {found.get(key)}")
            known.clear()
            known.update(found)

    def _kept_from(self, now):
        """What ended after this must still be there; None without retention."""
        return None if self.world.retention is None or now is None else now - self.world.retention

    def judge(self, ledger, *, until, notes=None, parts=None, kills=(), recorded_by=None):
        """The findings; all that is due up to `until` must be there, and nothing be under way any more."""
        self.glance(ledger, now=until)
        self._occurrences(ledger, until, recorded_by)
        self._states(ledger)
        self.findings.unaccounted += Reasons(ledger, self.world).unfounded()
        self._work(ledger, self.world.notes if notes is None else notes)
        if parts is not None:
            self._told(ledger, until)
            self._deliveries(parts, kills)
            self._executions(parts, ledger)
            self._posts(parts)
        return self.findings

    def _occurrences(self, ledger, until, recorded_by):
        jobs, runs = {row["name"]: row for row in ledger["jobs"]}, ledger["runs"].by("job_id")
        for name in self.world.jobs:
            row = jobs.get(name)
            if row is None:
                self.findings.lost.append(f"{name}: the job was never recorded")
                continue
            since = instant(row["known_since"])
            latest = max(filter(None, (recorded_by, self._kept_from(until))), default=None)
            if latest is not None and since > latest:
                self.findings.lost.append(f"{name}: known only since {since}, which is after {latest}")
            fired = [run for run in runs[row["job_id"]] if run["kind"] == "fire"]
            self._covered(name, since, until, fired)

    def _covered(self, name, since, until, fired):
        due = self.world.due(name, datetime.min.replace(tzinfo=UTC), until + timedelta(days=1))
        known, covered = set(due), Counter()
        for run in fired:
            first, last = instant(run["fire_time"]), instant(run["last_fire_time"])
            if first not in known:
                self.findings.extra.append(f"{name}: a run at {first}, at which nothing was due")
            stretch = [first] if last is None else [one for one in due if first <= one <= last]
            if last is not None and len(stretch) != run["occurrences"]:
                told = f"{run['occurrences']} told, {len(stretch)} were"
                self.findings.unaccounted.append(f"{name}: a stretch from {first} to {last}: {told}")
            covered.update(stretch)
            self.findings.rows[run["state"]] += 1
        for one in due:
            if since < one <= until:
                self.findings.occurrences += 1
                if not covered[one]:
                    self.findings.lost.append(f"{name}: nothing tells of {one}")
            if covered[one] > 1:
                self.findings.duplicated.append(f"{name}: {one} has {covered[one]} rows")

    def _states(self, ledger):
        events, attempts = ledger["events"].by("run_no"), ledger["attempts"].by("run_no")
        for run in ledger["runs"]:
            told = f"run {run['run_id']} ({run['state']})"
            if run["state"] not in FINAL:
                self.findings.unaccounted.append(f"{told} has not ended: {run['reason']}")
            if run["state"] in NEED_A_REASON and not run["reason"]:
                self.findings.unaccounted.append(f"{told} has no reason")
            if not events[run["run_no"]]:
                self.findings.unaccounted.append(f"{told} has no events")
            tries = attempts[run["run_no"]]
            if any(one["ended_at"] is None for one in tries):
                self.findings.unaccounted.append(f"{told} has an open attempt")
            if [one["number"] for one in tries] != list(range(1, run["attempts"] + 1)):
                self.findings.unaccounted.append(f"{told} counts {run['attempts']} attempts and has {len(tries)}")
            if run["state"] in ("missed", "skipped") and tries:
                self.findings.unaccounted.append(f"{told} was attempted")

    def _work(self, ledger, notes):
        """What the programs noted, run by run."""
        attempts = {row["token"]: row for row in ledger["attempts"]}
        runs = {row["run_no"]: row for row in ledger["runs"]}
        found = defaultdict(lambda: defaultdict(list))  # run -> (token, asset) -> words
        settled_by, last = set(), {}
        for word, job, run_id, token, asset in notes:
            if self.tokens.get(token) != (run_id, job):
                self.findings.extra.append(
                    f"{job}: work for a run that the ledger does not know: {run_id} {token}"
                )
            elif token in attempts:
                found[attempts[token]["run_no"]][token, asset].append(word)
                if word == "begin" and last.get(token, ("", ""))[0] == "end":
                    settled_by.add((token, last[token][1]))  # the next begins once that is on the disk
                last[token] = word, asset
        for run_no, work in found.items():
            for (token, asset), words in work.items():
                if words.count("begin") != 1:
                    count = words.count("begin")
                    self.findings.duplicated.append(
                        f"{self.tokens[token]} {asset}: begun {count} times in one attempt"
                    )
            self._repeated(runs[run_no], work, attempts, settled_by)
        settled, names = ledger["run_assets"].by("run_no"), {row["job_id"]: row["name"] for row in ledger["jobs"]}
        for run_no, run in runs.items():
            self._told_done(run, names[run["job_id"]], found.get(run_no, {}), attempts, settled[run_no])

    def _repeated(self, run, work, attempts, settled_by):
        """Work of one run that was begun in more than one attempt."""
        by_asset = defaultdict(list)
        for token, asset in work:
            by_asset[asset].append(token)
        job = None
        for asset, tokens in by_asset.items():
            job = self.world.jobs[self.tokens[tokens[0]][1]]
            tokens.sort(key=lambda token: attempts[token]["number"])
            for token in tokens[:-1]:
                told = f"{job.name} {run['run_id']} {asset}: begun again after attempt {attempts[token]['number']}"
                finished, ended = "end" in work[token, asset], attempts[token]["ended"]
                no_room = NO_ROOM in attempts[token]["reason"]
                no_room = no_room or (run["run_id"], attempts[token]["number"], asset) in self._no_room
                if not job.idempotent and not job.assets:
                    self.findings.duplicated.append(told)
                elif finished and job.assets and no_room:
                    self.findings.repeats[f"{job.name}: done, and there was no room for its data"] += 1
                elif finished and (ended == "completed" or (job.one_by_one and (token, asset) in settled_by)):
                    self.findings.duplicated.append(f"{told}, which had done it")
                elif finished:
                    self.findings.repeats[f"{job.name}: done, and the daemon died before it was written down"] += 1
                elif "fail" not in work[token, asset]:
                    self.findings.repeats[f"{job.name}: cut off in its midst ({ended})"] += 1

    def _told_done(self, run, name, work, attempts, settled):
        """What the ledger calls done must have been done."""
        words = defaultdict(list)
        for (token, asset), said in work.items():
            words[attempts[token]["number"], asset] += said
        for row in settled:
            asset = row["asset_id"]
            if row["state"] == "done" and "@" not in asset and "end" not in words[row["attempt"], asset]:
                self.findings.unaccounted.append(f"run {run['run_id']}: {asset} is called done and was not")
        job = self.world.jobs.get(name)
        whole = job is not None and "run: {command:" in job.text
        if run["state"] == "succeeded" and whole and "end" not in words[run["attempts"], "-"]:
            self.findings.unaccounted.append(f"run {run['run_id']} is called succeeded and was not done")

    def _told(self, ledger, until):
        """Each outcome that counts has its mail and its webhook."""
        jobs = {row["job_id"]: row["name"] for row in ledger["jobs"]}
        by_run, kept_from = ledger["deliveries"].by("run_no"), self._kept_from(until)
        for run in ledger["runs"]:
            job = self.world.jobs.get(jobs[run["job_id"]])
            if job is None or not job.mails or run["state"] not in TOLD:
                continue
            if kept_from is not None and instant(run["ended_at"]) <= kept_from:
                continue
            kinds = Counter(row["kind"] for row in by_run[run["run_no"]] if row["about"] != "late")
            for kind in ("mail", "webhook"):
                if kinds[kind] != 1:
                    self.findings.lost.append(
                        f"run {run['run_id']} ({run['state']}): {kinds[kind]} of kind {kind}"
                    )

    def _deliveries(self, parts, kills):
        """What was told came, and what came was told."""
        came = defaultdict(list)
        for at, mood, delivery, _ in parts.hooks:
            came[delivery].append((at, mood))
        for at, mood, message, _ in parts.mails:
            came[message.strip("<>").split("@")[0]].append((at, mood))
        known = self._deliveries_seen
        for delivery in came.keys() - known.keys():
            self.findings.extra.append(f"a delivery that the ledger does not know: {delivery}")
        for delivery, row in known.items():
            if row["kind"] not in ("mail", "webhook"):
                continue
            if row["state"] == "pending":
                self.findings.unaccounted.append(f"{row['kind']} {delivery} is still pending: {row['reason']}")
            if row["state"] == "refused" or (row["state"] == "void" and row["about"] != "late"):
                self.findings.lost.append(f"{row['kind']} {delivery} is {row['state']}: {row['reason']}")
            if row["state"] == "delivered" and delivery not in came:
                self.findings.unaccounted.append(f"{row['kind']} {delivery} is called delivered and never came")
            self._again(
                f"{row['kind']} {delivery}", came[delivery], kills, self._delivered.get(delivery, math.inf)
            )

    def _again(self, what, came, kills, known_at):
        """Each repeat needs an answer that was not given, or a kill before it could be written down."""
        for (first, mood), (second, _) in pairwise(came):
            kind = what.split()[0]
            if second > known_at + LATE_S:
                self.findings.duplicated.append(f"{what} came again, though it was known to have been delivered")
            elif mood == LYING:
                self.findings.repeats[f"{kind}: taken, and the answer was lost"] += 1
            elif any(first - LATE_S <= at <= min(second, first + SOON_S) for at, _ in kills):
                self.findings.repeats[f"{kind}: taken, and the daemon died before it was written down"] += 1
            else:
                self.findings.duplicated.append(f"{what} came twice, {second - first:.1f} s apart")

    def _executions(self, parts, ledger):
        """What was begun at a counterpart is one run's of ours."""
        names = {row["job_id"]: row["name"] for row in ledger["jobs"]}
        done = defaultdict(list)
        for run in ledger["runs"]:
            if run["state"] == "succeeded":
                done[names[run["job_id"]]].append(run["run_id"])
        self._begun("ccs", "ccs_run", "ccs_sent", [run_id for _, run_id, _, _ in parts.executed], done["ccs"])
        self._begun("sde", "sde_job", "sde_sent", [str(number) for number in parts.initiated], done["sde"])

    def _begun(self, what, key, sent, there, done):
        for run_id in done:
            mine = self._job_runs.get(run_id, {}).get(key, "").lower().partition("@")[0]
            if mine not in there:
                self.findings.unaccounted.append(
                    f"{what}: run {run_id} is called succeeded and was not begun there"
                )
        owners, unsure = Counter(), 0
        for values in self._job_runs.values():
            if key in values:
                owners[values[key].lower().partition("@")[0]] += 1
            elif sent in values:
                unsure += 1
        nobodys = [one for one in there if not owners[one]]
        for one, count in owners.items():
            if count > 1:
                self.findings.duplicated.append(f"{what}: {count} runs call {one} theirs")
        if len(nobodys) > unsure:
            self.findings.extra.append(f"{what}: begun and remembered by no run: {nobodys}")
        elif nobodys:
            self.findings.repeats[f"{what}: begun, and the run ended before it was known"] += len(nobodys)

    def _posts(self, parts):
        counts = Counter(message for *_, message in parts.posted)
        for message, count in counts.items():
            if count > 1:
                self.findings.duplicated.append(f"sde: the result {message!r} was posted {count} times")
        rows = [row for row in self._deliveries_seen.values() if row["kind"] == "sde_result"]
        told = Counter(row["state"] for row in rows)
        if told["delivered"] > len(parts.posted):
            self.findings.unaccounted.append(f"sde: {told['delivered']} results told, {len(parts.posted)} came")
        if len(parts.posted) > len(rows):
            self.findings.extra.append(f"sde: {len(rows)} results, {len(parts.posted)} came")
        if told["pending"]:
            self.findings.unaccounted.append(f"sde: {told['pending']} results are still pending")
