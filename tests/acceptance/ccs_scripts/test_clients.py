"""How clients of many makes speak: framings, labels, encodings and spellings that the pages' readers have."""

import base64
import json
import shutil
import socket
import subprocess
from urllib.parse import quote

import pytest

from runners import trust

pytestmark = pytest.mark.acceptance

ASSET, STANDARD = "d387d8b5-6278-4bcb-83c7-b55d2072d2a8", "6b020d29-5fe8-47d0-bd89-ccd3339a5ebe"
UNIX = "symc-csm-AssetSystem-Asset-Unix-Machine"


def request_of(name, **details):
    """A Create Job request that does not run."""
    given = {
        "AssetsResolutionInfo": [{"Id": ASSET, "Type": UNIX}],
        "JobName": name,
        "Standards": [STANDARD],
        "Schedule": {"RunNow": False},
    }
    return {"JobDetails": given | details, "JobType": "CollectionEvaluationJob"}


def create(served, name, **details):
    """The JobID of a new job."""
    return served.call("POST", "/jobs", json=request_of(name, **details)).json()["JobID"]


def raw(served, *pieces, expect=b""):
    """Send bytes over TLS; `expect` is awaited after the first piece. The whole answer, until the server closes."""
    with (
        socket.create_connection((served.host, int(served.port)), timeout=20) as plain,
        trust.anybody().wrap_socket(plain) as connection,
    ):
        answer = b""
        for piece in pieces:
            connection.sendall(piece)
            if expect and not answer:
                answer = connection.recv(100)
                assert answer == expect
                answer = b" "
        while data := connection.recv(65536):
            answer += data
    return answer.strip()


def head(served, line, *headers):
    """A request's head, with a token."""
    given = [line, f"Host: {served.host}:{served.port}", f"Authorization: Bearer {served.token}", *headers]
    return "\r\n".join([*given, "", ""]).encode()


def test_powershell(served):
    """Invoke-RestMethod waits for 100 Continue, and files bring a byte order mark along."""
    body = b"\xef\xbb\xbf" + json.dumps(request_of("PowerShell")).encode()
    begin = head(
        served, "POST /ccs/api/v1/Jobs HTTP/1.1", "Content-Type: application/json; charset=utf-8",
        "User-Agent: Mozilla/5.0 (Windows NT; Windows NT 10.0; en-US) WindowsPowerShell/5.1.20348.1",
        f"Content-Length: {len(body)}", "Expect: 100-continue", "Connection: Close",
    )  # fmt: skip
    answer = raw(served, begin, body, expect=b"HTTP/1.1 100 Continue\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200")
    assert b'{"JobID":' in answer


def test_http_1_0(served):
    """Without keep-alive, without Host."""
    body = json.dumps(request_of("OneZero")).encode()
    begin = head(served, "POST /ccs/api/v1/jobs HTTP/1.0", f"Content-Length: {len(body)}")
    answer = raw(served, begin.replace(f"Host: {served.host}:{served.port}\r\n".encode(), b"") + body)
    assert answer.splitlines()[0].endswith(b"200 OK")


def test_a_chunked_body(served):
    """Without Content-Length, in pieces that cut the JSON anywhere."""
    text = json.dumps(request_of("Chunked")).encode()
    pieces = (text[place : place + 7] for place in range(0, len(text), 7))
    assert served.call("POST", "/jobs", data=pieces).json()["JobID"]


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl on this host")
def test_curl(served):
    """`--data` labels everything as a form: the token's body is one, the others are not."""

    def curl(path, *arguments):
        done = subprocess.run(
            ["curl", "-sk", "--noproxy", "*", f"{served.base}{path}", *arguments],
            capture_output=True,
            text=True,
            check=True,
        )
        return json.loads(done.stdout or "null")

    form = ["grant_type=password", "username=CORP\\auditor", "password=Tr0ub4dor%2B3"]
    token = curl("/oauth/tokens", *(word for part in form for word in ("--data", part)))["access_token"]
    bearer = ("-H", f"Authorization: Bearer {token}")
    job = curl("/jobs", *bearer, "--data", json.dumps(request_of("Curl")))["JobID"]
    run = curl(f"/Jobs/{job}", *bearer, "--data", '{"Operation": "Execute"}')
    assert run["JobID"] == job
    assert served.ended(job)["Status"] == 4
    encoded = ("--data-urlencode", "(Attributes=JobName = Curl)")
    assert [one["JobID"] for one in curl("/jobs", *bearer, "-G", *encoded)] == [job]


