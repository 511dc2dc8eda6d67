"""A small SDE server on loopback that lists connections, commands of the test's own, and agents that run them."""

import asyncio
import contextlib
import json
import sys
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from config.definitions import Command, SdeAgentRun, SdeServer, SdeSystem, Secret, Settings
from runners.local.ending import stoppable
from runners.local.output import Log, Share
from runners.registry import Runners
from runners.sde.commanding import Order, carry_out

TOKEN = "k3y-of-the-agent"

TOOL = r'''
"""A tool as sde.py is: reads an INI from standard input; its param `act` says what becomes of it."""
import configparser, json, os, sys, time

reader = configparser.ConfigParser(interpolation=None)
reader.optionxform = str
reader.read_file(sys.stdin)
params = dict(reader["global"])
with open(sys.argv[1], "a") as ran:
    ran.write(json.dumps({"argv": sys.argv[2:], "params": params, "env": dict(os.environ)}) + "\n")
act = params.get("act", "")
print("Synchronizing", params.get("alm_project", ""))
if act == "fail":
    print("cannot log in to", params["alm_server"], "with", params["alm_pass"], file=sys.stderr)
    sys.exit(1)
if act == "zero":
    print("Done - Failed: no such project as", params["alm_project"])
    sys.exit(0)
if act == "warn":
    print("Error: T21 is not there")
    print("Error: T22 is not there for", params["alm_pass"])
if act == "hang":
    if os.fork() == 0:
        time.sleep(600)
    time.sleep(600)
if act == "hold":
    while os.path.exists(params["until"]):
        time.sleep(0.01)
print("Done - Success")
'''


