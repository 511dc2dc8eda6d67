"""`jobsd db check`: whether a ledger holds what it promises. Nothing is locked, written or made.

It may run beside the daemon that has the ledger: all is read in one transaction, and so as it was at one instant.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa

from scheduler import cycle
from scheduler.checks.finding import Finding
from scheduler.checks.life import iso
from scheduler.ledger import looking, schema
from scheduler.ledger.accounts import accounts
from scheduler.ledger.errors import LedgerError, LedgerUnavailable
from scheduler.ledger.invariants import broken
from scheduler.ledger.lives import lives
from scheduler.ledger.ordering import disordered
from scheduler.ledger.rows import RUNS, run_row
from scheduler.lifecycle import State
from scheduler.model import RunRow

BUSY_S = 30.0
"""How long a checkpoint of the daemon is waited for."""


def check(path: Path) -> list[Finding]:
    """What is wrong with the ledger in the file at `path`; empty if nothing is.

    Raises:
        LedgerTooNew: A newer program wrote it.
        LedgerUnavailable: There is none, an older program wrote it, or it cannot be read.
    """
    try:
        found, head = looking.schema_of(path)
    except LedgerError as error:
        raise type(error)(f"{path}: {error}") from None
    if found is None:
        raise LedgerUnavailable(f"there is no ledger at {path}")
    if found != head:
        raise LedgerUnavailable(
            f"{path} has schema {found}, and this program {head}: a daemon upgrades it when it starts, "
            "`jobsd db upgrade` does so without one"
        )
    journalled = _journal(path).exists()
    findings = _checked(path, beside=journalled)
    if findings and not journalled and _journal(path).exists():
        return _checked(path, beside=True)  # a daemon began to write meanwhile: what was seen was half of it
    return findings


def findings_of(connection: sa.Connection) -> Iterator[Finding]:
    """What is wrong with the ledger behind `connection`, read in the transaction that it is in."""
    yield from broken(connection)
    yield from lives(connection)
    yield from accounts(connection)
    yield from disordered(connection)
    yield from _forgotten(connection)
    yield from _forbidden(connection)


def _checked(path: Path, *, beside: bool) -> list[Finding]:
    engine = _engine(path, beside=beside)
    try:
        with engine.connect() as connection:
            damaged = list(_damages(connection))
            return damaged or list(findings_of(connection))
    except sa.exc.DatabaseError as error:
        if isinstance(error.orig, sqlite3.OperationalError):
            raise LedgerUnavailable(f"{path} cannot be read: {error.orig}") from error
        return [Finding("file", str(error.orig))]
    finally:
        engine.dispose()


def _engine(path: Path, *, beside: bool) -> sa.Engine:
    """Over the file, read-only; one that nobody has open is read without making the files that readers share."""
    address = f"{path.absolute().as_uri()}?{'mode=ro' if beside else 'immutable=1'}"

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(address, uri=True, timeout=BUSY_S, isolation_level=None)

    engine = sa.create_engine("sqlite://", creator=connect, poolclass=sa.pool.NullPool)
    sa.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    return engine


def _journal(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def _damages(connection: sa.Connection) -> Iterator[Finding]:
    """What SQLite itself says of the file."""
    for (line,) in connection.exec_driver_sql("PRAGMA integrity_check"):
        if line != "ok":
            yield Finding("file", str(line))
    for table, row, other, _ in connection.exec_driver_sql("PRAGMA foreign_key_check"):
        yield Finding("references", f"row {row} of {table} names a row of {other} that is not there")


def _forbidden(connection: sa.Connection) -> Iterator[Finding]:
    """Rows that break a constraint of their table: SQLite's own check knows of none where it may not write."""
    for table in schema.metadata.sorted_tables:
        rules = [one.sqltext for one in table.constraints if isinstance(one, sa.CheckConstraint)]
        counts = [sa.func.coalesce(sa.func.sum(sa.text(f"NOT ({rule})")), 0) for rule in rules]
        if not rules:
            continue
        for rule, count in zip(
            rules, connection.execute(sa.select(*counts).select_from(table)).one(), strict=True
        ):
            if count:
                yield Finding("constraints", f"{count} rows of {table.name} break the constraint {rule}")


def _forgotten(connection: sa.Connection) -> Iterator[Finding]:
    """Active runs that would not be looked at when a rule of time applies to them."""
    for row in connection.execute(RUNS.where(schema.IS_ACTIVE)):
        run = run_row(row)
        says = _overslept(run)
        if says:
            yield Finding("wake_at", says, run.job, run.run_id)


def _overslept(run: RunRow) -> str | None:
    latest = cycle.wake_at(run)
    if latest is None:
        return None
    if run.wake_at is None:
        return f"it is {run.state}, and is never looked at again"
    if run.state in {State.RUNNING, State.RETRYING} and run.wake_at > latest:
        return f"it is {run.state}, and is looked at again at {iso(run.wake_at)}, later than {iso(latest)}"
    return None
