"""curl, and bare connections: what tools send that nobody thought of."""

import json
import shutil
import socket
from urllib.parse import urlsplit

import pytest

pytestmark = pytest.mark.acceptance

AUTHORIZED = ["-sS", "--noproxy", "*", "-H", "Authorization: Token TOKEN"]
QUEUED = {"automatic": False, "ready": False}


@pytest.fixture
def curl(face):
    """What curl prints: (*arguments) -> JSON, or the text where it is none."""
    if shutil.which("curl") is None:
        pytest.skip("there is no curl here")

    def call(*arguments):
        done = face.call("curl", *AUTHORIZED, *arguments)
        assert done.returncode == 0, done.stderr
        try:
            return json.loads(done.stdout)
        except ValueError:
            return done.stdout

    return call


def test_curl_follows_no_redirect_since_there_is_none(face, curl):
    """`-L` and a path without its slash: one job, and not a list."""
    body = json.dumps(QUEUED | {"connection": face.connection("Team A")})
    told = curl(
        "-L",
        "-w",
        "%{num_redirects}",
        "-o",
        "/dev/null",
        "-H",
        "Content-Type: application/json",
        "-d",
        body,
        "BASE/jobs/alm",
    )
    assert told == 0
    assert len(face.jobs()) == 1


def test_curl_posts_a_form_unless_it_is_told_otherwise(face, curl):
    """`-d a=b` is a form; `-d` of JSON without its type is one too, of one odd field, and says what it lacks."""
    key = face.connection("Team A")
    job = curl(
        "-d", f"connection={key}&automatic=false&ready=true&succeeded=true&result_message=Done", "BASE/jobs/alm/"
    )
    assert (job["succeeded"], job["result_message"], job["automatic"]) == (True, "Done", False)
    told = curl("-d", json.dumps({"connection": key}), "BASE/jobs/alm/")
    assert told["connection"] == ["This field is required."]


def test_curl_imports_a_file(face, curl, tmp_path):
    """As multipart, also in chunks; over the limit it is turned down, whatever its length says."""
    (tmp_path / "report.xml").write_bytes(b"<xml/>" * 100)
    form = [
        "-F",
        "system=fortify_file_upload",
        "-F",
        "project=1",
        "-F",
        f"report_file=@{tmp_path}/report.xml;type=text/xml",
    ]
    for more in ([], ["-H", "Transfer-Encoding: chunked"], ["-H", "Expect: 100-continue"]):
        job = curl(*form, *more, "BASE/jobs/analysis-file/")
        assert (job["attachment"], job["connection"]["is_file_upload"]) == ("report.xml", True)
        assert job["connection"]["params"]["file_upload"] == "report.xml"
        assert face.ready(f"/jobs/analysis/{job['id']}/")["succeeded"] is True
    (tmp_path / "report.xml").write_bytes(b"x" * 100_000)
    for more in ([], ["-H", "Transfer-Encoding: chunked"], ["-H", "Expect: 100-continue"]):
        done = face.call("curl", *AUTHORIZED, "-w", "\n%{http_code}", *form, *more, "BASE/jobs/analysis-file/")
        told, _, status = done.stdout.rpartition("\n")
        assert (status, list(json.loads(told))) == ("413", ["detail"])
    assert len(face.http.get("/jobs/analysis/").json()["results"]) == 3


def test_curl_speaks_the_older_http(face, curl):
    """HTTP/1.0: answered, and the connection closed."""
    body = json.dumps(QUEUED | {"connection": face.connection("Team A")})
    assert curl("-0", "-H", "Content-Type: application/json", "-d", body, "BASE/jobs/alm/")["ready"] is False
    assert len(curl("-0", "BASE/connections/alm/")["results"]) == 1


def exchange(face, token, request):
    """Everything that comes back on a connection until the other side closes it."""
    place = urlsplit(face.base)
    found = b""
    with socket.create_connection((place.hostname, place.port), timeout=15) as bare:
        bare.sendall(request.replace(b"TOKEN", token.encode()))
        while part := bare.recv(65536):
            found += part
    return found.decode()


def test_bare_requests(face, token):
    """HTTP/1.0 without a Host; headers in any case and order; two requests at once on one connection."""
    old = exchange(face, token, b"GET /api/v2/projects/ HTTP/1.0\r\nauthorization: token TOKEN\r\n\r\n")
    assert old.split(" ", 2)[1] == "200"
    assert json.loads(old.partition("\r\n\r\n")[2])["results"][0] == {"id": 1, "name": "Payments"}
    one = b"GET /api/v2/projects/1 HTTP/1.1\r\nHost: x\r\nAuthorization: Token TOKEN\r\n"
    two = exchange(face, token, one + b"\r\n" + one + b"Connection: close\r\n\r\n")
    assert two.count('{"id":1,"name":"Payments"}') == 2


def test_links_to_other_pages_name_the_host_that_was_asked(face, token):
    """As the client knows it, not as the daemon is bound."""
    told = exchange(
        face,
        token,
        b"GET /api/v2/projects?page_size=1 HTTP/1.1\r\nHost: sde.example.com:8443\r\n"
        b"Authorization: Token TOKEN\r\nConnection: close\r\n\r\n",
    )
    body = json.loads(told.partition("\r\n\r\n")[2])
    assert body["next"] == "http://sde.example.com:8443/api/v2/projects?page=2&page_size=1"
    assert (body["count"], body["previous"], len(body["results"])) == (2, None, 1)
