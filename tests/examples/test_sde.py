"""The examples for SD Elements: valid without a remark; the server serves, the agent and the client work with it."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import requests
import trustme

from recurrence import spread_offset

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
TOKENS = {
    name: f"{name}-0123456789-0123456789-0123456789" for name in ("portal", "agent", "sde", "smtp", "sde_key")
}
ELSEWHERE = "https://acme.sdelements.com"


def jobsd(*arguments, **options):
    """Run `jobsd`; returns the finished process."""
    argv = [sys.executable, "-m", "jobsd", *map(str, arguments)]
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False, **options)


@pytest.mark.parametrize(("name", "jobs"), [("client", 3), ("agent", 3), ("server", 0)])
def test_the_check_has_nothing_to_remark(name, jobs):
    """No fault, no warning, nothing that is not acted on."""
    found = jobsd("check", "--json", EXAMPLES / f"sde-{name}.yaml")
    assert json.loads(found.stdout) == {"valid": True, "jobs": jobs, "faults": [], "warnings": []}


@pytest.mark.parametrize(
    ("command", "params", "said"),
    [
        ("sync_jira", "alm_server = https://127.0.0.1:{port}/x", "127.0.0.1 is reached\nDone - Success\n"),
        ("sync_ldap", "server = 127.0.0.1\npassword = 100%", None),
        ("sync_jira", "alm_server = 127.0.0.1:{port}", "127.0.0.1 is reached\nDone - Success\n"),
        ("sync_jira", "alm_server = nosuch.invalid:9", "Done - Failed: nosuch.invalid is not reached: "),
        ("sync_jira", "project = 1", "Done - Failed: the params name no server (alm_server, server, url)\n"),
        ("import_fortify", "file_upload = {file}", "tool.py: {size} bytes imported\nDone - Success\n"),
        ("import_fortify", "", None),
    ],
)
def test_the_tool_that_stands_for_sde_py(command, params, said, closed_soon):
    """Reads an INI, ends with exit code 0 whatever it says."""
    tool = EXAMPLES / "sde/tool.py"
    values = {"port": closed_soon, "file": tool, "size": tool.stat().st_size}
    found = subprocess.run(
        [sys.executable, tool, command], input=f"[global]\n{params.format(**values)}\n",
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert (found.returncode, found.stderr) == (0, "")
    said = (said or "Done - Failed: ").format(**values)
    assert found.stdout == said if said.endswith("\n") else found.stdout.startswith(said)


@pytest.fixture
def closed_soon(listening):
    """A port at which somebody listens."""
    return listening.getsockname()[1]


@pytest.fixture
def listening():
    """A socket that accepts connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as one:
        yield one


@pytest.fixture
def folder(tmp_path):
    """The examples in a folder of their own, with a certificate and the credentials."""
    copy = tmp_path / "examples"
    shutil.copytree(EXAMPLES, copy)
    authority = trustme.CA()
    leaf = authority.issue_cert("127.0.0.1")
    authority.cert_pem.write_to_path(copy / "ca.pem")
    leaf.private_key_pem.write_to_path(copy / "tls.key")
    leaf.cert_chain_pems[0].write_to_path(copy / "tls.pem")
    (copy / "tls.key").chmod(0o600)
    (tmp_path / "credentials").mkdir()
    for name, token in TOKENS.items():
        (tmp_path / "credentials" / name).write_text(token)
    return tmp_path


@pytest.fixture
def environment(folder):
    """That of a daemon with its credentials."""
    hidden = ("NOTIFY_SOCKET", "STATE_DIRECTORY", "JOBSD_URL", "JOBSD_TOKEN")
    kept = {name: value for name, value in os.environ.items() if name not in hidden}
    return kept | {"CREDENTIALS_DIRECTORY": str(folder / "credentials")}


@pytest.fixture
def daemon(folder, environment):
    """Starts daemons on the examples: (name) -> how to ask it: (*arguments) -> finished `jobsd`, its URL as `url`."""
    started = []

    def start(name):
        state, file = folder / f"state-{name}", folder / f"examples/sde-{name}.yaml"
        argv = [sys.executable, "-m", "jobsd", "run", "-c", file, "--state-dir", state, "--listen", "127.0.0.1:0"]
        with (folder / f"log-{name}").open("w") as log:
            one = subprocess.Popen(argv, env=environment, stdout=log, stderr=log)
        started.append(one)
        deadline = time.monotonic() + 30
        while not (state / "url").exists():
            assert one.poll() is None, (folder / f"log-{name}").read_text()
            assert time.monotonic() < deadline, (folder / f"log-{name}").read_text()
            time.sleep(0.05)

        def ask(*arguments):
            return jobsd(*arguments, env=environment | {"STATE_DIRECTORY": str(state)})

        ask.url = (state / "url").read_text().strip()
        return ask

    yield start
    for one in started:
        one.send_signal(signal.SIGTERM)
    for one in started:
        assert one.wait(30) == 0


class Api:
    """A caller of the served API."""

    def __init__(self, url, folder):
        self.url, self.ca = url, folder / "examples/ca.pem"

    def __call__(self, path, body=None, *, user="agent"):
        method, headers = "GET" if body is None else "POST", {"Authorization": f"Token {TOKENS[user]}"}
        answer = requests.request(
            method, f"{self.url}/api/v2/{path}", json=body, headers=headers, verify=self.ca, timeout=20
        )
        assert answer.ok, answer.text
        return answer.json()


