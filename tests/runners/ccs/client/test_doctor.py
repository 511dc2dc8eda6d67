"""What the doctor finds at a CCS server."""

import pytest

from runners.ccs.doctor import examine


@pytest.fixture
def examined(driver, ccs, tmp_path):
    async def look(**changes):
        found = await examine(driver.server(**changes), folder=tmp_path, environ={"P": ccs.password})
        return [(one.what, one.sound) for one in found], found[-1]

    return look


async def test_a_server_in_order(examined, ccs):
    """Reached, logged in, may read; nothing is changed there."""
    found, _ = await examined()
    assert found == [("reachable", True), ("login", True), ("permission", True)]
    assert {method for method, path, _ in ccs.requests if "oauth" not in path} == {"GET"}


async def test_a_server_that_is_not_there(examined, ccs):
    """Ends there, with advice."""
    await ccs.stop()
    found, last = await examined()
    assert found == [("reachable", False)]
    assert "firewalls" in last.advice


async def test_a_login_that_is_refused(examined, ccs):
    """The server's words."""
    ccs.order("POST", "/oauth", (400, {"Message": "bad password"}, {}))
    found, last = await examined()
    assert found == [("reachable", True), ("login", False)]
    assert "bad password" in last.text


async def test_a_right_that_is_missing(examined, ccs):
    """Named."""
    ccs.order("GET", "/jobs", (403, {"Message": "Access is denied."}, {}))
    found, last = await examined()
    assert found[-1] == ("permission", False)
    assert ("Access is denied." in last.text, "view all jobs" in last.advice, last.warning) == (True, True, False)


async def test_a_right_that_cannot_be_told(examined, ccs):
    """A server that is ill."""
    ccs.order("GET", "/jobs", 500)
    found, last = await examined()
    assert (found[-1], last.warning) == (("permission", False), True)
