"""One login for each server; its credentials are never shown."""

import asyncio
import base64
import logging
from datetime import timedelta
from urllib.parse import quote

import pytest

from config.definitions import CcsServer, Secret
from runners.ccs.client import Client
from runners.ccs.errors import Denied, NotTaken, Refused, Unanswered
from runners.ccs.session import Session
from runners.ccs.sessions import Sessions

PASSWORD = "p+ss w&rd%é"
LOGIN = "/oauth/tokens"


@pytest.fixture
async def session(driver, tmp_path):
    made = []

    def make(environ=None, **changes):
        made.append(Session(driver.server(**changes), folder=tmp_path, environ=environ or {"P": PASSWORD}))
        return made[-1]

    yield make
    for one in made:
        await one.aclose()


def logins(ccs, grant=""):
    return ccs.count("POST", LOGIN, grant)


async def look(session):
    return await Client(session).named("x")


async def test_one_login_for_many_requests(session, ccs):
    """Also for those that come at the same time."""
    one = session()
    await asyncio.gather(*(look(one) for _ in range(20)))
    await look(one)
    assert logins(ccs) == 1


async def test_a_password_is_sent_as_the_server_wants_it(session, ccs):
    """Percent-encoded, plain or as Base64."""
    await look(session())
    ccs.password = base64.b64encode(PASSWORD.encode()).decode()
    await look(session(password_encoding="base64"))
    assert f"password={quote(PASSWORD, safe='')}".encode() in ccs.requests[0][2]


async def test_a_token_that_is_no_longer_taken_is_refreshed(session, ccs):
    """One renewal for all, by the refresh token, and one repeat of each request."""
    one = session()
    await look(one)
    ccs.access.clear()
    ccs.requests.clear()
    await asyncio.gather(*(look(one) for _ in range(10)))
    assert (logins(ccs, "grant_type=refresh_token"), logins(ccs)) == (1, 1)
    assert ccs.count("GET") <= 20


async def test_a_401_that_comes_late(session, ccs):
    """Another request has renewed the token meanwhile: it is used, and not renewed again."""

    async def slow():
        await asyncio.sleep(0.3)

    one = session()
    await look(one)
    ccs.access.clear()
    ccs.order("GET", "/jobs", slow)
    late = asyncio.ensure_future(look(one))
    while ccs.count("GET") < 2:
        await asyncio.sleep(0.01)
    await look(one)
    await late
    assert logins(ccs) == 2


async def test_a_refresh_that_is_refused_falls_back_to_the_password(session, ccs):
    """A restart of the server kills both tokens."""
    one = session()
    await look(one)
    ccs.access.clear()
    ccs.refresh.clear()
    await look(one)
    assert (logins(ccs, "refresh_token"), logins(ccs, "grant_type=password")) == (1, 2)


async def test_a_token_that_is_never_taken(session, ccs):
    """One renewal, one repeat, then the server's words."""
    ccs.order("GET", "/jobs", (401, {"Message": "no"}, {}), times=9)
    with pytest.raises(Denied, match=r"^no \(status 401\)$"):
        await look(session())
    assert (ccs.count("GET"), logins(ccs)) == (2, 2)


async def test_a_password_that_is_refused(session, ccs, caplog):
    """The server's words, without the password in any of its forms although the server repeats it."""
    caplog.set_level(logging.DEBUG)
    ccs.password = "another"
    one = session()
    with pytest.raises(Denied, match="the login is refused: refused: ") as error:
        await look(one)
    shown = f"{error.value!r} {error.value} {one!r} {vars(one).keys()} {caplog.text}"
    for form in (PASSWORD, quote(PASSWORD, safe=""), base64.b64encode(PASSWORD.encode()).decode()):
        assert form not in shown
    assert "***" in str(error.value)
    assert error.value.__cause__ is None


async def test_tokens_are_not_shown(session, ccs):
    """A server that repeats them gets them hidden; the newest and those before."""
    one = session()
    await look(one)
    first = one._tokens
    ccs.access.clear()
    await look(one)
    told = f"{first.access_token} {one._tokens.refresh_token} are bad"
    ccs.order("GET", "/jobs", (400, {"Message": told}, {}))
    ccs.order("GET", "/jobs", (409, {"Message": told}, {}))
    await look(one)
    with pytest.raises(Refused, match=r"^\*\*\* \*\*\* are bad \(status 409\)$"):
        await look(one)
    assert first.access_token not in repr(one._tokens) + repr(first)


async def test_a_password_that_is_not_there(session, ccs):
    """Named by where it should be; nothing is sent."""
    with pytest.raises(Denied, match=r"no password to log in with: .*env P"):
        await look(session(environ={"Q": "x"}))
    assert ccs.requests == []


@pytest.mark.parametrize("act", [500, 503, 429, 302, "drop_before", "drop_after", b"nothing"])
async def test_a_login_without_an_answer(session, ccs, act):
    """What was to be done has certainly not been done."""
    ccs.order("POST", LOGIN, act)
    one = session()
    with pytest.raises(NotTaken):
        await look(one)
    await look(one)


async def test_a_server_that_does_not_answer_in_time(session, ccs):
    """Connected and silent: it may have been done."""

    async def hang():
        await asyncio.sleep(5)

    one = session(timeout=timedelta(seconds=0.2))
    await one.log_in()
    ccs.order("GET", "/jobs", hang)
    with pytest.raises(Unanswered) as error:
        await look(one)
    assert not isinstance(error.value, NotTaken)


async def test_who_stops_waiting_does_not_end_the_login_of_the_others(session, ccs):
    """A cancelled execution."""

    async def slow():
        await asyncio.sleep(0.2)

    ccs.order("POST", LOGIN, slow)
    one = session()
    first, second = asyncio.ensure_future(look(one)), asyncio.ensure_future(look(one))
    await asyncio.sleep(0.05)
    first.cancel()
    assert await second == ()
    assert logins(ccs) == 1


async def test_an_authority_that_cannot_be_read(session):
    """Told as what it is."""
    with pytest.raises(NotTaken, match=r"ca\.pem cannot be read as a PEM file"):
        await look(session(url="https://127.0.0.1:1", ca="ca.pem"))


async def test_a_session_lives_as_long_as_its_definition(driver, ccs, tmp_path):
    """A changed definition begins a new one; the old one ends with its last user."""
    sessions = Sessions({"P": PASSWORD})
    async with sessions.use("prod", driver.server(), folder=tmp_path) as first:
        await look(first)
        async with sessions.use("prod", driver.server(), folder=tmp_path) as same:
            assert same is first
        async with sessions.use("prod", driver.server(username="other"), folder=tmp_path) as other:
            assert other is not first
        await look(first)
        assert logins(ccs) == 1
    assert first._web is None
    await sessions.aclose()


def test_a_servers_definition_shows_nothing():
    """Neither its address nor a literal password."""
    server = CcsServer(type="ccs", url="http://x/", username="u", password=Secret.literal("hidden"))
    assert "hidden" not in repr(server)
