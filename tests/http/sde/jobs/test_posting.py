"""POST to jobs: one address with two meanings, what each leaves behind, and what is refused."""

import signal

import pytest

OF_JOB = {
    "id",
    "triggered_by",
    "succeeded",
    "automatic",
    "ready",
    "result_message",
    "last_run",
    "attachment",
    "connection",
}
OF_CONNECTION = {"id", "alias", "system", "frequency", "command", "params", "project"}
MESSAGES = [
    "", "My Message", "a" * 100_000, "zwei\r\nZeilen\tund Tab", "Ω ünïcode ✓ 🚀 \u2028 \u202e rtl", '{"json": "<b>&amp;"}',
    "\x01\x7f\x1b[31m", "= formula", "%s %(x)s {0}", "a\u0301 é", "\ufeffbom", "\U0010ffff",
]  # fmt: skip


def test_an_initiated_job_is_put_on_the_queue(desk):
    """201 with the page's keys; there at once; the command runs, and the job is ready."""
    connection = desk.connection(system="jira")
    made = desk.initiate(connection)
    assert set(made) == OF_JOB
    assert set(made["connection"]) == OF_CONNECTION
    assert (made["ready"], made["succeeded"], made["automatic"]) == (False, False, False)
    assert (made["triggered_by"], made["result_message"], made["attachment"]) == ("admin@example.com", "", None)
    shown = desk.get(f"/jobs/alm/{made['id']}/")
    assert shown["user"] == "no-reply+admin@localhost"
    assert set(shown) == {*OF_JOB, "user"}
    listed = desk.get("/jobs/alm/", params={"connection": connection})["results"]
    assert [job["id"] for job in listed] == [made["id"]]
    with desk.going():
        ended = desk.ended(made["id"])
    assert (ended["succeeded"], ended["result_message"], ended["triggered_by"]) == (True, "", "admin@example.com")
    assert ended["last_run"].endswith("Z")


def test_several_are_queued_one_after_another(desk):
    """201 each, and each runs when the one before has ended."""
    connection = desk.connection(system="jira")
    first, second, third = (desk.initiate(connection)["id"] for _ in range(3))
    assert first < second < third
    found = desk.get("/jobs/alm/", params={"connection": connection})["results"]
    assert [(job["id"], job["ready"]) for job in found] == [(third, False), (second, False), (first, False)]
    with desk.going():
        ended = [desk.ended(job)["last_run"] for job in (first, second, third)]
    assert ended == sorted(ended)


def test_a_command_that_fails_says_why(desk):
    """The job is ready, did not succeed, and its message is the command's reason."""
    made = desk.initiate(desk.connection(system="broken"))
    ended = desk.ended(made["id"])
    assert (ended["ready"], ended["succeeded"]) == (True, False)
    assert "no such project" in ended["result_message"]


@pytest.mark.parametrize("kind", ["alm", "analysis", "ldap"])
def test_a_result_is_kept_as_a_job_that_has_ended(desk, kind):
    """With the page's keys; a new record, by whoever posts it."""
    connection = desk.connection(kind, inaccessible=True)
    made = desk.result(connection, kind)
    assert set(made) == {*OF_JOB, "user"}
    assert (made["ready"], made["succeeded"], made["automatic"]) == (True, True, True)
    assert (made["user"], made["triggered_by"]) == ("admin@example.com", "admin@example.com")
    assert made["result_message"] == "My Message"
    assert desk.get(f"/jobs/{kind}/{made['id']}/") == made
    again = desk.result(connection, kind, succeeded=False, message="no", automatic=False)
    assert again["id"] > made["id"]
    assert (again["ready"], again["succeeded"], again["automatic"]) == (True, False, False)
    shown = made["connection"]
    assert ("inaccessible" in shown) is (kind == "ldap")
    assert ("project" in shown) is (kind != "ldap")


