"""The states that the vendor's pages describe, built through the API, and the samples that are answered there."""

import json
from datetime import datetime
from pathlib import Path

import httpx
import pytest

SAMPLES = Path(__file__).parents[3] / "runners" / "sde" / "wire" / "data" / "samples.jsonl"
TOKEN = "of-the-admin"
EDITS = ["edit-alm-connections", "edit-verification-connections", "edit-ldap-connections"]
PEOPLE = [("Admin", "admin@example.com"), ("Joe", "joe@example.com")]
ABSENT = object()


def yaml(systems):
    """The file: `systems` are (name, short name, command) by id; commands that need a while last until the end."""
    users = [
        {"name": name, "email": email, "token": f"{TOKEN}-{name}", "scope": "admin", "permissions": EDITS}
        for name, email in PEOPLE
    ]
    commands = {command: {"argv": ["/bin/true"], "stdin": "json"} for _, _, command in systems.values()}
    return json.dumps(
        {
            "version": 1,
            "settings": {"timezone": "America/New_York", "encryption_key": "of a test", "http": {"listen": "127.0.0.1:0"}},
            "users": users,
            "commands": commands,
            "sde_systems": {
                key: {"name": name, "short_name": short, "command": command, "test": command}
                for key, (name, short, command) in systems.items()
            },
            "jobs": [],
        }
    )  # fmt: skip


class Scene:
    """A server in the state that a page describes: numbers are reached by others that came before."""

    def __init__(self, house, at, *, filler):
        self.house = house
        self.filler = filler
        house.clock.set(datetime.fromisoformat(at))
        headers = {"Authorization": f"Token {TOKEN}-Admin"}
        self.http = httpx.Client(base_url=f"{house.url}/api/v2", headers=headers, trust_env=False, timeout=15)
        self.others = []

    def made(self, path, **body):
        """Create something; the answer's JSON."""
        answer = self.http.post(path, json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def connector(self, number, kind, **body):
        """Connector `number`."""
        while (one := self.made(f"/connectors/{kind}/", **body))["id"] < number:
            pass
        assert one["id"] == number
        return one

    def filled(self):
        """One more connection of another kind."""
        assert self.filler == "ldap"
        self.others.append(self.made("/connections/ldap/", alias="Another", params={})["id"])
        return self.others[-1]

    def connection(self, number, kind, **body):
        """Connection `number`; those before it are of another kind."""
        while len(self.others) < number - 1:
            self.filled()
        one = self.made(f"/connections/{kind}/", **body)
        assert one["id"] == number
        return one

    def jobs_before(self, number):
        """Jobs of another connection, so that the next one is `number`."""
        result = {"automatic": True, "succeeded": True, "result_message": ""}
        while self.made(f"/jobs/{self.filler}/", connection=self.others[0], **result)["id"] < number - 1:
            pass

    def ran(self, kind, number, connection, *, automatic=True):
        """Job `number`, initiated and carried out."""
        self.jobs_before(number)
        asked = {"connection": connection, "automatic": automatic, "ready": False}
        job = self.made(f"/jobs/{kind}/", **asked)
        assert job["id"] == number
        return self.house.until(lambda: self.http.get(f"/jobs/{kind}/{number}/").json()["ready"])


def differences(page, ours, where=""):
    """Where an answer is not the page's: (place, the page's, ours), also where the types of two numbers differ."""
    if isinstance(page, dict) and isinstance(ours, dict):
        names = sorted(page.keys() | ours.keys())
        return [
            found
            for name in names
            for found in differences(page.get(name, ABSENT), ours.get(name, ABSENT), f"{where}.{name}".strip("."))
        ]
    if isinstance(page, list) and isinstance(ours, list) and len(page) == len(ours):
        return [found for pair in zip(page, ours, strict=True) for found in differences(*pair, where)]
    return [] if type(page) is type(ours) and page == ours else [(where, page, ours)]


@pytest.fixture(scope="session")
def samples():
    """The answers of the pages: {(page, method, path): [bodies]}."""
    found = {}
    for line in SAMPLES.read_text().splitlines():
        one = json.loads(line)
        if one["kind"] == "answer":
            found.setdefault((one["page"], one["method"], one["path"].removeprefix("/api/v2")), []).append(
                one["body"]
            )
    return found


@pytest.fixture
def scene(build):
    """Builds states: (systems, at=instant) -> Scene."""
    opened = []

    def make(systems, *, at="2015-04-15T20:27:24.396442Z", filler="ldap"):
        house = build(f"scene-{len(opened)}", text=yaml(systems))
        house.start()
        opened.append(Scene(house, at, filler=filler))
        return opened[-1]

    yield make
    for one in opened:
        one.http.close()


@pytest.fixture
def same():
    """Fails where an answer is not the page's: (page's, ours, places that may differ with the reason)."""

    def compare(page, ours, excused):
        found = differences(page, ours)
        told = [f"{place}: page {a!r}, ours {b!r}" for place, a, b in found if place not in excused]
        assert not told, "\n".join(told)
        assert excused.keys() == {place for place, _, _ in found}, "an exception that is none"

    return compare
