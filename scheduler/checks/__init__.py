"""Whether what the ledger says holds together: pure functions of what was read from it."""
