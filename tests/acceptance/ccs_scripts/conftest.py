"""A daemon that serves the CCS API over HTTPS, with users, and the clients that are put to it."""

import contextlib
import email
import functools
import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import requests
from aiosmtpd.controller import Controller

from config.passwords import hash_password

DATA = Path(__file__).parent / "data"
ROOT = Path(__file__).parents[3]
PASSWORD = "Tr0ub4dor+3"
CALLS = ["view-standards", "view-assets", "manage-jobs", "collect-data", "evaluate-standards",
         "view-evaluation-results", "view-all-jobs", "access-asset-system", "access-standards"]  # fmt: skip
ODD_PASSWORDS = ["a+b=c", "100%", "50%41", "r&d", "p&q=%r", "Grüße §", "#?/:@!$", "Zm9v"]
YAML = r"""
version: 1
settings:
  timezone: America/Los_Angeles
  stop_timeout: 1s
  kill_after: 1s
  http: {listen: "127.0.0.1:0", tls: {certificate: tls.pem, key: tls.key}}
  smtp: {host: 127.0.0.1, port: SMTP_PORT, starttls: false}
users:
  - {name: 'CORP\auditor', password_hash: HASH, permissions: [CALLS]}
  - {name: 'CORP\second', password_hash: HASH, permissions: [CALLS]}
OTHERScollectors:
  symc-csm-AssetSystem-Asset-Unix-Machine:
    collect: [/bin/sh, -c, 'case "$1" in slow*) sleep 60;; gone*) exit 75;; esac; echo "data of $1"', -, "{asset.id}"]
    evaluate: [/bin/sh, -c, 'cat >/dev/null; printf "%s" "$1"', -, '{"results": [{"check": "ssh", "result": "pass", "message": ""}, {"check": "root", "result": "fail", "message": "{standard}"}]}']
assets:
  d387d8b5-6278-4bcb-83c7-b55d2072d2a8: {id: web-1, type: symc-csm-AssetSystem-Asset-Unix-Machine}
  5107e000-0000-4000-8000-000000000001: {id: slow-1, type: symc-csm-AssetSystem-Asset-Unix-Machine}
  90e00000-0000-4000-8000-000000000001: {id: gone-1, type: symc-csm-AssetSystem-Asset-Unix-Machine}
standards: {6b020d29-5fe8-47d0-bd89-ccd3339a5ebe: cis-linux}
jobs:
  - name: from-the-file
    run: {collect: {type: CollectionJob, assets: [{id: web-9, type: symc-csm-AssetSystem-Asset-Unix-Machine}]}}
  - name: no-collection
    run: {command: {argv: ["true"]}}
"""


class Mailbox:
    """Takes mails in."""

    def __init__(self):
        self.mails = []

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 - aiosmtpd's name
        self.mails.append((envelope.rcpt_tos, email.message_from_bytes(envelope.content)))
        return "250 OK"


