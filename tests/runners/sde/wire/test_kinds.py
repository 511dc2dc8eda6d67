"""Paths, ids and instants."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runners.sde.wire import (
    BASE,
    SEGMENTS,
    Kind,
    Paths,
    Project,
    WireFaults,
    format_moment,
    is_id,
    is_number,
    parse_moment,
    parse_project,
)


def test_paths_are_those_of_the_pages(samples):
    """Every path of the pages but the older alias of a project; all end with a slash."""
    paths = Paths()
    known = {
        paths.jobs(), paths.file_imports(), paths.connector_test(Kind.ALM), paths.connection_test(Kind.ALM),
        paths.connectors(Kind.ALM), paths.connectors(Kind.ALM, 1), paths.connectors(Kind.ALM, 3),
        paths.connections(Kind.ALM), paths.connections(Kind.ALM, 1), *(paths.jobs(kind) for kind in Kind),
    }  # fmt: skip
    written = {sample["path"].partition("?")[0].removeprefix(BASE) for sample in samples}
    assert {path for path in written if "{" not in path and not path.startswith("projects/")} == known
    assert paths.jobs(Kind.LDAP, 57) == "jobs/ldap/57/"
    assert (paths.projects(), paths.projects(1), paths.me()) == ("projects/", "projects/1/", "users/me/")


def test_a_server_may_call_kinds_otherwise():
    """Only where it is told so."""
    newest = Paths({Kind.ALM: "issue-tracker"})
    assert (newest.jobs(Kind.ALM), newest.connection_test(Kind.ALM)) == (
        "jobs/issue-tracker/",
        "connections/testissue-tracker/",
    )
    assert newest.jobs(Kind.LDAP) == "jobs/ldap/"


def test_kinds_by_their_segments():
    """LDAP in capitals too, as the page once writes it; no other kind.

    Rule: ldap-in-capitals
    """
    assert {name: SEGMENTS.get(name) for name in ("alm", "ldap", "LDAP", "issue-tracker", "ALM", "analysis-file")} == {
        "alm": Kind.ALM, "ldap": Kind.LDAP, "LDAP": Kind.LDAP, "issue-tracker": Kind.ALM, "ALM": None, "analysis-file": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("value", "word", "number"),
    [
        (1, True, True), (2**63 - 1, True, True), ("jira", True, False), ("9", True, False), ("a.b:c@d_e-f", True, False),
        ("a" * 255, True, False), ("a" * 256, False, False), ("", False, False), ("-a", False, False), ("_a", False, False),
        ("a b", False, False), ("a/b", False, False), ("a\n", False, False), ("ä", False, False), ("aä", True, False),
        (0, False, False), (-1, False, False), (2**63, False, False), (True, False, False), (1.0, False, False), (None, False, False),
    ],
)  # fmt: skip
def test_ids(value, word, number):
    """Numbers from 1, or words as the configuration has them."""
    assert (is_id(value), is_number(value)) == (word, number)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2015-04-15T20:27:24.396442Z", datetime(2015, 4, 15, 20, 27, 24, 396442, UTC)),
        ("2018-08-01T15:51:47.606173-04:00", datetime(2018, 8, 1, 19, 51, 47, 606173, UTC)),
        ("2016-12-15T22:45:27.412Z", datetime(2016, 12, 15, 22, 45, 27, 412000, UTC)),
        ("2011-05-25T11:37:55-04:00", datetime(2011, 5, 25, 15, 37, 55, 0, UTC)),
        ("2011-05-25 11:37:55.123456789", datetime(2011, 5, 25, 11, 37, 55, 123456, UTC)),
        (" 2011-05-25t11:37:55,5+0430 ", datetime(2011, 5, 25, 7, 7, 55, 500000, UTC)),
    ],
)
def test_instants_are_read(text, instant):
    """With any offset, and with none as UTC."""
    assert parse_moment(text) == instant


@pytest.mark.parametrize(
    "text",
    ["", "2011-05-25", "2011-13-25T00:00:00Z", "2011-05-25T25:00:00Z", "2011-05-25T00:00:00+99:00", "2011-05-25T00:00Z",
     "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00", "2011-05-25T00:00:00.Z", "２011-05-25T00:00:00Z"],
)  # fmt: skip
def test_what_is_no_instant(text):
    """It is refused, whatever is wrong with it."""
    with pytest.raises(ValueError, match=r"not|must|hour|month"):
        parse_moment(text)


def test_instants_are_written():
    """With Z; six digits, or none for a whole second."""
    there = timezone(timedelta(hours=-4))
    assert format_moment(datetime(2018, 8, 1, 15, 51, 47, 606173, there)) == "2018-08-01T19:51:47.606173Z"
    assert format_moment(datetime(2018, 8, 1, 15, 51, 47, 412000, UTC)) == "2018-08-01T15:51:47.412000Z"
    assert format_moment(datetime(2018, 8, 1, 15, 51, 47, 0, UTC)) == "2018-08-01T15:51:47Z"
    assert format_moment(None) is None


@given(st.datetimes(timezones=st.just(UTC)))
def test_what_is_written_is_read(moment):
    """To the microsecond."""
    assert parse_moment(format_moment(moment)) == moment


def test_projects():
    """A number and a name, as far as they matter here."""
    assert parse_project({"id": 7, "name": "P", "slug": "p"}) == Project(7, "P")
    assert parse_project(Project(7, "P").wire()) == Project(7, "P")
    with pytest.raises(WireFaults, match="id: is missing"):
        parse_project({"name": "P"})
