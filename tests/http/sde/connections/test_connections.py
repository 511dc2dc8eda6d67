"""Connections over HTTP, and the jobs that they are."""

from datetime import UTC, datetime
from functools import partial

import pytest

NOT_FOUND = {"detail": "Not found."}
REQUIRED = ["This field is required."]


def at(text):
    """An instant of New York's spring of 2026, as UTC."""
    return datetime.fromisoformat(text).astimezone(UTC)


def test_a_connection_is_made_over_its_connector(shared):
    """Its params are its connector's with its own over them; system, command and inaccessible are the connector's.

    Rule: connector-params
    """
    connector = shared.connector(params={"alm_server": "s", "alm_user": "u"}, inaccessible=True)
    body = {
        "alias": "Mine", "connector": connector, "project": 7, "frequency": "hourly", "debug_mode": True,
        "params": {"alm_user": "v", "alm_project": "P"}, "system": "ignored", "inaccessible": False,
    }  # fmt: skip
    made = shared.json("POST", "connections/alm/", body, status=201)
    assert made == {
        "id": made["id"], "alias": "Mine", "frequency": "hourly", "command": "quick", "debug_mode": True,
        "system": {"id": "jira", "short_name": "JIRA", "name": "Atlassian JIRA"}, "inaccessible": True,
        "params": {"alm_server": "s", "alm_user": "v", "alm_project": "P"}, "connector": connector, "project": 7,
    }  # fmt: skip
    alone = shared.get(f"connections/alm/{made['id']}/")
    assert alone == made | {"system": {"id": "jira", "name": "Atlassian JIRA"}}
    listed = next(one for one in shared.get("connections/alm/")["results"] if one["id"] == made["id"])
    assert listed == made | {"in_progress": False}


def test_a_connectors_change_shows_in_its_connections(shared):
    """Its params stay defaults: a change of them is a change of what its connections run with."""
    connector = shared.connector(params={"a": 1, "b": 1})
    key = shared.connection(connector=connector, params={"b": 2})["id"]
    shared.json("PATCH", f"connectors/alm/{connector}/", {"params": {"b": 3, "c": 3}})
    assert shared.get(f"connections/alm/{key}/")["params"] == {"a": 1, "b": 2, "c": 3}


def test_an_ldap_connection_has_neither_connector_nor_project(shared):
    """It has `inaccessible` itself, its system is LDAP; the path has capitals or not."""
    body = {
        "alias": "People",
        "frequency": "weekly",
        "inaccessible": True,
        "params": {"ldap_server": "s"},
        "project": 4,
    }
    made = shared.json("POST", "connections/LDAP/", body, status=201)
    assert made == {
        "id": made["id"], "alias": "People", "frequency": "weekly", "inaccessible": True, "system": "LDAP",
        "command": "quick", "params": {"ldap_server": "s"},
    }  # fmt: skip
    assert shared.get(f"connections/ldap/{made['id']}") == made
    assert (
        shared.json("PATCH", f"connections/ldap/{made['id']}/", {"inaccessible": False})["inaccessible"] is False
    )


@pytest.mark.parametrize(
    ("frequency", "first"),
    [
        ("hourly", "2026-03-07T07:07-05:00"),
        ("daily", "2026-03-08T01:26-05:00"),
        ("weekly", "2026-03-14T04:33-04:00"),
        ("monthly", "2026-04-01T04:26-04:00"),
        ("manually", None),
    ],
)
def test_a_frequency_fires_at_the_vendors_times(shared, frequency, first):
    """At its default time of the daemon's zone; now is Saturday, 7 March 2026, 07:00 in New York."""
    key = shared.connection(frequency=frequency)["id"]
    assert shared.fires_at(key) == (None if first is None else at(first))
    assert shared.job(key)["origin"] == "sde"


def test_a_frequency_is_changed_by_the_rules_of_an_edited_job(hall):
    """What came due under the old one and was not fired stays missed; the new one fires from now on."""
    key = hall.connection(frequency="daily")["id"]
    hall.json("PATCH", f"connections/alm/{key}/", {"frequency": "monthly", "alias": "B"})
    assert hall.fires_at(key) == at("2026-04-01T04:26-04:00")
    assert hall.job(key)["description"] == "B"
    hall.json("PATCH", f"connections/alm/{key}/", {"frequency": "manually"})
    assert hall.fires_at(key) is None
    assert hall.get(f"connections/alm/{key}/")["frequency"] == "manually"


