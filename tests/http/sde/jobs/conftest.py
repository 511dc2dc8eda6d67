"""A daemon of its own that serves the SDE API, connections in it, and clients of several users."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).parents[4]
EDITS = ["edit-alm-connections", "edit-verification-connections", "edit-ldap-connections"]
USERS = {
    "admin": ("admin@example.com", "admins-key", "control", EDITS),
    "agent": ("agent@example.com", "agents-key", "control", []),
    "alm": ("alm@example.com", "alms-key", "view", EDITS[:1]),
    "verifier": ("verifier@example.com", "verifiers-key", "view", EDITS[1:2]),
    "reader": ("reader@example.com", "readers-key", "view", []),
}
HELD = "until [ -e FOLDER/go ]; do sleep 0.02; done; echo done"
KEPT = "/usr/bin/env python3 -c \"import json,sys; p=json.load(sys.stdin); print(open(p['file_upload'],'rb').read(5))\""
COMMANDS = {
    "held": {"argv": ["/bin/sh", "-c", HELD], "stdin": "json"},
    "quick": {"argv": ["/bin/true"], "stdin": "json"},
    "wrong": {"argv": ["/bin/sh", "-c", "echo 'no such project' >&2; exit 3"], "stdin": "json"},
    "import_fortify": {"argv": ["/bin/sh", "-c", KEPT], "stdin": "json"},
}
SYSTEMS = {
    "jira": {"command": "held", "name": "JIRA"},
    "rally": {"command": "quick", "name": "Rally"},
    "broken": {"command": "wrong"},
    "fortify_file_upload": {
        "command": "quick", "file": "import_fortify", "short_name": "Fortify", "name": "Fortify Software Security Center",
    },
    "slow_file_upload": {"command": "held", "short_name": "Slow"},
    "ldap": {"command": "held", "name": "LDAP"},
}  # fmt: skip


def yaml(**settings):
    """The daemon's file."""
    return json.dumps({
        "version": 1,
        "settings": {"stop_timeout": "1s", "kill_after": "1s", "encryption_key": "of a test", **settings},
        "users": [
            {"name": name, "email": email, "token": key, "scope": scope, "permissions": permissions}
            for name, (email, key, scope, permissions) in USERS.items()
        ],
        "commands": COMMANDS,
        "sde_systems": SYSTEMS,
        "sde_projects": {str(key): {"name": f"P{key}"} for key in (1, 7, 8)},
    })  # fmt: skip


