"""What the asynchronous HTTP client tells of a request."""

import asyncio
import gzip
import ssl
import time
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
import trustme

from runners.web import Answer, AsyncWeb, NotSent, Unreachable

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@asynccontextmanager
async def serving(talk, tls=None):
    """A server whose connections `talk(reader, writer)`; gives its address without the scheme."""

    async def one(reader, writer):
        try:
            await talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(one, "127.0.0.1", 0, ssl=tls)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


def saying(answer):
    async def talk(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()

    return talk


def whole(body, headers=b"", status=b"200 OK"):
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n%s\r\n%s" % (status, len(body), headers, body)


@asynccontextmanager
async def web(address, **settings):
    client = AsyncWeb(address, **settings)
    try:
        yield client
    finally:
        await client.aclose()


async def failure(talk, **settings):
    """The exception of one request, and how long it took."""
    async with serving(talk) as address, web(f"http://{address}", **settings) as client:
        began = time.monotonic()
        with pytest.raises(Unreachable) as error:
            await client.request("POST", "/x", json={})
        return type(error.value), time.monotonic() - began


async def test_nobody_listens():
    """Nothing was sent; it is said where and why."""
    async with serving(saying(b"")) as address:
        pass
    async with web(f"http://{address}") as client:
        with pytest.raises(NotSent) as refused:
            await client.request("POST", "/x")
        assert str(refused.value) == f"no connection to http://{address}: Connection refused"


@pytest.mark.parametrize(
    "url",
    [
        "http://[",
        "ftp://x/",
        "http://127.0.0.1:99999/",
        f"http://{'a' * 70}.invalid/",
        "http://a..b/",
        "http://\x00/",
    ],
)
async def test_an_address_that_is_none(url):
    """Nothing was sent."""
    async with web("") as client:
        with pytest.raises(NotSent):
            await client.request("POST", url)


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\n", whole(b"12345")[:-1], b"nonsense\r\n\r\n"])
async def test_a_connection_that_breaks(answer):
    """It was sent: no answer is known."""
    assert (await failure(saying(answer)))[0] is Unreachable


async def test_an_answer_that_never_ends():
    """Each byte comes in time, the whole never does."""

    async def drip(reader, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.05)

    kind, took = await failure(drip, timeout=timedelta(seconds=1))
    assert (kind, took < 12) == (Unreachable, True)


@pytest.mark.parametrize("headers", [b"", b"Content-Encoding: gzip\r\n"])
async def test_an_answer_that_is_too_large(headers):
    """Also one that is so only when it is unpacked."""
    body = b"x" * 1_000_000
    body = gzip.compress(body) if headers else body
    assert (await failure(saying(whole(body, headers)), most=100_000))[0] is Unreachable


async def test_an_answer_that_cannot_be_unpacked():
    """It was sent."""
    assert (await failure(saying(whole(b"no gzip", b"Content-Encoding: gzip\r\n"))))[0] is Unreachable


async def test_an_answer():
    """Status, body, headers; a redirect is not followed."""
    location = b"Location: http://127.0.0.1:1/\r\n"
    async with (
        serving(saying(whole(b"[]", location, b"302 Found"))) as address,
        web(f"http://{address}/base") as client,
    ):
        answer = await client.request("GET", "/x", query=[("a", "b c")])
    assert (answer.status, answer.json(), answer.headers["location"]) == (302, [], "http://127.0.0.1:1/")


async def test_certificates(tmp_path):
    """The given authority's are taken, others not, and any where that is asked for."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    trustme.CA().cert_pem.write_to_path(tmp_path / "other.pem")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    async with serving(saying(whole(b"")), tls) as address:
        for settings in ({"ca": tmp_path / "ca.pem"}, {"verify": False}):
            async with web(f"https://{address}", **settings) as client:
                assert (await client.request("GET", "/")).status == 200
        for settings in ({"ca": tmp_path / "other.pem"}, {}):
            async with web(f"https://{address}", **settings) as client:
                with pytest.raises(NotSent):
                    await client.request("GET", "/")
    with pytest.raises(NotSent, match="cannot be read as a PEM file"):
        AsyncWeb("https://x", ca=tmp_path / "none.pem")


@pytest.mark.parametrize(
    ("text", "wait"),
    [
        ("120", timedelta(minutes=2)),
        ("Sun, 22 Nov 2026 12:01:00 GMT", timedelta(minutes=1)),
        ("Sun, 22 Nov 2026 11:00:00 GMT", timedelta(0)),
        ("soon", None),
        ("", None),
        ("-5", None),
        ("9" * 30, None),
    ],
)
def test_retry_after(text, wait):
    """Seconds or a date."""
    assert Answer(429, b"", "", {"retry-after": text}).retry_after(NOW) == wait


class Pieces:
    """A body of pieces, with a pause before each."""

    content_type = "application/octet-stream"

    def __init__(self, *pieces, pause=0.0, fault=None, length=None):
        self._pieces, self._pause, self._fault = pieces, pause, fault
        self.length = sum(map(len, pieces)) if length is None else length

    async def pieces(self):
        for piece in self._pieces:
            await asyncio.sleep(self._pause)
            yield piece
        if self._fault is not None:
            raise self._fault


async def received(reader, writer):
    """Answers with what came."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].split()[0])
    assert b"transfer-encoding" not in head.lower()
    writer.write(whole(await reader.readexactly(length)))
    await writer.drain()


async def test_a_body_is_sent_piece_by_piece_with_its_length():
    """The server sees one body of the length that was told, of the type that was told."""
    async with serving(received) as address, web(f"http://{address}") as client:
        answer = await client.request("POST", "/x", body=Pieces(b"one", b"two" * 100_000, b"three"))
    assert answer.body == b"one" + b"two" * 100_000 + b"three"


async def test_the_time_limit_counts_anew_from_each_piece(monkeypatch):
    """However long a body takes as a whole: what counts is that it goes on, and then the answer."""
    monkeypatch.setattr("runners.web._CONNECT_S", 0.2)  # what an answer has beyond its limit
    limit = timedelta(seconds=1)
    async with serving(received) as address, web(f"http://{address}", timeout=limit) as client:
        answer = await client.request("POST", "/x", body=Pieces(*[b"x"] * 16, pause=0.15))
        assert answer.body == b"x" * 16


async def test_a_request_may_have_a_time_limit_of_its_own():
    """An upload is answered later than a question."""

    async def slow(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(0.5)
        writer.write(whole(b"late"))

    async with serving(slow) as address, web(f"http://{address}", timeout=timedelta(seconds=0.1)) as client:
        assert (await client.request("GET", "/x", within=timedelta(seconds=9))).body == b"late"


async def test_what_a_body_raises_ends_the_request():
    """As it was raised; the server has not got the whole."""
    got = []

    async def talk(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        got.append(await reader.read())

    class Fault(Exception):
        pass

    async with serving(talk) as address, web(f"http://{address}") as client:
        with pytest.raises(Fault):
            await client.request("POST", "/x", body=Pieces(b"part", fault=Fault(), length=9))
        while not got:
            await asyncio.sleep(0.01)
    assert got == [b"part"]


async def test_an_answer_that_comes_before_the_body_is_sent_is_read():
    """A server that refuses a large upload answers at once and throws away what comes."""

    async def talk(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(whole(b"too large", status=b"413 X", headers=b"Connection: close\r\n"))
        while await reader.read(1_000_000):
            pass

    async with serving(talk) as address, web(f"http://{address}") as client:
        body = Pieces(*[b"x" * 1_000_000] * 30)
        assert (await client.request("POST", "/x", body=body)).status == 413


async def test_a_request_that_is_cancelled_anywhere_leaves_room_for_the_next_ones():
    """However many requests are cancelled, and wherever, the client still has connections for the others."""
    steps = 60
    async with serving(saying(whole(b"yes" * 100_000))) as address, web(f"http://{address}") as client:
        for turn in range(steps * 3):
            task = asyncio.create_task(client.request("GET", "/"))
            for _ in range(turn % steps):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        async with asyncio.timeout(10):
            answers = await asyncio.gather(*(client.request("GET", "/") for _ in range(4)))
    assert [answer.status for answer in answers] == [200] * 4