def test_it_fires(hall):
    """At its time its system's command runs, as a job of the API that nobody asked for."""
    key = hall.connection(frequency="daily", params={"alm_pass": "s"})["id"]
    assert hall.get("connections/alm/?include=last_job")["results"][0]["last_job"] is None
    hall.clock.set(at("2026-03-08T01:26-05:00"))

    def ended():
        last = hall.get("connections/alm/?include=last_job")["results"][0]["last_job"]
        return last if last is not None and last["ready"] else None

    last = hall.house.until(ended)
    assert (last["succeeded"], last["automatic"], last["result_message"]) == (True, True, "")
    assert last == {**last, "last_run": "2026-03-08T06:26:00Z", "user": 5}
    assert set(last) == {"id", "user", "succeeded", "automatic", "ready", "result_message", "last_run"}
    assert hall.get(f"jobs/alm/{last['id']}/")["connection"]["id"] == key


def test_in_progress_while_it_runs(hall):
    """A connection is in progress while a run of it waits or works, and no longer."""
    key = hall.connection(connector=hall.connector(system="rally"))["id"]
    run = hall.house.post(f"/v1/jobs/sde:alm:{key}/trigger")["run_id"]
    assert hall.get("connections/alm/")["results"][0]["in_progress"] is True
    (hall.house.folder / "go").touch()
    hall.house.ended(run)
    assert hall.get("connections/alm/")["results"][0]["in_progress"] is False


def test_a_patch_changes_what_it_says_and_a_put_all_of_it(shared):
    """PATCH leaves the rest; PUT needs what a POST needs and falls back to its defaults."""
    made = shared.connection(
        frequency="daily", debug_mode=True, params={"a": 1}, connector=shared.connector(params={})
    )
    path = f"connections/alm/{made['id']}/"
    patched = shared.json("PATCH", path, {"project": "3"})
    assert (patched["project"], patched["frequency"], patched["debug_mode"], patched["params"]) == (
        3,
        "daily",
        True,
        {"a": 1},
    )
    merged = {"a": 1, "b": {"c": 2}}
    assert shared.json("PATCH", path, {"params": {"b": {"c": 2}}})["params"] == merged
    assert shared.ask("PATCH", path, data={"params.d": "x"}).json()["params"] == {**merged, "d": "x"}
    assert shared.json("PUT", path, {}, status=400) == dict.fromkeys(
        ("alias", "connector", "project", "params"), REQUIRED
    )
    whole = {"alias": "B", "connector": made["connector"], "project": 4, "params": {}}
    put = shared.json("PUT", path, whole)
    assert (put["alias"], put["frequency"], put["debug_mode"], put["params"]) == ("B", "manually", False, {})
    assert shared.fires_at(made["id"]) is None


def test_patches_do_not_make_params_grow_without_end(shared):
    """Beyond what the longest body holds they are refused, and those before stay."""
    made = shared.connection()
    path, long = f"connections/alm/{made['id']}/", "x" * 1_500_000
    for name in ("a", "b"):
        shared.json("PATCH", path, {"params": {name: long}})
    fault = shared.json("PATCH", path, {"params": {"c": long}}, status=400)
    assert "too long" in fault["params"][0]
    assert set(shared.get(path)["params"]) == {"alm_server", "a", "b"}
    shared.json("PUT", path, {"alias": "A", "connector": made["connector"], "project": 1, "params": {}})


def test_patches_at_the_same_time_lose_nothing_of_each_other(shared, together):
    """Each puts its params over what the one before left, at a connection and at its connector."""
    connector = shared.connector(params={})
    paths = (f"connections/alm/{shared.connection(connector=connector)['id']}/", f"connectors/alm/{connector}/")
    names = [f"n{number}" for number in range(8)]
    for path in paths:
        together(*(partial(shared.json, "PATCH", path, {"params": {name: 1}}) for name in names))
        assert shared.get(path)["params"] == dict.fromkeys(names, 1)


def test_a_connection_moves_to_another_connector(shared):
    """It takes over that one's system, inaccessible and params."""
    key = shared.connection(frequency="daily")["id"]
    other = shared.connector(system="tested", inaccessible=True, params={"o": 1})
    moved = shared.json("PATCH", f"connections/alm/{key}/", {"connector": other})
    assert (moved["connector"], moved["inaccessible"], moved["params"]) == (other, True, {"o": 1})
    assert moved["system"]["id"] == "tested"
    assert shared.fires_at(key) is None


def test_all_faults_are_told_at_once(shared):
    """Ids that nothing has, of connectors of another kind too; a frequency that is none."""
    other = shared.connector("analysis", system="fortify")
    body = {"alias": None, "connector": other, "project": "x", "frequency": "daily ", "debug_mode": "maybe"}
    assert shared.json("POST", "connections/alm/", body, status=400) == {
        "alias": ["This field may not be null."],
        "connector": [f'Invalid pk "{other}" - object does not exist.'],
        "project": ["A valid integer is required."],
        "frequency": ['"daily " is not a valid choice.'],
        "debug_mode": ["Must be a valid boolean."],
        "params": REQUIRED,
    }


