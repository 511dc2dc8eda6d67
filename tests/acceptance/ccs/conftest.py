"""Two daemons: a stand-in for CCS, and one that drives it."""

import json
import signal
import time

import pytest

from config.passwords import hash_password

ASSETS = {name: f"{n}aaaaaaa-0000-4000-8000-000000000000" for n, name in enumerate(("web-1", "web-2", "web-3"), 1)}
STANDARD = "5aaaaaaa-0000-4000-8000-000000000000"
PASSWORD = "pass+word %41"
HASH = hash_password(PASSWORD)
FINAL = {"succeeded", "failed", "missed", "skipped", "expired", "lost", "cancelled"}
EXECUTE = {"method": "POST", "path": "/jobs/", "body": '"Operation"\\s*:\\s*"execute"'}
ABORT = {"method": "POST", "path": "/jobs/", "body": '"Operation"\\s*:\\s*"abort"'}
POLL = {"method": "GET", "path": "/jobruns"}
TOKENS = {"method": "POST", "path": "/oauth/tokens"}

COLLECT = """#!/bin/sh
echo "$1" >> {folder}/started
while test -e {folder}/hold-$1; do sleep 0.05; done
echo "$1" >> {folder}/collected
echo data
"""

STAND_IN = """
version: 1
settings:
  stop_timeout: 1s
  kill_after: 1s
  http: {{tls: {{certificate: {folder}/../tls.pem, key: {folder}/../tls.key}}}}
users:
  - name: 'CORP\\svc'
    password_hash: {hash}
    permissions: {permissions}
collectors:
  linux:
    collect: [./collect.sh, "{{asset.id}}"]
    evaluate: [/bin/echo, '{{"results": [{{"check": "ports", "result": "pass", "message": ""}}]}}']
assets: {assets}
standards: {{{standard}: cis}}
jobs:
  - name: nightly
    run: {{collect: {{assets: [{{id: web-1, type: linux}}], standards: [cis]}}}}
"""

PERMISSIONS = [
    "view-standards",
    "view-assets",
    "manage-jobs",
    "collect-data",
    "evaluate-standards",
    "view-evaluation-results",
    "view-all-jobs",
    "access-asset-system",
    "access-standards",
]

DRIVER = """
version: 1
settings: {{stop_timeout: 1s, kill_after: 1s}}
servers:
  ccs:
    type: ccs
    url: "{url}"
    ca: {folder}/../ca.pem
    username: 'CORP\\svc'
    password: {{file: {folder}/password}}
    timeout: 5s
jobs:
  - name: weekly
    schedule: {schedule}
    run: {{ccs: {{server: ccs, {what}, poll: 1s}}}}
    {more}
"""

NEVER = "{once: true, start: 2020-01-01T00:00:00}"


def details(*assets, name="weekly", **more):
    """JobDetails over these assets."""
    refs = [{"Id": ASSETS[asset], "Type": "linux"} for asset in assets]
    return {"AssetsResolutionInfo": refs, "JobName": name, "Standards": [STANDARD], **more}


def reload(process):
    """SIGHUP, taken."""
    seen = len(process.lines)
    process.signal(signal.SIGHUP)
    process.logged("reloaded", after=seen)


