"""Filters, expand, include and paging: what a query says, and what comes of a value that is none."""

import json
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runners.sde.wire import (
    Connection,
    ConnectionFilter,
    Course,
    InvalidPageError,
    Job,
    JobFilter,
    Paging,
    User,
    Window,
    WireError,
    paged,
    parse_connection_filter,
    parse_expand,
    parse_include,
    parse_job_filter,
    parse_paging,
    unpaged,
)

URL = "https://sde.example.com/api/v2/jobs/"
FLAGS = ("automatic", "ready", "succeeded")


def query(text):
    """The parameters of a query, decoded."""
    return parse_qsl(text, keep_blank_values=True)


@pytest.mark.parametrize("name", FLAGS)
def test_flags(name):
    """Four words are read; anything else filters nothing, other cases and numbers included."""
    for value, read in (("true", True), ("True", True), ("false", False), ("False", False)):
        assert parse_job_filter([(name, value)]) == JobFilter(**{name: read})
    for value in ("TRUE", "FALSE", "1", "0", "2", "yes", "", " true", "true ", "null", "\0"):
        assert parse_job_filter([(name, value)]) == JobFilter()


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("2", 2), (" 2 ", 2), ("2.0", 2), ("2.5", 2), ("2e0", 2), ("1_0", 10), ("-1", -1), ("", None), (" ", None),
        ("99999999999999999999", 99999999999999999999), ("1e-999999", 0), ("-1e999999", -(10**50)), ("٣", 3),
    ],
)  # fmt: skip
def test_a_filter_by_number(value, read):
    """As the framework's forms read numbers; blank is no filter."""
    assert parse_job_filter([("connection", value)]) == JobFilter(connection=read)
    assert parse_connection_filter([("project", value)]) == ConnectionFilter(project=read)


@pytest.mark.parametrize("value", ["x", "NaN", "sNaN", "Infinity", "-inf", "1,5", "0x10", "\0", "1 2", "\ud800"])
def test_a_filter_by_what_is_no_number(refused, value):
    """It is refused, not ignored."""
    assert refused(lambda: parse_job_filter([("connection", value)])) == {"connection": ["Enter a number."]}
    assert refused(lambda: parse_connection_filter([("project", value)])) == {"project": ["Enter a number."]}


def test_other_faults_of_a_filter(refused):
    """All at once."""
    assert parse_job_filter([("connection", "1e50")]).connection == 10**50
    assert refused(lambda: parse_job_filter([("connection", "1.0000001e50"), ("user", "a\0")])) == {
        "connection": ["Ensure this value is less than or equal to 1e+50."], "user": ["Null characters are not allowed."],
    }  # fmt: skip


def test_of_a_repeated_parameter_the_last_counts():
    """And what is not known is ignored."""
    assert parse_job_filter(query("ready=true&ready=x&connection=x&connection=2&a=b")) == JobFilter(connection=2)
    assert parse_expand(query("expand=user&expand=triggered_by")) == {"triggered_by"}
    assert parse_paging(query("page_size=5&page_size=7&page=2")) == Paging(7, "2")


def job(**changes):
    """A job of connection 12, ended well, run by a scheduler for a user."""
    course = Course(
        **{"ready": True, "succeeded": True, "automatic": True} | {k: v for k, v in changes.items() if k in FLAGS}
    )
    person = changes.get("user", User(id=3, email="a@example.com"))
    return Job(
        id=5, connection=Connection(id=changes.get("connection", 12), project=2), course=course, user=person
    )


@pytest.mark.parametrize(
    ("text", "matching"),
    [
        ("", True), ("ready=true&succeeded=true&automatic=true&connection=12&user=a@example.com", True),
        ("ready=false", False), ("succeeded=false", False), ("automatic=False", False), ("connection=13", False),
        ("user=b@example.com", False), ("user=A@example.com", False), ("user=%20a@example.com", True), ("user=", True),
        ("connection=12.9", True), ("connection=-1", False), ("connection=99999999999999999999", False),
    ],
)  # fmt: skip
def test_what_a_filter_lets_through(text, matching):
    """All that is asked has to hold; an e-mail exactly."""
    wanted = parse_job_filter(query(text))
    assert wanted.matches(job()) is matching
    assert parse_job_filter(wanted.wire().items()) == wanted


def test_users_that_a_filter_finds():
    """By e-mail; who is known as a number only, or not at all, is not found."""
    wanted = JobFilter(user="a@example.com")
    assert [wanted.matches(job(user=user)) for user in ("a@example.com", 3, None)] == [True, False, False]


def test_connections_by_their_project():
    """There is no other filter."""
    wanted = parse_connection_filter(query("project=2&frequency=daily&inaccessible=true"))
    assert wanted == ConnectionFilter(project=2)
    assert [wanted.matches(Connection(id=1, project=project)) for project in (2, 3, None)] == [True, False, False]
    assert (wanted.wire(), ConnectionFilter().wire()) == ({"project": "2"}, {})
    assert ConnectionFilter().matches(Connection(id=1))