@pytest.mark.parametrize("message", MESSAGES, ids=range(len(MESSAGES)))
def test_the_message_comes_back_as_it_was_sent(desk, message):
    """Whatever is in it, but for blanks around it, which the framework strips."""
    desk.shared = getattr(desk, "shared", None) or desk.connection()
    made = desk.result(desk.shared, message=message)
    assert made["result_message"] == message.strip()
    assert desk.get(f"/jobs/alm/{made['id']}")["result_message"] == message.strip()


def test_ready_true_posts_too(desk):
    """And its blanks around the message are stripped; texts are taken for booleans, as the framework does."""
    connection = desk.connection()
    asked = {
        "connection": str(connection),
        "ready": "true",
        "automatic": "0",
        "succeeded": "no",
        "result_message": "  a b\n",
    }
    made = desk.post("/jobs/alm/", asked)
    assert (made["ready"], made["automatic"], made["succeeded"]) == (True, False, False)
    assert made["result_message"] == "a b"


def test_a_form_will_do(desk):
    """As the framework reads one."""
    data = {"connection": desk.connection(system="jira"), "automatic": "true", "ready": "false"}
    assert desk.post("/jobs/alm/", data=data)["automatic"] is True


@pytest.mark.parametrize(
    ("asked", "faults"),
    [
        ({}, {
            "connection": ["This field is required."], "automatic": ["This field is required."],
            "succeeded": ["This field is required."], "result_message": ["This field is required."],
        }),
        ({"ready": False}, {"connection": ["This field is required."], "automatic": ["This field is required."]}),
        ({"connection": "x", "automatic": "maybe", "ready": 7}, {
            "connection": ["A valid integer is required."], "automatic": ["Must be a valid boolean."],
            "ready": ["Must be a valid boolean."], "succeeded": ["This field is required."],
            "result_message": ["This field is required."],
        }),
        ({"connection": 999, "automatic": True, "ready": False}, {"connection": ['Invalid pk "999" - object does not exist.']}),
        ({"connection": None, "automatic": None, "succeeded": None, "result_message": None}, {
            "connection": ["This field may not be null."], "automatic": ["This field may not be null."],
            "succeeded": ["This field may not be null."], "result_message": ["This field may not be null."],
        }),
        ({"connection": 10**30, "automatic": True, "ready": False}, {"connection": [f'Invalid pk "{10**30}" - object does not exist.']}),
        ([], {"non_field_errors": ["Invalid data. Expected a dictionary, but got list."]}),
    ],
)  # fmt: skip
def test_all_faults_at_once(desk, asked, faults):
    """By field, in the framework's words; nothing is kept."""
    before = desk.jobs()
    assert desk.post("/jobs/alm/", asked, status=400) == faults
    assert desk.jobs() == before