class Served:
    """The daemon, and what clients see of it."""

    def __init__(self, process, mailbox):
        self.process = process
        self.mailbox = mailbox
        self.host, self.port = process.url.removeprefix("https://").split(":")
        self.base = f"{process.url}/ccs/api/v1"

    def script(self, name, *edits, user=r"CORP\\auditor", password=PASSWORD):
        """Run a page's script as a process; (status line, its first line as JSON or None, all output).

        Only what its comments tell their reader to replace is replaced; `edits` are pairs (old, new) of that kind.
        """
        text = (DATA / f"{name}_script.txt").read_text()
        for old, new in [
            ("'<hostname>'", f"'{self.host}'"), ("'<port number>'", f"'{self.port}'"),
            ("'<user name>'", f"'{user}'"), ("'<password>'", f"'{password}'"), *edits,
        ]:  # fmt: skip
            assert old in text, old
            text = text.replace(old, new)
        done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, timeout=60, check=True)
        first, _, _ = done.stdout.partition("\n<bound method")
        with contextlib.suppress(ValueError):
            first = json.loads(first)
        return re.search(r"<Response \[(\d+)\]>", done.stdout), first, done.stdout

    def cli(self, *arguments):
        """What the command line of this host prints as JSON."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith("JOBSD")}
        done = subprocess.run(
            [sys.executable, "-m", "jobsd", *arguments, "--json"],
            env=environment | {"STATE_DIRECTORY": str(self.process.state), "PYTHONPATH": str(ROOT)},
            capture_output=True, text=True, timeout=60, check=True,
        )  # fmt: skip
        return json.loads(done.stdout)

    def send(self, method, path, **more):
        """One request as the scripts make it, without a token."""
        return requests.request(method, f"{self.base}{path}", verify=False, timeout=30, **more)  # noqa: S501 - as they do

    def log_in(self, user="auditor", password=PASSWORD):
        """The answer's tokens; asked for as the scripts do."""
        form = f"grant_type=password&username=CORP\\{user}&password={password}"
        answer = self.send("POST", "/oauth/tokens", data=form, headers={"Content-Type": "application/json"})
        assert answer.status_code == 200, answer.text
        return answer.json()

    @functools.cached_property
    def token(self):
        """An access token."""
        return self.log_in()["access_token"]

    def call(self, method, path, *, status=200, token=None, **more):
        """One call with a token, as the scripts make it; the answer, which must have this status."""
        headers = {"Authorization": f"Bearer {token or self.token}"}
        answer = self.send(method, path, headers=headers, **more)
        assert answer.status_code == status, f"{answer.status_code}: {answer.text}"
        return answer

    def job_runs(self, job_id, **query):
        """The latest job runs."""
        return self.call("GET", f"/jobs/{job_id}/jobruns", params=query).json()

    def ended(self, job_id, seconds=30):
        """The newest job run, once it has ended."""

        def look():
            found = self.job_runs(job_id)
            return found[0] if found and found[0]["Status"] in (4, 5, 6, 7) else None

        return self.process.until(look, seconds)


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@pytest.fixture
def odd_passwords():
    """Passwords of users who are called by their place in the list."""
    return ODD_PASSWORDS


@pytest.fixture(scope="module")
def mailbox():
    """A mail server on loopback."""
    box = Mailbox()
    box.controller = Controller(box, hostname="127.0.0.1", port=free_port())
    box.controller.start()
    yield box
    box.controller.stop()


@pytest.fixture(scope="session")
def files(tmp_path_factory, authority_in):
    """Makes a folder with a certificate and `jobs.yaml`: (port of the mail server) -> folder."""
    known = hash_password(PASSWORD)
    others = "".join(
        f"  - {{name: 'CORP\\{number}', password_hash: {hash_password(password)}}}\n"
        for number, password in enumerate(ODD_PASSWORDS)
    )

    def make(smtp_port):
        folder = tmp_path_factory.mktemp("served")
        authority_in(folder).issue()
        text = YAML.replace("SMTP_PORT", str(smtp_port)).replace("HASH", known).replace("OTHERS", others)
        (folder / "jobs.yaml").write_text(text.replace("[CALLS]", json.dumps(CALLS)))
        return folder

    return make


@pytest.fixture(scope="module")
def served(files, daemon_process, mailbox):
    """The daemon, up for all tests of a module."""
    folder = files(mailbox.controller.port)
    process = daemon_process(folder / "jobs.yaml", folder)
    try:
        yield Served(process.ready(), mailbox)
    finally:
        process.close()


@pytest.fixture
def started(files, daemon):
    """Starts a daemon of this test's own, or another one on the same folder: (folder or None) -> Served."""

    def start(folder=None):
        folder = folder or files(free_port())
        return Served(daemon(folder / "jobs.yaml", folder=folder).ready(), None)

    return start


@pytest.fixture(autouse=True)
def _unverified():
    """The clients of these tests verify no certificate, as the vendor's do not, and are not to be told so."""
    import warnings

    from urllib3.exceptions import InsecureRequestWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InsecureRequestWarning)
        yield