@pytest.mark.parametrize(
    ("text", "expand", "include"),
    [
        ("", set(), set()), ("expand=user,triggered_by&include=last_job", {"user", "triggered_by"}, {"last_job"}),
        ("expand=user%2C+password&include=x,last_job", {"user"}, {"last_job"}), ("expand=&include=,", set(), set()),
        ("expand=last_job&include=user", set(), set()), ("expand=User", set(), set()),
    ],
)  # fmt: skip
def test_expand_and_include(text, expand, include):
    """Names with commas between; those not known are ignored."""
    assert (parse_expand(query(text)), parse_include(query(text))) == (expand, include)


@pytest.mark.parametrize(
    "text", ["", "page=2", "page_size=", "page_size=0", "page_size=-1", "page_size=x", "page_size=2.0&page=9"]
)
def test_without_a_page_size_there_are_no_pages(text):
    """Results and nothing else, whatever the page is."""
    assert parse_paging(query(text)) is None
    assert paged([1, 2], None, URL) == unpaged([1, 2]) == {"results": [1, 2]}


@pytest.mark.parametrize(
    ("text", "results", "following", "previous"),
    [
        ("page_size=3", [1, 2, 3], "page=2&page_size=3", None),
        ("page_size=3&page=1", [1, 2, 3], "page=2&page_size=3", None),
        ("page_size=3&page=2", [4, 5, 6], "page=3&page_size=3", "page_size=3"),
        ("page_size=3&page=3", [7], None, "page=2&page_size=3"),
        ("page_size=3&page=last", [7], None, "page=2&page_size=3"),
        ("page_size=7", [1, 2, 3, 4, 5, 6, 7], None, None),
        ("page_size=10000", [1, 2, 3, 4, 5, 6, 7], None, None),
        ("page_size=+3+", [1, 2, 3], "page=2&page_size=+3+", None),
        ("page_size=3&page=%202&a=%C3%BC+b&b=", [4, 5, 6], "a=%C3%BC+b&b=&page=3&page_size=3", "a=%C3%BC+b&b=&page_size=3"),
        ("page_size=3&page=1&b=&a=1&a=2", [1, 2, 3], "a=1&a=2&b=&page=2&page_size=3", None),
    ],
)  # fmt: skip
def test_pages(text, results, following, previous):
    """Counted, with the addresses of the pages around: parameters by name, the first page without a number."""
    link = lambda part: None if part is None else f"{URL}?{part}"  # noqa: E731
    assert paged([1, 2, 3, 4, 5, 6, 7], parse_paging(query(text)), f"{URL}?{text}") == {
        "count": 7, "next": link(following), "previous": link(previous), "results": results,
    }  # fmt: skip


@pytest.mark.parametrize("page", ["4", "0", "-1", "x", "", "2.0", "last ", "9" * 5000])
def test_pages_that_there_are_not(page):
    """404, with words of its own."""
    with pytest.raises(InvalidPageError) as raised:
        paged([1, 2, 3, 4, 5, 6, 7], Paging(3, page), URL)
    assert (raised.value.answer.status, raised.value.answer.body) == (404, {"detail": "Invalid page."})


def test_an_empty_list_has_one_page():
    """The first one, which is the last."""
    for page in ("1", "last"):
        assert paged([], Paging(3, page), URL) == {"count": 0, "next": None, "previous": None, "results": []}
    with pytest.raises(InvalidPageError):
        Paging(3, "2").window(0)


def test_a_window_says_what_to_look_up():
    """Its limit is never more than there is, whatever was asked."""
    assert Paging(3, "2").window(7) == Window(number=2, pages=3, count=7, offset=3, limit=3)
    assert Paging(10**30).window(7).limit == 7
    assert Paging(3, "2").wire() == {"page_size": "3", "page": "2"}


@given(count=st.integers(0, 60), page_size=st.integers(1, 20))
def test_following_next_gives_everything_once(count, page_size):
    """From the first page to the one without a next; going back leads to the first."""
    items, url, seen = list(range(count)), f"{URL}?page_size={page_size}", []
    while url:
        answer = paged(items, parse_paging(query(urlsplit(url).query)), url)
        seen += answer["results"]
        before, url = answer["previous"], answer["next"]
    assert seen == items
    assert (before is None) is (count <= page_size)


@given(pairs=st.lists(st.tuples(st.sampled_from(["page", "page_size", "connection", "user", "ready", "project", "expand", "include", "x"]), st.text(st.characters(exclude_categories=[]), max_size=12) | st.sampled_from(["1e400000", "-1e400000", "٣", "1_0", "last"]))), url=st.text(max_size=30))  # fmt: skip
def test_no_query_breaks_anything(pairs, url):
    """Whatever it is, it is read or refused by what the wire raises."""
    for parse in (parse_job_filter, parse_connection_filter, parse_expand, parse_include, parse_paging):
        try:
            found = parse(pairs)
            if isinstance(found, Paging):
                paged([1, 2, 3], found, url)
            elif isinstance(found, JobFilter):
                found.matches(job())
        except WireError as error:
            json.dumps(error.answer.body, ensure_ascii=False).encode()
