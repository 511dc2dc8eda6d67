"""Importing report files: what one makes, what is refused, names as clients send them."""

import base64
import json
import shutil
import stat

import httpx
import pytest

BOUNDARY = "----Boundary7MA4YWxk"
SYSTEM = ('name="system"', b"fortify_file_upload")
PROJECT = ('name="project"', b"1")
FILE = ('name="report_file"; filename="report.xml"', b"<report/>")


def form(*parts, end=True):
    """A multipart body: (disposition, content[, headers]) each."""
    pieces = []
    for disposition, content, *headers in parts:
        head = "".join(f"{line}\r\n" for line in (f"Content-Disposition: form-data; {disposition}", *headers))
        pieces.append(f"--{BOUNDARY}\r\n{head}\r\n".encode() + content + b"\r\n")
    return b"".join(pieces) + (f"--{BOUNDARY}--\r\n".encode() if end else b"")


def sent(desk, body, *, boundary=BOUNDARY, who="admin", kind=None):
    """Status and JSON of the answer to a body."""
    kind = kind or f"multipart/form-data; boundary={boundary}"
    answer = desk.ask("POST", "/jobs/analysis-file/", content=body, headers={"Content-Type": kind}, who=who)
    return answer.status_code, answer.json()


def files(desk):
    """All files under uploads, by the way to them."""
    base = desk.state / "uploads"
    return (
        {str(path.relative_to(base)): path for path in base.rglob("*") if path.is_file()} if base.is_dir() else {}
    )


def test_a_file_makes_a_connection_and_queues_its_import(desk):
    """The page's answer; the command for files gets the path of what was sent, and the job is ready."""
    made = desk.upload(
        file=("report.xml", b"hello world", "text/xml"),
        params=json.dumps({"mode": "full", "file_upload": "/etc/passwd", "pass": "s3cret"}),
    )
    connection = made["connection"]
    assert made == {
        "id": made["id"], "user": "admin@example.com", "triggered_by": "admin@example.com", "succeeded": False,
        "automatic": False, "ready": False, "result_message": "", "last_run": made["last_run"],
        "attachment": "report.xml",
        "connection": {
            "id": connection["id"], "alias": "File Upload Connection - Fortify",
            "system": {
                "id": "fortify_file_upload", "short_name": "Fortify", "name": "Fortify Software Security Center",
            },
            "frequency": "manually", "command": "import_fortify",
            "params": {"file_upload": "report.xml", "mode": "full", "pass": "s3cret"},
            "project": 1, "in_progress": True, "connector": None, "debug_mode": False, "is_file_upload": True,
        },
    }  # fmt: skip
    path = desk.state / "uploads" / str(connection["id"]) / "report.xml"
    assert path.read_bytes() == b"hello world"
    assert [stat.S_IMODE(one.stat().st_mode) for one in (path, path.parent, path.parents[1])] == [
        0o600,
        0o700,
        0o700,
    ]
    ended = desk.ended(made["id"], "analysis")
    assert (ended["succeeded"], ended["attachment"]) == (True, "report.xml")
    assert ended["connection"]["in_progress"] is False
    assert desk.get("/jobs/analysis/")["results"][0] == ended
    assert b"hello" in b"".join(one.read_bytes() for one in (desk.state / "output").rglob("*") if one.is_file())
    assert b"s3cret" not in (desk.state / "ledger.db").read_bytes() + (desk.state / "ledger.db-wal").read_bytes()


def test_another_system_has_no_command_for_files(desk):
    """Then its one command takes them; the id of a system is written in any case."""
    with desk.going():
        made = desk.upload(system="SLOW_file_upload")
        assert made["connection"]["system"]["id"] == "slow_file_upload"
        assert made["connection"]["command"] == "held"
        assert desk.ended(made["id"], "analysis")["succeeded"] is True


