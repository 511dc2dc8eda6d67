"""Test calls: a TCP connection, or the system's own command."""

import pytest

REQUIRED = ["This field is required."]


def trial(**more):
    """The body of a test."""
    return {"name": "T", "system": {"id": "jira"}, "params": {}} | more


@pytest.mark.parametrize("form", ["127.0.0.1:{}", "http://127.0.0.1:{}/rest", "localhost:{}", " 127.0.0.1:{} "])
def test_a_server_that_takes_connections_is_a_success(shared, listener, form):
    """The server in the params is reached at its port, however it is written.

    Rule: test-call
    """
    params = {"alm_server": form.format(listener)}
    assert shared.json("POST", "connectors/testalm/", trial(params=params)) == {"success": True}
    analysis = trial(system="fortify", params={"analysis_server": params["alm_server"]})
    assert shared.json("POST", "connectors/testanalysis", analysis) == {"success": True}
    ldap = {"alias": "L", "params": {"ldap_server": params["alm_server"]}}
    assert shared.json("POST", "connections/testldap/", ldap) == {"success": True}


def test_a_server_that_does_not_says_why(shared):
    """No success, and where and why in words; the port is the method's where none is written."""
    refused = shared.json("POST", "connectors/testalm/", trial(params={"alm_server": "127.0.0.1:1"}))
    assert refused == {"success": False, "message": "127.0.0.1:1 cannot be reached: Connection refused."}
    nowhere = shared.json("POST", "connectors/testalm/", trial(params={"alm_server": "nowhere.invalid"}))
    assert nowhere["success"] is False
    assert nowhere["message"].startswith("nowhere.invalid:443 cannot be reached: ")
    plain = {"alm_server": "127.0.0.1", "alm_method": "http"}
    assert "127.0.0.1:80 " in shared.json("POST", "connectors/testalm/", trial(params=plain)).get(
        "message", "127.0.0.1:80 "
    )
    ldaps = {"alias": "L", "params": {"ldap_server": "nowhere.invalid", "ldap_method": "ldaps"}}
    assert "nowhere.invalid:636 " in shared.json("POST", "connections/testldap/", ldaps)["message"]


@pytest.mark.parametrize("server", [None, "", 7, "host:port", "http://", "[::1", "a" * 70 + ".invalid"])
def test_a_server_that_is_none_is_refused_on_its_field(shared, server):
    """Missing or no server: 400 within params, or an answer that says it cannot be reached."""
    answer = shared.ask("POST", "connectors/testalm/", trial(params={"alm_server": server}))
    if answer.status_code == 200:
        assert answer.json()["success"] is False
    else:
        assert (answer.status_code, list(answer.json()["params"])) == (400, ["alm_server"])
    assert shared.json("POST", "connectors/testalm/", trial(), status=400) == {"params": {"alm_server": REQUIRED}}


def test_a_systems_command_tests_it(shared):
    """It gets the params on standard input; its verdict is the answer, without secrets.

    Rule: test-call
    """
    good = shared.json("POST", "connectors/testalm/", trial(system="tested", params={"alm_server": "s"}))
    assert good == {"success": True}
    bad = trial(system="leaky", params={"alm_pass": "geheim-7731"})
    assert shared.json("POST", "connectors/testalm/", bad) == {
        "success": False,
        "message": "Error: no such project ***",
    }


def test_a_command_that_hangs_is_ended(shared):
    """After its own time limit, with all that it started."""
    hung = shared.json("POST", "connectors/testalm/", trial(system="hung"))
    assert hung == {"success": False, "message": "The test did not end within 1 seconds."}


def test_a_connections_test_runs_over_its_connector(shared):
    """The connector's params are under those that are sent; one that is not there is refused."""
    connector = shared.connector(system="tested", params={"alm_server": "s"})
    body = {"alias": "A", "connector": connector, "project": 1, "system": "tested", "params": {"x": 1}}
    assert shared.json("POST", "connections/testalm/", body) == {"success": True}
    assert shared.json("POST", "connections/testalm/", body | {"connector": 9999}, status=400) == {
        "connector": ['Invalid pk "9999" - object does not exist.']
    }
    assert shared.json("POST", "connections/testalm/", {}, status=400) == {
        "alias": REQUIRED, "system": REQUIRED, "params": REQUIRED,
    }  # fmt: skip


def test_tests_keep_nothing(hall):
    """Nothing is listed after a test, and no run was made."""
    hall.json("POST", "connectors/testalm/", trial(system="leaky"))
    assert hall.get("connectors/alm/") == {"results": []}
    assert hall.get("connections/alm/") == {"results": []}
    assert hall.house.get("/v1/runs") == []


@pytest.mark.parametrize("path", ["connectors/testldap/", "connections/testnope/", "connectors/test/"])
def test_there_are_tests_of_each_kind_only(shared, path):
    """LDAP has no connectors to test; other words are no kinds."""
    assert shared.ask("POST", path, trial()).status_code in {404, 405}
    assert shared.ask("GET", "connectors/testalm/").status_code == 405
