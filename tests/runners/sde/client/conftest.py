"""An SDE server as a real HTTP server with faults to order, a run that drives it, and time that passes in sleeps."""

import asyncio
import json
import re
import uuid
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from config.definitions import Configuration, JobDefinition, SdeFileRun, SdeRun, SdeServer, Settings
from config.secrets import Secret
from runners.api import Execution, Stop
from runners.registry import Runners

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
TOKEN = "s3cret/t0ken+1"
BASE = "/api/v2/"


class Sde:
    """Connections, jobs and imports; `script` is how many looks a new job takes and how it ends."""

    def __init__(self):
        self.token = TOKEN
        self.jobs = {}
        self.next_id = 100
        self.script = (2, True, "")
        self.connections = {"alm": [], "analysis": [], "ldap": []}
        self.order_of_ids = "falling"
        self.requests = []
        self.orders = []
        self.uploads = []
        self.store_name = None
        self._open = set()

    async def start(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    async def stop(self):
        self._server.close()
        for writer in self._open:
            writer.close()

    def order(self, method, path, act, *, times=1):
        """`act` instead of what is asked: a status, (status, body, headers), "drop_before". After it: "drop_after",
        bytes as the answer, or a coroutine function to wait for.
        """
        self.orders.append([method, re.compile(path), act, times])

    def count(self, method, path=""):
        return sum(1 for m, target, _ in self.requests if m == method and re.search(path, target))

    def add_job(self, connection=12, *, kind="alm", script=(0, True, ""), automatic=True, **more):
        self.next_id += 1
        left, succeeded, message = script
        self.jobs[self.next_id] = {
            "kind": kind, "connection": connection, "automatic": automatic, "left": left,
            "succeeded": succeeded, "message": message, "attachment": None, "project": 7,
        } | more  # fmt: skip
        return self.next_id

    def end(self, job_id, succeeded=True, message=""):
        self.jobs[job_id] |= {"left": 0, "succeeded": succeeded, "message": message}

    async def _serve(self, reader, writer):
        self._open.add(writer)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = head.decode("latin-1").split("\r\n")
                method, target, _ = lines[0].split(" ", 2)
                headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines[1:])}
                act = self._ordered(method, target)
                if act == "drop_before":
                    self.requests.append((method, target, headers))
                    return
                if callable(act) and getattr(act, "early", False):
                    await act()
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                self.requests.append((method, target, headers))
                if not await self._one(writer, method, target, headers, body, act):
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._open.discard(writer)
            writer.close()

    async def _one(self, writer, method, target, headers, body, act):
        extra = {}
        if act is None or act == "drop_after" or isinstance(act, bytes) or callable(act):
            status, value = self._answer(method, target, headers, body)
            if callable(act):
                await act()
        else:
            status, value, extra = act if isinstance(act, tuple) else (act, {"detail": "ordered"}, {})
        if act == "drop_after":
            return False
        raw = act if isinstance(act, bytes) else value if isinstance(value, bytes) else json.dumps(value).encode()
        lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(raw)}", *(f"{k}: {v}" for k, v in extra.items())]
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + raw)
        await writer.drain()
        return True

    def _ordered(self, method, target):
        for order in self.orders:
            if order[3] > 0 and order[0] == method and order[1].search(target):
                order[3] -= 1
                return order[2]
        return None

    def _answer(self, method, target, headers, body):
        url = urlsplit(target)
        query = {k: v[-1] for k, v in parse_qs(url.query).items()}
        if headers.get("authorization") != f"Token {self.token}":
            return 401, {"detail": "Invalid token."}
        assert url.path.startswith(BASE)
        assert url.path.endswith("/"), "a client sends the slash"
        steps = url.path.removeprefix(BASE).strip("/").split("/")
        match method, steps:
            case "GET", ["users", "me"]:
                return 200, {"id": 3, "email": "jobsd@example.com"}
            case "GET", ["jobs", kind]:
                return self._page(self._listed(kind, query), query)
            case "GET", ["jobs", kind, job_id]:
                return self._look(kind, int(job_id))
            case "POST", ["jobs", "analysis-file"]:
                return self._upload(headers, body)
            case "POST", ["jobs", kind]:
                return self._post(kind, json.loads(body))
            case "GET", ["connections", kind]:
                return self._page(self.connections[kind], query)
        return 405, {"detail": f'Method "{method}" not allowed.'}

    def _post(self, kind, body):
        if body["connection"] == 999:
            return 400, {"connection": ['Invalid pk "999" - object does not exist.']}
        if body.get("ready") is False:
            job_id = self.add_job(body["connection"], kind=kind, script=self.script, automatic=body["automatic"])
        else:
            script = (0, body["succeeded"], body["result_message"])
            job_id = self.add_job(body["connection"], kind=kind, script=script, automatic=body["automatic"])
        return 201, self._wire(job_id)

    def _upload(self, headers, body):
        boundary = re.fullmatch("multipart/form-data; boundary=(.*)", headers["content-type"])[1]
        *parts, end = body.split(f"--{boundary}".encode())
        assert parts.pop(0) == b""
        assert end == b"--\r\n"
        form = {}
        for part in parts:
            head, _, value = part.partition(b"\r\n\r\n")
            form[re.search(rb'name="([^"]*)"', head)[1].decode()] = (head.decode(), value[:-2])
        name = re.search('filename="([^"]*)"', form["report_file"][0])[1]
        job_id = self.add_job(
            50, kind="analysis", script=self.script, attachment=self.store_name or name,
            project=int(form["project"][1]),
        )  # fmt: skip
        self.uploads.append({
            "job": job_id, "name": name, "content": form["report_file"][1], "system": form["system"][1].decode()
        })  # fmt: skip
        return 201, self._wire(job_id)

    def _listed(self, kind, query):
        ids = [i for i, job in self.jobs.items() if job["kind"] == kind]
        if "connection" in query:
            ids = [i for i in ids if self.jobs[i]["connection"] == int(query["connection"])]
        if self.order_of_ids == "mixed":
            ids.sort(key=lambda i: i * 7919 % 1009)
        return [self._wire(i) for i in (reversed(ids) if self.order_of_ids == "falling" else ids)]

    def _page(self, items, query):
        if "page_size" not in query:
            return 200, {"results": items}
        size, number = int(query["page_size"]), int(query.get("page", 1))
        found = items[(number - 1) * size : number * size]
        if not found and number > 1:
            return 404, {"detail": "Invalid page."}
        more = number * size < len(items)
        link = f"http://evil.example{BASE}?page={number + 1}" if more else None
        return 200, {"count": len(items), "next": link, "previous": None, "results": found}

    def _look(self, kind, job_id):
        job = self.jobs.get(job_id)
        if job is None or job["kind"] != kind:
            return 404, {"detail": "Not found."}
        job["left"] = max(0, job["left"] - 1)
        return 200, self._wire(job_id)

    def _wire(self, job_id):
        job = self.jobs[job_id]
        ready = job["left"] == 0
        return {
            "id": job_id, "succeeded": ready and job["succeeded"], "automatic": job["automatic"], "ready": ready,
            "result_message": job["message"] if ready else "", "last_run": "2026-11-22T12:00:00Z",
            "attachment": job["attachment"],
            "connection": {"id": job["connection"], "alias": "c", "project": job["project"], "system": "Jira"},
        }  # fmt: skip


