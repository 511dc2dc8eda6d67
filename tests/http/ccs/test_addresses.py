"""Addresses in any case, with and without slashes; two faces that do not let each other's tokens in."""

import socket
from urllib.parse import urlsplit

import httpx
import pytest

NOBODY = "5ade67f0-0c93-49f3-9f2b-b8ec4beaa99c"


@pytest.mark.parametrize(
    "path", ["/jobs/{id}", "/Jobs/{id}", "/JOBS/{ID}/", "//jobs//{id}//", "/jobs/{{{id}}}", "/jobs?jobname=nightly",
             "/jobs/?JobName=NIGHTLY", "/Jobs?/jobname=nightly", "/jobs?JOBNAME=%6eightly", "/jobs?(jobname=nightly)"],
)  # fmt: skip
def test_case_and_slashes_do_not_matter(shared, path):
    """The same job, and never a redirect."""
    job = shared.auditor.json("GET", "/jobs?jobname=nightly")
    written = path.format(id=job["JobID"], ID=job["JobID"].upper())
    url = shared.url.replace("http://", "") + "/CCS/Api/V1" + written
    answer = shared.auditor.http.get(f"http://{url}", follow_redirects=False)
    assert (answer.status_code, answer.json()) == (200, job)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "", 404),
        ("GET", "/nothing", 404),
        ("GET", "/oauth/tokens", 405),
        ("PUT", "/jobs", 405),
        ("POST", f"/jobs/{NOBODY}/jobruns", 405),
        ("DELETE", f"/jobs/{NOBODY}", 405),
        ("GET", f"/jobs/{NOBODY}/nothing", 404),
        ("GET", "/jobs/%00", 400),
        ("GET", "/jobs/%ff%fe", 400),
        ("TRACE", "/jobs", 405),
    ],
)
def test_what_is_not_there_is_told_in_the_shape_of_the_face(shared, method, path, status):
    """404 and 405 have a Message, also without a token."""
    for script in (shared.auditor, shared.stranger()):
        expected = 401 if status == 400 and script is not shared.auditor else status
        assert set(script.json(method, path, status=expected)) <= {"Message", "Errors"}


def test_the_beginning_of_a_path_is_not_enough(shared):
    """What only begins like the face belongs to the other routes, with their errors."""
    for path in ("/ccs/api/v1x/jobs", "/ccs/api/v2/jobs", "/ccs"):
        answer = httpx.get(shared.url + path, trust_env=False)
        assert (answer.status_code, set(answer.json())) == (404, {"error", "detail"})


def test_each_face_has_tokens_of_its_own(shared, bearer):
    """The daemon's own token opens nothing here, a user's token nothing there."""
    local = {**bearer}
    here = httpx.get(f"{shared.url}/ccs/api/v1/jobs?jobname=nightly", headers=local, trust_env=False)
    assert (here.status_code, set(here.json())) == (401, {"Message"})
    there = httpx.get(f"{shared.url}/v1/jobs", headers=shared.auditor.http.headers, trust_env=False)
    assert there.status_code == 401


def test_the_host_that_is_asked_for_does_not_matter(shared):
    """Clients know the listener by names that it does not: their token is what counts."""
    headers = {**shared.auditor.http.headers, "Host": "ccs.example.com:12431"}
    assert httpx.get(f"{shared.url}/ccs/api/v1/jobs?jobname=nightly", headers=headers, trust_env=False).is_success


def test_answers_may_not_be_kept_or_sniffed(shared):
    """The headers of every answer of the daemon, and JSON in plain ASCII."""
    answer = shared.auditor.call("GET", "/jobs?jobname=n%C3%B6")
    assert answer.status_code == 404
    assert answer.content.isascii()
    assert "n\u00f6" in answer.json()["Message"]
    assert (answer.headers["cache-control"], answer.headers["x-content-type-options"]) == ("no-store", "nosniff")


def test_the_openapi_document_tells_of_this_face(shared, bearer):
    """Every call, with its body and its errors; every reference in it leads somewhere."""
    document = httpx.get(f"{shared.url}/openapi.json", headers=bearer, trust_env=False).json()
    paths = {path: set(calls) for path, calls in document["paths"].items() if path.startswith("/ccs/")}
    assert paths == {
        "/ccs/api/v1/oauth/tokens": {"post"},
        "/ccs/api/v1/jobs": {"post", "patch", "get", "delete"},
        "/ccs/api/v1/jobs/{job_id}": {"get", "post"},
        "/ccs/api/v1/jobs/{job_id}/jobruns": {"get"},
    }
    create = document["paths"]["/ccs/api/v1/jobs"]["post"]
    schema = create["requestBody"]["content"]["application/json"]["schema"]
    assert schema["properties"]["JobDetails"]["properties"]["AssetTimeOut"]["maximum"] == 500
    assert {"200", "400", "401", "403", "413", "500", "503"} <= set(create["responses"])
    assert create["security"] == [{"HTTPBearer": []}]
    assert "HTTPBearer" in document["components"]["securitySchemes"]
    names = {entry["name"] for entry in document["paths"]["/ccs/api/v1/jobs"]["get"]["parameters"]}
    assert names == {"Attributes", "jobname", "page", "pagesize"}


@pytest.mark.parametrize("path", ["/ccs/api/v1/oauth/tokens", "/v1/jobs", "/healthz"])
def test_a_request_whose_end_is_in_doubt_is_refused(shared, path):
    """With both lengths 400 and the end of the connection: what follows is never read as a request of its own."""
    where = urlsplit(shared.url)
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    hidden = f"GET /healthz HTTP/1.1\r\nHost: {where.netloc}\r\n\r\n"
    with socket.create_connection((where.hostname, where.port), timeout=5) as connection:
        connection.sendall(f"{head}{hidden}".encode())
        with connection.makefile("rb") as stream:
            answer = stream.read().decode()
    assert answer.startswith("HTTP/1.1 400 ")
    assert answer.count("HTTP/1.1") == 1
