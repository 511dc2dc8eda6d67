"""What is read, from a stock Django REST framework app and from ours: same status, headers, JSON, to the value."""

BASIC = "Basic ZWRpdG9yQGV4YW1wbGUuY29tOlRyMHViNGRvcisz"
LISTS = [
    "/jobs/", "/jobs/alm/", "/jobs/analysis/", "/jobs/ldap/", "/connections/alm/", "/connections/analysis/",
    "/connections/ldap/", "/connectors/alm/", "/connectors/analysis/", "/projects/",
    "/projects/1/jobs/alm/", "/projects/7/jobs/analysis/",
]  # fmt: skip
ONES = [
    "/connections/alm/1/",
    "/connections/analysis/3/",
    "/connections/ldap/4/",
    "/connectors/alm/1/",
    "/projects/7/",
]
"""Jobs have ids of their own in each server."""


def test_lists_and_their_items(put):
    """Of every kind, with and without the slash, for one who may edit and one who may not."""
    rows = [("GET", path, {"who": who}) for path in LISTS + ONES for who in ("editor", "reader")]
    put(rows + [("GET", path.rstrip("/")) for path in LISTS + ONES])


def test_the_head_of_anything(put):
    """HEAD is GET without the body."""
    put([("HEAD", path) for path in (*LISTS, *ONES, "/connections/alm/99/", "/users/me/")])


def test_filters_of_jobs(put):
    """Flags know four words, anything else filters nothing; a connection is a number; faults are told at once."""
    flags = ["true", "True", "false", "False", "TRUE", "1", "0", "yes", "", "null", "unknown", "truex"]
    connections = [
        "1",
        " 1 ",
        "2.0",
        "1.9",
        "99",
        "0",
        "-1",
        "1e0",
        "abc",
        "1,2",
        "NaN",
        "Infinity",
        "1e60",
        "0x1",
        "",
        "1_0",
        "٣",
    ]
    put(
        [("GET", f"/jobs/alm/?{name}={word}") for name in ("automatic", "ready", "succeeded") for word in flags]
        + [("GET", "/jobs/alm/", {"params": {"connection": word}}) for word in connections]
        + [
            ("GET", "/jobs/?user=editor@example.com"),
            ("GET", "/jobs/?user=EDITOR@example.com"),
            ("GET", "/jobs/?user=nobody"),
            ("GET", "/jobs/?user="),
            ("GET", "/jobs/?user=%00"),
            ("GET", "/jobs/?user=%ff"),
            ("GET", "/jobs/?succeeded=true&connection=1&automatic=true"),
            ("GET", "/jobs/?succeeded=true&succeeded=false"),
            ("GET", "/jobs/?connection=x&user=%00"),
            ("GET", "/jobs/?nonsense=1&frequency=daily"),
            ("GET", "/jobs/analysis/?connection=1"),
            ("GET", "/projects/1/jobs/alm/?connection=2"),
            ("GET", "/connections/alm/?project=1"),
            ("GET", "/connections/alm/?project=99"),
            ("GET", "/connections/alm/?project=x"),
            ("GET", "/connections/alm/?frequency=daily&inaccessible=true"),
        ]
    )


def test_expand_and_include(put):
    """Names that are not known are ignored."""
    own = ("id", "first_name", "last_name", "is_superuser", "role")
    whole = {"but": [f".results[].{who}.{name}" for who in ("user", "triggered_by") for name in own]}
    put(
        [
            ("GET", "/jobs/?expand=user,triggered_by", whole),
            ("GET", "/jobs/alm/?expand=user", whole),
            ("GET", "/jobs/alm/?expand=connection,nonsense"),
            ("GET", "/jobs/alm/?expand="),
            ("GET", "/connections/alm/?include=nonsense"),
            ("GET", "/connections/alm/?include="),
        ]
    )


def test_pages(put):
    """Without page_size all at once; with one count, next, previous and results."""
    queries = [
        "page_size=1", "page_size=1&page=2", "page_size=1&page=last", "page_size=2&page=2", "page_size=10000",
        "page_size=100000000", "page=2", "page=x", "page_size=0", "page_size=-1", "page_size=x", "page_size=", "page_size=1.5",
        "page_size=1&page=0", "page_size=1&page=-1", "page_size=1&page=99", "page_size=1&page=x", "page_size=1&page=",
        "page_size=1&page=1.0", "page_size=1&page=1.5", "page_size=%201", "page_size=1&page=%201", "page_size=1_0",
        "page_size=1&succeeded=true", "page_size=1&z=1&a=%20b&page=2", "page_size=1&page=1&page=2", "page_size=1&page_size=2",
        "page_size=1&page=99999999999999999999999", "page_size=1&connection=x", "page_size=1&page=99&connection=x",
    ]  # fmt: skip
    put(
        [("GET", f"/jobs/alm/?{query}") for query in queries]
        + [("GET", f"/connections/alm/?{query}") for query in queries[:4]]
    )
    put(
        [
            ("GET", "/jobs/alm/?connection=2&page_size=1&page=1"),
            ("GET", "/projects/?page_size=2"),
            ("GET", "/connectors/alm?page_size=1"),
        ]
    )


def test_what_a_client_may_leave_out_or_add(put):
    """No Accept, a Content-Type on a GET, a scheme in any case, a login instead of a token."""
    headers = [
        {"Accept": None}, {"Accept": "*/*"}, {"Accept": "application/json"}, {"Accept": "application/*"},
        {"Accept": "text/html, application/json;q=0.5"}, {"Accept": "text/html"}, {"Accept": "application/xml"}, {"Accept": ""},
        {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"},
        {"Content-Type": "application/json"}, {"Content-Type": "text/plain"}, {"User-Agent": None}, {"Accept-Encoding": None},
        {"Authorization": "token editors-token"}, {"Authorization": "TOKEN editors-token"}, {"Authorization": "Token  editors-token"},
        {"Authorization": BASIC}, {"Authorization": BASIC.replace("Basic", "basic")},
    ]  # fmt: skip
    put([("GET", "/connections/alm/", {"headers": one}) for one in headers])


def test_options(put):
    """What a path is for."""
    paths = [
        "/jobs/",
        "/jobs/alm/",
        "/jobs/analysis-file/",
        "/connections/alm/",
        "/connections/alm/1/",
        "/connectors/alm/1/",
        "/projects/",
        "/users/me/",
    ]
    told = {"but": [".name", ".description", ".actions"]}
    put(
        [("OPTIONS", path, told) for path in paths]
        + [("OPTIONS", path, told | {"who": "reader"}) for path in paths]
    )
    put([("OPTIONS", "/jobs/", {"who": None})])


def test_the_caller_itself(put):
    """Same keys and types; a password's and a role's names are each server's own."""
    put(
        [
            (
                "GET",
                "/users/me/",
                {"but": [".first_name", ".last_name", ".role", ".last_login", ".id"], "who": who},
            )
            for who in ("editor", "reader")
        ]
    )
