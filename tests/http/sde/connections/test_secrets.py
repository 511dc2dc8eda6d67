"""Params at rest, and what becomes of them without their key."""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).parents[4]
PASSWORD = b"geheim-7731"
NESTED = b"geheim-nested"
KEPT = {"alm_pass": PASSWORD.decode(), "options": {"token": NESTED.decode()}, "alm_server": "127.0.0.1:1"}


def holders(folder):
    """The files below a folder in which a password stands, as it is or in what it might be written as."""
    spellings = [word.hex().encode() for word in (PASSWORD, NESTED)] + [PASSWORD, NESTED, PASSWORD[::-1]]
    files = [path for path in (folder / "state").rglob("*") if path.is_file()] + [folder / "log"]
    assert len(files) > 3
    return [path for path in files if any(word in path.read_bytes() for word in spellings)]


@pytest.fixture
def daemon(tmp_path, words):
    """`jobsd run`: a client, the folder, the process."""
    text = words.yaml().replace("FOLDER", str(tmp_path))
    (tmp_path / "jobs.yaml").write_text(text)
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("JOBSD", "STATE_", "NOTIFY_"))}
    argv = [
        *("/bin/sh", "-c", 'ulimit -S -c $(ulimit -H -c); exec "$0" "$@"'),  # as a host that keeps core files
        sys.executable,
        "-m",
        "jobsd",
        "run",
        "-c",
        "jobs.yaml",
        "--state-dir",
        "state",
        "--listen",
        "127.0.0.1:0",
    ]
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            argv, cwd=tmp_path, stdout=log, stderr=log, env=kept | {"PYTHONPATH": str(ROOT)}
        )
    deadline = time.monotonic() + 30
    while not (tmp_path / "state" / "url").exists():
        assert process.poll() is None, (tmp_path / "log").read_text()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    url = (tmp_path / "state" / "url").read_text()
    http = httpx.Client(base_url=url, headers={"Authorization": "Token editors-key"}, timeout=30, trust_env=False)

    yield http, tmp_path, process
    http.close()
    process.send_signal(signal.SIGTERM)
    process.wait(30)


def done(http, job):
    """A job as soon as it is ready."""
    deadline = time.monotonic() + 20
    while not (found := http.get(f"/api/v2/jobs/alm/{job}/").json())["ready"]:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


def test_no_secret_is_in_the_state_folder_or_the_log(daemon):
    """Made, changed, tested, run by a command that prints them, listed: no file that is left holds a password."""
    http, folder, process = daemon

    def post(path, body, status=201):
        answer = http.post(f"/api/v2/{path}", json=body)
        assert answer.status_code == status, answer.text
        return answer.json()

    for number in range(2):  # the first one's rows are written over, and deleted from nothing
        connector = post("connectors/alm/", {"name": f"C{number}", "system": "leaky", "params": KEPT})["id"]
        body = {"alias": "A", "connector": connector, "project": 1, "frequency": "daily", "params": KEPT}
        key = post("connections/alm/", body)["id"]
        for path in (f"connectors/alm/{connector}/", f"connections/alm/{key}/"):
            assert http.patch(f"/api/v2/{path}", json={"params": KEPT | {"more": 1}}).status_code == 200
        assert http.patch(f"/api/v2/connectors/alm/{connector}/", json={"inaccessible": True}).status_code == 200
        assert http.patch(f"/api/v2/connectors/alm/{connector}/", json={"inaccessible": False}).status_code == 200
    test = {"alias": "A", "name": "C", "connector": connector, "system": "leaky", "params": KEPT}
    for path in ("connectors/testalm/", "connections/testalm/"):
        assert post(path, test, 200) == {"success": False, "message": "Error: no such project ***"}
    assert http.post("/api/v2/connections/alm/", json=body | {"alias": ""}).status_code == 400
    ended = done(http, post("jobs/alm/", {"connection": key, "automatic": False, "ready": False})["id"])
    assert (ended["succeeded"], ended["result_message"]) == (False, "wrong password ***")
    post("connections/ldap/", {"alias": "L", "params": KEPT | {"ldap_server": "x"}})
    seen = http.get("/api/v2/connections/alm/").text
    assert PASSWORD.decode() in seen
    token = {"Authorization": f"Bearer {(folder / 'state' / 'token').read_text()}"}
    runs = http.get("/v1/runs", headers=token).json()
    paths = ["/v1/jobs", f"/v1/jobs/sde:alm:{key}", "/v1/runs", "/v1/next", "/v1/deliveries", "/openapi.json"]
    paths += [f"/v1/runs/{run['run_id']}{part}" for run in runs for part in ("", "/events", "/log", "/attempts")]
    for path in paths:
        answer = http.get(path, headers=token)
        assert answer.status_code == 200, (path, answer.text)
        assert PASSWORD not in answer.content, path
        assert NESTED not in answer.content, path
    assert runs
    assert holders(folder) == []
    assert resource.prlimit(process.pid, resource.RLIMIT_CORE)[0] == 0, "a crash would write them all to a file"
    process.send_signal(signal.SIGTERM)
    process.wait(30)
    assert holders(folder) == []


