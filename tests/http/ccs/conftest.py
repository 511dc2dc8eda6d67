"""The CCS face of a real server over a real ledger, and a client that writes as CCS's own scripts do."""

import base64
import contextlib
import hashlib
import json
import os

import httpx
import pytest

PASSWORD = "pa+ss wörd@1"
WEB = "d387d8b5-6278-4bcb-83c7-b55d2072d2a8"
GROUP = "0000aaaa-1111-2222-3333-444455556666"
STANDARD = "6b020d29-5fe8-47d0-bd89-ccd3339a5ebe"
UNIX = "symc-csm-AssetSystem-Asset-Unix-Machine"
ALL = (
    "view-standards", "view-assets", "manage-jobs", "collect-data", "evaluate-standards", "view-evaluation-results",
    "view-all-jobs", "access-asset-system", "access-standards",
)  # fmt: skip


def hashed(password):
    """A cheap hash in the form of the file, made here by itself."""
    salt = os.urandom(16)
    digest = hashlib.scrypt(password.encode(), salt=salt, n=1 << 14, r=1, p=1, dklen=32)
    parts = (base64.urlsafe_b64encode(part).decode().rstrip("=") for part in (salt, digest))
    return "$".join(("scrypt", "14", "1", "1", *parts))


KNOWN = hashed(PASSWORD)
"""Of every user, so that a new house over the same ledger knows the same passwords."""


def user(name, permissions=ALL, known=KNOWN):
    """A user's line."""
    return f"  - {{name: '{name}', password_hash: {known}, permissions: [{', '.join(permissions)}]}}"


def file(*users, more=""):
    """A configuration with these users."""
    listed = "\n".join(users or (user(r"CORP\auditor"), user(r"CORP\other")))
    return f"""
version: 1
settings:
  timezone: America/New_York
  http: {{listen: "127.0.0.1:0"}}
  smtp: {{host: mail.example.com, sender: jobsd@example.com}}
users:
{listed}
collectors:
  linux:
    collect: [/bin/sh, -c, 'case "$0" in gone*) echo "no route" >&2; exit 75;; esac; echo data', "{{asset.id}}"]
    evaluate: [/bin/echo, '{{"results": [{{"check": "ports", "result": "pass"}}]}}']
  held:
    collect: [/bin/sh, -c, "until [ -e FOLDER/go ]; do sleep 0.02; done; echo data"]
    evaluate: [/bin/echo, '{{"results": []}}']
  bare: {{collect: [/bin/echo, data]}}
assets:
  {WEB.upper()}: {{id: web-1, type: linux}}
  11111111-1111-1111-1111-111111111111: {{id: held-1, type: held}}
  22222222-2222-2222-2222-222222222222: {{id: gone-1, type: linux}}
standards: {{{STANDARD}: cis}}
asset_groups:
  {GROUP}: [web-1, {{id: web-2, type: linux}}]
  bare-group: [{{id: bare-1, type: bare}}]
  99999999-9999-9999-9999-999999999999: [{{id: bare-1, type: bare}}]
jobs:
  - name: nightly
    description: of the file
    schedule: {{start: 2026-01-01T02:30:00, daily: {{every: 1}}}}
    run:
      collect:
        assets: [{{id: web-1, type: linux}}, {{id: web-2, type: linux}}]
        asset_groups: [bare-group]
        type: CollectionJob
        standards: [cis, house-rules]
        asset_timeout: 90s
        collection_timeout: 90m
        incremental: 36h
    notify: {{failure: {{to: [a@example.com, b@example.com], subject: S}}}}
  - name: hello
    run: {{command: {{argv: [/bin/echo, hello]}}}}
{more}
"""


class Script:
    """A client with one user's token; `call` gives the answer, `json` checks its status too."""

    def __init__(self, url, token):
        self.http = httpx.Client(base_url=f"{url}/ccs/api/v1", timeout=30, trust_env=False)
        if token is not None:
            self.http.headers["Authorization"] = f"Bearer {token}"

    def call(self, method, path, body=None, **more):
        """One call; a body that is no bytes is sent as JSON text, as scripts do."""
        raw = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        return self.http.request(method, path, content=raw, **more)

    def json(self, method, path, body=None, *, status=200, **more):
        """The answer's JSON, of this status."""
        answer = self.call(method, path, body, **more)
        assert answer.status_code == status, (answer.status_code, answer.text)
        assert answer.headers["content-type"] == "application/json"
        return answer.json()

    def text(self, method, path, body=None, *, status, **more):
        """The message of a refusal of this status."""
        return self.json(method, path, body, status=status, **more)["Message"]


class Face:
    """A house with the face on it."""

    def __init__(self, house):
        self.house = house
        self.clock = house.clock
        self.url = house.start()
        self._open = contextlib.ExitStack()

    def tokens(self, *, status=200, **fields):
        """The answer to a token request, sent as form text that is labelled as JSON."""
        form = "&".join(f"{name}={value}" for name, value in fields.items()).encode()
        answer = httpx.post(
            f"{self.url}/ccs/api/v1/oauth/tokens", content=form, headers={"Content-Type": "application/json"},
            trust_env=False, timeout=30,
        )  # fmt: skip
        assert answer.status_code == status, answer.text
        return answer.json()

    def login(self, name=r"CORP\auditor", password=PASSWORD, **more):
        """The tokens of a login."""
        return self.tokens(grant_type="password", username=name, password=password, **more)

    def script(self, name=r"CORP\auditor", token=None):
        """A client of this user."""
        script = Script(self.url, token or self.login(name)["access_token"])
        self._open.callback(script.http.close)
        return script

    def stranger(self):
        """A client without a token."""
        script = Script(self.url, None)
        self._open.callback(script.http.close)
        return script

    def close(self):
        """Close the clients."""
        self._open.close()


def payload(name="Weekly", *, kind="CollectionEvaluationJob", assets=((WEB, UNIX),), **details):
    """A Create Job request; None leaves a field out."""
    whole = {
        "AssetsResolutionInfo": [{"Id": guid, "Type": asset_type} for guid, asset_type in assets],
        "JobName": name,
        "Standards": [STANDARD],
        **details,
    }
    return {"JobDetails": {key: value for key, value in whole.items() if value is not None}, "JobType": kind}


@pytest.fixture
def build_face(build):
    """Makes faces over houses of their own."""
    with contextlib.ExitStack() as stack:

        def make(text=None, **more):
            face = Face(build(text=text or file(), **more))
            stack.callback(face.close)
            return face

        yield make


@pytest.fixture
def face(build_face):
    """A face of its own, with two users who may do everything."""
    return build_face()


@pytest.fixture
def script(face):
    """A client of the first user."""
    return face.script()


@pytest.fixture(scope="module")
def shared(told, tmp_path_factory):
    """A face for tests that leave nothing on it."""
    house = type(told)(tmp_path_factory.mktemp("shared"), text=file())
    face = Face(house)
    try:
        face.auditor = face.script()
        yield face
    finally:
        face.close()
        house.stop()


@pytest.fixture(scope="session")
def request_of():
    """Makes Create Job requests."""
    return payload


class Words:
    """What the file and the requests are made of."""

    password, web, group, standard, unix, permissions = PASSWORD, WEB, GROUP, STANDARD, UNIX, ALL
    user, file, hashed = staticmethod(user), staticmethod(file), staticmethod(hashed)


@pytest.fixture(scope="session")
def words():
    """What the file and the requests are made of."""
    return Words
