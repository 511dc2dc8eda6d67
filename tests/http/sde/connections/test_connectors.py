"""Connectors over HTTP."""

import pytest

NOT_FOUND = {"detail": "Not found."}
FORBIDDEN = {"detail": "You do not have permission to perform this action."}
REQUIRED = ["This field is required."]


def test_a_connector_is_made_and_shown_whole(shared):
    """The answer to a POST, to a GET and in the list are one; the system is the configuration's own, in any case."""
    body = {
        "name": " My JIRA ",
        "system": {"id": "JIRA", "name": "ignored"},
        "params": {"a": {"b": [1, None]}},
        "x": 1,
    }
    made = shared.json("POST", "connectors/alm/", body, status=201)
    assert made == {
        "id": made["id"], "name": "My JIRA", "inaccessible": False, "params": {"a": {"b": [1, None]}},
        "system": {"id": "jira", "short_name": "JIRA", "name": "Atlassian JIRA"},
    }  # fmt: skip
    assert shared.get(f"connectors/alm/{made['id']}/") == made
    assert made in shared.get("connectors/alm/")["results"]
    assert shared.json("POST", "connectors/analysis", {**body, "system": "fortify"}, status=201)["system"] == {
        "id": "fortify", "short_name": "fortify", "name": "fortify",
    }  # fmt: skip


def test_a_patch_changes_what_it_says_and_a_put_all_of_it(shared):
    """PATCH leaves the rest, of params too; PUT needs all but `inaccessible`, which becomes false."""
    key = shared.connector(params={"a": 1, "b": 2}, inaccessible=True)
    path = f"connectors/alm/{key}/"
    assert shared.json("PATCH", path, {"name": "N"})["params"] == {"a": 1, "b": 2}
    changed = shared.json("PATCH", path, {"params": {"b": None, "c": 3}})
    after = {"a": 1, "b": None, "c": 3}
    assert (changed["name"], changed["params"], changed["inaccessible"]) == ("N", after, True)
    assert shared.json("PATCH", path, {"params": {}})["params"] == after
    assert shared.json("PUT", path, {}, status=400) == {"name": REQUIRED, "system": REQUIRED, "params": REQUIRED}
    whole = shared.json("PUT", path, {"name": "P", "system": "RALLY", "params": {}})
    assert (whole["system"]["id"], whole["params"], whole["inaccessible"]) == ("rally", {}, False)
    assert shared.get(path) == whole


def test_all_faults_are_told_at_once(shared):
    """Each field with its faults; a system that is not known has the words of a missing object."""
    body = {"name": "", "system": {"id": "nope"}, "inaccessible": "perhaps", "params": []}
    assert shared.json("POST", "connectors/alm/", body, status=400) == {
        "name": ["This field may not be blank."],
        "system": {"id": ['Invalid pk "nope" - object does not exist.']},
        "inaccessible": ["Must be a valid boolean."],
        "params": ['Expected a dictionary of items but got type "list".'],
    }


def test_params_are_for_editors_of_the_kind(shared):
    """Others get the connector without `params`, and may not make, change or test one."""
    key = shared.connector(params={"secret": "s"})
    other = shared.connector("analysis", system="fortify")
    for who in ("reader", "nameless"):
        assert "params" not in shared.get(f"connectors/alm/{key}/", who=who)
        assert not [one for one in shared.get("connectors/alm/", who=who)["results"] if "params" in one]
    assert shared.get(f"connectors/alm/{key}/", who="alm")["params"] == {"secret": "s"}
    assert "params" not in shared.get(f"connectors/analysis/{other}/", who="alm")
    for method, path in (
        ("POST", "connectors/alm/"),
        ("PATCH", f"connectors/alm/{key}/"),
        ("PUT", f"connectors/alm/{key}"),
        ("POST", "connectors/testalm/"),
    ):
        assert shared.json(method, path, {}, who="reader", status=403) == FORBIDDEN
    assert shared.json("PATCH", f"connectors/analysis/{other}/", {}, who="alm", status=403) == FORBIDDEN


@pytest.mark.parametrize("path", ["alm/999", "alm/0", "alm/x", "alm/1e3", "alm/99999999999999999999999", "ldap", "ldap/1", "nope"])  # fmt: skip
def test_what_is_not_there_is_not_found(shared, path):
    """No such connector, no such number, no connectors of that kind."""
    assert shared.get(f"connectors/{path}/", status=404) == NOT_FOUND


def test_kinds_do_not_see_each_other(shared):
    """A connector is found under its own kind only, also under the kind's other names."""
    key = shared.connector("analysis", system="fortify")
    assert shared.get(f"connectors/alm/{key}/", status=404) == NOT_FOUND
    assert shared.json("PATCH", f"connectors/alm/{key}/", {"name": "x"}, status=404) == NOT_FOUND
    assert shared.get(f"connectors/ANALYSIS/{key}")["id"] == key
    alm = shared.connector()
    assert shared.get(f"connectors/issue-tracker/{alm}/")["id"] == alm


def test_pages(hall):
    """With page_size the list has a count and links, without it results only; a page that is not is 404."""
    keys = [hall.connector(name=f"C{number}") for number in range(5)]
    assert list(hall.get("connectors/alm/")) == ["results"]
    page = hall.get("connectors/alm/?page_size=2&page=2")
    assert (page["count"], [one["id"] for one in page["results"]]) == (5, keys[2:4])
    assert page["next"].endswith("/api/v2/connectors/alm/?page=3&page_size=2")
    assert page["previous"].endswith("/api/v2/connectors/alm/?page_size=2")
    assert hall.get("connectors/alm/?page_size=2&page=4", status=404) == {"detail": "Invalid page."}


def test_a_connector_decides_where_its_connections_run(hall):
    """Made inaccessible, its connections fire no more, an agent runs them; accessible again, they fire at their times.

    Rule: inaccessible
    """
    connector, other = hall.connector(), hall.connector()
    daily = hall.connection(connector=connector, frequency="daily")["id"]
    manual = hall.connection(connector=connector)["id"]
    free = hall.connection(connector=other, frequency="daily")["id"]
    before = hall.fires_at(daily)
    assert before is not None
    hall.json("PATCH", f"connectors/alm/{connector}/", {"inaccessible": True})
    listed = {one["id"]: one["inaccessible"] for one in hall.get("connections/alm/")["results"]}
    assert listed == {daily: True, manual: True, free: False}
    assert (hall.fires_at(daily), hall.fires_at(free)) == (None, before)
    hall.json("PATCH", f"connectors/alm/{connector}/", {"inaccessible": False})
    assert (hall.fires_at(daily), hall.fires_at(manual)) == (before, None)


def test_a_connectors_system_is_its_connections(hall):
    """With another system, its connections have that system and its command."""
    connector = hall.connector()
    key = hall.connection(connector=connector)["id"]
    hall.json("PATCH", f"connectors/alm/{connector}/", {"system": "Rally"})
    shown = hall.get(f"connections/alm/{key}/")
    assert (shown["system"], shown["command"]) == ({"id": "rally", "name": "Rally"}, "held")
    assert hall.get(f"connectors/alm/{connector}/")["system"]["id"] == "rally"
