"""What a daemon under test and its tormentor share: a mapped file, which outlives every kill.

It counts the passes of each point and the kills at it, and it is the daemon's clock: rate and offset can be changed
from outside while the daemon runs.
"""

import mmap
import struct
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from runners.points import POINTS

NAMES = tuple(sorted(POINTS))
_AT = {name: number for number, name in enumerate(NAMES)}
_HEAD = 8
_SIZE = 8 * (_HEAD + 3 * len(NAMES))
_BASE_REAL, _BASE_SHOWN, _RATE, _LAST = range(4)
_PASSES, _KILLS, _LIFE = range(3)


class Book:
    """The mapped file at `path`, made with `new`."""

    def __init__(self, path, *, new=False, start=None, rate=1.0):
        self.path = Path(path)
        if new:
            self.path.write_bytes(bytes(_SIZE))
        with self.path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), _SIZE)
        if new:
            self._put(_BASE_REAL, time.time())
            self._put(_BASE_SHOWN, (start or datetime.now(UTC)).timestamp())
            self._put(_RATE, rate)
            self._put(_LAST, -1)

    def _get(self, place):
        return struct.unpack_from("d", self._map, 8 * place)[0]

    def _put(self, place, value):
        struct.pack_into("d", self._map, 8 * place, value)

    def _cell(self, kind, name):
        return _HEAD + kind * len(NAMES) + _AT[name]

    def passed(self, name):
        """Note a pass; how many there were in this life."""
        for kind in (_PASSES, _LIFE):
            self._put(self._cell(kind, name), self._get(self._cell(kind, name)) + 1)
        return int(self._get(self._cell(_LIFE, name)))

    def killed(self, name):
        """Note that the daemon dies here, now."""
        self._put(self._cell(_KILLS, name), self._get(self._cell(_KILLS, name)) + 1)
        self._put(_LAST, _AT[name])

    def new_life(self):
        """Forget the passes of the last life."""
        for name in NAMES:
            self._put(self._cell(_LIFE, name), 0)
        self._put(_LAST, -1)

    @property
    def died_at(self):
        """The point at which this life was ended, None if at none."""
        last = int(self._get(_LAST))
        return None if last < 0 else NAMES[last]

    @property
    def passes(self):
        """How often each point was passed."""
        return {name: int(self._get(self._cell(_PASSES, name))) for name in NAMES}

    @property
    def kills(self):
        """How often the daemon was killed at each point."""
        return {name: int(self._get(self._cell(_KILLS, name))) for name in NAMES}

    @property
    def rate(self):
        """How many seconds the clock shows in one."""
        return self._get(_RATE)

    def now(self):
        """What the clock shows."""
        shown = self._get(_BASE_SHOWN) + (time.time() - self._get(_BASE_REAL)) * self.rate
        return datetime.fromtimestamp(shown, UTC)

    def real(self, instant):
        """The machine's time at which the clock will show `instant`, unless it is stepped."""
        seconds = (instant.timestamp() - self._get(_BASE_SHOWN)) / self.rate + self._get(_BASE_REAL)
        return datetime.fromtimestamp(seconds, UTC)

    def step(self, by):
        """Step the clock."""
        self._put(_BASE_SHOWN, self._get(_BASE_SHOWN) + timedelta.total_seconds(by))