class Sde:
    """One server; `lists` has its connections by kind, `answers` a status, a body and headers instead of a list."""

    def __init__(self):
        self.lists = {"alm": [], "analysis": [], "ldap": []}
        self.answers = {}
        self.requests = []
        self.most = 200
        self.url = ""
        self._open = set()

    async def start(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def stop(self):
        self._server.close()
        for writer in self._open:
            writer.close()
        await self._server.wait_closed()

    def asked(self, kind):
        """How many pages of a kind's list were asked for."""
        return sum(path.startswith(f"/api/v2/connections/{kind}/") for _, path in self.requests)

    async def _serve(self, reader, writer):
        self._open.add(writer)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                method, target, _ = head.split("\r\n", 1)[0].split()
                assert f"authorization: token {TOKEN}" in head.lower()
                self.requests.append((method, target))
                status, body, *more = self._answer(method, target)
                headers = "".join(f"{name}: {value}\r\n" for name, value in more)
                data = body if isinstance(body, bytes) else json.dumps(body).encode()
                writer.write(
                    f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n"
                    f"Content-Length: {len(data)}\r\n{headers}\r\n".encode()
                    + data
                )
                await writer.drain()
        self._open.discard(writer)
        writer.close()

    def _answer(self, method, target):
        parts = urlsplit(target)
        kind = parts.path.removeprefix("/api/v2/connections/").rstrip("/")
        assert (method, parts.path) == ("GET", f"/api/v2/connections/{kind}/")
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        assert query["include"] == "last_job"
        scripted = self.answers.get(kind)
        if isinstance(scripted, list):
            scripted = scripted.pop(0) if scripted else None
        if scripted is not None:
            return scripted
        size, page = min(int(query["page_size"]), self.most), int(query["page"])
        found = self.lists[kind]
        more = f"{self.url}{parts.path}?page={page + 1}" if page * size < len(found) else None
        return 200, {
            "count": len(found), "next": more, "previous": None, "results": found[(page - 1) * size : page * size]
        }  # fmt: skip


def connection(number, *, act="", **more):
    """A connection as a list has it; a key of None is left out."""
    params = {"alm_server": "jira.example.com", "alm_pass": f"hunter-{number}", "alm_project": f"P{number}"}
    fields = {
        "id": number,
        "alias": f"Jira {number}",
        "system": {"id": "jira", "short_name": "Jira", "name": "Jira"},
        "frequency": "daily",
        "command": "sync_jira",
        "debug_mode": False,
        "params": {**params, "act": act},
        "inaccessible": True,
        "last_job": None,
        "in_progress": False,
        "connector": 1,
        "project": 7,
        **more,
    }
    return {name: value for name, value in fields.items() if value is not None}


class Agency:
    """A laboratory with a tool and commands; runs agents and single commands in it."""

    def __init__(self, lab, server):
        self.lab = lab
        self.server = server
        self.tool = lab.python("tool.py", TOOL)
        self.noted = lab.folder / "ran"
        self.commands = {"sync_jira": self.command()}
        self.systems = {}
        self.settings = {"kill_after": timedelta(seconds=0.5)}
        self.runners = None
        self.tasks = None

    def command(self, *argv, **keys):
        """A command of the list; by default the tool, with an INI."""
        if not argv:
            argv, keys = (self.tool, str(self.noted), "sync_jira", "-I"), {"stdin": "ini", **keys}
        return Command(argv=argv, **{"timeout": None, **keys})

    def ran(self):
        """What was run, in order of its start."""
        return [json.loads(line) for line in self.noted.read_text().splitlines()] if self.noted.exists() else []

    def ran_projects(self):
        """The projects of what was run, sorted."""
        return sorted(one["params"]["alm_project"] for one in self.ran())

    def execution(self, run, assets=None):
        """An attempt; `assets` are those left of the run, None at its first."""
        made = self.lab.execution(run, () if assets is None else tuple(assets))
        configuration = replace(
            made.configuration,
            commands=self.commands,
            sde_systems={name: SdeSystem(**keys) for name, keys in self.systems.items()},
            servers={} if self.server is None else {
                "sde-prod": SdeServer(type="sde", url=self.server.url, token=Secret.literal(TOKEN))
            },
            settings=Settings(**self.settings),
        )  # fmt: skip
        return replace(made, configuration=configuration, has_assets=assets is not None)

    async def run(self, assets=None, **keys):
        """One attempt of an agent for connections of a day."""
        run = SdeAgentRun(**{"server": "sde-prod", "frequency": "daily", **keys})
        return await self.carry_out(run, assets)

    async def carry_out(self, run, assets=None):
        """One attempt of `run`."""
        self.runners = self.runners or Runners({}, self.tasks)
        return await self.runners.runner_for(run).execute(self.execution(run, assets))

    async def command_of(self, command, params, *, prefix=""):
        """A single command with these params; `log` has what it printed."""
        execution = self.execution(SdeAgentRun(server="sde-prod", frequency="daily"))
        with contextlib.closing(Log(execution.folder / "output.log")) as log:
            async with stoppable(execution.stop) as ending:
                share = Share(log, execution.configuration.settings.output_limit, prefix)
                order = Order(command=command, params=params, connection=12, kind="alm")
                return await carry_out(execution, order, share, ending)

    @property
    def reports(self):
        """What was reported of each asset, by KIND ID."""
        found = {}
        for report in self.lab.report.ended:
            found[report.asset.id.removesuffix("@sde-prod") + " " + report.asset.type.removeprefix("sde-")] = (
                report
            )
        return found

    def posted(self):
        """What was posted of each connection: succeeded and the message."""
        bodies = [report.posting.body for report in self.lab.report.ended if report.posting is not None]
        return {(body["kind"], body["connection"]): (body["succeeded"], body["result_message"]) for body in bodies}

    async def aclose(self):
        if self.runners is not None:
            await self.runners.aclose()


@pytest.fixture
async def sde():
    """A server."""
    made = Sde()
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def agency(lab, sde):
    """An agent's laboratory."""
    made = Agency(lab, sde)
    yield made
    await made.aclose()


@pytest.fixture
async def host(lab):
    """A laboratory without a server."""
    made = Agency(lab, None)
    yield made
    await made.aclose()


@pytest.fixture
def listed():
    """Makes connections for the lists."""
    return connection


@pytest.fixture
def python():
    """The interpreter, for commands in one line."""
    return sys.executable
