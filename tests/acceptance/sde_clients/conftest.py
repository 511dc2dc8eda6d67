"""A daemon that serves the SDE API, and the programs of others that are put to it."""

import json
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from config.passwords import hash_password

PROGRAMS = Path(__file__).with_name("programs")
TOKEN = "b9a1c3d5e7f900112233445566778899aabbccdd"
PASSWORD = "Tr0ub4dor+3"
YAML = f"""
version: 1
settings: {{stop_timeout: 1s, kill_after: 1s, encryption_key: of a test, http: {{upload_limit: 64KiB}}}}
users:
  - name: tester
    email: tester@example.com
    token: {TOKEN}
    password_hash: {hash_password(PASSWORD)}
    scope: control
    permissions: [edit-alm-connections, edit-verification-connections, edit-ldap-connections]
commands:
  sync_jira: {{argv: [/bin/sh, -c, 'grep -q "no route" && echo "Done - Failed: no route to host"; exit 0'], stdin: json}}
  import_fortify: {{argv: [/bin/sh, -c, 'cat'], stdin: json}}
sde_systems:
  jira: {{command: sync_jira, name: JIRA, short_name: JIRA}}
  fortify_file_upload: {{command: import_fortify, short_name: Fortify, name: Fortify Software Security Center}}
sde_projects: {{1: {{name: Payments}}, 2: {{name: Portal}}}}
jobs: []
"""


class Face:
    """The daemon's SDE API, and what programs see of it."""

    def __init__(self, process):
        self.process = process
        self.base = f"{process.url}/api/v2"
        self.http = httpx.Client(
            base_url=self.base, headers={"Authorization": f"Token {TOKEN}"}, trust_env=False, timeout=15
        )

    def made(self, path, **body):
        """Create something; its id."""
        answer = self.http.post(path, json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    def connection(self, alias, **params):
        """A new ALM connection of a connector of its own; its id."""
        jira = self.made(
            "/connectors/alm/", name=alias, system={"id": "jira"}, params={"alm_server": "jira.example.com"}
        )
        return self.made(
            "/connections/alm/", alias=alias, connector=jira, project=1, frequency="daily", params=params
        )

    def jobs(self, **query):
        """The ALM jobs that there are."""
        return self.http.get("/jobs/alm/", params=query).json()["results"]

    def ready(self, path):
        """The job at `path`, once it is ready."""

        def look():
            job = self.http.get(path).json()
            return job if job["ready"] else None

        return self.process.until(look)

    def run(self, program, *arguments):
        """What a program prints, as JSON; it must end well."""
        argv = [sys.executable, PROGRAMS / f"{program}.py", self.base, *map(str, arguments)]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)

    def call(self, *argv):
        """What any program prints, with TOKEN and the base address filled in."""
        filled = [str(one).replace("BASE", self.base).replace("TOKEN", TOKEN) for one in argv]
        return subprocess.run(filled, capture_output=True, text=True, timeout=60)


@pytest.fixture
def face(daemon):
    """The face of a daemon that is up."""
    made = Face(daemon(YAML).ready())
    yield made
    made.http.close()


@pytest.fixture
def token():
    """Of the one user."""
    return TOKEN


@pytest.fixture
def password():
    """Likewise."""
    return PASSWORD
