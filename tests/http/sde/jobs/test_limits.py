"""Uploads that are too long, never end, go away or find no room; and answers to clients that are still sending."""

import http.client
import resource
import signal
import socket
import subprocess
import threading
import time
from contextlib import contextmanager
from urllib.parse import urlsplit

import httpx
import pytest
import requests

from jobsd.http.sde import incoming

LIMIT = 4 * 1024 * 1024
KEY = "admins-key"
BOUNDARY = "XxX"
HEAD = (
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="system"\r\n\r\nfortify_file_upload\r\n'
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="project"\r\n\r\n1\r\n'
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="report_file"; filename="big.bin"\r\n\r\n'
).encode()
TAIL = f"\r\n--{BOUNDARY}--\r\n".encode()
TYPE = f"multipart/form-data; boundary={BOUNDARY}"
TOO_LARGE = f"Request body exceeds the limit of {LIMIT} bytes."


@pytest.fixture(scope="module")
def small(desk_in):
    """A daemon that takes at most LIMIT bytes."""
    return desk_in(http={"upload_limit": LIMIT})


def body(size, chunk=1 << 16):
    """The pieces of a form whose file has that many bytes."""
    yield HEAD
    for begin in range(0, size, chunk):
        yield b"x" * min(chunk, size - begin)
    yield TAIL


def left(desk):
    """What is under uploads, but for empty folders."""
    base = desk.state / "uploads"
    return sorted(str(one.relative_to(base)) for one in base.rglob("*") if one.is_file()) if base.is_dir() else []


@contextmanager
def line(desk, *headers, method="POST", path="/api/v2/jobs/analysis-file/"):
    """A connection on which a request has begun: its headers are sent."""
    where = urlsplit(desk.url)
    with socket.create_connection((where.hostname, where.port), timeout=20) as raw:
        lines = (
            f"{method} {path} HTTP/1.1",
            f"Host: {where.netloc}",
            f"Authorization: Token {KEY}",
            *headers,
            "",
            "",
        )
        raw.sendall("\r\n".join(lines).encode())
        yield raw


def answered(raw):
    """Status, headers and body of what comes."""
    response = http.client.HTTPResponse(raw, method="POST")
    response.begin()
    return response.status, response.headers, response.read()


def test_a_length_that_is_too_long_is_refused_unread(small):
    """At once: not a byte of the body is sent, nor asked for, and the connection ends."""
    for told in (["Content-Length: 2147483648"], ["Content-Length: 2147483648", "Expect: 100-continue"]):
        with line(small, f"Content-Type: {TYPE}", *told) as raw:
            begun = time.monotonic()
            status, headers, text = answered(raw)
            assert (status, headers["connection"]) == (413, "close")
            assert TOO_LARGE in text.decode()
            assert time.monotonic() - begun < 1
            assert raw.recv(1) == b""
    assert left(small) == []


@pytest.mark.parametrize("length", ["1e9", "-5", "9" * 30, "0x10"])
def test_a_length_that_is_none(small, length):
    """Refused, by whoever sees it first."""
    with line(small, f"Content-Type: {TYPE}", f"Content-Length: {length}") as raw:
        assert answered(raw)[0] in {400, 413}


def test_a_client_that_sends_on_sees_the_answer(small):
    """Whatever it is written with: it is not cut off before it could read; of 2 GB next to nothing is taken."""
    size = 2 * 1024**3
    seen = {"sent": 0}

    def pieces():
        for piece in body(size):
            seen["sent"] += len(piece)
            yield piece

    headers = {
        "Authorization": f"Token {KEY}",
        "Content-Type": TYPE,
        "Content-Length": str(size + len(HEAD + TAIL)),
    }
    url = f"{small.url}/api/v2/jobs/analysis-file/"
    answer = httpx.post(url, content=pieces(), headers=headers, timeout=20, trust_env=False)
    assert (answer.status_code, answer.json()) == (413, {"detail": TOO_LARGE})
    assert seen["sent"] < 64 * 1024**2
    seen["sent"] = 0
    with requests.Session() as session:
        session.trust_env = False
        answer = session.post(url, data=_Sized(pieces(), size), headers=headers, timeout=20)
    assert (answer.status_code, answer.json()) == (413, {"detail": TOO_LARGE})
    assert seen["sent"] < 64 * 1024**2
    assert left(small) == []


class _Sized:
    """What requests sends with a length."""

    def __init__(self, pieces, size):
        self._pieces = pieces
        self._size = size

    def __len__(self):
        return self._size + len(HEAD + TAIL)

    def read(self, _size=-1):
        """The next piece."""
        return next(self._pieces, b"")


