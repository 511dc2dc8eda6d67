"""Who is let in, and how requests may be written."""

import json
import time

import pytest

NO_TOKEN = {"detail": "Authentication credentials were not provided."}
INVALID = {"detail": "Invalid token."}
WRONG = {"detail": "Invalid username/password."}


def told(answer):
    """Status and JSON."""
    return answer.status_code, answer.json()


def test_tokens(shared):
    """The scheme has no case; the key has, and stands bare; without one the answer asks for it."""
    for scheme in ("Token", "token", "TOKEN"):
        answer = shared.ask("GET", "users/me/", who=None, headers={"Authorization": f"{scheme} editors-key"})
        assert answer.json()["email"] == "editor@example.com"
    for header, body in (
        ({}, NO_TOKEN),
        ({"Authorization": "Bearer editors-key"}, NO_TOKEN),
        ({"Authorization": "Token: editors-key"}, NO_TOKEN),
        ({"Authorization": 'Token "editors-key"'}, INVALID),
        ({"Authorization": "Token EDITORS-KEY"}, INVALID),
        (
            {"Authorization": "Token a b"},
            {"detail": "Invalid token header. Token string should not contain spaces."},
        ),
    ):
        answer = shared.ask("GET", "users/me/", who=None, headers=header)
        assert told(answer) == (401, body)
        assert answer.headers["www-authenticate"] == "Token"
    for odd in (b"\xa0", b"\x85\xff", b"Token\xa0editors-key"):  # blanks in Latin-1, and in no header
        assert told(shared.ask("GET", "users/me/", who=None, headers={"Authorization": odd})) == (401, NO_TOKEN)


def test_a_target_may_name_the_server(shared, raw):
    """As clients write it that take us for a proxy; it is the server that links name, whatever Host says."""
    token = b"Authorization: Token editors-key\r\n\r\n"
    target = b"GET HTTP://names.example:81/api/v2/%s HTTP/1.1\r\nHost: other\r\nConnection: close\r\n"
    shared.connector(), shared.connector()
    assert raw(shared.http.base_url, target % b"users/me" + token).startswith(b"HTTP/1.1 200 ")
    page = raw(shared.http.base_url, target % b"connectors/alm?page_size=1" + token, until=b'"previous"')
    assert b'"http://names.example:81/api/v2/connectors/alm?page=2&page_size=1"' in page
    for path in (b"", b"/v1/jobs", b"/api/v2%2fusers/me", b"/api/v2/users/me/http://x"):
        head = b"GET http://names.example%s HTTP/1.1\r\nHost: other\r\n" % path
        assert raw(shared.http.base_url, head + token).split()[1] in {b"401", b"404"}


def test_names_and_passwords(shared, words):
    """Basic takes the e-mail or the name, in whatever case; each has the user's rights."""
    for name in ("reader", "READER@example.com"):
        answer = shared.ask("GET", "users/me", who=None, auth=(name, words.password))
        assert answer.json()["email"] == "reader@example.com"
    answer = shared.ask("GET", "users/me/", who=None, auth=("nameless", words.password))
    assert answer.json()["email"] == "nameless"
    assert told(shared.ask("GET", "users/me/", who=None, auth=("nobody", words.password))) == (401, WRONG)


def test_a_user_is_shown_with_a_role(shared):
    """By scope; ids are the places in the file."""
    me = shared.get("users/me/", who="reader")
    assert (me["id"], me["role"], me["is_superuser"]) == (3, {"id": "UR4", "name": "Administrator"}, True)
    assert shared.get("users/me/", who="alm")["role"] == {"id": "UR1", "name": "Viewer"}


