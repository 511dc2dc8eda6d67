"""Inside the daemon's process: a clock that can be stepped from outside, and death at a point."""

import asyncio
import os
import signal
import time
from datetime import timedelta
from pathlib import Path

from chaos.book import Book

from jobsd.serve import run_daemon
from runners import points


class BookClock:
    """The clock of the book, in place of the machine's."""

    def __init__(self, book):
        self._book = book

    def now(self):
        """The present instant, aware UTC."""
        return self._book.now()

    async def sleep(self, delay: timedelta):
        """Wait for `delay` as this clock runs; a step does not shorten it."""
        await asyncio.sleep(max(delay.total_seconds(), 0.0) / self._book.rate)

    def alarm_time(self, instant):
        """The machine's time at which it shows `instant`."""
        return self._book.real(instant)

    def passed(self):
        """What has passed, in all and while the machine was awake; no step changes it."""
        passed = timedelta(seconds=time.monotonic() * self._book.rate)
        return passed, passed


def run(path, state, book, kill=None, stall=None):
    """The daemon on the file at `path`.

    `kill` has for some points how often each is survived in this life; `stall` for some how often each is passed
    before whoever passes it stands still, once, and for how many seconds.
    """
    written, kill, stall = Book(book), kill or {}, dict(stall or {})

    def passing(point):
        count = written.passed(point)
        if point in kill and count > kill[point]:
            written.killed(point)
            os.kill(os.getpid(), signal.SIGKILL)
        if point in stall and count > stall[point][0]:
            time.sleep(stall.pop(point)[1])

    points.install(passing)
    return run_daemon(Path(path), state=Path(state), listen="127.0.0.1:0", clock=BookClock(written))