class Desk:
    """`jobsd run` in a folder; `restart` leaves the folder as it is."""

    def __init__(self, folder, state=None, **settings):
        self.folder = folder
        self.state = state or folder / "state"
        self._process = None
        (folder / "jobs.yaml").write_text(yaml(**settings).replace("FOLDER", str(folder)))
        self.start()

    def start(self):
        """Start it, and wait until it listens."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("JOBSD", "STATE_", "NOTIFY_"))}
        argv = [sys.executable, "-m", "jobsd", "run", "-c", "jobs.yaml", "--state-dir", str(self.state)]
        with (self.folder / "log").open("a") as log:
            self._process = subprocess.Popen(
                [*argv, "--listen", "127.0.0.1:0"], cwd=self.folder, stdout=log, stderr=log,
                env=kept | {"PYTHONPATH": str(ROOT)},
            )  # fmt: skip
        self.until(lambda: (self.state / "url").exists() or self._process.poll() is not None)
        if self._process.poll() is not None:
            pytest.fail((self.folder / "log").read_text()[-3000:])
        self.url = (self.state / "url").read_text()
        self.http = httpx.Client(base_url=f"{self.url}/api/v2", timeout=30, trust_env=False)

    @property
    def pid(self):
        """Its process."""
        return self._process.pid

    def log(self):
        """All that it has said."""
        return [json.loads(line) for line in (self.folder / "log").read_text().splitlines()]

    def end(self, how=signal.SIGTERM):
        """End it."""
        self.http.close()
        self._process.send_signal(how)
        self._process.wait(30)
        if how == signal.SIGKILL:
            (self.state / "url").unlink()

    def restart(self, how=signal.SIGTERM):
        """End it and start it again."""
        self.end(how)
        self.start()

    @staticmethod
    def until(condition, seconds=20):
        """Wait in real time until `condition()` is true; returns what it gives."""
        deadline = time.monotonic() + seconds
        while not (found := condition()):
            assert time.monotonic() < deadline, "this never came true"
            time.sleep(0.02)
        return found

    def ask(self, method, path, body=None, *, who="admin", **more):
        """The answer to one request."""
        headers = {"Authorization": f"Token {USERS[who][1]}"} | more.pop("headers", {})
        if body is not None:
            more["json"] = body
        return self.http.request(method, path, headers=headers, **more)

    def get(self, path, *, status=200, **more):
        """The JSON at `path`."""
        answer = self.ask("GET", path, **more)
        assert answer.status_code == status, answer.text
        return answer.json()

    def post(self, path, body=None, *, status=201, **more):
        """The JSON that a POST is answered with."""
        answer = self.ask("POST", path, body, **more)
        assert answer.status_code == status, answer.text
        return answer.json()

    def upload(
        self, *, file=("report.xml", b"<report/>"), status=201, who="admin", path="/jobs/analysis-file/", **fields
    ):
        """The JSON that an import is answered with."""
        fields = {"system": "fortify_file_upload", "project": "1", **fields}
        data = {name: value for name, value in fields.items() if value is not None}
        files = None if file is None else {"report_file": file}
        return self.post(path, status=status, who=who, data=data, files=files or {"no": (None, "file")})

    def connection(self, kind="alm", *, system="rally", project=7, inaccessible=False, params=None, **more):
        """A new connection; its id."""
        shared = {"alias": "My Connection", "params": params or {"alm_user": "u", "alm_pass": "secret"}, **more}
        if kind == "ldap":
            return self.post("/connections/ldap/", {**shared, "inaccessible": inaccessible})["id"]
        asked = {"name": "c", "system": system, "inaccessible": inaccessible, "params": {"server": "s"}}
        connector = self.post(f"/connectors/{kind}/", asked)["id"]
        return self.post(f"/connections/{kind}/", {**shared, "connector": connector, "project": project})["id"]

    def initiate(self, connection, kind="alm", **more):
        """The answer to an initiate."""
        asked = {"connection": connection, "automatic": False, "ready": False}
        return self.post(f"/jobs/{kind}/", asked, **more)

    def result(self, connection, kind="alm", *, message="My Message", succeeded=True, automatic=True, **more):
        """The answer to a result that is posted."""
        asked = {
            "connection": connection, "result_message": message, "succeeded": succeeded, "automatic": automatic,
        }  # fmt: skip
        return self.post(f"/jobs/{kind}/", asked, **more)

    def jobs(self):
        """The ids of all jobs; what else is shown of them may change at any time."""
        return [job["id"] for job in self.get("/jobs/")["results"]]

    def ended(self, job, kind="alm"):
        """The job, as soon as it is ready."""

        def look():
            found = self.get(f"/jobs/{kind}/{job}/")
            return found if found["ready"] else None

        return self.until(look)

    @contextlib.contextmanager
    def going(self):
        """Held commands end inside."""
        (self.folder / "go").touch()
        yield
        (self.folder / "go").unlink()


@pytest.fixture(scope="module")
def desk_in(tmp_path_factory):
    """Makes daemons, each in a folder of its own; all are ended."""
    with contextlib.ExitStack() as stack:

        def make(**more):
            folder = tmp_path_factory.mktemp("desk")
            made = Desk(folder, **more)
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            stack.callback(made.end)
            return made

        yield make


@pytest.fixture(scope="module")
def desk(desk_in):
    """The module's daemon."""
    return desk_in()


@pytest.fixture(scope="session")
def users():
    """E-mail, key, scope and permissions by name."""
    return USERS