@pytest.mark.parametrize(
    ("parts", "faults"),
    [
        ((), {
            "report_file": ["No file was submitted."], "system": ["This field is required."],
            "project": ["This field is required."],
        }),
        ((SYSTEM, PROJECT), {"report_file": ["No file was submitted."]}),
        ((SYSTEM, PROJECT, ('name="report_file"', b"text")), {
            "report_file": ["The submitted data was not a file. Check the encoding type on the form."],
        }),
        ((SYSTEM, PROJECT, ('name="report_file"; filename=""', b"")), {
            "report_file": ["The submitted data was not a file. Check the encoding type on the form."],
        }),
        ((SYSTEM, PROJECT, ('name="report_file"; filename="a.xml"', b"")), {"report_file": ["The submitted file is empty."]}),
        ((SYSTEM, PROJECT, ('name="report_file"; filename="folder/"', b"x")), {"report_file": ["No file was submitted."]}),
        ((SYSTEM, PROJECT, ('name="report_file"; filename=".."', b"x")), {"report_file": ["No file was submitted."]}),
        ((SYSTEM, PROJECT, ('name="other"; filename="a.xml"', b"x")), {"report_file": ["No file was submitted."]}),
        ((FILE, ('name="system"', b"nothing"), ('name="project"', b"99")), {
            "system": ['Invalid pk "nothing" - object does not exist.'], "project": ['Invalid pk "99" - object does not exist.'],
        }),
        ((FILE, SYSTEM, ('name="project"', b"x")), {"project": ["A valid integer is required."]}),
        ((FILE, SYSTEM, PROJECT, ('name="params"', b"{")), {"params": ["Value must be valid JSON."]}),
        ((FILE, SYSTEM, PROJECT, ('name="params"', b"[1]")), {"params": ['Expected a dictionary of items but got type "list".']}),
    ],
)  # fmt: skip
def test_all_faults_at_once(desk, parts, faults):
    """By field, in the framework's words; nothing is kept, on the disk neither."""
    jobs, before = desk.jobs(), files(desk)
    status, answer = sent(desk, form(*parts))
    assert (status, answer.keys()) == (400, faults.keys())
    system = answer.pop("system", None)
    assert answer == {name: fault for name, fault in faults.items() if name != "system"}
    assert "system" not in faults or str(faults["system"][0]) in str(system)
    assert (desk.jobs(), files(desk)) == (jobs, before)


@pytest.mark.parametrize(
    ("body", "boundary", "told"),
    [
        (b"nothing of the kind", BOUNDARY, "Multipart form parse error - "),
        (form(FILE, SYSTEM, PROJECT, end=False), BOUNDARY, "Multipart form parse error - The form ends before"),
        (form(FILE, SYSTEM, PROJECT)[:-30], BOUNDARY, "Multipart form parse error - The form ends before"),
        (form(FILE, SYSTEM, PROJECT), "another", "Multipart form parse error - "),
        (form(FILE, SYSTEM, PROJECT), "", "Multipart form parse error - Invalid boundary in multipart: "),
        (form(FILE, SYSTEM, PROJECT), "x" * 300, "Multipart form parse error - Invalid boundary in multipart: xxx"),
        (form(FILE, ('name="system"\r\nno header', b"x")), BOUNDARY, "Multipart form parse error - "),
        (form((*FILE, "Content-Transfer-Encoding: base64"), SYSTEM, PROJECT), BOUNDARY, "Multipart form parse error - Could not"),
        (form(FILE, SYSTEM, PROJECT, *((f'name="f{i}"', b"") for i in range(1000))), BOUNDARY, "A form has at most 1000 parts."),
        (form(FILE, SYSTEM, PROJECT, ('name="params"', b" " * 3_000_000)), BOUNDARY, "The fields of a form have at most"),
        (form((f'name="{"n" * 70_000}"', b"x")), BOUNDARY, "Multipart form parse error - "),
    ],
)  # fmt: skip
def test_a_broken_form(desk, body, boundary, told):
    """400 with the reason; nothing is kept."""
    jobs, before = desk.jobs(), files(desk)
    status, answer = sent(desk, body, boundary=boundary)
    assert (status, list(answer)) == (400, ["detail"])
    assert answer["detail"].startswith(told)
    assert (desk.jobs(), files(desk)) == (jobs, before)


def test_without_a_boundary(desk):
    """As the framework says it."""
    status, answer = sent(desk, form(FILE), kind="multipart/form-data")
    assert (status, answer) == (
        400,
        {"detail": "Multipart form parse error - Invalid boundary in multipart: None"},
    )


def test_no_form_at_all(desk):
    """JSON names no file; another type is not read; an empty body has no fields."""
    asked = {"system": "fortify_file_upload", "project": 1, "report_file": "text"}
    refused = desk.post("/jobs/analysis-file/", asked, status=400)
    assert refused == {"report_file": ["The submitted data was not a file. Check the encoding type on the form."]}
    assert sent(desk, b"x", kind="text/plain") == (
        415,
        {"detail": 'Unsupported media type "text/plain" in request.'},
    )
    empty = sent(desk, b"")
    assert empty[0] == 400
    assert empty[1].keys() == {"report_file", "system", "project"}
    assert sent(desk, b"", kind="multipart/form-data") == empty


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ('filename="/etc/../passwd"', "passwd"),
        (r'filename="C:\reports\May \"1\".xml"', 'May "1".xml'),
        ('filename="übersicht ✓.xml"', "übersicht ✓.xml"),
        ("filename*=UTF-8''%C3%BCbersicht.xml", "übersicht.xml"),
        ('filename="a&amp;b&#47;c.xml"', "c.xml"),
        ('filename="a;b=c.xml"', "a;b=c.xml"),
        ("filename=bare.xml", "bare.xml"),
        ('filename="-rf.xml"', "-rf.xml"),
        ('filename=".hidden"', ".hidden"),
        ('filename="a\tb\x01.xml"', "ab.xml"),
        (f'filename="{"n" * 300}.xml"', "n" * 251 + ".xml"),
        (f'filename="{"ü" * 300}.xml"', "ü" * 125 + ".xml"),
        (f'filename="{"🚀" * 200}.xml"', "🚀" * 62 + ".xml"),
        (f'filename="a.{"e" * 400}"', "." + "e" * 254),
    ],
)
def test_names_of_files(desk, disposition, name):
    """Without folders and control characters, and as long as a disk takes them; shown as they are kept."""
    status, made = sent(desk, form((f'name="report_file"; {disposition}', b"12345"), SYSTEM, PROJECT))
    assert (status, made["attachment"]) == (201, name)
    assert made["connection"]["params"]["file_upload"] == name
    assert (desk.state / "uploads" / str(made["connection"]["id"]) / name).read_bytes() == b"12345"
    assert desk.ended(made["id"], "analysis")["succeeded"] is True


