"""The listener: addresses, certificates, coming up and going down."""

import socket
import threading
import time

import httpx
import pytest

from config.definitions import Scope as TokenScope
from config.definitions import Secret, Tls, Token
from runners import trust


def test_a_taken_port_is_an_oserror_that_names_the_setting(build, house):
    """The caller learns it at `start`, and what is there goes on."""
    second = build("second", listen=house.url.removeprefix("http://"))
    with pytest.raises(OSError, match=r"settings.http.listen: 127.0.0.1:\d+: Address already in use"):
        second.start()
    assert house.http.get("/healthz").status_code == 200


def test_port_0_takes_a_free_one(house):
    """The URL names the port that was taken."""
    port = int(house.url.rpartition(":")[2])
    assert port > 0
    assert house.url == f"http://127.0.0.1:{port}"


@pytest.mark.parametrize(
    ("listen", "base"), [("localhost:0", "http://localhost:"), ("0.0.0.0:0", "http://127.0.0.1:")]
)
def test_the_url_can_be_reached_from_this_host(build, listen, base, bearer):
    """A listener on every address is reached by the loopback one."""
    house = build(listen=listen)
    assert house.start().startswith(base)
    assert len(house.get("/v1/jobs")) == 4


def test_an_ipv6_listener(build):
    """The URL has brackets, and its own name is known."""
    if not socket.has_ipv6:
        pytest.skip("no IPv6 on this host")
    house = build(listen="[::1]:0")
    try:
        url = house.start()
    except OSError:
        pytest.skip("no IPv6 loopback on this host")
    assert url.startswith("http://[::1]:")
    assert house.http.get("/v1/jobs").status_code == 200


def test_tls(build, authority):
    """With a certificate the listener speaks HTTPS only."""
    authority.issue()
    house = build(tls=Tls(certificate="../tls.pem", key="../tls.key"))
    url = house.start()
    assert url.startswith("https://127.0.0.1:")
    trusting = trust.authorities(authority.pem)
    assert httpx.get(url + "/v1/jobs", verify=trusting, trust_env=False).status_code == 200
    with pytest.raises(httpx.HTTPError):
        httpx.get(url.replace("https", "http") + "/healthz", trust_env=False)


def test_a_certificate_that_is_not_there_is_refused(build):
    """The text names the setting; the port is free again."""
    house = build(tls=Tls(certificate="cert.pem", key="key.pem"))
    with pytest.raises(OSError, match=r"settings.http.tls"):
        house.start()


def test_a_token_that_cannot_be_had_is_refused(build, monkeypatch):
    """A missing secret must not open the listener for everybody."""
    monkeypatch.delenv("NO_SUCH_TOKEN", raising=False)
    house = build()
    token = Token(name="ops", token=Secret("env", "NO_SUCH_TOKEN"), scope=TokenScope.VIEW)
    house.server._http = house.server._http.model_copy(update={"tokens": (token,)})
    with pytest.raises(OSError, match=r"settings.http.tokens: ops"):
        house.start()


def test_stop_is_quick_and_frees_the_port(build):
    """A connection that never sends a request is cut off; nothing listens afterwards; stopping again is nothing."""
    house = build()
    url = house.start()
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as idle:
        idle.sendall(b"GET / HTTP/1.1\r\nHost:")
        began = time.monotonic()
        house.server.stop()
        assert time.monotonic() - began < 2
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)), timeout=2)
    house.server.stop()
    assert "http" not in [thread.name for thread in threading.enumerate()]


def test_stop_does_not_wait_for_an_idle_client_over_tls(build, authority, caplog):
    """It keeps its connection open and answers no goodbye; that is no error in the log."""
    authority.issue()
    house = build(tls=Tls(certificate="../tls.pem", key="../tls.key"))
    url = house.start()
    with httpx.Client(verify=trust.authorities(authority.pem), trust_env=False) as client:
        assert client.get(f"{url}/healthz").status_code == 200
        begin = time.monotonic()
        with caplog.at_level("ERROR"):
            house.server.stop()
        assert time.monotonic() - begin < 0.9
    assert [record.getMessage() for record in caplog.records] == []


def test_stop_does_not_wait_for_a_reader_that_does_not_read(build, bearer):
    """A client that asks for much and takes nothing is cut off within 2 s."""
    house = build()
    house.start()
    run = house.ran("hello")
    output = house.folder / "state/output" / run["run_id"] / "1/output.log"
    with output.open("wb") as file:
        file.truncate(512 * 1024 * 1024)
    host, port = house.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as lazy:
        head = f"GET /v1/runs/1/log HTTP/1.1\r\nHost: x\r\nAuthorization: {bearer['Authorization']}\r\n\r\n"
        lazy.sendall(head.encode())
        assert lazy.recv(100).startswith(b"HTTP/1.1 200")
        began = time.monotonic()
        house.server.stop()
        assert time.monotonic() - began < 2
