"""What was ordered and what it hit; which requests came. Belongs to the HTTP server's event loop."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from jobsd.rehearsal.faults import Count, Fault

MOST_REQUESTS = 10_000
"""So many requests are remembered."""


@dataclass(slots=True)
class Order:
    """A fault that was ordered.

    Attributes:
        number: From 1, in the order of ordering.
        matched: Requests that fitted while it was in force.
        hits: Those among them that it was played on.
    """

    number: int
    fault: Fault
    matched: int = 0
    hits: int = 0

    def takes(self, method: str, path: str, body: bytes) -> bool:
        """Whether it is to be played on this request; counts it."""
        times = self.fault.times
        used_up = times is not None and self.hits >= times
        if used_up or not self.fault.match.fits(method, path, body):
            return False
        self.matched += 1
        if self.matched <= self.fault.skip:
            return False
        self.hits += 1
        return True


@dataclass(slots=True)
class Seen:
    """A request that came. Only what cannot hold a credential is kept of it.

    Attributes:
        answered: Status that the application answered; None while it has not, or was not asked.
        status: Status that the client was sent; None while it was not, or never was.
        fault: What was played on it; empty for nothing.
        order: Its number.
    """

    number: int
    at: datetime
    method: str
    path: str
    answered: int | None = None
    status: int | None = None
    fault: str = ""
    order: int | None = None


@dataclass(slots=True)
class Book:
    """All orders, and the last requests."""

    orders: list[Order] = field(default_factory=list)
    requests: deque[Seen] = field(default_factory=lambda: deque(maxlen=MOST_REQUESTS))
    _ordered: int = 0
    _came: int = 0

    def order(self, faults: Iterable[Fault]) -> list[Order]:
        """Take orders, in this order."""
        taken = [Order(self._ordered + place, fault) for place, fault in enumerate(faults, start=1)]
        self._ordered += len(taken)
        self.orders += taken
        return taken

    def take_back(self, number: int | None = None) -> int:
        """Forget one order or all; how many there were."""
        before = len(self.orders)
        self.orders[:] = [order for order in self.orders if number not in {None, order.number}]
        return before - len(self.orders)

    def came(self, at: datetime, method: str, path: str, body: bytes) -> tuple[Seen, Order | None]:
        """Write a request down, and find what is to be played on it: the first order that takes it."""
        self._came += 1
        seen = Seen(self._came, at, method, path)
        self.requests.append(seen)
        found: Order | None = None
        for order in self.orders:
            counts = isinstance(order.fault, Count)
            if (counts or found is None) and order.takes(method, path, body) and not counts:
                found = order
        if found is not None:
            seen.fault, seen.order = found.fault.fault, found.number
        return seen, found
