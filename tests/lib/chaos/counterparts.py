"""The other side: a mail server, a webhook, a CCS server and an SDE server that write down what they got.

They may be dead, slow or lying: `mood` says for each request what becomes of it.
"""

import contextlib
import email
import json
import re
import socketserver
import threading
import time
import uuid
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

WELL, DEAD, SLOW, LYING, REFUSING = "well", "dead", "slow", "lying", "refusing"
"""Answers; hangs up before it has read; answers late; does what is asked and hangs up without a word; 503, or 421."""

CONNECTIONS = (11, 12)


class Counterparts:
    """Servers on loopback; `mails`, `hooks`, `executed`, `posted` and `initiated` are what came."""

    def __init__(self, now, mood=lambda: WELL):
        self.now, self.mood = now, mood
        self.mails, self.hooks, self.executed, self._sde_jobs = [], [], [], []
        self.moods = Counter()
        self.beats = 0
        self._lock = threading.Lock()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._smtp = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _mailbox(self))
        self._threads = []
        for server in (self._http, self._smtp):
            server.daemon_threads = True
            server.handle_error = lambda *_: None
            self._threads.append(threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True))
            self._threads[-1].start()

    @property
    def url(self):
        """Where the HTTP ones are."""
        return f"http://127.0.0.1:{self._http.server_port}"

    @property
    def smtp(self):
        """The mail server's port."""
        return self._smtp.server_address[1]

    def close(self):
        """Stop listening."""
        for server in (self._http, self._smtp):
            server.shutdown()
            server.server_close()
        for thread in self._threads:
            thread.join(5)

    def feel(self):
        """The mood for this request."""
        mood = self.mood()
        with self._lock:
            self.moods[mood] += 1
        if mood == SLOW:
            time.sleep(0.3)
        return mood

    def mail(self, text, mood):
        """Take a mail."""
        parsed = email.message_from_bytes(text)
        found = re.search(r"jobsd show ([0-9a-f-]{36})", parsed.get_payload(decode=True).decode())
        with self._lock:
            self.mails.append((time.monotonic(), mood, parsed["Message-ID"], found and found[1]))

    def answer(self, method, target, value, mood):
        """The status and the body for a request."""
        url = urlsplit(target)
        steps = [step for step in url.path.split("/") if step]
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        with self._lock:
            match method, steps:
                case "POST", ["hook"]:
                    self.hooks.append((time.monotonic(), mood, value["delivery_id"], value["run_id"]))
                    return 204, None
                case "POST", ["beat"]:
                    self.beats += 1
                    return 204, None
                case "POST", ["ccs", "api", "v1", "oauth", "tokens"]:
                    return 200, {"access_token": "a", "refresh_token": "r"}
                case "GET", ["ccs", "api", "v1", "jobs", _, "jobruns"]:
                    count = int(query["count"])
                    shown = [self._job_run(*one) for one in reversed(self.executed)]
                    return 200, shown[:count] if count else shown
                case "POST", ["ccs", "api", "v1", "jobs", job]:
                    return self._operate(job, value["Operation"])
                case "GET", ["api", "v2", "connections", _]:
                    return 200, {"results": [_connection(number) for number in CONNECTIONS]}
                case "GET", ["api", "v2", "jobs", _]:
                    return 200, {"results": [self._sde_job(n) for n in range(len(self._sde_jobs))
                                             if self._sde_jobs[n][2] == int(query["connection"])]}  # fmt: skip
                case "GET", ["api", "v2", "jobs", _, number]:
                    return 200, self._sde_job(int(number) - 1)
                case "POST", ["api", "v2", "jobs", _]:
                    self._sde_jobs.append(
                        (time.monotonic(), mood, value["connection"], value.get("result_message"))
                    )
                    return 201, self._sde_job(len(self._sde_jobs) - 1)
        return 405, {"detail": f"{method} {target}"}

    def _operate(self, some_id, operation):
        if operation != "execute":
            return 204, None
        if self.executed and self._code(self.executed[-1][0]) == 2:
            return 400, {"Message": "a run of this job is active"}
        self.executed.append((time.monotonic(), str(uuid.uuid4()), some_id, self.now()))
        return 200, {"JobStatusInfo": self._job_run(*self.executed[-1])}

    @staticmethod
    def _code(since):
        return 2 if time.monotonic() - since < 0.6 else 4

    def _job_run(self, since, run_id, job, at):
        code = self._code(since)
        moment = at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return {
            "JobRunID": run_id, "JobID": job, "Status": code, "CustomStatusText": "", "Exception": None,
            "JobStartTime": moment, "JobEndTime": moment if code == 4 else "0001-01-01T00:00:00",
            "JobSummary": None, "ActivityStatusList": [],
        }  # fmt: skip

    def _sde_job(self, number):
        """A result that was posted is ready at once, a job that was initiated a while later."""
        since, _, connection, message = self._sde_jobs[number]
        ready = message is not None or self._code(since) == 4
        return {"id": number + 1, "connection": {"id": connection}, "ready": ready, "succeeded": ready,
                "automatic": True, "result_message": message or "", "last_run": None}  # fmt: skip

    @property
    def posted(self):
        """The results that were posted: (stopwatch, mood, connection, message)."""
        return [job for job in list(self._sde_jobs) if job[3] is not None]

    @property
    def initiated(self):
        """The ids of the jobs that were initiated."""
        return [number + 1 for number, job in enumerate(list(self._sde_jobs)) if job[3] is None]


def _connection(number):
    return {"id": number, "command": "synced", "frequency": "daily", "inaccessible": True,
            "params": {"project": f"P{number}"}}  # fmt: skip


def _handler(parts):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def serve(self):
            mood = parts.feel()
            self.close_connection = mood in (DEAD, LYING)
            if mood == DEAD:
                return
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            if len(body) < length:  # whoever sent it died over it
                return
            if mood == REFUSING:
                self.send_response(503)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            form = "oauth" in self.path
            status, value = parts.answer(
                self.command, self.path, json.loads(body) if body and not form else None, mood
            )
            if mood == LYING:
                return
            data = b"" if value is None else json.dumps(value).encode()
            with contextlib.suppress(OSError):
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

        do_GET = do_POST = do_PATCH = do_HEAD = serve  # noqa: N815 - the library's names

        def log_message(self, *_):
            pass

    return Handler


def _mailbox(parts):
    class Mailbox(socketserver.StreamRequestHandler):
        def handle(self):
            mood = parts.feel()
            if mood == DEAD:
                return
            with contextlib.suppress(OSError):
                if mood == REFUSING:
                    self.wfile.write(b"421 not now\r\n")
                    return
                self._talk(mood)

        def _talk(self, mood):
            self.wfile.write(b"220 here\r\n")
            while line := self.rfile.readline():
                word = line[:4].upper().strip()
                if word == b"DATA":
                    self.wfile.write(b"354 go on\r\n")
                    text = b""
                    while (line := self.rfile.readline()) != b".\r\n":
                        if not line:
                            return
                        text += line
                    parts.mail(text, mood)
                    if mood == LYING:
                        return
                self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 ok\r\n")
                if word == b"QUIT":
                    return

    return Mailbox