def test_of_two_files_the_last_counts(desk):
    """And nothing of the first is left in it; text parts likewise."""
    first = ('name="report_file"; filename="first.xml"', b"a" * 3_000_000)
    status, made = sent(desk, form(first, ('name="project"', b"7"), FILE, SYSTEM, PROJECT))
    assert (status, made["attachment"], made["connection"]["project"]) == (201, "report.xml", 1)
    (path,) = (desk.state / "uploads" / str(made["connection"]["id"])).iterdir()
    assert path.read_bytes() == b"<report/>"


def test_what_is_in_the_file_does_not_matter(desk):
    """Bytes that look like a boundary, or are cut anywhere, arrive as they were sent; base64 parts are decoded."""
    content = (
        b"".join(b"\r\n--" + BOUNDARY[:i].encode() + b"\r" for i in range(len(BOUNDARY)))
        + bytes(range(256)) * 5000
    )
    status, made = sent(desk, form(('name="report_file"; filename="b.bin"', content), SYSTEM, PROJECT))
    assert status == 201
    assert (desk.state / "uploads" / str(made["connection"]["id"]) / "b.bin").read_bytes() == content
    lines = base64.encodebytes(content[:1_000_001])  # cut anywhere by what carries it, not by whole groups
    encoded = ('name="report_file"; filename="c"', lines, "Content-Transfer-Encoding: base64")
    status, made = sent(desk, form(encoded, SYSTEM, PROJECT))
    assert (desk.state / "uploads" / str(made["connection"]["id"]) / "c").read_bytes() == content[:1_000_001]


def test_who_may_import(desk):
    """As with jobs of verification; others are refused before anything is read, and see no params."""
    forbidden = {"detail": "You do not have permission to perform this action."}
    assert sent(desk, b"x" * 100_000, who="reader") == (403, forbidden)
    assert sent(desk, b"", who="alm") == (403, forbidden)
    assert "params" not in desk.upload(who="agent")["connection"]


def test_such_a_connection_is_no_other(desk):
    """It is not listed among connections; its job is one of its project's."""
    made = desk.upload(project="8")
    assert made["connection"]["id"] not in [one["id"] for one in desk.get("/connections/analysis/")["results"]]
    assert desk.get(f"/projects/8/jobs/analysis/{made['id']}/")["attachment"] == "report.xml"


def test_what_was_cut_off_goes_at_the_start(desk_in):
    """Not what connections have."""
    desk = desk_in()
    made = desk.upload()
    desk.ended(made["id"], "analysis")
    kept = files(desk)
    uploads = desk.state / "uploads"
    (uploads / ".incoming" / "half").write_bytes(b"x")
    (uploads / "4711").mkdir()
    (uploads / "4711" / "report.xml").write_bytes(b"x")
    (uploads / "stray").write_bytes(b"x")
    desk.restart()
    assert files(desk) == kept
    assert [line["entries"] for line in desk.log() if line["event"] == "uploads_removed"] == [3]
    assert desk.get(f"/jobs/analysis/{made['id']}/")["succeeded"] is True


def test_params_need_a_key(desk_in):
    """Without one they are refused, and a file without params is taken."""
    desk = desk_in(encryption_key=None)
    refused = desk.upload(params='{"a": 1}', status=400)
    assert "settings.encryption_key" in refused["params"][0]
    assert files(desk) == {}
    assert desk.upload()["connection"]["params"] == {"file_upload": "report.xml"}


def test_an_import_whose_file_is_gone_says_so(desk):
    """Its file was deleted by age: a run of it that somebody asks for fails in words, and no command is started."""
    made = desk.upload()
    desk.ended(made["id"], "analysis")
    key = made["connection"]["id"]
    shutil.rmtree(desk.state / "uploads" / str(key))
    with httpx.Client(
        base_url=desk.url, headers={"Authorization": f"Bearer {(desk.state / 'token').read_text()}"}
    ) as http:
        run = http.post(f"/v1/jobs/sde:analysis:{key}/trigger").raise_for_status().json()["run_id"]
        ended = desk.until(lambda: (found := http.get(f"/v1/runs/{run}").json())["ended_at"] and found)
    told = "the imported file is gone: it was deleted by age (settings.retention.output)"
    assert (ended["state"], ended["reason"]) == ("failed", told)