def test_curl_sees_it_too(small, tmp_path):
    """With and without asking before it sends."""
    sparse = tmp_path / "sparse"
    with sparse.open("wb") as file:
        file.truncate(2 * 1024**3)
    for more in ([], ["-H", "Expect:"], ["-H", "Expect:", "-H", "Transfer-Encoding: chunked"]):
        argv = [
            "curl",
            "-sS",
            "--noproxy",
            "*",
            "-w",
            "\n%{http_code} %{size_upload}",
            "-H",
            f"Authorization: Token {KEY}",
            *more,
        ]
        fields = ["-F", "system=fortify_file_upload", "-F", "project=1", "-F", f"report_file=@{sparse}"]
        url = f"{small.url}/api/v2/jobs/analysis-file/"
        done = subprocess.run([*argv, *fields, url], capture_output=True, text=True, timeout=60, check=False)
        text, numbers = done.stdout.rsplit("\n", 1)
        assert (text, numbers.split()[0]) == (f'{{"detail":"{TOO_LARGE}"}}', "413"), done.stderr
        assert int(numbers.split()[1]) < 64 * 1024**2
    assert left(small) == []


def test_chunks_are_refused_as_soon_as_they_are_too_many(small):
    """A body that does not say how long it is; what was written is gone."""
    sent = 0
    with line(small, f"Content-Type: {TYPE}", "Transfer-Encoding: chunked") as raw:
        raw.settimeout(20)
        for piece in body(LIMIT * 2):
            raw.sendall(b"%x\r\n%b\r\n" % (len(piece), piece))
            sent += len(piece)
            if sent > LIMIT + len(HEAD):
                break
        status, headers, text = answered(raw)
    assert (status, headers["connection"], TOO_LARGE in text.decode()) == (413, "close", True)
    small.until(lambda: left(small) == [])


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_of_just_the_limit_is_taken(small, chunked):
    """One byte more is not."""
    size = LIMIT - len(HEAD + TAIL)
    for more, status in ((0, 201), (1, 413)):
        content = b"".join(body(size + more))
        answer = small.ask(
            "POST",
            "/jobs/analysis-file/",
            content=iter([content]) if chunked else content,
            headers={"Content-Type": TYPE},
        )
        assert answer.status_code == status
    path = (
        small.state / "uploads" / str(small.get("/jobs/analysis/")["results"][0]["connection"]["id"]) / "big.bin"
    )
    assert path.stat().st_size == size
    path.unlink()


def test_a_client_that_goes_leaves_nothing(small):
    """In the middle of the file."""
    with line(small, f"Content-Type: {TYPE}", f"Content-Length: {LIMIT}") as raw:
        raw.sendall(HEAD + b"x" * 2_000_000)
        small.until(lambda: left(small))
    small.until(lambda: left(small) == [])
    jobs = len(small.get("/jobs/")["results"])
    with line(small, f"Content-Type: {TYPE}", "Transfer-Encoding: chunked") as raw:
        raw.sendall(b"%x\r\n%b\r\n" % (len(HEAD), HEAD))
        raw.sendall(b"10000\r\n")
    small.until(lambda: left(small) == [])
    assert len(small.get("/jobs/")["results"]) == jobs


def test_refused_uploads_end_the_connection_in_good_time(small):
    """Of one that may not be at all, too: the client reads why, and need not send what nobody wants."""
    for headers, status in (
        (["Authorization: Token wrong"], 401),
        (["Authorization: Token readers-key"], 403),
    ):
        where = urlsplit(small.url)
        with socket.create_connection((where.hostname, where.port), timeout=20) as raw:
            lines = (
                "POST /api/v2/jobs/analysis-file/ HTTP/1.1",
                f"Host: {where.netloc}",
                *headers,
                f"Content-Type: {TYPE}",
            )
            raw.sendall("\r\n".join((*lines, f"Content-Length: {LIMIT}", "", "")).encode())
            raw.sendall(HEAD + b"x" * 500_000)
            found = answered(raw)
            assert (found[0], found[1]["connection"]) == (status, "close")
            begun = time.monotonic()
            while raw.recv(1 << 16):
                pass
            assert time.monotonic() - begun < 10


def test_a_short_body_that_nobody_read_does_not_end_the_connection(small):
    """The next request comes on the same one."""
    with httpx.Client(base_url=f"{small.url}/api/v2", trust_env=False, timeout=10) as client:
        for _ in range(3):
            answer = client.post("/jobs/alm/", json={"connection": 1}, headers={"Authorization": "Token wrong"})
            assert (answer.status_code, "connection" in answer.headers) == (401, False)


def test_a_large_file_takes_no_memory(desk_in):
    """500 MB through a daemon that grows by less than a fiftieth of that; it arrives whole, others are served."""
    desk = desk_in(http={"upload_limit": 1024**3})
    desk.upload()
    size, before, worst = 500 * 1024**2, _memory(desk.pid), [0.0]
    done = threading.Event()

    def look():
        with httpx.Client(base_url=f"{desk.url}/api/v2", trust_env=False, timeout=10) as client:
            while not done.is_set():
                begun = time.monotonic()
                client.get("/users/me/", headers={"Authorization": f"Token {KEY}"}).raise_for_status()
                worst[0] = max(worst[0], time.monotonic() - begun)
                time.sleep(0.05)

    looking = threading.Thread(target=look)
    looking.start()
    try:
        headers = {"Content-Type": TYPE, "Content-Length": str(size + len(HEAD + TAIL))}
        answer = desk.ask(
            "POST", "/jobs/analysis-file/", content=body(size, 1 << 18), headers=headers, timeout=120
        )
    finally:
        done.set()
        looking.join()
    assert answer.status_code == 201
    path = desk.state / "uploads" / str(answer.json()["connection"]["id"]) / "big.bin"
    assert path.stat().st_size == size
    path.unlink()
    grown = _memory(desk.pid) - before
    assert grown < 10 * 1024**2
    assert worst[0] < 5