@pytest.fixture
def served(daemon, folder):
    """The server's daemon with four connections: (its API, how to ask it, ids by alias)."""
    ask = daemon("server")
    api = Api(ask.url, folder)
    ids = {}
    for alias, inaccessible, params in (
        ("reached", False, {"alm_server": ask.url}),
        ("inside", True, {"alm_server": ask.url, "password": "p4ss%word"}),
        ("broken", True, {"password": "p4ss"}),
    ):
        connector = api(
            "connectors/alm/",
            {"name": f"of {alias}", "system": {"id": "jira"}, "inaccessible": inaccessible, "params": params},
        )
        connection = {
            "alias": alias,
            "connector": connector["id"],
            "project": 1,
            "frequency": "daily",
            "params": {},
        }
        ids[alias] = api("connections/alm/", connection)["id"]
    directory = {"alias": "Staff", "frequency": "weekly", "params": {"server": ask.url}}
    ids["Staff"] = api("connections/ldap/", directory)["id"]
    for name in ("client", "agent"):
        file = folder / f"examples/sde-{name}.yaml"
        text = file.read_text().replace(f'"{ELSEWHERE}"', f'"{ask.url}", ca: ca.pem').replace(ELSEWHERE, ask.url)
        text = text.replace("# ca: corp-ca.pem ", "ca: ca.pem # ")
        text = text.replace("connection: 12", f"connection: {ids['reached']}")
        file.write_text(text.replace("connection: 3,", f"connection: {ids['Staff']},"))
    (folder / "credentials/sde").write_text(TOKENS["agent"])
    return api, ask, ids


def told_by_doctor(folder, environment, name):
    """What the doctor finds: (area, name, health) -> found, of what is not in order."""
    arguments = ["-c", folder / f"examples/sde-{name}.yaml", "--state-dir", folder / f"state-{name}", "--json"]
    findings = json.loads(jobsd("doctor", *arguments, env=environment).stdout)["findings"]
    return {
        (f["area"], f["name"], f["health"]): f["found"]
        for f in findings
        if f["health"] != "ok" and f["area"] not in ("clock", "zone")
    }


def test_the_agent_works_for_the_server(served, daemon, folder, environment):
    """It runs what is inaccessible and posts what came of it; the doctor of both has nothing to say but of the address.

    What the server reaches fires there, at the time of the server's file and with its spread.
    """
    api, server, ids = served
    name = f"sde:alm:{ids['reached']}"
    (fire,) = (job["next_fire_time"] for job in json.loads(server("jobs", "--json").stdout) if job["job"] == name)
    local = datetime.fromisoformat(fire).astimezone(ZoneInfo("Europe/Berlin")) - spread_offset(
        name, timedelta(minutes=20)
    )
    assert f"{local:%H:%M:%S}" == "04:10:00"
    agent = daemon("agent")
    found = agent("trigger", "agent-daily", "--wait")
    runs = json.loads(agent("runs", "--job", "agent-daily", "--json").stdout)
    assert runs[0]["assets"] | {"done": 1, "failed": 1} == runs[0]["assets"], found
    jobs = []
    deadline = time.monotonic() + 20
    while len(jobs) < 2:
        assert time.monotonic() < deadline, (folder / "log-agent").read_text()
        time.sleep(0.1)
        jobs = api("jobs/alm/")["results"]
    told = {job["connection"]["alias"]: (job["succeeded"], job["result_message"], job["user"]) for job in jobs}
    assert told == {
        "inside": (True, "", "agent@example.com"),
        "broken": (False, "the params name no server (alm_server, server, url)", "agent@example.com"),
    }
    assert {job["connection"]["id"] for job in jobs} == {ids["inside"], ids["broken"]}
    output = agent("logs", runs[0]["run_id"]).stdout
    assert "127.0.0.1 is reached" in output
    assert "p4ss" not in output + (folder / "log-agent").read_text() + (folder / "log-server").read_text()
    assert told_by_doctor(folder, environment, "agent") == {}
    assert {key[:2] for key in told_by_doctor(folder, environment, "server")} <= {("listener", "0.0.0.0:8443")}


def test_the_client_works_with_the_server(served, daemon, folder, environment):
    """It initiates connections, imports a file once, and knows them for what they are; so does the import."""
    api, _, ids = served
    client = daemon("client")
    (folder / "examples/reports").mkdir()
    (folder / "examples/reports/a.fpr").write_bytes(b"report")
    with ThreadPoolExecutor() as at_once:  # each is waited for in turns of seconds
        names = ("jira-payments", "staff-directory", "fortify-reports")
        for done in at_once.map(lambda job: client("trigger", job, "--wait"), names):
            assert done.returncode == 0, (folder / "log-client").read_text()
    (job,) = api("jobs/alm/")["results"]
    assert (job["connection"]["id"], job["ready"], job["succeeded"], job["automatic"]) == (
        ids["reached"],
        True,
        True,
        True,
    )
    assert [job["connection"]["id"] for job in api("jobs/ldap/")["results"]] == [ids["Staff"]]
    assert os.listdir(folder / "examples/reports") == []
    assert os.listdir(folder / "examples/imported") == ["a.fpr"]
    told = told_by_doctor(folder, environment, "client")
    assert {key[0] for key in told} == {"server", "mail"}
    assert [text for (area, _, _), text in told.items() if area == "server"] == [
        f"the server also runs ldap connection {ids['Staff']} (Staff, weekly) by their own frequency: they run twice"
    ]
    file = folder / "examples/sde-client.yaml"
    made = jobsd("import", "sde", "-c", file, "--server", "sde-prod", env=environment)
    (folder / "examples/made.yaml").write_text(made.stdout)
    assert jobsd("check", folder / "examples/made.yaml").returncode == 0, made.stderr
    assert [line.split('"')[1] for line in made.stdout.splitlines() if line.startswith("  - name:")] == [
        "reached", "staff", "sde-prod-agent-daily",
    ]  # fmt: skip
