"""Two servers of one API: a stock Django REST framework app, and a daemon; every request goes to both."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from config.passwords import hash_password

STOCK = Path(__file__).with_name("stock")
ROOT = Path(__file__).parents[4]
PASSWORD = "Tr0ub4dor+3"
EDITS = ["edit-alm-connections", "edit-verification-connections", "edit-ldap-connections"]
PEOPLE = {
    "editor": ("editor@example.com", "editors-token", "control", EDITS),
    "reader": ("reader@example.com", "readers-token", "view", []),
}
PROJECTS = {"1": "Payments", "2": "Portal", "7": "Back office"}
SYSTEMS = {
    "jira": ("JIRA", "JIRA"),
    "rally": ("CA Agile Central", "CA Agile Central (formerly Rally)"),
    "fortify_file_upload": ("Fortify", "Fortify Software Security Center"),
    "ldap": ("LDAP", "LDAP"),
}
BASE = "/api/v2"
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z")
HEADERS = ["allow", "www-authenticate", "content-type"]
ABSENT = object()


def yaml():
    """The daemon's file: commands last until the daemon ends, so that a job that was initiated stays so."""
    hashed = hash_password(PASSWORD)
    users = [
        {"name": name, "email": email, "token": token, "scope": scope, "permissions": permissions, "password_hash": hashed}
        for name, (email, token, scope, permissions) in PEOPLE.items()
    ]  # fmt: skip
    return json.dumps(
        {
            "version": 1,
            "settings": {"stop_timeout": "1s", "kill_after": "1s", "encryption_key": "of a test"},
            "users": users,
            "commands": {f"sync_{key}": {"argv": ["/bin/sleep", "600"], "stdin": "json"} for key in SYSTEMS}
            | {"answers": {"argv": ["/bin/true"]}},
            "sde_systems": {
                key: {"command": f"sync_{key}", "test": "answers", "short_name": short, "name": name}
                for key, (short, name) in SYSTEMS.items()
            },
            "sde_projects": {key: {"name": name} for key, name in PROJECTS.items()},
            "jobs": [],
        }
    )


class Served:
    """A child process that serves the API."""

    def __init__(self, process):
        self.process = process
        self.http = None

    def open(self, url):
        """It listens at `url`."""
        self.http = httpx.Client(base_url=url, trust_env=False, timeout=15)

    def send(self, method, path, *, who="editor", headers=None, **body):
        """One request; `who` is a person, None for nobody."""
        told = {} if who is None else {"Authorization": f"Token {PEOPLE[who][1]}"}
        told |= headers or {}
        sent = {name: value for name, value in told.items() if value is not None}
        request = self.http.build_request(method, BASE + path, headers=sent, **body)
        for name in told.keys() - sent.keys():
            request.headers.pop(name, None)
        return self.http.send(request)

    def close(self):
        """End it."""
        if self.http is not None:
            self.http.close()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)
        for pipe in (self.process.stdout, self.process.stderr):
            if pipe is not None:
                pipe.close()


def stock():
    """The framework's app; the warnings of its own code are its own affair."""
    users = [
        {"email": email, "token": token, "password": PASSWORD, "edit": bool(permissions)}
        for email, token, _, permissions in PEOPLE.values()
    ]
    told = json.dumps({"users": users, "projects": PROJECTS, "systems": SYSTEMS})
    argv = [sys.executable, "-W", "ignore", str(STOCK), told]
    served = Served(subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
    if not (port := served.process.stdout.readline().strip()):
        pytest.fail(served.process.communicate(timeout=10)[1])
    served.open(f"http://127.0.0.1:{port}")
    return served


def daemon(folder):
    """`jobsd run`."""
    (folder / "jobs.yaml").write_text(yaml())
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("JOBSD", "STATE_", "NOTIFY_"))}
    state, log = folder / "state", folder / "log"
    argv = [sys.executable, "-m", "jobsd", "run", "-c", "jobs.yaml", "--state-dir", str(state)]
    with log.open("w") as out:
        process = subprocess.Popen(
            [*argv, "--listen", "127.0.0.1:0"],
            cwd=folder, env=environment | {"PYTHONPATH": str(ROOT)}, stdout=out, stderr=out,
        )  # fmt: skip
    served = Served(process)
    deadline = time.monotonic() + 30
    while not (state / "url").exists():
        if process.poll() is not None or time.monotonic() > deadline:
            served.close()
            pytest.fail(log.read_text()[-3000:])
        time.sleep(0.05)
    served.open((state / "url").read_text())
    return served


def apart(stock, ours, where="", *, exact=False):
    """Where two JSON values differ: in keys and types, `exact` in values too; an instant is as good as another."""
    if isinstance(stock, dict) and isinstance(ours, dict):
        names = sorted(stock.keys() | ours.keys())
        return [
            found
            for name in names
            for found in apart(stock.get(name, ABSENT), ours.get(name, ABSENT), f"{where}.{name}", exact=exact)
        ]
    if isinstance(stock, list) and isinstance(ours, list) and len(stock) == len(ours):
        pairs = enumerate(zip(stock, ours, strict=True))
        return [found for i, pair in pairs for found in apart(*pair, f"{where}[{i}]", exact=exact)]
    if type(stock) is not type(ours):
        return [f"{where}: {told(stock)} / {told(ours)}"]
    moments = isinstance(stock, str) and INSTANT.fullmatch(stock)
    if moments and not INSTANT.fullmatch(ours):
        return [f"{where}: {told(stock)} / {told(ours)}"]
    if isinstance(stock, list) or (exact and not moments and stock != ours):
        return [f"{where}: {told(stock)} / {told(ours)}"]
    return []


