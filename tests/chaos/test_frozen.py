"""A scheduling loop that stands still is not taken for a healthy one."""

import signal
import socket
import threading
import time

import pytest
from chaos.world import LOCAL

PERIOD_S = 2.0
FROZEN_S = 14.0


@pytest.fixture
def bell(tmp_path):
    """systemd's end of the notification socket: its address, and what came with its time."""
    address, came = tmp_path / "notify", []
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(address))

        def hear():
            while said := listening.recv(4096):
                came.append((time.monotonic(), said.decode()))

        thread = threading.Thread(target=hear)
        thread.start()
        yield str(address), came
        listening.shutdown(socket.SHUT_RD)
        thread.join()


def wait_for(seconds, what):
    """The first true answer of `what`; fails after so many seconds."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := what():
            return found
        time.sleep(0.1)
    raise AssertionError(f"not within {seconds} s")


def test_a_frozen_loop_stops_the_watchdog_and_readiness(pilot, bell):
    """WATCHDOG=1 stops within its period, /readyz turns 503 while /healthz answers; what was due is caught up."""
    address, came = bell
    one = pilot(LOCAL[:1], rate=1.0)
    environment = {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": str(int(PERIOD_S * 1e6))}
    one.begin(environment=environment, stall={"turn": [4, FROZEN_S]})
    assert one.ready(time.monotonic() + 20)
    assert one.ask("GET", "/readyz").status_code == 200
    wait_for(20, lambda: one.book.passes["turn"] == 5)
    frozen_at = time.monotonic()
    assert any("WATCHDOG=1" in said for _, said in came)
    refused = wait_for(FROZEN_S, lambda: (got := one.ask("GET", "/readyz")).status_code == 503 and got)
    assert "has not moved" in refused.json()["reasons"][0]
    assert time.monotonic() < frozen_at + FROZEN_S
    assert one.ask("GET", "/healthz").status_code == 200
    assert [said for at, said in came if at > frozen_at + 0.2 and "WATCHDOG=1" in said] == []
    wait_for(20, lambda: one.ask("GET", "/readyz").status_code == 200)
    assert wait_for(5, lambda: [at for at, said in came if at > frozen_at + FROZEN_S - 1 and "WATCHDOG" in said])
    one.signal(signal.SIGKILL)
    findings, left = one.finish()
    assert (findings.faults, left) == ([], 0)
