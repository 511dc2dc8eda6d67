"""Two daemons: one is the SDE server, the other schedules, initiates there, and is its remote agent."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).parents[3]
FINAL = {"succeeded", "failed", "missed", "skipped", "expired", "lost", "cancelled"}
SECRET = "s3cret-of-the-tracker"
OWNER, AGENT = "0wner-token-111111111111111111111111", "4gent-token-222222222222222222222222"

TOOL = """#!/bin/sh
cat > {folder}/stdin-$1
echo "$1" >> {folder}/ran
while test -e {folder}/hold-$1; do sleep 0.05; done
case $1 in
    bad) echo "looking around" >&2; echo "the tracker refused the password" >&2; exit 3 ;;
    zero) echo "Done - Failed: no route to host"; exit 0 ;;
    hang) sleep 600 & wait ;;
    warns) echo "Error: task T1 is gone"; echo "Error: task T2 is gone"; echo "Done - Success" ;;
    tells) echo "cannot log in with {secret}" >&2; exit 1 ;;
    *) echo "Done - Success" ;;
esac
"""

SYSTEMS = ("good", "fine", "bad", "zero", "hang", "warns", "tells", "forbidden")

SERVER = """
version: 1
settings: {{stop_timeout: 1s, kill_after: 1s, encryption_key: key of a test}}
users:
  - {{name: owner, email: owner@example.com, token: {owner}, scope: control,
      permissions: [edit-alm-connections, edit-verification-connections, edit-ldap-connections]}}
  - {{name: agent, email: agent@example.com, token: {{file: {folder}/agent-token}}, scope: control, permissions: {permissions}}}
commands: {commands}
sde_systems: {systems}
jobs: []
"""

CLIENT = """
version: 1
settings: {{stop_timeout: 1s, kill_after: 1s}}
servers: {{prod: {{type: sde, url: "{url}", token: {{file: {folder}/token}}, timeout: 5s}}}}
commands: {commands}
jobs:
{jobs}
"""

AGENT_JOB = """
  - name: agent
    schedule: {schedule}
    run: {{sde_agent: {{server: prod, kinds: [alm, ldap], frequency: daily, parallel: 8}}}}
"""

NEVER = "{once: true, start: 2020-01-01T00:00:00}"


def _commands(folder, names, **more):
    """The block `commands:`."""
    return json.dumps(
        {f"sync_{name}": {"argv": [str(folder / "tool.sh"), name], "stdin": "ini", **more} for name in names}
    )


def _private(path, text):
    path.write_text(text)
    path.chmod(0o600)


class Side:
    """One of the two, over all its processes."""

    def __init__(self, start, folder, command):
        self.folder, self._start, self._command = folder, start, command
        folder.mkdir()
        _private(folder / "tool.sh", TOOL.format(folder=folder, secret=SECRET))
        (folder / "tool.sh").chmod(0o755)
        self.process = None
        self._listen = "127.0.0.1:0"
        self.logs = []

    def write(self, text):
        """Its configuration."""
        (self.folder / "jobs.yaml").write_text(text)

    def up(self):
        """Start it, where it was before if it was."""
        self.process = self._start(
            self.folder / "jobs.yaml", folder=self.folder, command=self._command, listen=self._listen
        ).ready()
        self._listen = self.process.url.partition("://")[2]
        self.logs.append(self.process.lines)
        return self

    def reload(self):
        """SIGHUP, taken."""
        seen = len(self.process.lines)
        self.process.signal(signal.SIGHUP)
        self.process.logged("reloaded", after=seen)

    def stop(self):
        """End the process in order."""
        assert self.process.stop() == 0

    def hold(self, *names):
        """Commands of this host of these names do not end."""
        for name in names:
            (self.folder / f"hold-{name}").touch()

    def release(self):
        """All of them may end."""
        for file in self.folder.glob("hold-*"):
            file.unlink()

    def ran(self):
        """The commands that were run on this host, one entry each."""
        file = self.folder / "ran"
        return sorted(file.read_text().split()) if file.exists() else []

    def stdin(self, name):
        """What a command was given."""
        return (self.folder / f"stdin-{name}").read_text()

    def log(self):
        """All its log lines as one text."""
        return json.dumps(self.logs)

    def jobsd(self, *argv, code=0):
        """What a command of the command line prints."""
        env = {k: v for k, v in os.environ.items() if not k.startswith(("JOBSD", "STATE_"))}
        env |= {"STATE_DIRECTORY": str(self.process.state), "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}
        done = subprocess.run(
            [sys.executable, "-m", "jobsd", *argv], env=env, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr


class Server(Side):
    """The SDE server: a jobsd that rehearses, so that faults can be ordered."""

    def __init__(self, start, folder):
        super().__init__(start, folder, "rehearse")
        _private(folder / "agent-token", AGENT)
        self.permit("edit-alm-connections")
        self.up()

    def permit(self, *permissions):
        """Write the file: the agent's user has these permissions."""
        commands = _commands(self.folder, [*SYSTEMS, "ldap"])
        systems = json.dumps({name: {"command": f"sync_{name}"} for name in [*SYSTEMS, "ldap"]})
        more = {"permissions": json.dumps(permissions), "owner": OWNER, "folder": self.folder}
        self.write(SERVER.format(commands=commands, systems=systems, **more))

    def call(self, method, path, **body):
        """A request of its owner; the JSON of a success."""
        headers = {"Authorization": f"Token {OWNER}"}
        with httpx.Client(base_url=f"{self.process.url}/api/v2", headers=headers, trust_env=False) as http:
            answer = http.request(method, path, json=body or None, timeout=15)
        assert answer.is_success, answer.text
        return answer.json()

    def connection(self, system, *, inaccessible=True, frequency="daily"):
        """A new ALM connection of that system; its id."""
        params = {"alm_server": "tracker.example.com", "alm_pass": SECRET}
        connector = self.call(
            "POST", "/connectors/alm/", name=system, system=system, inaccessible=inaccessible, params=params
        )
        return self.call(
            "POST", "/connections/alm/", alias=system, connector=connector["id"], project=1, frequency=frequency,
            params={"sde_project": "P"},
        )["id"]  # fmt: skip

    def ldap_connection(self):
        """A new LDAP connection that the server cannot reach; its id."""
        params = {"ldap_server": "ldap.example.com:389", "bind_password": SECRET}
        return self.call(
            "POST", "/connections/ldap/", alias="people", frequency="daily", inaccessible=True, params=params
        )["id"]

    def jobs(self, connection, kind="alm"):
        """The jobs of a connection, oldest first."""
        found = self.call("GET", f"/jobs/{kind}/?connection={connection}")["results"]
        return sorted(found, key=lambda job: job["id"])

    def results(self, connection, kind="alm"):
        """(succeeded, message) of the connection's jobs, oldest first; all of them ready."""
        jobs = self.jobs(connection, kind)
        assert all(job["ready"] for job in jobs)
        return [(job["succeeded"], job["result_message"]) for job in jobs]

    def order(self, fault, match, **more):
        """Order one fault; returns its id."""
        with self.process.client() as client:
            answer = client.post("/rehearsal/faults", json=[{"fault": fault, "match": match, **more}])
        assert answer.status_code == 201, answer.text
        return answer.json()[0]["id"]

    def hits(self, order):
        """How often an order was hit."""
        return next(one["hits"] for one in self.process.get("/rehearsal/faults").json() if one["id"] == order)

    def until_hit(self, order, times=1):
        """Wait until an order was hit."""
        self.process.until(lambda: self.hits(order) >= times)

    def requests(self, method, path):
        """The requests of this process that came."""
        with self.process.client() as client:
            return client.get("/rehearsal/requests", params={"method": method, "path": path}).json()


