"""The long form: world after world, each with lives that end at the points reached least, or at random."""

import random
import signal
import time
from collections import Counter
from contextlib import suppress
from datetime import timedelta

from chaos.pilot import Pilot, cancel
from chaos.short import WORLDS
from chaos.world import CALENDARS, LOCAL, REMOTE

KILLS = 60
"""Kills in one world: its ledger stays small enough to be compared after each."""

STAGES = (
    ("local", {"jobs": LOCAL}),
    ("remote, well", {"jobs": CALENDARS + REMOTE}),
    ("remote, ill, retention", {"jobs": CALENDARS + REMOTE, "ill": 0.3, "retention": timedelta(hours=1)}),
    ("all, small disk", {"jobs": LOCAL + REMOTE, "ill": 0.1, "disk_mb": 12}),
)
FEWEST, OTHERS = 6, 4
LUCK = ("stopped", "stepped", "busy", "cancelled")


class Stage:
    """One world of the marathon; `points` and `luck` count what happened."""

    def __init__(self, folder, server, number, seed, *, seen):
        self.title, how = STAGES[number % len(STAGES)]
        self.chance = random.Random(f"{seed} {number}")
        self.pilot = Pilot(folder, server, how["jobs"], seed=self.chance.randrange(1 << 30),
                           **{key: value for key, value in how.items() if key != "jobs"})  # fmt: skip
        self.points, self.luck, self.errors = Counter(), Counter(), []
        self._seen = Counter(seen)
        wanted = [world["points"] for world in WORLDS.values() if set(world["jobs"]) & set(how["jobs"])]
        self._reachable = sorted(frozenset().union(*wanted))
        self._luck = (*LUCK, "full") if self.pilot.disk is not None else LUCK

    def play(self, kills):
        """So many lives, then the end in peace; the findings."""
        for _ in range(kills):
            self._between()
            self.points[self._life()] += 1
        findings, _ = self.pilot.finish()
        self.errors = self.pilot.errors()
        return findings

    def close(self):
        """End it."""
        self.pilot.close()

    def _between(self):
        """What happens to the clock while nobody lives."""
        draw = self.chance.random()
        if draw < 0.12:
            self._step("stepped on", timedelta(seconds=self.chance.randint(10, 200)))
        elif draw < 0.15:
            self._step("stepped on by hours", timedelta(seconds=self.chance.randint(14400, 20000)))
        elif draw < 0.2:
            self._step("stepped back", -timedelta(seconds=self.chance.randint(1, 120)))

    def _step(self, name, by):
        self.luck[f"clock {name}"] += 1
        self.pilot.book.step(by)

    def _life(self):
        draw = self.chance.random()
        if draw < 0.65:
            return self._at_a_point()
        seconds = self.chance.uniform(0.02, 1.5)
        if draw < 0.8:
            return self.pilot.life(seconds=seconds)
        self.luck[what := self.chance.choice(self._luck)] += 1
        return self.pilot.life(seconds=seconds + 1.0, deed=getattr(self, f"_{what}"))

    def _at_a_point(self):
        """Die at whichever comes first: one of the points with the fewest kills, or a later pass of some others."""
        counts = Counter({name: self._seen[name] + self.points[name] for name in self._reachable})
        fewest = sorted(self._reachable, key=lambda name: (counts[name], self.chance.random()))[:FEWEST]
        others = self.chance.sample(self._reachable, OTHERS)
        kill = {name: self.chance.randint(3, 40) for name in others} | dict.fromkeys(fewest, 0)
        deed = cancel if any("cancel" in name for name in fewest) else None
        return self.pilot.life(kill=kill, deed=deed, seconds=self.chance.uniform(3.0, 5.0))

    def _stopped(self, pilot, deadline):
        """The machine is suspended for a while: the daemon stands still, the clock goes on."""
        if pilot.ready(deadline):
            with suppress(ProcessLookupError):
                pilot.signal(signal.SIGSTOP)
                time.sleep(self.chance.uniform(0.2, 0.8))
                pilot.book.step(timedelta(seconds=self.chance.randint(0, 300)))
                pilot.signal(signal.SIGCONT)

    def _stepped(self, pilot, deadline):
        """The clock is stepped while it is at work."""
        if pilot.ready(deadline):
            time.sleep(self.chance.uniform(0.1, 0.5))
            pilot.book.step(timedelta(seconds=self.chance.randint(-90, 600)))

    def _busy(self, pilot, deadline):
        """Another process holds the ledger's lock for a while."""
        if pilot.ready(deadline):
            with suppress(Exception):
                pilot.hold_ledger(self.chance.uniform(0.3, 1.2))

    def _full(self, pilot, deadline):
        """The disk is full for a while."""
        if pilot.ready(deadline):
            pilot.disk.fill()
            time.sleep(self.chance.uniform(0.2, 1.0))
            pilot.disk.free()

    def _cancelled(self, pilot, deadline):
        cancel(pilot, deadline)