class QuickClock:
    """Time passes only in sleeps, and at once; `moments` are called when their time comes."""

    def __init__(self, now=NOON):
        self._now = now
        self.slept = []
        self.moments = []

    def now(self):
        return self._now

    def at(self, delay, act):
        self.moments.append((self._now + delay, act))

    async def sleep(self, delay):
        delay = max(delay, timedelta(0))
        self.slept.append(delay)
        until = self._now + delay
        for moment in sorted((m for m in self.moments if m[0] <= until), key=lambda m: m[0]):
            self.moments.remove(moment)
            self._now = max(self._now, moment[0])
            moment[1]()
            await asyncio.sleep(0.001)
        self._now = until
        await asyncio.sleep(0)


class Remembered:
    """A memory that outlives executions; `log` has every put, `others` are the other runs' memories."""

    def __init__(self, *others):
        self.values = {}
        self.log = []
        self.others = others

    async def read(self):
        return dict(self.values)

    async def put(self, values):
        self.log.append(dict(values))
        self.values |= {k: v for k, v in values.items() if v is not None}
        for name in [k for k, v in values.items() if v is None]:
            self.values.pop(name, None)

    async def has_another(self, name, value):
        return any(other.values.get(name) == value for other in self.others)


@dataclass
class Reports:
    told: list = field(default_factory=list)
    found: list = field(default_factory=list)
    started: list = field(default_factory=list)
    ended: list = field(default_factory=list)

    async def assets_found(self, assets):
        self.found = list(assets)

    async def asset_started(self, asset):
        self.started.append(asset.id)

    async def asset_ended(self, report):
        self.ended.append(report)

    def warn(self, event, **keys):
        self.told.append((event, keys))

    def counts(self):
        return Counter(event for event, _ in self.told)

    def states(self):
        return {report.asset.id: report.state.value for report in self.ended}

    def reason(self, name):
        return [report.reason for report in self.ended if report.asset.id == name][-1]