def test_nul_and_half_characters_are_refused(desk):
    """No ledger takes them."""
    connection = desk.connection()
    assert desk.result(connection, message="a\0b", status=400) == {
        "result_message": ["Null characters are not allowed."]
    }
    body = b'{"connection": %d, "automatic": true, "succeeded": true, "result_message": "\\ud800"}' % connection
    answer = desk.ask("POST", "/jobs/alm/", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert list(answer.json()) == ["result_message"]


def test_a_connection_of_another_kind_is_none_here(desk):
    """Neither initiated nor given results."""
    scanner, tracker = desk.connection("analysis"), desk.connection()
    unknown = {"connection": [f'Invalid pk "{scanner}" - object does not exist.']}
    assert desk.initiate(scanner, status=400) == unknown
    assert desk.result(scanner, status=400) == unknown
    assert desk.result(tracker, "analysis", status=400) == {
        "connection": [f'Invalid pk "{tracker}" - object does not exist.']
    }


def test_an_inaccessible_connection_is_not_initiated(desk):
    """Its remote agent runs it; a result of it is taken."""
    connection = desk.connection(inaccessible=True)
    refused = desk.initiate(connection, status=400)
    assert list(refused) == ["connection"]
    assert "remote agent" in refused["connection"][0]
    assert desk.get("/jobs/alm/", params={"connection": connection}) == {"results": []}
    assert desk.result(connection)["ready"] is True


def test_who_may_post(desk):
    """Scope control, or the kind's permission; everybody else is refused before anything is read."""
    forbidden = {"detail": "You do not have permission to perform this action."}
    connection = desk.connection()
    scanner = desk.connection("analysis")
    assert desk.post("/jobs/alm/", {}, who="reader", status=403) == forbidden
    assert desk.post("/jobs/analysis/", {}, who="alm", status=403) == forbidden
    assert desk.result(connection, who="alm")["connection"]["params"]["alm_pass"] == "secret"
    assert "params" not in desk.result(scanner, "analysis", who="agent")["connection"]


def test_projects_have_older_addresses(desk):
    """A job there is of a connection of that project; an unknown project is not found."""
    seven, eight = desk.connection(project=7), desk.connection(project=8)
    made = desk.post("/projects/7/jobs/alm/", {
        "connection": seven, "automatic": True, "succeeded": True, "result_message": "m",
    })  # fmt: skip
    assert made["connection"]["project"] == 7
    asked = {"connection": eight, "automatic": True, "ready": False}
    unknown = {"connection": [f'Invalid pk "{eight}" - object does not exist.']}
    assert desk.post("/projects/7/jobs/alm/", asked, status=400) == unknown
    for project in ("9", "0", "x", str(2**70)):
        assert desk.post(f"/projects/{project}/jobs/alm/", asked, status=404) == {"detail": "Not found."}
    assert desk.post("/projects/7/jobs/ldap/", asked, status=404) == {"detail": "Not found."}


def test_nothing_else_is_done_to_jobs(desk):
    """405, with what the address allows."""
    job = desk.result(desk.connection())["id"]
    for path, allowed in (
        ("/jobs/", "GET, HEAD, OPTIONS"), ("/jobs/alm/", "GET, POST, HEAD, OPTIONS"), (f"/jobs/alm/{job}/", "GET, HEAD, OPTIONS"),
        ("/jobs/analysis-file/", "POST, OPTIONS"),
    ):  # fmt: skip
        answer = desk.ask("DELETE", path)
        assert (answer.status_code, answer.headers["allow"]) == (405, allowed)
        assert answer.json() == {"detail": 'Method "DELETE" not allowed.'}
    assert desk.ask("POST", "/jobs/", {}).status_code == 405
    assert desk.ask("GET", "/jobs/analysis-file/").status_code == 405


def test_slash_or_none_and_no_redirect(desk):
    """A client that leaves the slash out gets the same."""
    connection = desk.connection()
    asked = {"connection": connection, "automatic": True, "succeeded": True, "result_message": ""}
    assert desk.post("/jobs/alm", asked)["connection"]["id"] == connection
    assert desk.post(f"{desk.url}//api/v2//jobs//alm///", asked)["connection"]["id"] == connection
    for name in ("issue-tracker", "ALM"):
        assert desk.post(f"/jobs/{name}/", asked)["connection"]["id"] == connection


def test_what_was_answered_outlives_a_kill(desk_in):
    """The same jobs, after SIGKILL and another start; what waited runs, what ran is lost, as nobody may repeat it."""
    desk = desk_in()
    connection = desk.connection(system="jira")
    posted = desk.result(connection, message="kept ✓")
    running = desk.initiate(connection)
    waiting = desk.initiate(connection)["id"]
    desk.until(lambda: desk.get(f"/jobs/alm/{running['id']}/")["last_run"] > running["last_run"])
    before = desk.get(f"/jobs/alm/{posted['id']}/")
    desk.restart(signal.SIGKILL)
    assert desk.get(f"/jobs/alm/{posted['id']}/") == before == posted
    assert desk.get(f"/jobs/alm/{waiting}/")["ready"] is False
    with desk.going():
        assert desk.ended(waiting)["succeeded"] is True
    lost = desk.get(f"/jobs/alm/{running['id']}/")
    assert (lost["ready"], lost["succeeded"], lost["result_message"] != "") == (True, False, True)