def test_guessing_costs_and_locks_nobody_else_out(hall, words):
    """After three wrong passwords the fourth is turned away for a while; other users, and who is known, go on."""
    assert hall.ask("GET", "users/me/", who=None, auth=("alm", words.password)).status_code == 200
    for _ in range(3):
        assert told(hall.ask("GET", "users/me/", who=None, auth=("alm", "wrong"))) == (401, WRONG)
    for password in ("wrong", "also wrong"):
        answer = hall.ask("GET", "users/me/", who=None, auth=("alm", password))
        assert answer.status_code == 429
        assert answer.headers["retry-after"] == "1"
        assert answer.json() == {"detail": "Request was throttled. Expected available in 1 second."}
    assert hall.ask("GET", "users/me/", who=None, auth=("alm", words.password)).status_code == 200
    assert hall.ask("GET", "users/me/", who=None, auth=("editor", words.password)).status_code == 200
    assert hall.ask("GET", "users/me/", who="alm").status_code == 200


def test_a_login_is_computed_once(hall, words):
    """Clients that send a password with each request do not wait for its hash each time."""
    begun = time.monotonic()
    for _ in range(20):
        assert hall.ask("GET", "projects/", who=None, auth=("editor", words.password)).status_code == 200
    assert time.monotonic() - begun < 20 * 0.1


def test_a_reload_reads_users_anew(hall, words):
    """A token that the file has no more is worth nothing, a new one is; so are passwords."""
    assert hall.ask("GET", "users/me/", who=None, auth=("alm", words.password)).status_code == 200
    assert hall.ask("GET", "users/me/", who="reader").status_code == 200
    users = {name: user for name, user in words.users.items() if name not in {"alm", "reader"}}
    same = {
        name: (email, name, "view", [])
        for name, email in (("a", users["editor"][0]), ("b", "no-reply+admin@localhost"))
    }
    hall.reload(words.yaml(users=users | {"reader": ("reader@example.com", "new-key", "view", [])} | same))
    assert told(hall.ask("GET", "users/me/", who="reader")) == (401, INVALID)
    assert told(hall.ask("GET", "users/me/", who="alm")) == (401, INVALID)
    assert told(hall.ask("GET", "users/me/", who=None, auth=("alm", words.password))) == (401, WRONG)
    new = hall.ask("GET", "users/me/", who=None, headers={"Authorization": "Token new-key"}).json()
    assert (new["email"], new["role"]["name"]) == ("reader@example.com", "Viewer")
    for number, name in enumerate(same, new["id"] + 1):  # with the e-mail of somebody else they are themselves
        me = hall.ask("GET", "users/me/", who=None, headers={"Authorization": f"Token {name}"}).json()
        assert (me["id"], me["first_name"], me["is_active"]) == (number, name, True)
    assert hall.get("users/me/")["first_name"] == "editor"


@pytest.mark.parametrize("path", ["users/me", "users/me/", "/users//me///", "users/me/?x=1"])
def test_slashes_do_not_matter(shared, path):
    """With one at the end, without, with several: answered at once, never by a redirect."""
    assert shared.get(f"../../api/v2/{path}" if path.startswith("/") else path)["id"] == 1


@pytest.mark.parametrize("path", ["connectors/alm", "connectors/alm/", "connectors//alm//"])
def test_a_post_is_answered_where_it_is_sent(shared, path):
    """A POST without a slash makes a connector, and is not sent elsewhere."""
    assert shared.ask("POST", path, {"name": "C", "system": "jira", "params": {}}).status_code == 201


def test_what_may_be_answered(shared):
    """No Accept, any that takes JSON; another is 406, another format 404: before anybody is asked who they are."""
    request = shared.http.build_request("GET", "projects/", headers={"Authorization": "Token editors-key"})
    request.headers.pop("Accept", None)
    assert shared.http.send(request).status_code == 200
    for accept in ("*/*", "application/*", "text/html, application/json;q=0.1", "application/json; indent=4"):
        assert shared.ask("GET", "projects/", headers={"Accept": accept}).status_code == 200
    refused = {"detail": "Could not satisfy the request Accept header."}
    for accept in ("text/html", "", "application/xml, text/*"):
        answer = shared.ask("GET", "projects/", who=None, headers={"Accept": accept})
        assert (told(answer), answer.headers["content-type"]) == ((406, refused), "application/json")
    assert shared.ask("GET", "projects/?format=json").status_code == 200
    assert shared.ask("GET", "projects/?format=xml", who=None).status_code == 404


