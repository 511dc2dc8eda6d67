"""What no client ought to send, to a stock Django REST framework app and to ours: the same comes of it."""

JSON = {"Content-Type": "application/json"}
JOB = {"connection": 1, "automatic": True, "succeeded": True, "result_message": "Done"}
ONE = {"alias": "Team", "connector": 1, "project": 2, "params": {"alm_project": "X"}}
NEW = {"but": [".id"]}


def test_odd_numbers_in_queries(put):
    """Digits of other scripts, signs, blanks, exponents."""
    numbers = ["%2B1", "1%20", "-0", "1__", "１", "1e400", "9" * 300, "null", "true", "sNaN"]
    put([("GET", f"/jobs/alm/?connection={one}") for one in numbers])
    pages = [
        "page_size=1&page=%C2%B2",
        "page_size=%D9%A3",
        "page_size=1&page=%D9%A2",
        "page_size=+1",
        "page_size=%2B1",
    ]
    pages += ["page_size=1&page=%2B2", "page_size=1&page=LAST", "page_size=1&page=2&page_size=3"]
    put([("GET", f"/jobs/alm/?{one}") for one in pages])


def test_odd_queries(put):
    """Separators, names in capitals, bytes that are no UTF-8, other formats."""
    queries = [
        "page_size=1&page=last&x=%C3%A9&y=a+b", "page_size=1&empty=&flag", "page_size=1;page=2", "page_size=1&&page=2",
        "page_size=1&x=%ff", "Page_Size=1", "READY=true", "connection=1&connection=2", "user=%20editor@example.com%20",
        "user=editor@example.com&user=x", "format=json", "format=xml", "format=api", "page_size=1&page=2&include=%2C",
    ]  # fmt: skip
    put([("GET", f"/jobs/alm/?{one}") for one in queries])
    put([("GET", f"/connections/alm/?project={one}") for one in ("1.5", "%00", "")])
    put(
        [
            ("GET", path)
            for path in ("/jobs/alm.json", "/users/", "/users/1/", "/", "/jobs/nonsense/", "/jobs/alm/1/x/")
        ]
    )


def test_odd_methods(put):
    """Known to HTTP or not."""
    put(
        [(method, "/jobs/alm/") for method in ("TRACE", "PROPFIND", "FOO")]
        + [("FOO", "/jobs/alm/", {"who": None})]
    )


def test_odd_encodings(put):
    """Byte order marks, other charsets, charsets that there are not."""
    utf16, latin = '{"connection": "é"}'.encode("utf-16"), '{"connection": "é"}'.encode("latin-1")
    types = [
        (utf16, "application/json"), (utf16, "application/json; charset=utf-16"), (latin, "application/json; charset=latin-1"),
        (b"{}", "application/json; charset=nonsense"), (b"{}", "application/json;"), (b"{}", "application/json, text/plain"),
    ]  # fmt: skip
    put([("POST", "/jobs/alm/", {"content": raw, "headers": {"Content-Type": kind}}) for raw, kind in types])


def test_odd_values(put):
    """Numbers of many digits, half characters, digits of other scripts, control characters."""
    raw = [
        b'{"connection": %s}' % (b"9" * 5000),
        b'{"connection": 1e400}',
        b'{"connection": -0}',
        b'{"connection": "\\ud800"}',
    ]
    put([("POST", "/jobs/alm/", {"content": one, "headers": JSON}) for one in raw])
    keys = ["\N{ARABIC-INDIC DIGIT THREE}", "1_0", "0x1", "1" * 1500]
    put([("POST", "/jobs/alm/", {"json": JOB | {"connection": one}}) for one in keys])
    flags = [" true", "NULL", [True], {"true": True}]
    put([("POST", "/jobs/alm/", {"json": JOB | {"automatic": one}}) for one in flags])
    messages = ["a\N{LINE SEPARATOR}b", 1e20, "\x01\x02", "\x7f"]
    put([("POST", "/jobs/alm/", NEW | {"json": JOB | {"result_message": one}}) for one in messages])
    half = b'{"connection": 1, "automatic": true, "succeeded": true, "result_message": "\\ud800"}'
    put([("POST", "/jobs/alm/", {"content": half, "headers": JSON})])
    put(
        [
            ("POST", "/connections/alm/", {"json": ONE | {"alias": one}})
            for one in ("x" * 5000, "\0", "\N{HIRAGANA LETTER A}")
        ]
    )


def test_null_in_every_field(put):
    """Of a change that may leave each of them out."""
    names = ["connector", "project", "alias", "frequency", "debug_mode", "params"]
    put([("PATCH", "/connections/alm/1/", {"json": dict.fromkeys(names)})])
    put([("PATCH", "/connections/alm/1/", {"json": {name: None}}) for name in names])
    put([("PATCH", "/connectors/alm/1/", {"json": dict.fromkeys(["name", "system", "params", "inaccessible"])})])
