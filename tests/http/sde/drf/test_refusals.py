"""What is turned down, by a stock Django REST framework app and by ours: same status, headers and words."""

PATHS = [
    "/jobs/",
    "/jobs/alm/",
    "/connections/alm/",
    "/connections/alm/1/",
    "/connectors/alm/",
    "/projects/",
    "/users/me/",
]
CREDENTIALS = [
    "Token nonsense", "Token", "Token a b", 'Token "editors-token"', "Token: editors-token", "Bearer editors-token",
    "editors-token", "", "Basic", "Basic !!!", "Basic a b", "Basic bm9ib2R5Om5vdGhpbmc=", "Basic bm9ib2R5", "Basic Zg",
    "Basic ZWRpdG9yQGV4YW1wbGUuY29tOndyb25n", "Digest username=x", "Token editors\xa0token".encode(),
]  # fmt: skip
JSON = {"Content-Type": "application/json"}


def test_credentials(put):
    """None, wrong ones, and headers that only look like some."""
    put([("GET", path, {"who": None}) for path in PATHS])
    put([("GET", "/jobs/", {"headers": {"Authorization": one}}) for one in CREDENTIALS])


def test_credentials_are_looked_at_first(put):
    """Before the method, the body, the page and the object."""
    put(
        [
            ("DELETE", "/jobs/alm/", {"who": None}),
            ("POST", "/jobs/alm/", {"who": None, "content": b"{", "headers": JSON}),
            ("POST", "/jobs/alm/", {"who": None, "content": b"x", "headers": {"Content-Type": "text/plain"}}),
            ("GET", "/jobs/alm/99999/", {"who": None}),
            ("GET", "/jobs/alm/?page_size=1&page=99", {"who": None}),
            ("GET", "/jobs/alm/?connection=x", {"who": None}),
            ("PUT", "/connections/alm/99999/", {"who": None, "json": {}}),
        ]
    )


def test_rights(put):
    """Without the right to edit nothing is written, whatever is sent and whether it is there or not."""
    body = {"who": "reader", "json": {}}
    put(
        [
            ("POST", "/jobs/alm/", body),
            ("POST", "/jobs/analysis/", body),
            ("POST", "/jobs/ldap/", body),
            ("POST", "/connections/alm/", body),
            ("PATCH", "/connections/alm/1/", body),
            ("PUT", "/connections/alm/1/", body),
            ("PATCH", "/connections/alm/99999/", body),
            ("POST", "/connectors/alm/", body),
            ("PUT", "/connectors/alm/1/", body),
            ("POST", "/connectors/testalm/", body),
            ("POST", "/connections/testalm/", body),
            ("POST", "/connections/alm/", {"who": "reader", "content": b"{", "headers": JSON}),
            ("POST", "/jobs/analysis-file/", {"who": "reader", "data": {"system": "jira"}}),
        ]
    )


def test_objects_that_are_not_there(put):
    """Of no kind, of another kind, and ids that are none."""
    ids = ["99999", "0", "-1", "abc", "1.0", "1e3", "%20", "%00", "1%2F", "é"]
    put([("GET", f"/{what}/alm/{one}/") for what in ("jobs", "connections", "connectors") for one in ids])
    put(
        [
            ("GET", "/connections/alm/3/"),
            ("GET", "/connections/analysis/1/"),
            ("GET", "/connections/ldap/1/"),
            ("GET", "/connectors/analysis/1/"),
            ("GET", "/projects/99/"),
            ("GET", "/projects/abc/"),
            ("PATCH", "/connections/alm/99999/", {"json": {}}),
            ("PUT", "/connections/alm/99999/", {"json": {}}),
            ("PATCH", "/connectors/alm/99999/", {"json": {}}),
        ]
    )


def test_methods_that_a_path_does_not_have(put):
    """With those that it has in Allow."""
    paths = {
        "/jobs/": "POST PUT PATCH DELETE", "/jobs/alm/": "PUT PATCH DELETE", "/jobs/alm/1/": "POST PUT PATCH DELETE",
        "/jobs/analysis-file/": "GET PUT DELETE", "/connections/alm/": "PUT PATCH DELETE", "/connections/alm/1/": "POST DELETE",
        "/connections/ldap/": "DELETE", "/connections/ldap/4/": "DELETE", "/connectors/alm/": "DELETE", "/connectors/alm/1/": "POST DELETE",
        "/connectors/testalm/": "GET PUT", "/connections/testalm/": "GET DELETE", "/projects/": "POST DELETE",
        "/projects/1/": "PATCH DELETE", "/projects/1/jobs/alm/": "DELETE", "/users/me/": "POST DELETE",
    }  # fmt: skip
    put(
        [
            (method, path, {"json": {}} if method != "DELETE" else {})
            for path, methods in paths.items()
            for method in methods.split()
        ]
    )


def test_bodies_that_are_not_read(put):
    """Of another type, no JSON, or JSON of another shape."""
    raw = [
        b"{", b"[", b"", b"nonsense", b'{"connection": }', b"{'connection': 1}", b'{"connection": 1,}', b"NaN", b'{"connection": NaN}',
        b'{"a": Infinity}', b"\xff", b"\xef\xbb\xbf{}", b'{"a": "\xff"}', b'"text"', b"12", b"null", b"[]", b"true", b"[{}]", b"{} {}", b" ",
        b'{"connection": 1, "connection": "x"}',
    ]  # fmt: skip
    types = [
        "text/plain",
        "application/xml",
        "application/vnd.api+json",
        "",
        None,
        "json",
        "application/json; charset=utf-8",
        "APPLICATION/JSON",
        "text/json",
        "*/*",
    ]
    put([("POST", "/jobs/alm/", {"content": one, "headers": JSON}) for one in raw])
    put([("POST", "/connections/alm/", {"content": one, "headers": JSON}) for one in raw[-6:]])
    put(
        [
            ("PATCH", "/connections/alm/1/", {"content": one, "headers": JSON})
            for one in (b"{", b"[]", b"null", b'"x"')
        ]
    )
    put(
        [
            ("POST", "/jobs/alm/", {"content": b'{"connection": "x"}', "headers": {"Content-Type": one}})
            for one in types
        ]
    )
    put(
        [
            ("PUT", "/connectors/alm/1/", {"content": b"name=x", "headers": {"Content-Type": one}})
            for one in types[:4]
        ]
    )


def test_throttling(pair):
    """Status, words and Retry-After of one who asked too often: the one by a rate, ours by wrong passwords."""
    for _ in range(20):
        stock = pair.stock.send("GET", "/throttled/")
        if stock.status_code == 429:
            break
    login = {"Authorization": "Basic cmVhZGVyQGV4YW1wbGUuY29tOndyb25n"}
    for _ in range(50):
        ours = pair.ours.send("GET", "/jobs/", headers=login)
        if ours.status_code != 401:
            break
    for answer in (stock, ours):
        wait = answer.headers["Retry-After"]
        assert (answer.status_code, answer.headers["Content-Type"]) == (429, "application/json")
        seconds = "second" if wait == "1" else "seconds"
        assert answer.json() == {"detail": f"Request was throttled. Expected available in {wait} {seconds}."}
