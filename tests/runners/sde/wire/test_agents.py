"""Lists as a client reads them, and what an agent does with those of connections."""

import pytest

from runners.sde.wire import (
    AgentView,
    Connection,
    Frequency,
    Kind,
    Shape,
    WireFaults,
    agent_view,
    parse_connection,
    parse_job,
    parse_listing,
)


def connection(number, **changes):
    """An inaccessible connection that runs daily."""
    return Connection(**{"id": number, "inaccessible": True, "frequency": "daily", "params": {"a": 1}} | changes)


def test_what_an_agent_runs():
    """Inaccessible, of that frequency, with params, not in progress; the rest of them is told apart."""
    due, bare, empty, busy = (
        connection(1),
        connection(2, params=None),
        connection(3, params={}),
        connection(4, in_progress=True),
    )
    others = [
        connection(5, inaccessible=False),
        connection(6, frequency="weekly"),
        connection(7, frequency="manually"),
    ]
    both = connection(8, in_progress=True, params=None)
    view = agent_view([due, bare, *others, empty, busy, both, due], Frequency.DAILY)
    assert view == AgentView(runnable=(due,), without_params=(bare, empty), in_progress=(busy, both))
    assert agent_view(others, Frequency.WEEKLY).runnable == (others[1],)


def test_an_agent_never_runs_what_is_run_manually():
    """Nor what has a frequency that nobody here knows."""
    nothing = AgentView((), (), ())
    assert agent_view([connection(1, frequency="manually")], Frequency.MANUALLY) == nothing
    assert all(agent_view([connection(1, frequency="quarterly")], frequency) == nothing for frequency in Frequency)


def test_a_page_is_read(samples):
    """With or without the count; that there is more is all that is taken of the next address."""
    body = next(s for s in samples if s["path"] == "/api/v2/connections/alm/" and "results" in s["body"])["body"]
    plain = parse_listing(body, parse_connection)
    assert ([one.id for one in plain.items], plain.count, plain.more) == ([1], None, False)
    page = parse_listing(
        body | {"count": 7, "next": "http://elsewhere/?page=2", "previous": None}, parse_connection
    )
    assert (page.items, page.count, page.more) == (plain.items, 7, True)
    assert parse_listing({"results": [], "count": "7", "next": None}, parse_job).count is None


def test_one_item_at_fault_does_not_hide_the_others():
    """Its faults are told with its place."""
    listing = parse_listing(
        {"results": [{"id": 1}, 5, {"id": "x", "system": {"id": ""}}, {"id": 4}]}, parse_connection
    )
    assert [one.id for one in listing.items] == [1, 4]
    assert [fault.field for fault in listing.faults] == ["results[1]", "results[2].id", "results[2].system.id"]
    assert str(listing.faults[0]) == "results[1]: the answer must be a JSON object (it is 5)"


@pytest.mark.parametrize(
    "answer", [None, [], {}, {"results": None}, {"results": {}}, {"detail": "Not found."}, "html"]
)
def test_what_is_no_list(answer):
    """It is refused, not taken for an empty one."""
    with pytest.raises(WireFaults, match=r"results: is missing|results: must be a list|must be a JSON object"):
        parse_listing(answer, parse_connection)


def test_a_listed_connection_says_whether_it_is_in_progress():
    """As it was written."""
    one = connection(1, in_progress=True)
    assert agent_view(
        [parse_connection(one.wire(Kind.LDAP, Shape.LISTED, params=True))], Frequency.DAILY
    ).in_progress
