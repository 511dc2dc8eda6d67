"""What the doctor says of SDE servers: jobsd's own served API, as a process."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
import requests

import jobsd.doctor.servers

SERVED = """
version: 1
settings:
  stop_timeout: 1s
  http: {listen: "127.0.0.1:0"}
  encryption_key: {env: G_KEY}
users:
  - {name: agent, email: agent@example.com, token: {env: G_AGENT}, permissions: [edit-alm-connections]}
  - {name: reader, email: reader@example.com, token: {env: G_READER}}
commands: {sync: {argv: ["true"], stdin: ini}}
sde_systems: {jira: {command: sync}}
jobs: []
"""
SECRETS = {name: f"{name}-{'0123456789' * 4}" for name in ("G_KEY", "G_AGENT", "G_READER")}
ASKED = """
servers:
  sde-prod: {{type: sde, url: '{url}', token: {{env: {token}}}}}
{more}
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A daemon that serves the SDE API, with two inaccessible connections: its URL."""
    folder = tmp_path_factory.mktemp("sde")
    (folder / "jobs.yaml").write_text(SERVED)
    argv = [sys.executable, "-m", "jobsd", "run", "-c", "jobs.yaml", "--state-dir", "state"]
    hidden = ("NOTIFY_SOCKET", "STATE_DIRECTORY")
    environment = {k: v for k, v in os.environ.items() if k not in hidden} | SECRETS
    with (folder / "log").open("w") as log:
        daemon = subprocess.Popen(argv, cwd=folder, env=environment, stdout=log, stderr=log)
    deadline = time.monotonic() + 30
    while not (folder / "state/url").exists():
        assert daemon.poll() is None, (folder / "log").read_text()
        assert time.monotonic() < deadline, (folder / "log").read_text()
        time.sleep(0.05)
    url = (folder / "state/url").read_text().strip()
    for frequency in ("daily", "weekly"):
        connector = {"name": frequency, "system": "jira", "inaccessible": True, "params": {"password": "p4ss"}}
        made = post(url, "connectors/alm/", connector)
        connection = {
            "alias": frequency,
            "connector": made["id"],
            "project": 1,
            "frequency": frequency,
            "params": {},
        }
        post(url, "connections/alm/", connection)
    yield url
    daemon.send_signal(signal.SIGTERM)
    assert daemon.wait(30) == 0


def post(url, path, body):
    """Post to the API as the one who may edit."""
    headers = {"Authorization": f"Token {SECRETS['G_AGENT']}"}
    answer = requests.post(f"{url}/api/v2/{path}", json=body, headers=headers, timeout=20)
    assert answer.status_code == 201, answer.text
    return answer.json()


@pytest.fixture
def asked(doctor, served, monkeypatch):
    """What is found at that server beyond address and plain HTTP: (token, more=…) -> [(health, found)]."""
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("G_WRONG", "w" * 40)

    def ask(token, more="jobs: []", url=served):
        told = doctor.of("server", ASKED.format(url=url, token=token, more=more))
        assert "0123456789" not in doctor.output
        assert "p4ss" not in doctor.output
        assert told[1][2] == "it is spoken to in plain HTTP: its token travels in the clear"
        return [(health, found) for _, health, found in told if health and found != told[1][2]][1:]

    return ask


AGENT = "commands: {sync: {argv: ['true'], stdin: ini}}\njobs: [{name: a, run: {sde_agent: {server: sde-prod, kinds: [alm], frequency: daily}}}]"


def test_without_jobs_every_kind_is_looked_at(asked):
    """Whose the token is, and what it may read."""
    assert asked("G_AGENT") == [
        ("ok", "its token is that of agent@example.com"),
        ("ok", "2 alm connections may be read, params too"),
        ("ok", "0 analysis connections may be read"),
        ("ok", "0 ldap connections may be read"),
    ]


def test_an_agent_in_order(asked):
    """But for a frequency that nobody runs."""
    assert asked("G_AGENT", AGENT) == [
        ("ok", "its token is that of agent@example.com"),
        ("ok", "2 alm connections may be read, params too"),
        ("warning", "nobody here runs alm connection 2 (weekly, weekly), which the server does not reach"),
    ]


def test_an_agent_whose_token_may_not_see_params(asked):
    """And whose list of commands lacks one."""
    assert asked("G_READER", AGENT.replace("sync:", "other:"))[1:] == [
        ("fail", "no agent can run alm connection 1 (daily, daily): no params are shown"),
        ("fail", 'alm connection 1 (daily, daily) needs the command "sync", which is not under commands'),
        ("warning", "nobody here runs alm connection 2 (weekly, weekly), which the server does not reach"),
    ]


def test_a_job_that_initiates_what_is_not_there(asked):
    """Or what the server does not reach."""
    jobs = "jobs: [{name: a, run: {sde: {server: sde-prod, kind: alm, connection: 9}}}, {name: b, run: {sde: {server: sde-prod, kind: alm, connection: 1}}}]"
    assert asked("G_AGENT", jobs)[2:] == [
        ("fail", 'job "a": there is no alm connection 9, or it may not be seen'),
        ("fail", 'job "b": the server does not reach alm connection 1, and cannot run it'),
    ]


def test_a_token_that_is_refused(asked):
    """The server's words; nothing else is asked."""
    assert asked("G_WRONG") == [("fail", "the token is refused: Invalid token. (status 401)")]