class Driver:
    """One run here, over all its attempts."""

    def __init__(self, sde, folder):
        self.sde, self.folder = sde, folder
        self.clock = QuickClock()
        self.memory, self.job_memory = Remembered(), Remembered()
        self.report = Reports()
        self.stop = Stop()
        self.environ = {"T": TOKEN}
        self.runners = Runners(self.environ)
        self.run_id = "run-1"
        self.settings = {}
        self.attempt = self.told = 0

    def server(self):
        settings = {
            "type": "sde", "url": self.sde.url, "token": Secret("env", "T"), "timeout": timedelta(seconds=2)
        }  # fmt: skip
        return SdeServer(**(settings | self.settings))

    def execution(self, run, *, rerun=False, stop=None, has_assets=False, assets=()):
        self.attempt += 1
        return Execution(
            job=JobDefinition(name="nightly", run=run),
            configuration=Configuration(
                folder=self.folder, settings=Settings(), jobs={}, servers={"prod": self.server()}
            ),
            run_id=self.run_id, attempt=self.attempt, token="t", fire_time=NOON, deadline=None, assets=assets,
            has_assets=has_assets, folder=self.folder, stop=stop or self.stop, report=self.report, data=None,
            clock=self.clock, rerun=rerun, told=self.told, memory=self.memory, job_memory=self.job_memory,
        )  # fmt: skip

    async def execute(self, run, **how):
        outcome = await self.runners.runner_for(run).execute(self.execution(run, **how))
        self.told = self.attempt
        return outcome

    async def go(self, *, rerun=False, stop=None, poll=30, kind="alm", connection=12, **run):
        """One attempt of `run: {sde: …}`."""
        one = SdeRun(
            server="prod", connection_kind=kind, connection=connection, poll=timedelta(seconds=poll), **run
        )
        return await self.execute(one, rerun=rerun, stop=stop)

    async def send(self, *, files="reports/*.fpr", rerun=False, stop=None, left=None, poll=30, project=7, **run):
        """One attempt of `run: {sde_file: …}`; `left` are the names of the files that an earlier one has left."""
        one = SdeFileRun(
            server="prod", system="fortify_file_upload", project=project, files=files,
            poll=timedelta(seconds=poll), **run,
        )  # fmt: skip
        assets = () if left is None else tuple(asset for asset in self.report.found if asset.id in left)
        return await self.execute(one, rerun=rerun, stop=stop, assets=assets, has_assets=left is not None)

    def file(self, name, content=b"report"):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    async def restart(self):
        """The daemon starts anew; what it remembers stays."""
        await self.runners.aclose()
        self.runners = Runners(self.environ)
        self.stop = Stop()

    def next_run(self):
        """The job fires again."""
        self.memory = Remembered(self.memory, *self.memory.others)
        self.run_id = f"run-{uuid.uuid4()}"
        self.report = Reports()


@pytest.fixture
async def sde():
    """A server."""
    server = Sde()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def driver(sde, tmp_path):
    """A run that drives it."""
    one = Driver(sde, tmp_path)
    yield one
    await one.runners.aclose()