def told(value):
    """A value for a message."""
    return "nothing" if value is ABSENT else json.dumps(value)[:300]


class Pair:
    """Both servers, in the same state."""

    def __init__(self, stock, ours):
        self.stock, self.ours = stock, ours

    def both(self, method, path, **more):
        """One request to each; their answers."""
        return self.stock.send(method, path, **more), self.ours.send(method, path, **more)

    def make(self, path, body):
        """Create something in both; its id, which is the same."""
        ids = []
        for answer in self.both("POST", path, json=body):
            assert answer.status_code == 201, answer.text
            ids.append(answer.json()["id"])
        assert ids[0] == ids[1]
        return ids[0]

    def differences(self, method, path, *, but=(), **more):
        """What differs in the answers: status, headers, JSON. `but` are headers, or beginnings of places in the
        JSON (`.results[].id`), that may.
        """
        answers = self.both(method, path, **more)
        stock, ours = answers
        found = []
        if stock.status_code != ours.status_code:
            found.append(f"status: {stock.status_code} / {ours.status_code} {ours.text[:300]}")
        if stock.headers.get("content-type", "").startswith("text/html"):
            return found  # an address that Django itself does not know: its page is no part of the API
        names = [name for name in HEADERS if name not in but]
        found += [
            f"{name}: {stock.headers.get(name)} / {ours.headers.get(name)}"
            for name in names
            if stock.headers.get(name) != ours.headers.get(name)
        ]
        if not found and (stock.content or ours.content):
            bodies = [self._body(answer) for answer in answers]
            found = [one for one in apart(*bodies, exact=True) if not _anywhere(one).startswith(tuple(but))]
        return found

    def _body(self, answer):
        """The JSON; links to other pages without their host."""
        body = answer.json() if answer.content else None
        for name in ("next", "previous"):
            if isinstance(body, dict) and isinstance(body.get(name), str):
                parts = urlsplit(body[name])
                assert f"{parts.scheme}://{parts.netloc}" == str(answer.request.url).split("/api/")[0]
                body[name] = f"{parts.path}?{parts.query}"
        return body

    def table(self, rows):
        """Put each row (method, path, options) to both; all differences, row by row, in one text."""
        lines = []
        for method, path, *more in rows:
            for found in self.differences(method, path, **(more[0] if more else {})):
                lines.append(f"{method} {path} {more or ''}: {found}")
        return "\n".join(lines)


def _anywhere(place):
    """A place in the JSON without the numbers of items."""
    return re.sub(r"\[\d+\]", "[]", place)


@pytest.fixture(scope="session")
def pair(tmp_path_factory):
    """Both servers, with the same connectors and connections: ids 1 to 3 and 1 to 4, jobs of each kind."""
    with contextlib.ExitStack() as stack:
        made = Pair(stock(), None)
        stack.callback(made.stock.close)
        made.ours = daemon(tmp_path_factory.mktemp("daemon"))
        stack.callback(made.ours.close)
        furnish(made)
        yield made


def furnish(pair):
    """The state that rows may name."""
    jira = {
        "name": "Jira",
        "system": {"id": "jira"},
        "params": {"alm_server": "jira.example.com", "alm_pass": "s"},
    }
    assert pair.make("/connectors/alm/", jira) == 1
    assert pair.make("/connectors/alm/", jira | {"name": "Behind a wall", "inaccessible": True}) == 2
    assert pair.make("/connectors/analysis/", jira | {"name": "Rally", "system": {"id": "rally"}}) == 3
    one = {
        "alias": "Team A",
        "connector": 1,
        "project": 1,
        "frequency": "manually",
        "params": {"alm_project": "A"},
    }
    assert pair.make("/connections/alm/", one) == 1
    assert pair.make("/connections/alm/", one | {"alias": "Team B", "connector": 2, "project": 2}) == 2
    assert pair.make("/connections/analysis/", one | {"alias": "Scans", "connector": 3, "project": 7}) == 3
    directory = {"alias": "People", "params": {"ldap_server": "ldap.example.com", "page_size": 666}}
    assert pair.make("/connections/ldap/", directory) == 4
    for kind, connection in (("alm", 1), ("alm", 2), ("analysis", 3), ("ldap", 4)):
        result = {"connection": connection, "automatic": True, "succeeded": True, "result_message": "Done"}
        pair.make(f"/jobs/{kind}/", result)
        pair.make(
            f"/jobs/{kind}/", result | {"succeeded": False, "automatic": False, "result_message": "No route"}
        )


@pytest.fixture
def put(pair):
    """Puts a table to both: (rows) -> nothing; all differences are told at once."""

    def table(rows):
        if found := pair.table(rows):
            pytest.fail(f"stock app / ours:\n{found}", pytrace=False)

    return table


@pytest.fixture
def moment():
    """An instant of an answer."""
    return datetime.fromisoformat
