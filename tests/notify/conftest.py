"""The outbox over a real ledger and a manual clock, real mail and HTTP servers on loopback."""

import asyncio
import email
import email.policy
import http.server
import json
import socket
import ssl
import threading
from datetime import datetime, timedelta

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from config import loads
from jobsd.decoding import decode
from jobsd.notify import Postman
from runners.registry import Runners
from scheduler.clock import ManualClock
from scheduler.control import Control
from scheduler.dispatcher import Dispatcher
from scheduler.ledger import Ledger, deliveries
from scheduler.ledger.checking import check
from scheduler.ledger.rows import RUNS, run_row
from scheduler.model import Actor, By
from scheduler.outbox import Courier

OPERATOR = Actor("tester", By.CLI)
USER, PASSWORD = "jobsd", "pässword-of-the-mailer"


class MailServer:
    """A real SMTP server in a thread of its own. `refuse` answers RCPT by address, `answer` answers DATA."""

    def __init__(self, folder, *, starttls=True, implicit=False, auth=True, smtputf8=True, port=0):
        self.ca = trustme.CA()
        certificate = self.ca.issue_cert("localhost", "127.0.0.1")
        self.ca_file = folder / f"ca-{id(self)}.pem"
        self.ca.cert_pem.write_to_path(self.ca_file)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(self._context)
        self.starttls, self.implicit, self.auth, self.smtputf8 = starttls, implicit, auth, smtputf8
        self.password = PASSWORD
        self.refuse, self.answer, self.envelopes, self.logins = {}, None, [], 0
        self.held = threading.Event()
        self.held.set()
        self.port = port or _free_port()
        self._controller = None

    def up(self):
        """Start to listen."""
        more = {}
        if self.starttls and not self.implicit:
            more |= {"tls_context": self._context, "require_starttls": True}
        if self.auth:
            more |= {"auth_required": True, "authenticator": self._authenticate}
            more |= {"auth_require_tls": self.starttls and not self.implicit}
        self._controller = Controller(
            self,
            hostname="127.0.0.1",
            port=self.port,
            ssl_context=self._context if self.implicit else None,
            enable_SMTPUTF8=self.smtputf8,
            ready_timeout=20,
            **more,
        )
        self._controller.start()
        return self

    def down(self):
        """Listen no more."""
        if self._controller is not None:
            self.held.set()
            self._controller.stop()
            self._controller = None

    def _authenticate(self, server, session, envelope, mechanism, auth_data):
        self.logins += 1
        good = (auth_data.login, auth_data.password) == (USER.encode(), self.password.encode())
        return AuthResult(success=good, handled=False)

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        while not self.held.is_set():
            await asyncio.sleep(0.01)
        if self.answer is not None:
            return self.answer
        envelope.tls = session.ssl is not None
        self.envelopes.append(envelope)
        return "250 OK"

    @property
    def mails(self):
        """What was taken, parsed, each with its envelope's recipients as `got`."""
        found = []
        for envelope in list(self.envelopes):
            mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
            mail.got, mail.envelope = envelope.rcpt_tos, envelope
            found.append(mail)
        return found

    def settings(self, **more):
        """The block of the YAML for this server."""
        block = {"host": "127.0.0.1", "port": self.port, "sender": "jobsd@example.com", "ca": str(self.ca_file)}
        if self.auth:
            block |= {"username": USER, "password": PASSWORD}
        return json.dumps(block | more, ensure_ascii=False)


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Office:
    """One ledger with its scheduler and its courier; `crash` and `up` again leave the folder as it is."""

    def __init__(self, folder, start):
        self.folder = folder
        self.clock = ManualClock(start)
        self.ledger = None

    async def up(self, text):
        """Load `text`; nothing is sent before `carry`."""
        configuration = loads(text, file="jobs.yaml", folder=self.folder)
        self.ledger = Ledger(self.folder / "state" / "ledger.db")
        self.dispatcher = Dispatcher(
            self.ledger,
            self.clock,
            self.folder / "state",
            owner=f"office:{id(self)}",
            runner_for=Runners({}).runner_for,
            decode=decode,
        )
        self.control = Control(self.dispatcher)
        self.postman = Postman(
            lambda: self.dispatcher.configuration, self.dispatcher.definition, self.clock, self.ledger
        )
        self.courier = Courier(
            self.ledger, self.clock, self.postman, self.dispatcher.definition, chance=lambda: 0.5
        )
        await self.dispatcher.install(configuration, OPERATOR)
        self.dispatcher.alarm.start()
        await self.settle()
        return self

    async def replace(self, text):
        """Put another file in force, waiting for nothing that is at work."""
        await self.dispatcher.install(loads(text, file="jobs.yaml", folder=self.folder), OPERATOR)

    async def reload(self, text):
        """Put another file in force."""
        await self.replace(text)
        await self.settle()

    async def settle(self):
        """Let everything that is due now happen, and attempts end."""
        self.dispatcher.alarm.wake()
        await asyncio.sleep(0)
        await self.dispatcher.turn()
        while self.dispatcher._poke.is_set() or self.dispatcher.executor.busy:
            await self.dispatcher.executor.drain()
            await self.dispatcher.turn()

    async def ran(self, job):
        """Trigger `job`; its run once it has ended."""
        run = await self.control.trigger(job, OPERATOR)
        await self.settle()
        return next(one for one in self.runs() if one.run_no == run.run_no)

    async def carry(self):
        """Send all that is due now, and wait until that is done."""
        while True:
            await self.courier.turn()
            if not self.courier._sending and not self.courier._poke.is_set():
                return
            await self.courier.finish()

    async def tick(self, step=timedelta(seconds=30), **delta):
        """Move the clock on in steps, sending what comes due."""
        target = self.clock.now() + timedelta(**delta)
        while self.clock.now() < target:
            self.clock.set(min(self.clock.now() + step, target))
            await self.settle()
            await self.carry()

    async def pass_on(self, step=timedelta(minutes=1), **delta):
        """Move the clock on in steps, waiting for nothing that is at work; send what comes due."""
        target = self.clock.now() + timedelta(**delta)
        while self.clock.now() < target:
            self.clock.set(min(self.clock.now() + step, target))
            self.dispatcher.alarm.wake()
            await asyncio.sleep(0)
            await self.dispatcher.turn()
            await self.carry()

    def runs(self):
        """All runs."""
        return self.ledger.read(lambda c: [run_row(row) for row in c.execute(RUNS)])

    def outbox(self):
        """All deliveries, oldest first."""
        which = deliveries.DeliveryFilter()
        return self.ledger.read(lambda c: deliveries.list_deliveries(c, which, limit=1000))[::-1]

    def fates(self):
        """(about, state) of all deliveries."""
        return [(one.about, str(one.state)) for one in self.outbox()]

    async def down(self):
        """Stop in order."""
        if self.ledger is not None:
            await self.dispatcher.stop_firing()
            await self.dispatcher.executor.abandon()
            await self.courier.stop()
            await self.postman.aclose()
            self.ledger.close()
            assert check(self.ledger.path) == []
            self.ledger = None

    async def crash(self):
        """Die without a word: nothing is written any more."""
        for _, task in list(self.courier._sending.values()):
            task.cancel()
        await asyncio.sleep(0)
        await self.postman.aclose()
        self.dispatcher.alarm.stop()
        self.ledger.close()
        self.ledger = None


class WebServer:
    """A real HTTP server in a thread; `answers` are (status, headers) to give, one after the other, then 204."""

    def __init__(self):
        self.answers, self.got = [], []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.got.append((self.path, dict(self.headers), json.loads(body) if body else None))
                status, headers = outer.answers.pop(0) if outer.answers else (204, {})
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def down(self):
        """Stop and leave nothing."""
        if not self._thread.is_alive():
            return
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def mail_server(tmp_path):
    """A function that makes mail servers; all are stopped at the end."""
    made = []

    def make(*, up=True, **more):
        server = MailServer(tmp_path, **more)
        made.append(server)
        return server.up() if up else server

    yield make
    for server in made:
        server.down()


@pytest.fixture
def web_server():
    """An HTTP server that keeps what is posted."""
    made = WebServer()
    yield made
    made.down()


@pytest.fixture
async def office(tmp_path):
    """A function that makes an office at an instant; all are brought down at the end."""
    made = []

    def make(start="2026-03-02T00:00:00Z"):
        one = Office(tmp_path, datetime.fromisoformat(start))
        made.append(one)
        return one

    yield make
    for one in made:
        await one.down()


@pytest.fixture
def operator():
    """The actor of acts in tests."""
    return OPERATOR