def test_a_token_that_cannot_be_had_is_not_tried(asked):
    """The secret's own line says what to do."""
    assert asked("G_NONE") == [("fail", "not asked: its token cannot be had")]


ILL = [
    (
        429,
        {"detail": "Request was throttled."},
        "warning",
        "whose the token is cannot be told: Request was throttled.",
    ),
    (500, "<h1>Server Error (500)</h1>", "fail", "status 500"),
    (200, "<html>Log in</html>", "fail", "the answer is no JSON"),
    (302, "", "fail", "the token is refused: the server sends us elsewhere"),
]


@pytest.mark.parametrize(("status", "body", "health", "words"), ILL)
def test_a_server_that_is_ill(status, body, health, words, asked, web):
    """Told in its words, and then no more of it."""
    url = web(answers={"/users/me/": (status, body)})
    ((found, text),) = asked("G_AGENT", url=url)
    assert found == health
    assert words in text


def test_a_server_that_is_older(asked, web):
    """One without users/me/ is looked at all the same."""
    url = web(answers={"/users/me/": (404, {"detail": "Not found."})})
    assert [text for _, text in asked("G_AGENT", url=url)] == [
        f"0 {kind} connections may be read" for kind in ("alm", "analysis", "ldap")
    ]


def test_a_kind_that_may_not_be_read(asked, web):
    """Fails where a job works on it, and is nobody's business where none does."""
    url = web(answers={"/connections/alm/": (403, {"detail": "No."}), "/connections/ldap/": (500, "")})
    told = asked("G_AGENT", AGENT, url=url)
    assert told[1:] == [("fail", "alm connections may not be read: No. (status 403)")]
    assert [health for health, _ in asked("G_AGENT", url=url)] == ["ok", "ok", "warning"]


def test_the_jsons_advice_says_what_to_do(doctor, asked):
    """Each finding that is not in order has its advice."""
    asked("G_READER", AGENT)
    findings = json.loads(doctor.output)["findings"]
    assert all(f["advice"] for f in findings if f["health"] != "ok")
    assert any(
        f["advice"] == "give the token's user the permission to edit ALM (issue tracker) connections"
        for f in findings
    )


def test_a_server_that_answers_too_slowly(asked, web, monkeypatch):
    """Given up: the doctor has other things to look at."""
    monkeypatch.setattr(jobsd.doctor.servers, "LIMIT_S", 1.0)
    url = web(answers={"/users/me/": (200, None)})
    assert asked("G_AGENT", url=url) == [("fail", "not everything was answered within 1 s")]