class Client(Side):
    """The scheduling side: its jobs, its runs, its outbox."""

    def __init__(self, start, folder, url):
        super().__init__(start, folder, "run")
        self.url = url
        _private(folder / "token", AGENT)

    def configure(self, jobs, *, hang="2s"):
        """Write the file with these jobs."""
        allowed = [name for name in SYSTEMS if name != "forbidden"]
        commands = json.loads(_commands(self.folder, [*allowed, "ldap"]))
        commands["sync_hang"]["timeout"] = hang
        self.write(CLIENT.format(url=self.url, folder=self.folder, commands=json.dumps(commands), jobs=jobs))
        return self

    def trigger(self, job="agent"):
        """Run a job; returns the run's id."""
        return self.process.trigger(job)["run_id"]

    def run(self, run_id):
        """The run as the API tells it."""
        return self.process.get(f"/v1/runs/{run_id}").json()

    def until(self, run_id, *states, seconds=40):
        """Wait until the run is in one of these states, or final; returns it."""

        def look():
            run = self.run(run_id)
            return run if run["state"] in (set(states) or FINAL) else None

        return self.process.until(look, seconds)

    def assets(self, run_id):
        """(state, reason) of a run's assets by id."""
        found = self.process.get(f"/v1/runs/{run_id}/assets").json()
        return {one["asset_id"]: (one["state"], one["reason"]) for one in found}

    def deliveries(self):
        """All deliveries as the API tells them, oldest first."""
        return self.process.get("/v1/deliveries", limit=500).json()[::-1]

    def until_posted(self, count, state="delivered"):
        """Wait until there are so many deliveries, all in that state; returns them.

        Those that wait have been tried in vain: the first of each connection, as the others wait for it.
        """

        def look():
            found = self.deliveries()
            tried = {one["result"]["connection"] for one in found if one["tries"]}
            done = {one["state"] for one in found} == {state} and all(
                one["result"]["connection"] in tried for one in found
            )
            return found if len(found) == count and done else None

        return self.process.until(look)

    def send_now(self):
        """By the command line: each delivery that was tried in vain is due now."""
        for one in self.deliveries():
            if one["state"] == "pending" and one["tries"]:
                self.jobsd("resend", one["delivery_id"])


@pytest.fixture
def sde(daemon, tmp_path):
    """An SDE server that is up."""
    return Server(daemon, tmp_path / "server")


@pytest.fixture
def client(daemon, tmp_path, sde):
    """The scheduling side: configured, not started."""
    return Client(daemon, tmp_path / "client", sde.process.url)


@pytest.fixture
def agent(client):
    """Starts the agent: (schedule=…, hang=…) -> Client; its job is `agent`."""

    def start(schedule=NEVER, **more):
        return client.configure(AGENT_JOB.format(schedule=schedule), **more).up()

    return start


@pytest.fixture
def secret():
    """What stands in params, and must not stand anywhere else."""
    return SECRET


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
