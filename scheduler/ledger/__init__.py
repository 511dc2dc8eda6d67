"""What happened: the only SQL of the program. Modules hold operations; `Ledger` runs them."""

from scheduler.ledger.errors import (
    Fenced,
    LedgerError,
    LedgerLocked,
    LedgerTooNew,
    LedgerUnavailable,
    NotFound,
    StaleMove,
)
from scheduler.ledger.events import Event
from scheduler.ledger.ledger import Connection, Ledger

__all__ = [
    "Connection",
    "Event",
    "Fenced",
    "Ledger",
    "LedgerError",
    "LedgerLocked",
    "LedgerTooNew",
    "LedgerUnavailable",
    "NotFound",
    "StaleMove",
]
