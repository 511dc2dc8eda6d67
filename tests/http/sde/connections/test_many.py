"""Hundreds of connections."""

import contextlib
import time

import pytest
import sqlalchemy as sa

from runners.sde.sealing import Seal
from scheduler.ledger import jobs, schema, sde_connections, sync
from scheduler.model import Actor, By

MANY = 600


@contextlib.contextmanager
def statements():
    """The statements about the API's tables inside."""
    found = []

    def note(_connection, _cursor, statement, *_more):
        if "sde_" in statement:  # the scheduling loop's own do not count
            found.append(statement)

    sa.event.listen(sa.engine.Engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        sa.event.remove(sa.engine.Engine, "before_cursor_execute", note)


@pytest.fixture(scope="module")
def crowd(module_house, tmp_path_factory, words):
    """A hall with many connections, put into its ledger as the face would."""
    house = module_house(tmp_path_factory.mktemp("crowd"), words.yaml())
    seal, at = Seal("of a test"), house.clock.now()

    def fill(connection):
        shared = {"kind": "alm", "system": "jira", "inaccessible": False}
        keys = [
            sde_connections.add_connector(
                connection, {**shared, "name": f"C{number}", "params": seal.seal({"alm_server": "s"})}, at=at
            ).connector_id
            for number in range(20)
        ]
        for number in range(1, MANY + 1):
            source = {
                "connection": number, "kind": "alm", "alias": f"A{number}", "system": "jira", "frequency": "daily",
                "inaccessible": False, "created_at": at.isoformat(),
            }  # fmt: skip
            job = house.dispatcher.decode("sde", source, house.configuration)
            row, _ = sync.first(
                connection, job, house.configuration, origin="sde", at=at, actor=Actor("t", By.API)
            )
            connection.execute(
                schema.api_jobs.insert().values(
                    job_id=row.job_id, source=source, creator="t", created_at=at, modified_at=at
                )
            )
            values = {
                **shared, "connection_id": number, "job_id": row.job_id, "alias": f"A{number}", "project": number % 7,
                "connector_id": keys[number % 20], "frequency": "daily", "debug_mode": False, "upload": None,
                "params": seal.seal({"alm_project": f"P{number}"}),
            }  # fmt: skip
            sde_connections.add(connection, values, at=at)
        return len(jobs.every(connection))

    assert house.call(house.ledger.write(fill)) == MANY
    return house


@pytest.fixture(scope="module")
def many(crowd, hall_over, words):
    """A client of that hall, with all of it in force."""
    hall = hall_over(crowd)
    hall.reload(words.yaml())
    return hall


def test_a_list_takes_few_statements(many):
    """Whole, with params and last jobs: a handful of statements, and within a few seconds."""
    many.get("connections/alm/?page_size=1")
    begun = time.monotonic()
    with statements() as found:
        listed = many.get("connections/alm/?include=last_job")["results"]
    seconds = time.monotonic() - begun
    assert [one["id"] for one in listed] == list(range(1, MANY + 1))
    assert listed[-1]["params"] == {"alm_server": "s", "alm_project": f"P{MANY}"}
    assert len(found) <= 5
    assert seconds < 5


def test_a_page_takes_as_few(many):
    """A page of many is read alone."""
    with statements() as found:
        page = many.get("connections/alm/?include=last_job&page_size=100&page=6")
    assert (page["count"], len(page["results"]), page["next"]) == (MANY, 100, None)
    assert len(found) <= 5


def test_a_connector_of_many_changes_at_once(many):
    """All connections follow their connector, and their jobs, in one act."""
    begun = time.monotonic()
    many.json("PATCH", "connectors/alm/1/", {"inaccessible": True})
    assert time.monotonic() - begun < 8
    mine = {one["id"] for one in many.get("connections/alm/")["results"] if one["inaccessible"]}
    assert len(mine) == MANY // 20
    silent = {job["job"] for job in many.house.get("/v1/jobs?limit=1000") if job["next_fire_time"] is None}
    assert silent <= {f"sde:alm:{key}" for key in mine}