@pytest.mark.parametrize("body", [
    "grant_type=password&username=CORP\\auditor&password={password}",
    "grant_type=password&username=CORP%5Cauditor&password={encoded}",
    "grant_type=password&username=corp\\AUDITOR&password={base64}\r\n",
    "password={password}&username=CORP\\auditor&grant_type=password",
    '{{"grant_type": "password", "username": "CORP\\\\auditor", "password": "{password}"}}',
])  # fmt: skip
@pytest.mark.parametrize("label", ["application/json", None])
def test_the_tokens_body(served, body, label):
    """Raw, percent-encoded, Base64, in any order, as JSON: under any label, or none."""
    plain = "Tr0ub4dor+3"
    text = body.format(password=plain, encoded="Tr0ub4dor%2B3", base64=base64.b64encode(plain.encode()).decode())
    answer = served.send(
        "POST", "/OAuth/Tokens/", data=text.encode(), headers={"Content-Type": label} if label else {}
    )
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert told["access_token"] != told["refresh_token"]
    assert (told["token_type"].lower(), told["expires_in"]) == ("bearer", 3600)


def test_odd_passwords(served, odd_passwords):
    """Put into the form as they are, percent-encoded, or as Base64: signs of forms and of encodings included."""
    for number, password in enumerate(odd_passwords):
        encodings = [password, quote(password, safe=""), base64.b64encode(password.encode()).decode()]
        for written in (encodings[0], encodings[1 + number % 2])[: 2 if number < 4 else 1]:
            form = f"grant_type=password&username=CORP\\{number}&password={written}"
            answer = served.send("POST", "/oauth/tokens", data=form.encode())
            assert answer.status_code == 200, (password, written, answer.text)
    form = f"grant_type=password&username=CORP\\0&password=x{odd_passwords[0]}"
    assert served.send("POST", "/oauth/tokens", data=form).status_code == 401


def test_pages(served):
    """From 1, and 0 is the first too; a star stands for anything; each job once."""
    jobs = [create(served, f"Page {letter}") for letter in "abcde"]

    def found(page, condition="JobName = Page *"):
        answer = served.call("GET", "/jobs", params={"Attributes": condition, "page": page, "pagesize": 2})
        return [one["JobID"] for one in answer.json()]

    assert [found(page) for page in (0, 1, 2, 3, 4)] == [jobs[:2], jobs[:2], jobs[2:4], jobs[4:], []]
    assert found(3, "(JobName StartsWith page)") == jobs[4:]
    assert found(1, "(JobName EndsWith ge e,JobType = CollectionEvaluationJob)") == jobs[4:]


def test_refreshing(served):
    """A refresh token gives two new ones, once; the new access token works."""
    form = "grant_type=password&username=CORP\\auditor&password=Tr0ub4dor+3"
    first = served.send("POST", "/oauth/tokens", data=form).json()
    form = f"grant_type=refresh_token&refresh_token={first['refresh_token']}"
    second = served.send("POST", "/oauth/tokens", data=form)
    assert second.status_code == 200
    assert {*first.values()} & {*second.json().values()} <= {"bearer", 3600}
    headers = {"Authorization": f"bearer {second.json()['access_token']}"}
    assert served.send("GET", "/jobs?(Attributes=JobName+=+nothing)", headers=headers).json() == []


