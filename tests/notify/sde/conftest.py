"""An SDE server of the test's own, and results that wait for it."""

import asyncio
import http.server
import json
import threading
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from scheduler.ledger import deliveries

TOKEN = "t0ken-of-the-agent"


class Server:
    """The jobs of an SDE server over real HTTP. Orders are played on the requests they fit, each once.

    An act is (status, body, headers), "drop_before", "drop_after", "garble", or something to call after the request
    was carried out and before it is answered.
    """

    def __init__(self):
        self.jobs, self.orders, self.got = [], [], []
        self.port, self._server, self._thread = 0, None, None
        self.token, self._lock, self.busy = TOKEN, threading.Lock(), 0
        self.up()

    @property
    def url(self):
        """Its base address."""
        return f"http://127.0.0.1:{self.port}"

    def up(self):
        """Listen, where it did before."""
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), _handler(self))
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def down(self):
        """Listen no more."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()
            self._server = None

    def order(self, method, *acts):
        """Play these on the next requests of that method, one on each."""
        self.orders += [(method, act) for act in acts]

    def add(self, connection, message="", *, kind="alm", **more):
        """A job that is there already; returns its id."""
        job = {"id": len(self.jobs) + 1, "connection": connection, "kind": kind, "ready": True, "automatic": True}
        self.jobs.append(job | {"succeeded": True, "result_message": message} | more)
        return job["id"]

    def results(self, connection=None):
        """(connection, succeeded, message) of its jobs, in the order in which they came."""
        return [
            (job["connection"], job["succeeded"], job["result_message"])
            for job in self.jobs
            if connection in {None, job["connection"]}
        ]

    def count(self, method):
        """How many requests of that method came."""
        return sum(one[0] == method for one in self.got)

    async def settled(self):
        """Wait until all that was sent to it is carried out: it takes connections in their order."""
        await asyncio.to_thread(lambda: httpx.get(f"{self.url}/ping", trust_env=False))
        while self.busy > 0:
            await asyncio.sleep(0.002)

    def carry_out(self, method, path, query, body):
        """(status, body) of a request."""
        segments = [one for one in path.split("/") if one]
        if segments[:3] != ["api", "v2", "jobs"] or not path.endswith("/"):
            return 404, {"detail": "Not found."}
        kind = segments[3]
        with self._lock:
            if method == "POST":
                self.add(body["connection"], **_fields(body), kind=kind)
                return 201, _shown(self.jobs[-1])
            wanted = int(query["connection"][0])
            found = [job for job in self.jobs[::-1] if (job["kind"], job["connection"]) == (kind, wanted)]
        if "page_size" not in query:
            return 200, {"results": [_shown(job) for job in found]}
        size, page = int(query["page_size"][0]), int(query.get("page", ["1"])[0])
        some = found[(page - 1) * size : page * size]
        more = f"http://elsewhere.example.com/?page={page + 1}" if page * size < len(found) else None
        return 200, {"count": len(found), "next": more, "previous": None, "results": [_shown(job) for job in some]}


def _fields(body):
    return {
        "message": body["result_message"].strip(),
        "succeeded": body["succeeded"],
        "automatic": body["automatic"],
    }


def _shown(job):
    return {
        **{name: value for name, value in job.items() if name != "kind"},
        "user": "agent@example.com",
        "last_run": "2026-03-02T00:00:00Z",
        "connection": {"id": job["connection"], "alias": "c", "system": "jira"},
    }


def _handler(outer):
    class Handler(http.server.BaseHTTPRequestHandler):
        timeout = 1  # of a connection that nobody closed

        def handle(self):
            outer.busy += 1
            try:
                super().handle()
            except ConnectionError:
                pass
            finally:
                outer.busy -= 1

        def do_GET(self):
            if self.path == "/ping":
                self._answer(200, {})
                return
            self._play(None)

        def do_POST(self):
            size = int(self.headers["Content-Length"])
            data = self.rfile.read(size)
            if len(data) == size:
                self._play(json.loads(data))

        def _play(self, body):
            parts = urlsplit(self.path)
            outer.got.append((self.command, self.path, body))
            order = next((one for one in outer.orders if one[0] == self.command), None)
            if order is not None:
                outer.orders.remove(order)
            act = None if order is None else order[1]
            if act == "drop_before":
                return
            if isinstance(act, tuple):
                self._answer(*act)
                return
            if self.headers["Authorization"] != f"Token {outer.token}":
                self._answer(401, {"detail": "Invalid token."}, {"WWW-Authenticate": "Token"})
                return
            status, answer = outer.carry_out(self.command, parts.path, parse_qs(parts.query), body)
            if act == "drop_after":
                return
            if callable(act):
                act()
            self._answer(status, "<html>busy</html>" if act == "garble" else answer)

        def _answer(self, status, body, headers=None):
            data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_):
            pass

    return Handler


JOBS = """
version: 1
servers: {{prod: {{type: sde, url: "{url}", token: {{env: AGENT_TOKEN}}, timeout: 2s}}}}
jobs: []
"""


class Agent:
    """An office whose agent has results for the server `prod`."""

    def __init__(self, office, server):
        self.office, self.server = office, server
        self.file = JOBS.format(url=server.url)

    async def has(self, connection=12, message="", *, succeeded=True, kind="alm", server="prod"):
        """A result is written, as with an asset's end."""
        body = {"server": server, "kind": kind, "connection": connection, "succeeded": succeeded}
        at = self.office.clock.now()
        await self.office.ledger.write(
            lambda c: deliveries.create(
                c,
                kind="sde_result",
                about="result",
                target=server,
                channel=f"sde:{server}:{connection}",
                body={**body, "result_message": message},
                at=at,
            )
        )

    async def resend(self, number, operator):
        """As an operator says."""
        at = self.office.clock.now()
        await self.office.ledger.write(lambda c: deliveries.resend(c, str(number), at=at, actor=operator))

    def fates(self):
        """The states of all deliveries, oldest first."""
        return [str(one.state) for one in self.office.outbox()]

    def progress(self):
        """What is noted of the newest delivery."""
        return self.office.outbox()[-1].body.get("progress")


@pytest.fixture
def server():
    """An SDE server; closed at the end."""
    made = Server()
    yield made
    made.down()


@pytest.fixture
async def agent(office, server, monkeypatch):
    """An office that posts to the server."""
    monkeypatch.setenv("AGENT_TOKEN", TOKEN)
    made = Agent(office(), server)
    await made.office.up(made.file)
    return made
