"""Report files that are turned down, by a stock Django REST framework app and by ours: same status and words."""

import pytest

PARTS = {"system": "fortify_file_upload", "project": "1"}
FILE = {"report_file": ("report.xml", b"<xml/>", "text/xml")}
PATH = "/jobs/analysis-file/"
HEAD = b'--b\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
SENT = b'--b\r\nContent-Disposition: form-data; name="report_file"; filename="%s"\r\n\r\n%s\r\n'


def raw(*parts, end=b"--b--\r\n"):
    """A multipart body, byte by byte."""
    return {"content": b"".join(parts) + end, "headers": {"Content-Type": "multipart/form-data; boundary=b"}}


def without(*names):
    """The parts without these."""
    return {name: value for name, value in PARTS.items() if name not in names}


def test_parts_that_are_missing_or_wrong(put):
    """Every field, and all at once."""
    rows = [
        {"data": PARTS, "files": {"other": b"x"}},
        {"data": {}, "files": {"other": b"x"}},
        {"data": without("system"), "files": FILE},
        {"data": without("project"), "files": FILE},
        {"data": PARTS | {"system": "nonsense"}, "files": FILE},
        {"data": PARTS | {"system": ""}, "files": FILE},
        {"data": PARTS | {"project": "x"}, "files": FILE},
        {"data": PARTS | {"project": ""}, "files": FILE},
        {"data": PARTS | {"project": "99"}, "files": FILE},
        {"data": PARTS | {"report_file": "text"}, "files": {"other": b"x"}},
        {"data": PARTS, "files": {"report_file": ("report.xml", b"")}},
        {"data": PARTS, "files": {"report_file": ("", b"x")}},
        {"data": {"system": "nonsense", "project": "x"}, "files": {"report_file": ("report.xml", b"")}},
    ]
    put([("POST", PATH, row) for row in rows])


def test_bodies_that_are_no_form_of_parts(put):
    """Of another type, empty, without a boundary, or cut off."""
    rows = [
        {"json": {}},
        {"data": PARTS},
        {"content": b"", "headers": {"Content-Type": "multipart/form-data; boundary=b"}},
        {"content": b"--b--", "headers": {"Content-Type": "application/octet-stream"}},
        {"content": b"", "headers": {"Content-Type": None}},
        raw(end=b"--b--\r\n"),
        raw(HEAD % (b"system", b"jira")),
        raw(HEAD % (b"system", b"jira"), SENT % (b"report.xml", b"")),
        raw(HEAD % (b"system", b"\xff"), HEAD % (b"project", b"\xff"), SENT % (b"report.xml", b"x")),
        raw(SENT % (b"..", b"x")),
        raw(SENT % (b"/", b"x")),
        raw(SENT % (b"C:\\\\", b"x")),
        raw(HEAD % (b"report_file", b"x")),
    ]
    put([("POST", PATH, row) for row in rows])


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_only_posting_is_known(put, method):
    """With POST in Allow."""
    put([(method, PATH)])
