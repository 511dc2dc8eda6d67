"""The doctor on real files, servers, disks and mail servers."""

import http.server
import json
import os
import socket
import ssl
import subprocess
import threading
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
import trustme
from click.testing import CliRunner

from jobsd.cli.app import app

SURROUNDINGS = ("CREDENTIALS_DIRECTORY", "STATE_DIRECTORY", "JOBSD_URL", "JOBSD_TOKEN")
HEAD = "version: 1\nsettings:\n  http: {listen: '127.0.0.1:0'}\n"


class Doctor:
    """`jobsd doctor` on a text, in a folder of its own."""

    def __init__(self, folder):
        self.folder = folder
        self.path = folder / "jobs.yaml"
        self.state = folder / "state"
        self.output = ""

    def __call__(self, text, *, head=HEAD, exit_code=None, mode=0o600):
        """The findings as (area, name) -> list of findings."""
        self.path.write_text(head + text)
        self.path.chmod(mode)
        arguments = ["doctor", "-c", str(self.path), "--state-dir", str(self.state), "--json"]
        found = CliRunner().invoke(app, arguments)
        self.output = found.output
        assert found.exception is None or isinstance(found.exception, SystemExit), repr(found.exception)
        told = json.loads(found.stdout)
        failed = any(one["health"] == "fail" for one in told["findings"])
        assert found.exit_code == int(failed) == int(not told["healthy"]), self.output
        assert exit_code in (None, found.exit_code), self.output
        return told["findings"]

    def of(self, area, text, **more):
        """The findings of one area as (name, health, found)."""
        return [(f["name"], f["health"], f["found"]) for f in self(text, **more) if f["area"] == area]

    def one(self, area, text, **more):
        """The only finding of one area, as (health, found)."""
        ((_, health, found),) = self.of(area, text, **more)
        return health, found


@pytest.fixture
def doctor(tmp_path, monkeypatch):
    """Examines texts: (text) -> findings; nothing of the test's own surroundings is seen."""
    for name in SURROUNDINGS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return Doctor(tmp_path)


@pytest.fixture(scope="session")
def authority():
    """A certificate authority."""
    return trustme.CA()


@pytest.fixture
def certified(authority, tmp_path):
    """Writes key and certificate for 127.0.0.1: (valid_for=…, begun=…) -> (certificate's path, key's path)."""
    made = []

    def make(*, until=timedelta(days=100), since=timedelta(days=-200)):
        now = datetime.now(UTC)
        leaf = authority.issue_cert("127.0.0.1", not_before=now + since, not_after=now + until)
        made.append(leaf)
        paths = tmp_path / f"certificate-{len(made)}.pem", tmp_path / f"key-{len(made)}.pem"
        for path, blobs in zip(paths, (leaf.cert_chain_pems, [leaf.private_key_pem]), strict=True):
            path.write_bytes(b"".join(blob.bytes() for blob in blobs))
            path.chmod(0o600)
        return paths

    return make


@pytest.fixture
def authority_file(authority, tmp_path):
    """The authority's own certificate as a file."""
    path = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(path)
    return path


class _Answers(http.server.BaseHTTPRequestHandler):
    def do_HEAD(self):
        self.send_response(200)
        self.end_headers()

    def do_GET(self):
        me = {"id": 1, "email": "agent@example.com"}
        usual = 200, me if "/users/me/" in self.path else {"results": []}
        status, body = next((a for path, a in self.server.answers.items() if path in self.path), usual)
        if body is None:
            self.server.silence.wait()
            return
        data = (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def date_time_string(self, timestamp=None):
        return format_datetime(datetime.now(UTC) + self.server.off, usegmt=True)

    def log_message(self, *arguments):
        pass


class _Quiet(http.server.ThreadingHTTPServer):
    off, answers = timedelta(0), {}

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.silence = threading.Event()

    daemon_threads = False

    def handle_error(self, request, client_address):
        pass  # clients that do not believe the certificate hang up


@pytest.fixture
def web():
    """Starts SDE servers without connections: (certificate and key or None, off=…, answers=…) -> base URL.

    `off` is their clock's fault, `answers` what they answer instead: status and body by a part of the path,
    None for no answer at all.
    """
    started = []

    def start(pair=None, *, off=timedelta(0), answers=None):
        server = _Quiet(("127.0.0.1", 0), _Answers)
        server.off, server.answers = off, answers or {}
        if pair is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*pair)
            server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        started.append((server, thread))
        return f"{'http' if pair is None else 'https'}://127.0.0.1:{server.server_address[1]}"

    yield start
    for server, thread in started:
        server.silence.set()
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def listener():
    """Opens listening sockets that never answer: () -> port."""
    opened = []

    def listen():
        one = socket.create_server(("127.0.0.1", 0))
        opened.append(one)
        return one.getsockname()[1]

    yield listen
    for one in opened:
        one.close()


@pytest.fixture
def closed_port():
    """A port at which nobody listens: bound, so that nobody else gets it."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        yield one.getsockname()[1]


@pytest.fixture
def disk(tmp_path):
    """Mounts small disks in memory: (options) -> folder. Only root may."""
    mounted = []

    def mount(options):
        folder = tmp_path / f"disk-{len(mounted)}"
        folder.mkdir()
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], capture_output=True, check=False
        )
        if done.returncode:
            pytest.skip(f"no disk can be mounted here: {done.stderr.decode().strip()}")
        mounted.append(folder)
        return folder

    yield mount
    for folder in mounted:
        subprocess.run(["umount", folder], check=True)


@pytest.fixture
def root():
    """Skips what only root can set up."""
    if os.geteuid() != 0:
        pytest.skip("only root may")
