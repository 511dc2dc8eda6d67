"""Who may do what, at which listener, called by which name."""

import base64

import httpx
import pytest

TOKENS = (
    "{name: viewer, token: view-token, scope: view}, {name: ops, token: control-token, scope: control}, "
    "{name: boss, token: admin-token, scope: admin}"
)
LOCAL = "the-local-token"


def bearer(token):
    """Headers with this token; none for None."""
    return {} if token is None else {"Authorization": f"Bearer {token}"}


@pytest.fixture(scope="module")
def closed(tmp_path_factory, told):
    """A loopback listener with tokens configured, and one on every address without; URLs by name."""
    house_of = type(told)
    made = {}
    try:
        made["tokens"] = house_of(tmp_path_factory.mktemp("tokens"), tokens=TOKENS)
        made["everywhere"] = house_of(tmp_path_factory.mktemp("everywhere"), listen="0.0.0.0:0")
        for house in made.values():
            house.start()
        yield {**made, "open": told}
    finally:
        for house in made.values():
            house.stop()


READ, LOG, ACT = ("GET", "/v1/jobs"), ("GET", "/v1/runs/zzz/log"), ("POST", "/v1/runs/zzz/abort")
ADMITTED = 404  # the run does not exist, and only who is admitted is told


@pytest.mark.parametrize(
    ("listener", "token", "read", "log", "act"),
    [
        ("open", None, 200, 401, 401),
        ("open", LOCAL, 200, ADMITTED, ADMITTED),
        ("open", "wrong", 401, 401, 401),
        ("open", "view-token", 401, 401, 401),
        ("tokens", None, 401, 401, 401),
        ("tokens", LOCAL, 200, ADMITTED, ADMITTED),
        ("tokens", "view-token", 200, ADMITTED, 403),
        ("tokens", "control-token", 200, ADMITTED, ADMITTED),
        ("tokens", "admin-token", 200, ADMITTED, ADMITTED),
        ("tokens", "wrong", 401, 401, 401),
        ("everywhere", None, 401, 401, 401),
        ("everywhere", LOCAL, 200, ADMITTED, ADMITTED),
    ],
)
def test_token_scope_method_and_listener_decide(closed, listener, token, read, log, act):
    """Without a token only a loopback listener without configured tokens can be read, and no output.

    Rule: open-for-reading
    """
    http = closed[listener].http
    for (method, path), status in ((READ, read), (LOG, log), (ACT, act)):
        answer = http.request(method, path, headers=bearer(token))
        assert answer.status_code == status, (method, path, answer.text)
        if status != 200:
            assert set(answer.json()) == {"error", "detail"}
        if status == 401:
            assert "Bearer" in answer.headers["www-authenticate"]
    assert http.get("/healthz").status_code == 200
    known = read == 200
    for path in ("/", "/readyz", "/openapi.json"):
        assert http.get(path, headers=bearer(token)).status_code == (200 if known else 401)
    assert http.get("/v1/nothing", headers=bearer(token)).status_code == (404 if known else 401)


def test_no_token_stands_in_any_answer(closed):
    """A refusal names the scope that is missing, never a token."""
    answer = closed["tokens"].http.post("/v1/runs/zzz/abort", headers=bearer("view-token"))
    assert "control" in answer.json()["error"]
    assert "-token" not in answer.text


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:{port}", 200),
        ("localhost:{port}", 200),
        ("LOCALHOST:{port}", 200),
        ("[::1]:{port}", 200),
        ("127.0.0.1", 403),
        ("localhost:1", 403),
        ("evil.example:{port}", 403),
        ("localhost.evil.example:{port}", 403),
        ("", 403),
    ],
)
def test_without_a_token_host_must_be_one_of_our_names(told, host, status):
    """A page that rebinds its name to this host reads nothing; a caller with a token may use any name.

    Rule: open-for-reading
    """
    written = host.format(port=told.url.rpartition(":")[2])
    assert told.http.get("/v1/jobs", headers={"Host": written}).status_code == status
    assert told.http.get("/", headers={"Host": written}).status_code == status
    assert told.http.get("/healthz", headers={"Host": written}).status_code == 200
    assert told.http.get("/v1/jobs", headers={"Host": written, **bearer(LOCAL)}).status_code == 200


def test_a_browser_may_give_the_token_as_password_for_reading_only(closed):
    """Browsers send such a password along by themselves, so it must not act."""
    http = closed["tokens"].http
    for password, read in (("control-token", 200), ("wrong", 401)):
        basic = {"Authorization": "Basic " + base64.b64encode(f"me:{password}".encode()).decode()}
        assert http.get("/", headers=basic).status_code == read
        assert http.post("/v1/runs/zzz/abort", headers=basic).status_code == 401
    assert http.get("/", headers={"Authorization": "Basic %%%"}).status_code == 401
    assert http.get("/", headers={"Authorization": "Digest x"}).status_code == 401


def test_every_answer_forbids_sniffing_framing_and_storing(closed):
    """The same headers on pages, JSON, refusals; no name of the server."""
    for path, token in (("/", LOCAL), ("/v1/jobs", LOCAL), ("/v1/jobs", None), ("/healthz", None)):
        headers = closed["tokens"].http.get(path, headers=bearer(token)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "server" not in headers


def test_a_token_with_odd_bytes_is_refused(told):
    """Bytes beyond ASCII in a header are a wrong token, not a fault."""
    headers = [(b"Authorization", b"Bearer \xff\xfe")]
    assert httpx.get(told.url + "/v1/jobs", headers=headers, trust_env=False).status_code == 401