def test_with_another_key_nothing_is_shown_or_run(hall, words):
    """Listed without params; a run fails and names the setting. A PATCH loses none of them; a PUT of new ones works."""
    key = hall.connection(params={"a": 1})["id"]
    other = hall.connection(connector=hall.connector(params={}), params={})["id"]
    hall.reload(words.yaml(key="another"))
    shown = {one["id"]: one.get("params") for one in hall.get("connections/alm/")["results"]}
    assert shown == {key: None, other: {}}
    assert "params" not in hall.get(f"connections/alm/{key}/")
    assert [one.get("params") for one in hall.get("connectors/alm/")["results"]] == [None, {}]
    run = hall.house.ran(f"sde:alm:{key}")
    assert run["state"] == "failed"
    assert "settings.encryption_key" in run["reason"]
    path = f"connections/alm/{key}/"
    assert hall.json("PATCH", path, {"alias": "B"})["alias"] == "B"
    connector = hall.get(path)["connector"]
    for locked in (path, f"connectors/alm/{connector}/"):
        fault = hall.json("PATCH", locked, {"params": {"b": 1}}, status=400)
        assert "settings.encryption_key is not the key" in fault["params"][0]
        assert "params" not in hall.json("PATCH", locked, {"params": {}})
    hall.reload(words.yaml())
    assert hall.get(path)["params"] == {"alm_server": "s", "a": 1}
    hall.reload(words.yaml(key=None))
    assert "settings.encryption_key is not set" in hall.house.ran(f"sde:alm:{key}")["reason"]
    trial = {"alias": "T", "system": "jira", "connector": connector, "params": {}}
    fault = hall.json("POST", "connections/testalm/", trial, status=400)
    assert fault == {"connector": ["Its params cannot be opened: settings.encryption_key is not set."]}
    hall.reload(words.yaml(key="another"))
    hall.json("PUT", f"connectors/alm/{connector}/", {"name": "C", "system": "jira", "params": {"b": 1}})
    whole = {"alias": "B", "connector": connector, "project": 1, "params": {"c": 1}}
    assert hall.json("PUT", path, whole)["params"] == {"b": 1, "c": 1}
    assert hall.house.ran(f"sde:alm:{key}")["state"] == "succeeded"


def test_a_new_key_above_the_old_one_opens_everything(hall, words):
    """With both lines all is shown; what is written anew opens with the new line alone."""
    key = hall.connection(params={"a": 1})["id"]
    hall.reload(words.yaml(key="new\nof a test"))
    assert hall.get(f"connections/alm/{key}/")["params"] == {"alm_server": "s", "a": 1}
    connector = hall.get(f"connections/alm/{key}/")["connector"]
    hall.json("PATCH", f"connections/alm/{key}/", {"params": {"a": 2}})
    hall.json("PATCH", f"connectors/alm/{connector}/", {"params": {"n": 1}})
    hall.reload(words.yaml(key="new"))
    assert hall.get(f"connections/alm/{key}/")["params"] == {"alm_server": "s", "n": 1, "a": 2}


def test_without_a_key_no_params_are_taken(build_hall):
    """They are refused on their field, which names the setting; without params all goes on.

    Rule: secrets-at-rest
    """
    hall = build_hall(key=None)
    body = {"name": "C", "system": "jira", "params": {"alm_pass": "geheim"}}
    for method, path in (("POST", "connectors/alm/"), ("POST", "connections/ldap/")):
        fault = hall.json(method, path, body | {"alias": "L"}, status=400)
        assert list(fault) == ["params"]
        assert "settings.encryption_key" in fault["params"][0]
        assert "geheim" not in json.dumps(fault)
    connector = hall.connector(params={})
    key = hall.connection(connector=connector, frequency="daily")["id"]
    assert hall.json("PATCH", f"connections/alm/{key}/", {"params": {"a": 1}}, status=400).keys() == {"params"}
    assert hall.get(f"connections/alm/{key}/")["params"] == {}


def test_a_reload_tells_what_it_has_taken_away(daemon, words):
    """The log names users without their token, a lost key, and connections whose system is gone."""
    http, folder, process = daemon
    connector = http.post("/api/v2/connectors/alm/", json={"name": "C", "system": "jira", "params": KEPT}).json()[
        "id"
    ]
    shared = {"alias": "A", "connector": connector, "project": 1, "params": {}}
    assert http.post("/api/v2/connections/alm/", json=shared).status_code == 201
    away = {**shared, "alias": "B", "connector": None, "inaccessible": True}
    assert http.post("/api/v2/connections/ldap/", json=away).status_code == 201
    whole = json.loads(words.yaml(key="another", systems={"tested": words.systems["tested"]}))
    whole["users"][2]["token"] = {"env": "NOT_SET"}
    (folder / "jobs.yaml").write_text(json.dumps(whole).replace("FOLDER", str(folder)))
    process.send_signal(signal.SIGHUP)
    deadline = time.monotonic() + 20
    while "job_unfit" not in (log := (folder / "log").read_text()):
        assert time.monotonic() < deadline, log
        time.sleep(0.02)
    lines = {line["event"]: line for line in map(json.loads, log.splitlines())}
    assert (lines["user_token_missing"]["user"], lines["user_token_missing"]["level"]) == ("reader", "error")
    assert (lines["sde_params_locked"]["locked"], lines["sde_params_locked"]["kept"]) == (1, 1)
    unfit = [line for line in map(json.loads, log.splitlines()) if line["event"] == "job_unfit"]
    assert [line["job"] for line in unfit] == ["sde:alm:1"]
    assert "'jira'" in unfit[0]["reason"]
