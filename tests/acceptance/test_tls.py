"""HTTPS with a private certificate: the daemon as a process, the command line beside it and elsewhere."""

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from runners import trust

pytestmark = pytest.mark.acceptance

ROOT = Path(__file__).parents[2]
YAML = """
version: 1
settings: {http: {tls: {certificate: tls.pem, key: tls.key}}}
jobs:
  - name: hello
    run: {command: {argv: [/bin/echo, hello]}}
"""
LONG_AGO = {"not_before": datetime(2019, 1, 1, tzinfo=UTC), "not_after": datetime(2020, 1, 1, tzinfo=UTC)}


@pytest.fixture
def jobsd(tmp_path):
    """`jobsd` as a process in a folder without a daemon: (*arguments, exit_code=0, **environment) -> its output."""

    def call(*arguments, exit_code=0, **environment):
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("JOBSD", "STATE_", "SSL_"))}
        done = subprocess.run(
            [sys.executable, "-m", "jobsd", *map(str, arguments)],
            cwd=tmp_path, env=kept | environment | {"PYTHONPATH": str(ROOT)},
            capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert done.returncode == exit_code, done.stdout + done.stderr
        return done.stdout + done.stderr

    return call


def test_the_command_line_of_this_host_trusts_the_daemon_beside_it(daemon, authority, tmp_path, jobsd):
    """By the certificate in the state folder, whatever name it bears; it goes with the daemon."""
    authority.issue("tls", "ccs.example.com")
    one = daemon(YAML).ready()
    assert one.url.startswith("https://127.0.0.1:")
    left = one.state / "certificate.pem"
    assert left.stat().st_mode & 0o777 == 0o600
    assert "hello" in jobsd("jobs", STATE_DIRECTORY=str(one.state))
    assert "succeeded" in jobsd("trigger", "hello", "--wait", STATE_DIRECTORY=str(one.state))
    assert "hello" in jobsd("jobs", "--url", one.url, STATE_DIRECTORY=str(one.state))
    assert one.stop() == 0
    assert not left.exists()


def test_elsewhere_the_authority_is_named(daemon, authority, jobsd, tmp_path):
    """By --ca or $JOBSD_CA, and the name must fit; without it the refusal says so."""
    authority.issue("tls", "127.0.0.1")
    one = daemon(YAML).ready()
    token = {"JOBSD_TOKEN": (one.state / "token").read_text()}
    told = jobsd("jobs", "--url", one.url, exit_code=1, **token)
    assert told.startswith(f"{one.url} is not trusted (")
    assert told.rstrip().endswith("by --ca or $JOBSD_CA")
    assert "hello" in jobsd("jobs", "--url", one.url, "--ca", authority.pem, **token)
    assert "hello" in jobsd("jobs", "--url", one.url, JOBSD_CA=str(authority.pem), **token)
    other_name = one.url.replace("127.0.0.1", "localhost")
    assert "is not trusted" in jobsd("jobs", "--url", other_name, "--ca", authority.pem, exit_code=1, **token)
    told = jobsd("jobs", "--url", one.url, "--ca", tmp_path / "jobs.yaml", exit_code=1, **token)
    assert told.startswith(f"{tmp_path / 'jobs.yaml'}: no certificate can be read from it")
    assert told.count("\n") == 1


def test_another_daemon_under_the_same_address_is_not_trusted(daemon, authority, jobsd, tmp_path):
    """Only the certificate that was left counts, not its authority: the token goes to nobody else."""
    authority.issue("tls")
    one = daemon(YAML).ready()
    authority.issue("other")
    (one.state / "certificate.pem").write_text((tmp_path / "other.pem").read_text())
    assert "is not trusted" in jobsd("jobs", exit_code=1, STATE_DIRECTORY=str(one.state))


@pytest.mark.parametrize("fault", ["expired", "mismatched"])
def test_a_certificate_that_no_client_would_take_refuses_the_start(daemon, authority, fault):
    """One line of the log says what is wrong with which file; the exit code is 1."""
    if fault == "expired":
        authority.issue(**LONG_AGO)
    else:
        authority.issue()
        authority.issue("other")
        (authority.folder / "other.key").replace(authority.folder / "tls.key")
    one = daemon(YAML)
    reason = one.logged("start_refused")["reason"]
    assert one.process.wait(20) == 1
    words = {
        "expired": "tls.pem: certificate has expired",
        "mismatched": "is not the key of the first certificate in",
    }
    assert reason.startswith("settings.http.tls")
    assert words[fault] in reason


def test_a_renewed_certificate_is_taken_up_at_sighup(daemon, authority, jobsd):
    """Without a restart, and connections go on; a bad one refuses the reload and leaves the old one in use."""
    soon = datetime.now(UTC) + timedelta(days=5)
    authority.issue(not_after=soon)
    one = daemon(YAML).ready()
    told = datetime.fromisoformat(one.logged("certificate_expires")["expires_at"])
    assert told == soon.replace(microsecond=0)
    first = (one.state / "certificate.pem").read_text()
    with httpx.Client(base_url=one.url, verify=trust.authorities(authority.pem), trust_env=False) as client:
        assert client.get("/healthz").is_success
        authority.issue(**LONG_AGO)
        one.signal(signal.SIGHUP)
        assert "certificate has expired" in one.logged("reload_refused")["reason"]
        assert (one.state / "certificate.pem").read_text() == first
        assert "hello" in jobsd("jobs", STATE_DIRECTORY=str(one.state))

        authority.issue()
        one.signal(signal.SIGHUP)
        one.logged("reloaded")
        assert (one.state / "certificate.pem").read_text() != first
        assert "hello" in jobsd("jobs", STATE_DIRECTORY=str(one.state))
        assert client.get("/healthz").is_success
    assert [line["event"] for line in one.lines].count("certificate_expires") == 1


def test_a_killed_daemons_certificate_is_not_left_to_a_plain_one(daemon, authority, tmp_path):
    """The next daemon of the folder removes what is not its own."""
    authority.issue()
    one = daemon(YAML).ready()
    one.kill()
    assert (one.state / "certificate.pem").exists()
    two = daemon(YAML.replace("settings: {http: {tls: {certificate: tls.pem, key: tls.key}}}", "")).ready()
    assert two.url.startswith("http://")
    assert not (two.state / "certificate.pem").exists()