class StandIn:
    """The stand-in, over all its processes."""

    def __init__(self, start, folder, *, permissions=PERMISSIONS):
        self.folder = folder
        self._start = start
        folder.mkdir()
        (folder / "collect.sh").write_text(COLLECT.format(folder=folder))
        (folder / "collect.sh").chmod(0o755)
        self._file = folder / "stand-in.yaml"
        self._write(permissions)
        self.process = None
        self.start("127.0.0.1:0")
        self.url = self.process.url

    def _write(self, permissions):
        assets = {guid: {"id": name, "type": "linux"} for name, guid in ASSETS.items()}
        text = STAND_IN.format(
            hash=HASH,
            permissions=json.dumps(permissions),
            assets=json.dumps(assets),
            standard=STANDARD,
            folder=self.folder,
        )
        self._file.write_text(text)

    def permit(self, *permissions):
        """Its account may do only this from now on."""
        self._write(permissions)
        reload(self.process)

    def start(self, listen=None):
        """Start it, where it was before if it was."""
        listen = listen or self.url.partition("://")[2]
        self.process = self._start(self._file, folder=self.folder, command="rehearse", listen=listen).ready()

    def stop(self):
        """End the process."""
        assert self.process.stop() == 0

    def hold(self, *assets):
        """These assets' collections do not end."""
        for asset in assets:
            (self.folder / f"hold-{asset}").touch()

    def release(self):
        """All collections may end."""
        for file in self.folder.glob("hold-*"):
            file.unlink()

    def collected(self):
        """The assets that were collected, one entry for each collection."""
        file = self.folder / "collected"
        return sorted(file.read_text().split()) if file.exists() else []

    def order(self, fault, match=None, **more):
        """Order one fault; returns its id."""
        with self.process.client() as client:
            answer = client.post("/rehearsal/faults", json=[{"fault": fault, "match": match or {}, **more}])
        assert answer.status_code == 201, answer.text
        return answer.json()[0]["id"]

    def hits(self, order):
        """How often an order was hit."""
        return next(one["hits"] for one in self.process.get("/rehearsal/faults").json() if one["id"] == order)

    def until_hit(self, order, times=1):
        """Wait until an order was hit."""
        self.process.until(lambda: self.hits(order) >= times)

    def take_back(self):
        """Forget all orders."""
        with self.process.client() as client:
            assert client.delete("/rehearsal/faults").is_success

    def requests(self, method, path):
        """The requests of this process that came."""
        with self.process.client() as client:
            return client.get("/rehearsal/requests", params={"method": method, "path": path}).json()

    def runs(self):
        """Its job runs, oldest first."""
        return self.process.runs()

    def until_running(self, count=1):
        """Wait until so many job runs are there and the last is running; returns that."""

        def look():
            runs = self.runs()
            return runs[-1] if len(runs) >= count and runs[-1]["state"] == "running" else None

        return self.process.until(look)


class Driver:
    """The driving daemon, over all its processes."""

    def __init__(self, start, folder, url, what, *, schedule=NEVER, more=""):
        self.folder, self._start, self._url = folder, start, url
        folder.mkdir()
        (folder / "password").write_text(PASSWORD)
        (folder / "password").chmod(0o600)
        self._file = folder / "driver.yaml"
        self.write(what, schedule=schedule, more=more)
        self.process = None
        self.start()

    def write(self, what, *, schedule=NEVER, more=""):
        """Write the file; `what` is a job's GUID or JobDetails."""
        told = f"job: {what}" if isinstance(what, str) else f"job_details: {json.dumps(what)}"
        self._file.write_text(
            DRIVER.format(url=self._url, folder=self.folder, what=told, schedule=schedule, more=more)
        )

    def start(self):
        """Start it."""
        self.process = self._start(self._file, folder=self.folder).ready()

    def reload(self):
        """Read the file anew."""
        reload(self.process)

    def trigger(self):
        """Run the job; returns the run's id."""
        return self.process.trigger("weekly")["run_id"]

    def run(self, run_id):
        """The run as the API tells it."""
        return self.process.get(f"/v1/runs/{run_id}").json()

    def until(self, run_id, *states, seconds=30):
        """Wait until the run is in one of these states, or final; returns it."""

        def look():
            run = self.run(run_id)
            return run if run["state"] in (set(states) or FINAL) else None

        return self.process.until(look, seconds)

    def until_knows(self, run_id, name):
        """Wait until the run's memory has this name; returns its value."""
        return self.process.until(lambda: self.run(run_id)["memory"].get(name))


@pytest.fixture
def stand_in(daemon, tmp_path, authority):
    """A stand-in that is up and speaks HTTPS, as CCS does."""
    authority.issue()
    return StandIn(daemon, tmp_path / "stand-in")


@pytest.fixture
def drive(daemon, tmp_path, stand_in):
    """Starts the driver: (*assets, or what=…, schedule=…, more=…) -> Driver."""

    def start(*assets, what=None, **options):
        return Driver(daemon, tmp_path / "driver", stand_in.url, what or details(*assets), **options)

    return start


@pytest.fixture
def wire():
    """Matches of requests by what they are, and JobDetails."""

    class Wire:
        execute, abort, poll, tokens = EXECUTE, ABORT, POLL, TOKENS
        details = staticmethod(details)

    return Wire


@pytest.fixture
def settled():
    """Whether a value stays the same for a while: (look, seconds) -> the value."""

    def look(value, seconds=1.5):
        found = value()
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            time.sleep(0.1)
            assert value() == found
        return found

    return look