def _memory(pid):
    """The most that a process ever had in memory, in bytes."""
    with open(f"/proc/{pid}/status") as status:
        (most,) = (int(line.split()[1]) for line in status if line.startswith("VmHWM:"))
    return most * 1024


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """A file system of 16 MB, where this user may make one."""
    path = tmp_path_factory.mktemp("tiny")
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", path], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip("this user cannot mount a file system")
    yield path
    subprocess.run(["umount", "-l", path], check=True)


def test_a_full_disk(tiny, desk_in):
    """507, nothing left behind, and the next file that has room is taken."""
    desk = desk_in(state=tiny / "state")
    content = b"".join(body(30 * 1024**2))
    answer = desk.ask("POST", "/jobs/analysis-file/", content=content, headers={"Content-Type": TYPE})
    assert (answer.status_code, answer.headers["connection"]) == (507, "close")
    assert answer.json() == {"detail": "The file cannot be kept: No space left on device."}
    assert left(desk) == []
    made = desk.until(lambda: _taken(desk))
    assert desk.ended(made["id"], "analysis")["succeeded"] is True


def _taken(desk):
    """An import, once the ledger can be written again."""
    answer = desk.ask("POST", "/jobs/analysis-file/", content=b"".join(body(10)), headers={"Content-Type": TYPE})
    assert answer.status_code in {201, 503}
    return answer.json() if answer.status_code == 201 else None


def test_a_file_that_the_system_does_not_take(desk_in):
    """As on a full disk, for a user who cannot make one: the daemon may not write files so long."""
    desk = desk_in()
    desk.upload()
    resource.prlimit(desk.pid, resource.RLIMIT_FSIZE, (8 * 1024**2, resource.RLIM_INFINITY))
    answer = desk.ask("POST", "/jobs/analysis-file/", content=body(20 * 1024**2), headers={"Content-Type": TYPE})
    assert (answer.status_code, answer.json()) == (507, {"detail": "The file cannot be kept: File too large."})
    assert [name.rsplit("/")[-1] for name in left(desk)] == ["report.xml"]
    assert len(desk.get("/jobs/")["results"]) == 1


def test_uploads_that_cannot_be_written(desk_in):
    """Something else is in the place of the folder: 507, and it says what; the daemon goes on, and starts again."""
    desk = desk_in()
    (desk.state / "uploads").write_text("in the way")
    refused = desk.upload(status=507)
    assert refused == {"detail": "The file cannot be kept: File exists."}
    assert desk.get("/jobs/") == {"results": []}
    desk.restart()
    (desk.state / "uploads").unlink()
    assert desk.upload()["attachment"] == "report.xml"


def test_a_kill_in_the_middle_leaves_nothing_at_the_next_start(desk_in):
    """Neither the half file nor a connection of it; nobody was told that there is one."""
    desk = desk_in()
    with line(desk, f"Content-Type: {TYPE}", f"Content-Length: {LIMIT}") as raw:
        raw.sendall(HEAD + b"x" * 2_000_000)
        desk.until(lambda: left(desk))
        desk.restart(signal.SIGKILL)
    assert left(desk) == []
    assert desk.get("/jobs/") == {"results": []}
    assert desk.upload()["connection"]["id"] == 1


def test_a_client_that_stalls_is_given_up(build, monkeypatch):
    """408, and nothing left behind."""
    monkeypatch.setattr(incoming, "STALLED_S", 0.3)
    text = """
version: 1
settings: {http: {listen: "127.0.0.1:0"}}
users: [{name: admin, token: admins-key, scope: control}]
commands: {quick: {argv: [/bin/true]}}
sde_systems: {fortify_file_upload: {command: quick}}
"""
    house = build(text=text)
    house.state = house.folder / "state"
    house.start()
    with line(house, f"Content-Type: {TYPE}", f"Content-Length: {LIMIT}") as raw:
        raw.sendall(HEAD + b"x" * 1_000_000)
        house.until(lambda: left(house))
        status, headers, text = answered(raw)
    assert (status, headers["connection"], text) == (408, "close", b'{"detail":"Nothing was sent for 0 seconds."}')
    house.until(lambda: left(house) == [])


def test_what_a_failed_import_put_down_goes(desk_in):
    """The file cannot be put where it belongs: no connection, no job, and nothing in the next one's way."""
    desk = desk_in()
    first = desk.upload()["connection"]["id"]
    (desk.state / "uploads" / str(first + 1) / "report.xml" / "in the way").mkdir(parents=True)
    assert desk.upload(status=507) == {"detail": "The file cannot be kept: Is a directory."}
    assert len(desk.get("/jobs/")["results"]) == 1
    assert [path.name for path in (desk.state / "uploads").iterdir() if path.name != ".incoming"] == [str(first)]
    assert desk.upload()["connection"]["id"] == first + 1
