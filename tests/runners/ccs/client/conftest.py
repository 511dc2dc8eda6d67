"""A small CCS server on loopback with faults to order, and executions that drive it."""

import asyncio
import json
import re
import uuid
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from config.definitions import CcsRun, CcsServer, Configuration, JobDefinition, Secret, Settings
from runners.api import Ended, Execution, Stop, StopReason
from runners.registry import Runners

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
DETAILS = {
    "JobName": "Weekly Linux",
    "AssetsResolutionInfo": [{"Id": "d387d8b5-6278-4bcb-83c7-b55d2072d2a8", "Type": "unix"}],
    "Standards": ["6b020d29-5fe8-47d0-bd89-ccd3339a5ebe"],
}
BASE = "/ccs/api/v1"
PASSWORD = "p+ss w&rd%é"


class Ccs:
    """One server. `order` makes it ill; `script` is what a new job run's polls show, the last of it for ever."""

    def __init__(self):
        self.requests = []
        self.access, self.refresh = set(), set()
        self.password = PASSWORD
        self.jobs, self.runs = {}, {}
        self.script = [2, 4]
        self.abort_script = [7]
        self.more = {}
        self.orders = []
        self._open = set()
        self.clock = None
        self.url = ""

    async def start(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    async def stop(self):
        self._server.close()
        for writer in self._open:
            writer.close()

    def order(self, method, path, act, *, times=1, body=""):
        """`act` instead of what is asked: a status, (status, body, headers), "drop_before". After it: "drop_after",
        "fail_after" (a 500), bytes as the answer, or a coroutine function to wait for.
        """
        self.orders.append([method, re.compile(path), body, act, times])

    def count(self, method, path="", body=""):
        return sum(1 for m, p, b in self.requests if m == method and re.search(path, p) and body.encode() in b)

    def add_run(self, job_id, status=4, *, before=timedelta(hours=1)):
        run = {"JobRunID": str(uuid.uuid4()), "JobID": job_id, "script": [status], "at": self.clock.now() - before}
        self.runs.setdefault(job_id, []).insert(0, run)
        return run["JobRunID"]

    def add_job(self, **details):
        job_id = str(uuid.uuid4())
        self.jobs[job_id] = {"JobDetails": DETAILS | details, "JobType": "CollectionJob"}
        return job_id

    def tokens(self):
        pair = {"access_token": f"access-{uuid.uuid4()}", "refresh_token": f"refresh-{uuid.uuid4()}"}
        self.access.add(pair["access_token"])
        self.refresh.add(pair["refresh_token"])
        return 200, pair

    async def _serve(self, reader, writer):
        self._open.add(writer)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = head.decode("latin-1").split("\r\n")
                method, target, _ = lines[0].split(" ", 2)
                headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines[1:])}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                if not await self._one(writer, method, target, headers, body):
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._open.discard(writer)
            writer.close()

    async def _one(self, writer, method, target, headers, body):
        self.requests.append((method, target, body))
        act = self._ordered(method, target, body)
        if act == "drop_before":
            return False
        if act is None or act in ("drop_after", "fail_after") or isinstance(act, bytes) or callable(act):
            (status, value), extra = self._answer(method, target, headers, body), {}
            status = 500 if act == "fail_after" else status
        else:
            status, value, extra = act if isinstance(act, tuple) else (act, {"Message": "ordered"}, {})
        if callable(act):
            await act()
        if act == "drop_after":
            return False
        raw = act if isinstance(act, bytes) else b"" if value is None else json.dumps(value).encode()
        lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(raw)}", *(f"{k}: {v}" for k, v in extra.items())]
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + raw)
        await writer.drain()
        return True

    def _ordered(self, method, target, body):
        for order in self.orders:
            if order[4] > 0 and order[0] == method and order[1].search(target) and order[2].encode() in body:
                order[4] -= 1
                return order[3]
        return None

    def _answer(self, method, target, headers, body):
        url = urlsplit(target)
        path = url.path.removeprefix(BASE)
        if path == "/oauth/tokens":
            return self._token(headers, body)
        if headers.get("authorization", "").removeprefix("Bearer ") not in self.access:
            return 401, {"Message": "the token is invalid or expired"}
        steps = [step for step in path.split("/") if step]
        query = {k: v[0] for k, v in parse_qs(url.query).items()}
        value = json.loads(body) if body else {}
        match method, steps:
            case "POST", ["jobs"]:
                return self._create(value)
            case "PATCH", ["jobs"]:
                return self._update(value)
            case "GET", ["jobs"]:
                found = [i for i, j in self.jobs.items() if j["JobDetails"]["JobName"] == query["jobname"]]
                answer = [{"JobID": i, "JobName": self.jobs[i]["JobDetails"]["JobName"]} for i in found]
                return (200, answer) if found else (404, {"Message": "no such job"})
            case "GET", ["jobs", job_id]:
                return (200, {"JobID": job_id}) if job_id in self.jobs else (404, {"Message": "no such job"})
            case "GET", ["jobs", job_id, "jobruns"]:
                return self._job_runs(job_id, int(query["count"]))
            case "POST", ["jobs", some_id]:
                return self._execute(some_id) if value["Operation"] == "execute" else self._abort(some_id)
        return 405, {"Message": f"{method} {path}"}

    def _token(self, headers, body):
        assert headers["content-type"] == "application/json"
        form = dict(part.split("=", 1) for part in body.decode().split("&"))
        form = {key: unquote(value) for key, value in form.items()}
        if form["grant_type"] == "refresh_token" and form["refresh_token"] in self.refresh:
            self.refresh.discard(form["refresh_token"])
            return self.tokens()
        if form["grant_type"] == "password" and form["password"] == self.password:
            return self.tokens()
        return 400, {"Message": f"refused: {body.decode()} {form}"}

    def _create(self, value):
        if any(j["JobDetails"]["JobName"] == value["JobDetails"]["JobName"] for j in self.jobs.values()):
            return 400, {"Message": "the name is taken"}
        job_id = str(uuid.uuid4())
        self.jobs[job_id] = value
        return 200, {"JobID": job_id}

    def _update(self, value):
        if value["JobID"] not in self.jobs:
            return 400, {"Message": "no such job"}
        self.jobs[value["JobID"]]["JobDetails"] |= value["JobDetails"]
        return 200, None

    def _execute(self, job_id):
        if job_id not in self.jobs:
            return 400, {"Message": "no such job"}
        if any(run["script"][0] in (1, 2, 3) for run in self.runs.get(job_id, ())):
            return 400, {"Message": "a run of this job is active"}
        self.add_run(job_id, before=timedelta(0))
        run = self.runs[job_id][0]
        run["script"] = list(self.script)
        return 200, {"JobStatusInfo": self._status(run)}

    def _abort(self, run_id):
        for run in (run for runs in self.runs.values() for run in runs if run["JobRunID"] == run_id):
            if run["script"][0] in (4, 5, 7):
                return 400, {"Message": "it has ended"}
            run["script"] = list(self.abort_script)
            return 204, None
        return 400, {"Message": "no such run"}

    def _job_runs(self, job_id, count):
        if job_id not in self.jobs:
            return 404, {"Message": "no such job"}
        runs = self.runs.get(job_id, [])
        for run in runs:
            if len(run["script"]) > 1:
                run["script"].pop(0)
        return 200, [self._status(run) for run in (runs[:count] if count else runs)]

    def _status(self, run):
        code = run["script"][0]
        ended = code in (4, 5, 7) or (code == 6 and self.more.get("JobEndTime"))
        return {
            "JobRunID": run["JobRunID"], "JobID": run["JobID"], "CustomStatusText": "", "Exception": None,
            "JobStartTime": run["at"].strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "JobEndTime": "2026-11-22T13:00:00Z" if ended else "0001-01-01T00:00:00",
            "JobSummary": None, "Status": code, "ActivityStatusList": [],
        } | self.more  # fmt: skip


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

    def advance(self, delay):
        self._now += delay


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
class Warnings:
    told: list = field(default_factory=list)

    def warn(self, event, **keys):
        self.told.append((event, keys))

    def counts(self):
        return Counter(event for event, _ in self.told)