@pytest.mark.parametrize("path", ["/jobs", "/Jobs", "/JOBS/", "/jobs/"])
def test_a_job_is_found_whatever_the_spelling(served, path):
    """Paths, GUIDs and parameters in any case; spaces as + or %20; parentheses where the page writes them."""
    name = f"Nightly {path.strip('/')}{len(path)}, all"
    job = create(served, name)

    def found(query):
        return [one["JobID"] for one in served.call("GET", f"{path}{query}").json()]

    wanted = name.replace(",", "\\,")
    assert found(f"?(Attributes=JobName = {wanted})&page=1&pagesize=10") == [job]
    assert found(f"?(Attributes=JobName+=+{wanted.replace(' ', '+')})") == [job]
    assert found(f"?attributes=jobname = {wanted},JobType = CollectionEvaluationJob&PageSize=1") == [job]
    assert found(f"?(Attributes=JobID = {job.upper()})") == [job]
    assert found(f"?(Attributes=JobName = {wanted})&page=2&pagesize=10") == []
    for query in ({"jobname": name}, {"JobName": name}, {"/jobname": name}):
        assert served.call("GET", path, params=query).json()["JobID"] == job
    base = path.rstrip("/")
    for guid in (job, job.upper()):
        assert served.call("GET", f"{base}/{guid}").json()["JobID"] == job
        assert served.call("GET", f"{base}/{guid}/JobRuns?Count=0&ShowMessages=True").json() == []
    served.call("DELETE", f"{base}?jobid={job.upper()}&DeleteJob=True", data="\r")
    assert found(f"?(Attributes=JobName = {wanted})") == []


def test_the_history_alone_is_deleted(served):
    """DeleteJob=False: the job stays, and runs again under the same JobID."""
    job = create(served, "History")
    first = served.call("POST", f"/jobs/{job}", data='{\r\n"Operation":"execute"\r\n}\r\n').json()["JobRunID"]
    assert served.ended(job)["JobRunID"] == first
    served.call("DELETE", f"/Jobs?JobId={job}&deletejob=false", data="\r")
    assert served.job_runs(job, count=0) == []
    second = served.call("POST", f"/jobs/{job}", json={"operation".title(): "EXECUTE"}).json()["JobRunID"]
    assert served.ended(job)["JobRunID"] == second != first


def test_an_update(served):
    """PATCH with the fields that change, at /jobs/ with a slash too: the rest stays, the next run goes by it."""
    job = create(served, "Changing", JobDescription="before", AssetTimeOut=30)
    details = {"JobDescription": "after", "Schedule": {"RunNow": "false", "RunPeriodically": "true", "RecurrenceType": 1,
               "StartDate": "2026-01-01T03:00:00"}}  # fmt: skip
    served.call("PATCH", "/jobs/", json={"JobDetails": details, "JobID": job.upper()})
    now = served.call("GET", f"/jobs/{job}").json()["JobDetails"]
    assert (now["JobName"], now["JobDescription"], now["AssetTimeOut"]) == ("Changing", "after", 30)
    (coming,) = served.process.get("/v1/jobs/Changing/next", n=1).json()
    assert coming["local"][11:19] == "03:00:00"
    for name in ("Changing", "Changed"):
        served.call("PATCH", "/Jobs", json={"JobDetails": {"JobName": name}, "JobID": job})
        assert served.call("GET", "/jobs", params={"jobname": name}).json()["JobID"] == job


def test_jobs_of_the_file(served):
    """Those that collect are seen and executed under a JobID that stays; only the file changes or deletes them."""
    (job,) = served.call("GET", "/jobs?(Attributes=JobName = from-the-file)").json()
    run = served.call("POST", f"/jobs/{job['JobID']}", json={"Operation": "execute"}).json()
    assert served.ended(job["JobID"])["JobRunID"] == run["JobRunID"]
    change = {"JobDetails": {"JobDescription": "x"}, "JobID": job["JobID"]}
    assert "configuration file" in served.call("PATCH", "/jobs", json=change, status=400).json()["Message"]
    told = served.call("DELETE", f"/jobs?jobid={job['JobID']}&DeleteJob=True", status=400).json()
    assert "configuration file" in told["Message"]
    assert served.call("GET", "/jobs?(Attributes=JobName = no-collection)").json() == []


def test_what_is_left_is_told(served):
    """An asset that cannot be reached: the run is not Completed, and showmessages says which asset and why."""
    info = [{"Id": guid, "Type": UNIX} for guid in (ASSET, "90E00000-0000-4000-8000-000000000001")]
    job = create(served, "Partly", AssetsResolutionInfo=info)
    served.call("POST", f"/jobs/{job}", json={"Operation": "execute"})
    served.process.until(lambda: served.job_runs(job)[0]["Status"] not in (1, 2))
    (run,) = served.job_runs(job, showmessages="true")
    assert run["Status"] == 6
    assert run["CustomStatusText"]
    assert "gone-1" in json.dumps(run["ActivityStatusList"])
    assert served.job_runs(job)[0]["ActivityStatusList"] == []