def test_projects(build_hall):
    """With projects in the file only those exist; without, all do, and those that connections name are listed."""
    few = build_hall("few", projects=(3, 12))
    assert few.get("projects/") == {"results": [{"id": 3, "name": "P3"}, {"id": 12, "name": "P12"}]}
    body = {"alias": "A", "connector": few.connector(), "project": 9, "params": {}}
    fault = {"project": ['Invalid pk "9" - object does not exist.']}
    assert few.json("POST", "connections/alm/", body, status=400) == fault
    assert few.get("projects/9/", status=404) == NOT_FOUND
    free = build_hall("free")
    assert free.get("projects/") == {"results": []}
    for project in (12, 3, 12):
        free.connection(project=project)
    assert free.get("projects/") == {"results": [{"id": 3, "name": "Project 3"}, {"id": 12, "name": "Project 12"}]}
    assert free.get("projects/77") == {"id": 77, "name": "Project 77"}
    assert free.json("POST", "projects/", {}, status=405) == {"detail": 'Method "POST" not allowed.'}


def test_lists_are_filtered_and_paged(hall):
    """By project; pages have links that keep the query. A project that is no number is refused."""
    connector = hall.connector()
    keys = [hall.connection(connector=connector, project=number % 2 + 1)["id"] for number in range(6)]
    assert [one["id"] for one in hall.get("connections/alm/?project=2")["results"]] == keys[1::2]
    page = hall.get("connections/alm/?project=2&page_size=2&include=last_job")
    assert (page["count"], page["previous"], [one["id"] for one in page["results"]]) == (
        3,
        None,
        [keys[1], keys[3]],
    )
    assert page["results"][0]["last_job"] is None
    assert page["next"].endswith("/connections/alm/?include=last_job&page=2&page_size=2&project=2")
    last = hall.json("GET", page["next"])
    assert (last["next"], [one["id"] for one in last["results"]]) == (None, [keys[5]])
    assert hall.get("connections/alm/?project=x", status=400) == {"project": ["Enter a number."]}
    for number in (0, -1, 2**63, 10**30):  # which no project has, nor any column
        assert hall.get(f"connections/alm/?project={number}&page_size=2")["count"] == 0
        assert hall.get(f"connections/alm/?project={number}") == {"results": []}
    assert hall.get("connections/analysis/") == {"results": []}


def test_params_are_for_editors_of_the_kind(shared):
    """Others see the connection without them, and may not make, change or test one; scope is no help."""
    key = shared.connection(params={"alm_pass": "s"})["id"]
    ldap = shared.connection("ldap", params={"ldap_pass": "s"})["id"]
    assert "params" not in shared.get(f"connections/alm/{key}/", who="reader")
    assert "params" not in shared.get(f"connections/ldap/{ldap}/", who="alm")
    assert not [one for one in shared.get("connections/alm/", who="reader")["results"] if "params" in one]
    for method, path in (("POST", "alm/"), ("PATCH", f"alm/{key}/"), ("PUT", f"alm/{key}/"), ("POST", "testalm/")):
        assert shared.ask(method, f"connections/{path}", {}, who="reader").status_code == 403


def test_numbers_are_one_sequence_over_all_kinds(hall, together):
    """Connections that are made at the same time get one number each, and all are in force."""
    connector, other = hall.connector(), hall.connector("analysis", system="fortify")

    def make(number):
        kind = ("alm", "analysis", "ldap")[number % 3]
        more = {} if kind == "ldap" else {"connector": connector if kind == "alm" else other}
        return lambda: hall.connection(kind, frequency="daily", **more)["id"]

    assert sorted(together(*map(make, range(12)))) == list(range(1, 13))
    jobs = {job["job"]: job["next_fire_time"] for job in hall.house.get("/v1/jobs")}
    assert len(jobs) == 12
    assert None not in jobs.values()


def test_a_reload_moves_them(hall, words):
    """They fire at the times that the file says now; what lost its system is told and stays."""
    key = hall.connection(frequency="daily")["id"]
    systems = {name: system for name, system in words.systems.items() if name != "jira"}
    hall.reload(words.yaml(systems=systems, frequencies={"daily": {"at": "22:10"}}))
    assert hall.fires_at(key) == at("2026-03-07T22:10-05:00")
    shown = hall.get(f"connections/alm/{key}/")
    assert (shown["system"], shown["command"]) == ({"id": "jira", "name": "jira"}, "")
    run = hall.house.ran(f"sde:alm:{key}")
    assert run["state"] == "failed"
    assert "jira" in run["reason"]
