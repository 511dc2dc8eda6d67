"""What can go wrong with the ledger, in the words of the program."""

from __future__ import annotations


class LedgerError(Exception):
    """The base of the ledger's errors."""


class LedgerUnavailable(LedgerError):
    """The ledger cannot be written or read now; nothing of the transaction is stored. Trying later may help."""


class LedgerLocked(LedgerError):
    """Another daemon holds this state directory."""


class LedgerTooNew(LedgerError):
    """The ledger was written by a newer program."""


class StaleMove(LedgerError):
    """The run is no longer in a state from which the move is legal: somebody else got there first."""


class Fenced(LedgerError):
    """The attempt is not open any more: its token is worth nothing."""


class NotFound(LedgerError):
    """There is no such job or run."""
