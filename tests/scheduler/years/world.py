"""Two hundred jobs of every kind of schedule and of run, and what befalls them in a year. Made by dice with a seed."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo

ZONES = (
    "Europe/Berlin", "America/New_York", "America/Los_Angeles", "Australia/Lord_Howe", "Pacific/Chatham",
    "America/Havana", "Africa/Cairo", "America/Santiago", "Antarctica/Troll", "Africa/Casablanca",
    "Asia/Kolkata", "UTC",
)  # fmt: skip
"""With changes of half an hour, of two hours, at midnight, in Ramadan, in the south, and with none."""

TIMES = (time(0), time(2), time(2, 30))
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
ORDINALS = ("", "first", "second", "third", "fourth", "last")
RUNS: dict[str, dict[str, Any]] = {
    "command": {"argv": ["true"]},
    "collect": {"type": "CollectionJob", "assets": [{"id": "a", "type": "host"}, {"id": "b", "type": "host"}]},
    "ccs": {"server": "ccs", "job": "0e3c4f1a-52b7-4f5e-9a69-8d2f6b7c1a10"},
    "sde": {"server": "sde", "kind": "alm", "connection": 7},
    "sde_agent": {"server": "sde", "kinds": ["alm"], "frequency": "daily"},
    "sde_file": {"server": "sde", "system": "x_upload", "project": 3, "files": "reports/*.x"},
    "http": {"url": "https://tool.example.com/hook"},
}
DOES = ("ok",) * 7 + ("fails", "flaky", "left")


@dataclass(frozen=True)
class Job:
    """One job: when (in the walk's words), what, and how its work ends."""

    name: str
    when: Any
    block: dict[str, Any]
    run: str
    does: str
    policy: str
    grace: timedelta
    on_exclude: str = "skip"
    enabled: bool = True

    def entry(self) -> dict[str, Any]:
        """Its entry in the file."""
        schedule = dict(self.block)
        if self.does == "left" and "ccs" not in schedule:
            schedule["rerun"] = {"every": "2h", "for": "6h"}
        return {
            "name": self.name,
            "schedule": schedule,
            "run": {self.run: RUNS[self.run]},
            "catch_up": {"policy": self.policy, "grace": f"{int(self.grace.total_seconds())}s"},
            "retry": {"attempts": 2, "backoff": "1m"},
            "enabled": self.enabled,
        }


def text(jobs: Any) -> str:
    """The file."""
    return json.dumps(
        {
            "version": 1,
            "settings": {"catch_up_rate": "100000/s", "max_running": 10000},
            "collectors": {"host": {"collect": ["true"]}},
            "servers": {
                "ccs": {
                    "type": "ccs",
                    "url": "https://ccs.example.com:12431",
                    "username": "u",
                    "password": {"env": "P"},
                },
                "sde": {"type": "sde", "url": "https://sde.example.com", "token": {"env": "T"}},
            },
            "calendars": CALENDARS,
            "jobs": [job.entry() for job in jobs],
        }
    )


FREEZES = [date(y, m, d) for y in range(2025, 2040) for m, d in ((3, 29), (10, 25), (12, 24), (12, 25))]
RANGES = [(date(y, 12, 30), date(y + 1, 1, 3)) for y in range(2025, 2040)]
CALENDARS: dict[str, Any] = {
    "freeze": {"dates": [*map(str, FREEZES), *({"from": str(a), "to": str(b)} for a, b in RANGES)]},
    "weekend": {"weekly": [{"on": "saturday"}, {"on": "sunday"}]},
}
FROZEN = frozenset(FREEZES) | {a + timedelta(days=n) for a, b in RANGES for n in range((b - a).days + 1)}


class Maker:
    """Makes jobs: `new(number, begin)` is one whose schedule begins about `begin`."""

    def __init__(self, seed: int, first_load: datetime, when_type: Any) -> None:
        self.dice = random.Random(seed)
        self.first_load = self.begin = first_load
        self.when_type = when_type

    def new(self, number: int, begin: datetime) -> Job:
        """The job of a number: its kind of schedule goes by that, the rest by the dice."""
        dice = self.dice
        kinds = ("daily", "brief", "weekly", "monthly", "ordinal", "interval", "cron", "weekly", "daily", "rare")
        run = tuple(RUNS)[number % len(RUNS)]
        kind = kinds[number % len(kinds)]
        does = dice.choice(DOES) if kind != "rare" else "ok"
        job = Job(
            name=f"job-{number}",
            when=None,
            block={},
            run="collect" if does == "left" else run,
            does=does,
            policy=dice.choice(("latest", "latest", "all", "none")),
            grace=dice.choice((timedelta(minutes=40), timedelta(hours=5), timedelta(days=3))),
        )
        return self.timed(job, kind, begin)

    def timed(self, job: Job, kind: str, begin: datetime) -> Job:
        """`job` with a schedule of that kind."""
        self.begin = begin
        start = datetime.combine(begin.date() + timedelta(days=self.dice.randrange(9)), self.dice.choice(TIMES))
        when = self.when_type(kind, self.dice.choice(ZONES), start)
        when, block = getattr(self, f"_{kind}")(job, when)
        if (
            "cron" not in block
            and "interval" not in block
            and "frequency" not in block
            and self.dice.random() < 0.4
        ):
            when = replace(when, gap=self.dice.choice(("shift", "skip")), fold=self.dice.choice(("last", "both")))
            block["dst"] = {"gap": when.gap, "fold": when.fold}
        if "frequency" not in block and "ccs" not in block:
            block["start"] = when.start.isoformat()
        if "ccs" not in block:
            job, when, block = self._excluding(job, when, block)
        return replace(job, when=when, block={**block, "timezone": when.zone})

    def _excluding(self, job: Job, when: Any, block: dict[str, Any]) -> tuple[Job, Any, dict[str, Any]]:
        """A quarter of them excludes calendars, a half of these moves what is excluded."""
        if self.dice.random() > 0.25:
            return job, when, block
        both = self.dice.random() < 0.3
        when = replace(when, closed=FROZEN, closed_weekdays=frozenset({5, 6} if both else ()))
        block = {**block, "exclude": ["freeze", "weekend"] if both else ["freeze"]}
        if when.kind in ("daily", "weekly", "monthly", "ordinal") and self.dice.random() < 0.6:
            when = replace(when, next_day=True, gap="shift", fold="first")
            block = {**block, "on_exclude": "next-day"}
            block.pop("dst", None)
        return job, when, block

    def _daily(self, job: Job, when: Any) -> tuple[Any, dict[str, Any]]:
        every = self.dice.choice((45, 60, 90))
        if self.dice.random() < 0.2:
            return self._ccs(replace(when, every=every), {"RunEveryNDays": True, "RepeatDays": every})
        return replace(when, every=every), {"daily": {"every": every}}

    def _brief(self, job: Job, when: Any) -> tuple[Any, dict[str, Any]]:
        """Every day about the changes of clocks: an hourly one, a cron text and a frequency among them."""
        begin = when.start.replace(month=self.dice.choice((3, 9, 10)), day=self.dice.choice((5, 24)))
        end = begin + timedelta(days=self.dice.choice((3, 6)))
        which = self.dice.randrange(10)
        if which == 0:
            end = begin + timedelta(days=2)
            when = replace(when, kind="cron", cron="*/30 0-3 * * *", start=begin, until=end)
            return when, {"cron": when.cron, "until": end.isoformat()}
        if which == 1:
            when = replace(when, kind="cron", cron="30 2 * * *", start=begin, until=end)
            return when, {"cron": when.cron, "until": end.isoformat()}
        when = replace(when, kind="daily", start=begin, until=datetime.combine(end.date(), time(23, 59, 59)))
        return when, {"daily": {}, "until": str(end.date())}

    def _weekly(self, job: Job, when: Any) -> tuple[Any, dict[str, Any]]:
        every = self.dice.choice((7, 9, 13))
        on = self.dice.sample(range(7), self.dice.choice((1, 1, 1, 2)))
        if self.dice.random() < 0.2:
            day = self.dice.randrange(7)  # Sunday 0, as .NET counts
            when = replace(when, every=every, on=frozenset({(day - 1) % 7}))
            return self._ccs(when, {"RecurrenceType": 2, "WeeklyDay": day, "WeeklyRecurEvery": every})
        block = {"weekly": {"every": every, "on": [WEEKDAYS[n] for n in on]}}
        return replace(when, every=every, on=frozenset(on)), block

    def _monthly(self, job: Job, when: Any) -> tuple[Any, dict[str, Any]]:
        every, day = self.dice.choice((1, 1, 2, 3)), self.dice.choice((1, 15, 28, 29, 30, 31))
        when = replace(when, every=every, day=day, short=self.dice.choice(("last-day", "skip")))
        if self.dice.random() < 0.2:
            when = replace(when, short="last-day")
            return self._ccs(when, {"RecurrenceType": 3, "MonthlyDay": day, "MonthlyRecurEvery": every})
        return when, {"monthly": {"every": every, "day": day}, "short_month": when.short}

    def _ordinal(self, job: Job, when: Any) -> tuple[Any, dict[str, Any]]:
        every, nth, day = self.dice.choice((1, 1, 2)), self.dice.randrange(1, 6), self.dice.randrange(7)
        when = replace(when, every=every, nth=nth, on=frozenset({day}))
        if self.dice.random() < 0.2:
            fields = {
                "MonthlyIsByOrdinalDay": True,
                "MonthlyOrdinalDay": nth,
                "MonthlyDayOfTheWeek": (day + 1) % 7,
            }
            return self._ccs(when, {"RecurrenceType": 3, "MonthlyRecurEvery": every, **fields})
        return when, {"monthly": {"every": every, "on": f"{ORDINALS[nth]} {WEEKDAYS[day]}"}}

    def _ccs(self, when: Any, fields: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        block = {"RunNow": False, "RunPeriodically": True, "StartDate": when.start.isoformat(), **fields}
        return when, {"ccs": block}

    def _interval(self, job: Job, when: Any) -> tuple[Any, dict[str, Any]]:
        hours = self.dice.choice((1200, 2000))
        when = replace(when, start=datetime.combine(when.start.date(), time(12)), every=timedelta(hours=hours))
        if self.dice.random() < 0.05:  # many in a stretch, to be missed in one
            when = replace(when, every=timedelta(minutes=20))
            when = replace(when, until=when.start + timedelta(hours=35))
            return when, {"interval": "20m", "until": when.until.isoformat()}
        return when, {"interval": f"{hours}h"}

    def _cron(self, job: Job, when: Any) -> tuple[Any, dict[str, Any]]:
        cron = self.dice.choice(("30 1,3 1 * *", "0 */6 29 3,10 *", "*/30 2 29 * *", "0 0 24-31 3,10 *"))
        return replace(when, cron=cron), {"cron": cron}

    def _rare(self, job: Job, when: Any) -> tuple[Any, dict[str, Any]]:
        """Once, a frequency of SD Elements with its spread, or never by itself."""
        which = self.dice.randrange(5)
        if which == 0:
            when = replace(when, kind="once", start=when.start.replace(month=self.dice.choice((3, 6, 10))))
            return when, {"once": True}
        span = timedelta(minutes=20)
        share = int.from_bytes(sha256(job.name.encode()).digest()[:8]) % int(span.total_seconds())
        anchor = self.first_load.astimezone(ZoneInfo(when.zone)).replace(tzinfo=None)
        when = replace(when, start=anchor, offset=timedelta(seconds=share))
        block: dict[str, Any] = {"spread": "20m"}
        if which == 1:
            end = datetime.combine(self.begin.date() + timedelta(days=1), time())
            when = replace(when, kind="hourly", minute=7, until=end)
            return when, {**block, "frequency": "hourly", "until": end.isoformat()}
        if which == 2:
            return replace(when, kind="weekly", at=time(4, 33), on=frozenset({5})), {
                **block,
                "frequency": "weekly",
            }
        if which == 3:
            return replace(when, kind="monthly", at=time(4, 26), day=1), {**block, "frequency": "monthly"}
        return replace(when, kind="never"), {"frequency": "manually"}
