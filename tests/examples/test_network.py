"""Listening ports: real sockets of this process found on this host, and crafted tables judged."""

import json
import socket

import pytest

PUBLIC = {"protocol": "tcp", "address": "0.0.0.0", "port": 23, "user": "root", "program": "telnetd"}


@pytest.fixture
def listening():
    """Open listening sockets: (kind, address) -> port."""
    opened = []

    def listen(kind, address):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        try:
            one = socket.socket(family, kind)
            opened.append(one)
            one.bind((address, 0))
        except OSError as error:
            pytest.skip(f"no socket on {address} here: {error}")
        if kind == socket.SOCK_STREAM:
            one.listen()
        return one.getsockname()[1]

    yield listen
    for one in opened:
        one.close()


@pytest.mark.parametrize(
    ("kind", "protocol", "address"),
    [
        (socket.SOCK_STREAM, "tcp", "127.0.0.1"),
        (socket.SOCK_STREAM, "tcp", "::1"),
        (socket.SOCK_DGRAM, "udp", "127.0.0.1"),
    ],
)
def test_real_socket_is_found(me, listening, kind, protocol, address):
    """A socket that really listens is in the data with protocol, address, port, and the program that holds it."""
    port = listening(kind, address)
    sockets = me.collect("network").data["sockets"]
    (found,) = [one for one in sockets if one["port"] == port and one["protocol"] == protocol]
    assert found["address"] == address
    assert found["program"]


def test_ordinary_user_sees_ports_without_programs(ordinary, listening):
    """Another user's socket is seen too; whose program it is may be hidden."""
    port = listening(socket.SOCK_STREAM, "127.0.0.1")
    assert port in {one["port"] for one in ordinary.collect("network").data["sockets"]}


def test_clear_text_login_fails(me):
    """A port of a service that sends passwords in clear text is named with address, program and user."""
    verdicts = me.evaluate("baseline", {"aspect": "network", "sockets": [PUBLIC], "missing": {}}).verdicts
    result, message = verdicts["network.no-cleartext-login"]
    assert result == "fail"
    assert "telnet at tcp 0.0.0.0:23 (telnetd of root)" in message
    assert verdicts["network.stores-not-public"][0] == "pass"


@pytest.mark.parametrize(
    ("address", "result"),
    [("127.0.0.1", "pass"), ("::1", "pass"), ("127.5.5.5", "pass"), ("::", "fail"), ("192.0.2.7", "fail")],
)
def test_loopback_reaches_nobody(me, address, result):
    """A database on a loopback address is no finding; on any other address it is."""
    data = {"aspect": "network", "sockets": [PUBLIC | {"port": 6379, "address": address}], "missing": {}}
    assert me.evaluate("baseline", data).verdicts["network.stores-not-public"][0] == result


def test_unexpected_port_fails_once(me):
    """A port beyond the known ones is named once, however many sockets share it."""
    sockets = [PUBLIC | {"port": 22}, *[PUBLIC | {"port": 8080, "program": None}] * 3]
    verdicts = me.evaluate("hardening", {"aspect": "network", "sockets": sockets, "missing": {}}).verdicts
    result, message = verdicts["network.only-known-ports"]
    assert result == "fail"
    assert message.startswith("1 port open to other hosts")
    assert message.count("tcp 0.0.0.0:8080 (a program of root)") == 1


def test_unreadable_table_is_unknown(me):
    """Where a table of the kernel could not be read, nothing found means unknown."""
    data = {"aspect": "network", "sockets": [], "missing": {"tcp": {"unreadable": "Permission denied"}}}
    assert me.evaluate("baseline", data).verdicts["network.no-cleartext-login"][0] == "unknown"


def test_kernel_table_is_read_rightly(me, host):
    """Addresses of /proc/net are words in the machine's order: IPv4, IPv6 and IPv4 in IPv6 come out as written."""
    head = "  sl  local_address rem_address st tx_queue tr tm->when retrnsmt uid timeout inode\n"

    def line(address, state="0A"):
        return f"   0: {address}:0016 00000000:0000 {state} 00000000:00000000 00:00000000 00000000 0 0 77\n"

    def words(packed):
        return "".join(f"{int.from_bytes(packed[at : at + 4], order):08X}" for at in range(0, len(packed), 4))

    order = __import__("sys").byteorder
    four = words(socket.inet_aton("192.0.2.1"))
    six = words(socket.inet_pton(socket.AF_INET6, "2001:db8::1"))
    mapped = words(socket.inet_pton(socket.AF_INET6, "::ffff:192.0.2.2"))
    root = host(
        {
            "/etc/passwd": "root:x:0:0::/:/bin/sh\n",
            "/proc/net/tcp": head + line(four) + line(four, "01"),
            "/proc/net/tcp6": head + line(six) + line(mapped),
        }
    )
    sockets = json.loads(me.collect("network", root).out)["sockets"]
    assert {(one["address"], one["port"], one["user"]) for one in sockets} == {
        ("192.0.2.1", 22, "root"),
        ("2001:db8::1", 22, "root"),
        ("192.0.2.2", 22, "root"),
    }
    assert len(sockets) == 3  # the connection (state 01) is not listening