class Driver:
    """One run here, over all its attempts."""

    def __init__(self, ccs, folder):
        self.ccs, self.folder = ccs, folder
        self.clock = ccs.clock = QuickClock()
        self.memory, self.job_memory = Remembered(), Remembered()
        self.report = Warnings()
        self.stop = Stop()
        self.runners = Runners({"P": PASSWORD})
        self.fire_time = NOON
        self.run_id = "run-1"
        self.settings = {}
        self.attempt = self.told = 0

    def server(self, **changes):
        settings = {
            "type": "ccs", "url": self.ccs.url, "username": "CORP\\svc", "password": Secret("env", "P"),
            "timeout": timedelta(seconds=2),
        }  # fmt: skip
        return CcsServer(**(settings | self.settings | changes))

    def execution(self, run, *, rerun=False, stop=None):
        return Execution(
            job=JobDefinition(name="weekly", run=run),
            configuration=Configuration(
                folder=self.folder, settings=Settings(), jobs={}, servers={"prod": self.server()}
            ),
            run_id=self.run_id, attempt=self.attempt, token="t", fire_time=self.fire_time, deadline=None,
            assets=(), has_assets=False, folder=self.folder, stop=stop or self.stop, report=self.report, data=None, clock=self.clock,
            rerun=rerun, told=self.told, memory=self.memory, job_memory=self.job_memory,
        )  # fmt: skip

    async def go(self, *, rerun=False, stop=None, poll=30, **run):
        """One attempt; without `job` it is of job_details, DETAILS changed by `details`."""
        details = run.pop("details", {})
        if "job" not in run:
            merged = {k: v for k, v in (DETAILS | details).items() if v is not None}
            run = {"job_details": merged, "job_type": "CollectionJob"} | run
        run = CcsRun(server="prod", poll=timedelta(seconds=poll), **run)
        self.attempt += 1
        attempt = self.attempt
        outcome = await self.runners.runner_for(run).execute(self.execution(run, rerun=rerun, stop=stop))
        if outcome.ended is not Ended.STOPPED or (stop or self.stop).reason is not StopReason.SHUTDOWN:
            self.told = attempt
        return outcome

    def next_run(self):
        """The job fires again."""
        self.memory = Remembered(self.memory, *self.memory.others)
        self.attempt = self.told = 0
        self.run_id = f"run-{uuid.uuid4()}"
        self.fire_time = self.clock.now()


@pytest.fixture
async def ccs():
    """A server."""
    server = Ccs()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def driver(ccs, tmp_path):
    """A run that drives it."""
    one = Driver(ccs, tmp_path)
    yield one
    await one.runners.aclose()


@pytest.fixture
def job(ccs, driver):
    """The GUID of a job of that server, with a run of yesterday."""
    job_id = ccs.add_job()
    ccs.add_run(job_id, before=timedelta(days=1))
    return job_id
