"""How the daemon is found, and whose token goes where."""

import json
import os
import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from jobsd.cli import finding
from jobsd.cli.files import Failed

OURS = "ours"


def folder(path, url, token=OURS):
    path.mkdir(parents=True)
    (path / "url").write_text(url + "\n")
    (path / "token").write_text(token)
    return path


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty working folder; the system's folder is one in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(finding, "SYSTEM", tmp_path / "system")
    return tmp_path


def test_the_order_of_places(here):
    """--url, $JOBSD_URL, $STATE_DIRECTORY, ./.jobsd, the system's folder; the first that has an address counts.

    Rule: finding-the-daemon
    """
    environ = {}

    def found(url=None):
        return finding.find(url, environ).url

    with pytest.raises(Failed):
        found()
    folder(here / "system", "http://s:5")
    assert found() == "http://s:5"
    folder(here / ".jobsd", "http://s:4")
    assert found() == "http://s:4"
    environ["STATE_DIRECTORY"] = f"{here / 'none'}:/somewhere"
    assert found() == "http://s:4"
    environ["STATE_DIRECTORY"] = f"{folder(here / 'state', 'http://s:3')}:/somewhere"
    assert found() == "http://s:3"
    environ["JOBSD_URL"] = "s:2/"
    assert found() == "http://s:2"
    assert found("https://s:1") == "https://s:1"


def test_a_token_goes_only_to_the_daemon_that_left_it(here):
    """A foreign address gets none of the local tokens; $JOBSD_TOKEN goes where it is told to."""
    folder(here / ".jobsd", "http://127.0.0.1:8642", "ours")
    assert finding.find(None, {}).token == "ours"
    assert finding.find("http://127.0.0.1:8642/", {}).token == "ours"
    assert finding.find("http://elsewhere:8642", {}).token is None
    assert finding.find("http://elsewhere:8642", {"JOBSD_TOKEN": "mine"}).token == "mine"
    assert finding.find(None, {"JOBSD_TOKEN": "mine"}).token == "mine"


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a file away")
def test_a_folder_that_somebody_else_planted_is_not_trusted(here):
    """./.jobsd of another user could point anywhere."""
    folder(here / ".jobsd", "http://evil")
    os.chown(here / ".jobsd/url", 12345, 12345)
    with pytest.raises(Failed, match="belongs to another user"):
        finding.find(None, {})


def test_without_a_daemon_one_line_says_where_it_was_looked_for(jobsd):
    """And how to start one; exit code 1."""
    told = jobsd("jobs", exit_code=1).stderr
    assert told == (
        "no daemon found; looked at $JOBSD_URL (not set), $STATE_DIRECTORY (not set), ./.jobsd (no daemon there), "
        "/var/lib/jobsd (no daemon there): start one with `jobsd run -c FILE`, or say where it is with --url\n"
    )


def test_an_address_at_which_nobody_listens(jobsd, tmp_path):
    """A daemon that was killed leaves its address behind: said with the file it came from."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    folder(tmp_path / ".jobsd", url)
    told = jobsd("runs", exit_code=1).stderr
    assert told.startswith(f"no daemon answers at {url} (from .jobsd/url; ")
    assert told.count("\n") == 1


def test_an_address_that_is_none(jobsd):
    """Refused in a line, not a trace."""
    for url in ("http://[", "http://127.0.0.1:99999", "ftp://127.0.0.1"):
        told = jobsd("jobs", "--url", url, exit_code=1).stderr
        assert told.startswith(f"no daemon answers at {url}"), told
        assert told.count("\n") == 1


class Foreign(BaseHTTPRequestHandler):
    """A server that is no jobsd."""

    def do_GET(self):
        self.server.seen.append(dict(self.headers))
        if self.path.endswith("/v1/runs/redirected"):
            self.send_response(302)
            self.send_header("Location", "http://127.0.0.1:1/")
            self.end_headers()
            return
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<html>")

    def log_message(self, *_):
        pass


@pytest.fixture
def foreign():
    """Its address and the headers it was sent."""
    with HTTPServer(("127.0.0.1", 0), Foreign) as server:
        server.seen = []
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", server.seen
        server.shutdown()
        thread.join()


def test_a_server_that_is_no_jobsd(jobsd, foreign):
    """Neither its pages nor its redirects are followed; it was told who asks, and given no token."""
    url, seen = foreign
    assert jobsd("jobs", "--url", url, exit_code=1).stderr == f"{url} is no jobsd: its answer is not JSON\n"
    assert jobsd("show", "redirected", "--url", url, exit_code=1).stderr == f"{url} answered 302\n"
    assert seen[0]["User-Agent"].startswith("jobsd-cli/")
    assert all("Authorization" not in headers for headers in seen)
    assert json.dumps(len(seen)) == "2"
