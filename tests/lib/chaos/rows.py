"""The ledger's rows as plain SQL gives them."""

import sqlite3
from collections import defaultdict
from datetime import UTC, datetime


class Table(list):
    """The rows of a table."""

    def by(self, *names):
        """Rows by these columns' values."""
        found = defaultdict(list)
        for row in self:
            found[tuple(row[name] for name in names) if len(names) > 1 else row[names[0]]].append(row)
        return found


TABLES = ("jobs", "runs", "attempts", "run_assets", "events", "deliveries", "run_memory")


def read(path):
    """The tables of a ledger, also beside a daemon and after one that was killed; empty where there is none yet."""
    empty = {name: Table() for name in TABLES}
    if not path.exists():
        return empty
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)
    connection.row_factory = sqlite3.Row
    try:
        connection.execute("BEGIN")
        return {name: Table(map(dict, connection.execute(f"SELECT * FROM {name}"))) for name in TABLES}  # noqa: S608
    except sqlite3.OperationalError as error:
        if "no such table" in str(error):
            return empty
        raise
    finally:
        connection.close()


def instant(text):
    """An instant as SQLite has it."""
    return None if text is None else datetime.fromisoformat(text).replace(tzinfo=UTC)
