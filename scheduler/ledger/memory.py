"""What runners remember of counterparts: names and texts, of a run or of a job."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from scheduler.ledger import attempts, schema


def of_run(connection: sa.Connection, run_no: int) -> dict[str, str]:
    """What is remembered of the run."""
    table = schema.run_memory
    return _read(connection, table, table.c.run_no == run_no)


def of_job(connection: sa.Connection, job_id: int) -> dict[str, str]:
    """What is remembered of the job."""
    table = schema.job_memory
    return _read(connection, table, table.c.job_id == job_id)


def another_run_has(connection: sa.Connection, name: str, value: str, *, run_no: int) -> bool:
    """Whether a run other than this one remembers `value` under `name`."""
    table = schema.run_memory
    return _has(connection, table, table.c.run_no != run_no, name, value)


def another_job_has(connection: sa.Connection, name: str, value: str, *, job_id: int) -> bool:
    """Whether a job other than this one remembers `value` under `name`."""
    table = schema.job_memory
    return _has(connection, table, table.c.job_id != job_id, name, value)


def put_of_run(connection: sa.Connection, token: str, values: Mapping[str, str | None]) -> None:
    """Remember for the run of the attempt with this token; None forgets. Fenced if the attempt has ended."""
    run, _ = attempts.by_token(connection, token)
    _put(connection, schema.run_memory, {"run_no": run.run_no}, values)


def put_of_job(connection: sa.Connection, token: str, values: Mapping[str, str | None]) -> None:
    """Remember for the job of the attempt with this token; None forgets. Fenced if the attempt has ended."""
    run, _ = attempts.by_token(connection, token)
    _put(connection, schema.job_memory, {"job_id": run.job_id}, values)


def _read(connection: sa.Connection, table: sa.Table, which: sa.ColumnElement[bool]) -> dict[str, str]:
    query = sa.select(table.c.name, table.c.value).where(which).order_by(table.c.name)
    return {row.name: row.value for row in connection.execute(query)}


def _has(connection: sa.Connection, table: sa.Table, which: sa.ColumnElement[bool], name: str, value: str) -> bool:
    query = sa.select(table.c.name).where(which, table.c.name == name, table.c.value == value)
    return connection.execute(query.limit(1)).first() is not None


def _put(
    connection: sa.Connection, table: sa.Table, key: Mapping[str, int], values: Mapping[str, str | None]
) -> None:
    owner = [table.c[name] == value for name, value in key.items()]
    connection.execute(table.delete().where(*owner, table.c.name.in_(list(values))))
    rows = [{**key, "name": name, "value": value} for name, value in values.items() if value is not None]
    if rows:
        connection.execute(table.insert(), rows)
