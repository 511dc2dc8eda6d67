"""A house that serves the SDE API, and clients of several users."""

import asyncio
import json
import socket
import threading
from datetime import UTC, datetime

import httpx
import pytest

from config import loads
from config.passwords import hash_password
from scheduler.model import Actor, By

EDITS = ["edit-alm-connections", "edit-verification-connections", "edit-ldap-connections"]
PASSWORD = "Tr0ub4dor+3:x"
HASH = hash_password(PASSWORD)
USERS = {
    "editor": ("editor@example.com", "editors-key", "view", EDITS),
    "alm": ("alm@example.com", "alms-key", "view", EDITS[:1]),
    "reader": ("reader@example.com", "readers-key", "admin", []),
    "nameless": (None, "namelesss-key", "control", []),
}
SECRETS = {"alm_pass": "geheim-7731", "nested": {"token": "geheim-nested"}}
COMMANDS = {
    "quick": {"argv": ["/bin/true"], "stdin": "json"},
    "leaky": {"argv": ["/bin/sh", "-c", "cat; cat >&2; echo 'Done - Failed: wrong password geheim-7731'"], "stdin": "json"},
    "held": {"argv": ["/bin/sh", "-c", "until [ -e FOLDER/go ]; do sleep 0.02; done"], "stdin": "json"},
    "good": {"argv": ["/bin/sh", "-c", "grep -q alm_server"], "stdin": "ini"},
    "bad": {"argv": ["/bin/sh", "-c", "cat >&2; echo 'Error: no such project geheim-7731' >&2; exit 3"], "stdin": "json"},
    "hung": {"argv": ["/bin/sleep", "600"], "timeout": "1s"},
}  # fmt: skip
SYSTEMS = {
    "jira": {"command": "quick", "name": "Atlassian JIRA", "short_name": "JIRA"},
    "rally": {"command": "held", "name": "Rally"},
    "leaky": {"command": "leaky", "test": "bad"},
    "tested": {"command": "quick", "test": "good"},
    "hung": {"command": "quick", "test": "hung"},
    "fortify": {"command": "quick"},
    "ldap": {"command": "quick"},
}


def yaml(*, key="of a test", systems=SYSTEMS, users=USERS, projects=(), frequencies=None):
    """The file; without `key` there is none."""
    settings = {"timezone": "America/New_York", "kill_after": "1s", "http": {"listen": "127.0.0.1:0"}}
    settings |= {} if key is None else {"encryption_key": key}
    settings |= {} if frequencies is None else {"frequencies": frequencies}
    told = [
        {"name": name, "token": token, "scope": scope, "permissions": permissions, "password_hash": HASH}
        | ({"email": email} if email else {})
        for name, (email, token, scope, permissions) in users.items()
    ]
    return json.dumps({
        "version": 1, "settings": settings, "users": told, "commands": COMMANDS, "sde_systems": systems,
        "sde_projects": {str(project): {"name": f"P{project}"} for project in projects}, "jobs": [],
    })  # fmt: skip


class Hall:
    """A house with the face on it."""

    def __init__(self, house):
        self.house = house
        self.clock = house.clock
        if not house.url:
            house.start()
        self.http = httpx.Client(base_url=f"{house.url}/api/v2", timeout=30, trust_env=False)

    def ask(self, method, path, body=None, *, who="editor", **more):
        """The answer to one request."""
        headers = ({} if who is None else {"Authorization": f"Token {USERS[who][1]}"}) | more.pop("headers", {})
        if body is not None:
            more["json"] = body
        return self.http.request(method, path, headers=headers, **more)

    def json(self, method, path, body=None, *, status=200, **more):
        """The JSON of an answer of this status."""
        answer = self.ask(method, path, body, **more)
        assert answer.status_code == status, (answer.status_code, answer.text)
        assert answer.headers["content-type"] == "application/json"
        return answer.json()

    def get(self, path, **more):
        """The JSON at `path`."""
        return self.json("GET", path, **more)

    def connector(self, kind="alm", *, system="jira", params=None, **more):
        """A new connector; its id."""
        asked = {
            "name": "C",
            "system": {"id": system},
            "params": {"alm_server": "s"} if params is None else params,
        }
        return self.json("POST", f"connectors/{kind}/", asked | more, status=201)["id"]

    def connection(self, kind="alm", *, connector=None, **more):
        """A new connection; the answer."""
        asked = {"alias": "A", "params": {}} | more
        if kind != "ldap":
            asked |= {"connector": connector or self.connector(kind), "project": more.get("project", 1)}
        return self.json("POST", f"connections/{kind}/", asked, status=201)

    def job(self, connection, kind="alm"):
        """The connection's job, as /v1 shows it."""
        return self.house.get(f"/v1/jobs/sde:{kind}:{connection}")

    def fires_at(self, connection, kind="alm"):
        """When its job fires next; None: never by itself."""
        found = self.job(connection, kind)["next_fire_time"]
        return None if found is None else datetime.fromisoformat(found).astimezone(UTC)

    def reload(self, text):
        """Put another file in force, as a reload does."""
        house = self.house
        house.configuration = loads(
            text.replace("FOLDER", str(house.folder)), file="jobs.yaml", folder=house.folder
        )
        house.call(house.dispatcher.install(house.configuration, Actor("tester", By.SIGNAL)))


@pytest.fixture
def build_hall(build):
    """Makes halls, each over a house of its own."""
    made = []

    def make(folder="house", **more):
        hall = Hall(build(folder, text=yaml(**more)))
        made.append(hall)
        return hall

    yield make
    for hall in made:
        hall.http.close()


@pytest.fixture
def hall(build_hall):
    """A hall of its own."""
    return build_hall()


@pytest.fixture(scope="module")
def shared(module_house, tmp_path_factory):
    """A hall for tests that do not mind each other."""
    hall = Hall(module_house(tmp_path_factory.mktemp("hall"), yaml()))
    yield hall
    hall.http.close()


@pytest.fixture(scope="module")
def hall_over():
    """Makes halls over houses that are there."""
    made = []

    def make(house):
        made.append(Hall(house))
        return made[-1]

    yield make
    for hall in made:
        hall.http.close()


@pytest.fixture
def listener():
    """A TCP server that takes connections and says nothing; its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


class Words:
    """What the file and the requests are made of."""

    password, secrets, users, systems = PASSWORD, SECRETS, USERS, SYSTEMS
    yaml = staticmethod(yaml)


@pytest.fixture(scope="session")
def words():
    """What the file and the requests are made of."""
    return Words


@pytest.fixture
def together():
    """Runs calls at the same time, each in a thread; their results."""

    def run(*calls):
        results = [None] * len(calls)

        def one(place, call):
            results[place] = call()

        threads = [threading.Thread(target=one, args=pair) for pair in enumerate(calls)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        return results

    return run


@pytest.fixture
def raw():
    """Sends bytes to a server and gives what it answers within two seconds, as far as the end of its headers."""

    def talk(url, *pieces, until=b"\r\n\r\n"):
        async def go():
            reader, writer = await asyncio.open_connection(url.host, url.port)
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
            found = b""
            try:
                async with asyncio.timeout(2):
                    found = await reader.readuntil(until)
            finally:
                writer.close()
            return found

        return asyncio.run(go())

    return talk
