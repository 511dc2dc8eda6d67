"""What the doctor says of receivers of heartbeats, which it never calls."""

import http.server
import threading

import pytest

from runners import trust

SECRET = "sEcReT-of-the-watcher"


@pytest.fixture
def receiver():
    """A receiver over plain HTTP: its URL; `calls` has what was asked of it."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def parse_request(self):
            server.calls.append(self.raw_requestline)
            return super().parse_request()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.calls = []
    server.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def file(*urls, daemon=None):
    """Jobs with these addresses, and the daemon's."""
    head = f"  heartbeat: {{url: '{daemon}/{SECRET}'}}\n" if daemon else ""
    job = "  - {name: job-N, run: {command: {argv: ['true']}}, notify: {heartbeat: {url: 'URL'}}}\n"
    jobs = "".join(job.replace("N", str(n)).replace("URL", f"{url}/{SECRET}") for n, url in enumerate(urls))
    return f"{head}jobs:\n{jobs}" if urls else f"{head}jobs: []\n"


def test_a_receiver_is_reached_and_not_called(doctor, receiver):
    """Once for all who have an address there; the path is told nowhere."""
    url = receiver.url
    told = doctor.of("heartbeat", file(*[url] * 4, daemon=url), exit_code=0)
    whose = "settings.heartbeat, the job job-0, the job job-1 and 2 more"
    assert told[0] == (url, "ok", f"reached at 127.0.0.1, for {whose}; nothing was called")
    assert [(name, health) for name, health, _ in told] == [(url, "ok"), (url, "warning")]
    assert receiver.calls == []
    assert SECRET not in doctor.output


def test_one_that_cannot_be_reached_fails(doctor, closed_port):
    """With its host and whose it is; also a port or a host that cannot be."""
    url = f"http://127.0.0.1:{closed_port}"
    ((name, health, found),) = doctor.of("heartbeat", file(url), exit_code=1)
    assert (name, health) == (url, "fail")
    assert "for the job job-0" in found
    for bad in ("http://127.0.0.1:99999", "https://[::1"):
        ((name, health, _),) = doctor.of("heartbeat", file(bad), exit_code=1)
        assert (name, health) == (bad, "fail")
    assert SECRET not in doctor.output


def test_its_certificate_is_judged(doctor, web, certified, authority_file, monkeypatch):
    """By whom the host trusts, as the call itself."""
    url = web(certified())
    ((_, health, found),) = doctor.of("heartbeat", file(url), exit_code=1)
    assert (health, found.partition(":")[0]) == ("fail", "its certificate is not believed")
    monkeypatch.setattr(trust, "system", lambda: trust.authorities(authority_file))
    told = doctor.of("heartbeat", file(url), exit_code=0)
    assert [health for _, health, _ in told] == ["ok", "ok"]
    assert told[1][2].startswith("its certificate is valid until ")
