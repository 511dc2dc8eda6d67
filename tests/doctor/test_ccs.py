"""What the doctor says of CCS servers: jobsd's own served API, as a process, over HTTPS."""

import os
import signal
import subprocess
import sys
import time

import pytest
import trustme

from config.passwords import hash_password

RIGHTS = (
    "[view-standards, view-assets, manage-jobs, collect-data, evaluate-standards, view-evaluation-results, "
    "view-all-jobs, access-asset-system, access-standards]"
)
SERVED = """
version: 1
settings:
  stop_timeout: 1s
  http: {{listen: "127.0.0.1:0", tls: {{certificate: tls.pem, key: tls.key}}}}
users:
  - {{name: 'CORP\\svc', password_hash: '{hash}', permissions: {rights}}}
  - {{name: 'CORP\\new', password_hash: '{hash}', permissions: [view-standards]}}
jobs: []
"""
ASKED = """
servers:
  ccs-prod: {{type: ccs, url: '{url}', username: 'CORP\\{user}', password: {{env: G_CCS}}, ca: {ca}}}
jobs: []
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A daemon that serves the CCS API: (its URL, the authority of its certificate)."""
    folder = tmp_path_factory.mktemp("ccs")
    authority = trustme.CA()
    leaf = authority.issue_cert("127.0.0.1")
    authority.cert_pem.write_to_path(folder / "ca.pem")
    leaf.private_key_pem.write_to_path(folder / "tls.key")
    leaf.cert_chain_pems[0].write_to_path(folder / "tls.pem")
    (folder / "jobs.yaml").write_text(SERVED.format(hash=hash_password("open+sesame"), rights=RIGHTS))
    argv = [sys.executable, "-m", "jobsd", "run", "-c", "jobs.yaml", "--state-dir", "state"]
    environment = {k: v for k, v in os.environ.items() if k not in ("NOTIFY_SOCKET", "STATE_DIRECTORY")}
    with (folder / "log").open("w") as log:
        daemon = subprocess.Popen(argv, cwd=folder, env=environment, stdout=log, stderr=log)
    deadline = time.monotonic() + 30
    while not (folder / "state/url").exists():
        assert daemon.poll() is None, (folder / "log").read_text()
        assert time.monotonic() < deadline, (folder / "log").read_text()
        time.sleep(0.05)
    yield (folder / "state/url").read_text().strip(), folder / "ca.pem"
    daemon.send_signal(signal.SIGTERM)
    assert daemon.wait(30) == 0


@pytest.fixture
def asked(doctor, served):
    """What is found at that server: (user) -> [(health, found)]."""
    url, ca = served

    def ask(user="svc"):
        told = doctor.of("server", ASKED.format(url=url, ca=ca, user=user))
        assert "sesame" not in doctor.output
        return [(health, found) for _, health, found in told]

    return ask


def test_a_sound_server_is_reached_logged_in_at_and_read(asked, monkeypatch):
    """Address, certificate, login, right to read: each its own line."""
    monkeypatch.setenv("G_CCS", "open+sesame")
    told = asked()
    assert [health for health, _ in told] == ["ok"] * 4
    assert told[2:] == [("ok", r"CORP\svc has logged in"), ("ok", "it may read jobs")]


def test_a_wrong_password_fails(asked, monkeypatch):
    """It is reached all the same; the password is in no output."""
    monkeypatch.setenv("G_CCS", "close+sesame")
    assert [health for health, _ in asked()] == ["ok", "ok", "fail"]


def test_an_account_that_may_not_read_jobs_fails(asked, monkeypatch):
    """Logged in, and refused by the server."""
    monkeypatch.setenv("G_CCS", "open+sesame")
    assert [health for health, _ in asked("new")] == ["ok", "ok", "ok", "fail"]


def test_a_password_that_cannot_be_had_is_not_tried(asked, monkeypatch):
    """The secret's own line says what to do; the server is looked at as far as that goes."""
    monkeypatch.delenv("G_CCS", raising=False)
    assert asked()[2] == ("fail", "not logged in: its password cannot be had")