def test_a_type_without_a_body_is_harmless(shared):
    """GET with a Content-Type of any kind is answered."""
    for header in ("application/json", "text/plain", "multipart/form-data", "nonsense"):
        assert shared.ask("GET", "projects/", headers={"Content-Type": header}).status_code == 200


def test_methods(shared):
    """HEAD has the headers of GET; OPTIONS says what is read; others are 405 with what there is."""
    head, get = shared.ask("HEAD", "projects/"), shared.ask("GET", "projects/")
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", str(len(get.content)))
    options = shared.json("OPTIONS", "connectors/alm/", who="reader")
    assert options["renders"] == ["application/json"]
    for method in ("DELETE", "PUT", "TRACE"):
        answer = shared.ask(method, "connectors/alm/")
        assert told(answer) == (405, {"detail": f'Method "{method}" not allowed.'})
        assert answer.headers["allow"] == "GET, POST, HEAD, OPTIONS"
    assert shared.ask("DELETE", "connectors/alm/", who="reader").status_code == 403


def test_a_body_is_read_after_its_sender_is_known(shared, raw):
    """A stranger who announces a body, and never sends it, is answered at once; so is who may not change."""
    url = shared.http.base_url
    for authorization, status in ((b"", b"401"), (b"Authorization: Token readers-key\r\n", b"403")):
        head = b"POST /api/v2/connectors/alm/ HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n" + authorization
        assert raw(url, head + b"Content-Type: application/json\r\n\r\n").startswith(b"HTTP/1.1 " + status)


def test_bodies(shared):
    """JSON in other character sets, in pieces, forms of both kinds; what is too long, or of no known type, is refused."""
    body = json.dumps({"name": "Jörg", "system": "jira", "params": {}}, ensure_ascii=False)

    def post(content, kind, status=201):
        answer = shared.ask("POST", "connectors/alm/", content=content, headers={"Content-Type": kind})
        assert answer.status_code == status, answer.text
        return answer.json()

    assert post(body.encode("latin-1"), "application/json; charset=iso-8859-1")["name"] == "Jörg"
    assert post(body.encode("utf-16"), "application/json; charset=utf-16")["name"] == "Jörg"
    assert post(iter([body.encode()[:9], body.encode()[9:]]), "APPLICATION/JSON")["name"] == "Jörg"
    assert post(body.encode(), "application/json; charset=zlib")["name"] == "Jörg"
    form = post(b"name=J%C3%B6rg&system.id=jira&params.a=1&name=Last", "application/x-www-form-urlencoded")
    assert (form["name"], form["params"]) == ("Last", {"a": "1"})
    answer = shared.ask("POST", "connectors/alm/", data={"name": "N", "system": "jira"}, files={"f": ("f", b"x")})
    assert (answer.status_code, answer.json()["name"], answer.json()["params"]) == (201, "N", {})
    assert post(b"x", "text/plain", 415) == {"detail": 'Unsupported media type "text/plain" in request.'}
    assert post(b"x", "", 415) == {"detail": 'Unsupported media type "" in request.'}
    assert post(b"x", "multipart/form-data", 400)["detail"].startswith("Multipart form parse error - ")
    assert post(b" " * (2 * 1024 * 1024 + 1), "application/json", 413)["detail"].startswith("Request body exceeds")
    assert post(iter([b" " * 1024 * 1024] * 3), "application/json", 413)["detail"].startswith(
        "Request body exceeds"
    )
    assert post(b"&".join([b"a=1"] * 1001), "application/x-www-form-urlencoded", 400)["detail"].startswith(
        "A form has"
    )


def test_a_daemon_whose_loop_is_stuck_says_so(hall):
    """Reading goes on; a change is 503 with a time to come back, and is not made."""
    connector = hall.connector()
    with hall.house.blocked():
        assert hall.get("connections/alm/") == {"results": []}
        answer = hall.ask(
            "POST", "connections/alm/", {"alias": "A", "connector": connector, "project": 1, "params": {}}
        )
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert "scheduling loop" in answer.json()["detail"]
    assert hall.get("connections/alm/") == {"results": []}
    hall.connection(connector=connector)
