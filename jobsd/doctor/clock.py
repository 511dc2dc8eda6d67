"""Whether this host's clock can be believed."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from jobsd.doctor.finding import Finding, fail, ok, warning

AREA = "clock"
ADVICE = "start a time service on this host (systemd-timesyncd, chrony), and look at the server's clock too"
NOTICED = timedelta(seconds=5)
WRONG = timedelta(seconds=60)

_UNBELIEVABLE_US = 16_000_000
"""The kernel's maximum error of a clock that nobody sets; systemd calls a clock with less synchronised."""


class _Timex(ctypes.Structure):
    """The head of the kernel's `struct timex`; the rest is room for what it writes beyond."""

    _fields_ = [
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_char * 512),
    ]


@dataclass(frozen=True, slots=True)
class Told:
    """What a server's Date header said, and when (by this host's clock) it came."""

    server: str
    date: datetime
    at: datetime


def synchronised() -> Finding:
    """What the kernel says of its clock."""
    timex = _Timex()
    if ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(timex)) < 0:
        why = os.strerror(ctypes.get_errno())
        return warning(AREA, "", f"the kernel does not say whether it is synchronised: {why}", ADVICE)
    if timex.maxerror >= _UNBELIEVABLE_US:
        return warning(AREA, "", "it is not synchronised: nothing sets this host's clock", ADVICE)
    return ok(AREA, "", f"synchronised, at most {timex.maxerror / 1000:.0f} ms off")


def against(told: Iterable[Told]) -> Iterator[Finding]:
    """This host's time against the servers'; a Date header has whole seconds."""
    for one in told:
        off = one.at - one.date
        ahead = "ahead of" if off > timedelta(0) else "behind"
        found = f"this host is {abs(off).total_seconds():.0f} s {ahead} {one.server}"
        if abs(off) >= WRONG:
            yield fail(AREA, one.server, found, f"jobs fire at the wrong time: {ADVICE}")
        elif abs(off) >= NOTICED:
            yield warning(AREA, one.server, found, ADVICE)
        else:
            yield ok(AREA, one.server, f"agrees with this host within {NOTICED.total_seconds():.0f} s")
