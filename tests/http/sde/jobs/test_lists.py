"""Lists of jobs: filters, pages, people shown whole, params for those with the right, each in the page's shape."""

import re
from datetime import UTC, datetime
from itertools import product

import pytest

from jobsd.http.sde.shown import course_of
from scheduler.ledger.sde_jobs import SdeJob
from scheduler.lifecycle import FINAL, State

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z")
WHOLE = {
    "id", "email", "first_name", "last_name", "last_login", "date_joined", "is_active", "is_superuser", "role", "groups",
    "password_reset_in_progress",
}  # fmt: skip


@pytest.fixture(scope="module")
def told(desk_in):
    """A daemon with a history: of each kind results of two people, and one job that waits."""
    desk = desk_in()
    desk.made = {}
    for kind in ("alm", "analysis", "ldap"):
        connection = desk.connection(kind, system="jira", project=8 if kind == "analysis" else 7)
        for succeeded, automatic, who in product((True, False), (True, False), ("admin", "agent")):
            desk.result(connection, kind, succeeded=succeeded, automatic=automatic, who=who)
        waiting = desk.initiate(connection, kind)
        desk.until(
            lambda path=f"/jobs/{kind}/{waiting['id']}/", before=waiting: (
                desk.get(path)["last_run"] > before["last_run"]
            )
        )
        desk.made[kind] = connection
    return desk


def ids(answer):
    """Of a list."""
    return [job["id"] for job in answer["results"]]


def test_all_kinds_in_one_list(told):
    """Newest first, without attachments; only `results` where there is no page_size."""
    every = told.get("/jobs/")
    assert list(every) == ["results"]
    assert ids(every) == sorted(ids(every), reverse=True)
    assert len(every["results"]) == 27
    assert not [job for job in every["results"] if "attachment" in job]
    by_kind = {kind: told.get(f"/jobs/{kind}/") for kind in told.made}
    assert sorted(job for answer in by_kind.values() for job in ids(answer)) == sorted(ids(every))
    for kind, answer in by_kind.items():
        assert {job["connection"]["id"] for job in answer["results"]} == {told.made[kind]}
        assert {job["attachment"] for job in answer["results"]} == {None}
        assert all(MOMENT.fullmatch(job["last_run"]) for job in answer["results"])
        bare = [{key: value for key, value in job.items() if key != "attachment"} for job in answer["results"]]
        assert bare == [job for job in every["results"] if job["id"] in ids(answer)]


def test_filters_hold_together(told):
    """Every combination gives what the jobs themselves say; a word that is no boolean filters nothing."""
    every = told.get("/jobs/alm/")["results"]
    words = {"true": True, "True": True, "false": False, "False": False, "": None, "1": None, "nonsense": None}
    tried = 0
    for automatic, ready, succeeded in product(
        ("", "true", "False", "nonsense"), ("", "True", "false", "1"), ("", "true", "false")
    ):
        for user in ("", "agent@example.com", "no-reply+admin@localhost", "AGENT@example.com"):
            query = {"automatic": automatic, "ready": ready, "succeeded": succeeded, "user": user}
            wanted = {name: words[query[name]] for name in ("automatic", "ready", "succeeded")} | {
                "user": user or None
            }
            fits = [
                job["id"] for job in every
                if all(value is None or job[name] == value for name, value in wanted.items())
            ]  # fmt: skip
            assert ids(told.get("/jobs/alm/", params=query)) == fits, query
            tried += 1
    assert tried == 192


def test_by_connection(told):
    """Of the list's kinds only; what is no number is refused, whatever else is asked for."""
    tracker = told.made["alm"]
    assert len(ids(told.get("/jobs/", params={"connection": tracker}))) == 9
    assert ids(told.get("/jobs/ldap/", params={"connection": tracker})) == []
    for none in ("9999", "-1", str(10**40)):
        assert ids(told.get("/jobs/", params={"connection": none})) == []
    refused = told.get("/jobs/", params={"connection": "x", "ready": "true"}, status=400)
    assert refused == {"connection": ["Enter a number."]}


def test_pages(told):
    """`count`, `next` and `previous` come with page_size; links name this host and keep the filters."""
    path, query = "/jobs/", {"page_size": 10, "automatic": "true"}
    every, found, page = ids(told.get(path, params={"automatic": "true"})), [], told.get(path, params=query)
    base = f"{told.url}/api/v2/jobs/"
    assert list(page) == ["count", "next", "previous", "results"]
    assert (page["next"], page["previous"]) == (f"{base}?automatic=true&page=2&page_size=10", None)
    while page:
        assert page["count"] == len(every) == 12
        found += ids(page)
        last = page
        page = told.get(page["next"]) if page["next"] else None
    assert found == every
    assert last["previous"] == f"{base}?automatic=true&page_size=10"
    assert ids(told.get(path, params={**query, "page": "last"})) == ids(last)
    assert ids(told.get(path, params={"page_size": 10000})) == ids(told.get(path))
    assert list(told.get(path, params={"page": 7})) == ["results"]
    for bad in ("0", "x", "99", "-1", ""):
        assert told.get(path, params={**query, "page": bad}, status=404) == {"detail": "Invalid page."}
    empty = told.get(path, params={"page_size": 5, "connection": 9999})
    assert empty == {"count": 0, "next": None, "previous": None, "results": []}


def test_people_are_shown_whole_on_request(told):
    """`expand`, in lists and alone; who is not asked for stays an e-mail."""
    (job,) = told.get("/jobs/ldap/", params={"ready": "false", "expand": "user,triggered_by"})["results"]
    assert set(job["user"]) == set(job["triggered_by"]) == WHOLE
    assert (job["user"]["email"], job["user"]["role"]) == (
        "no-reply+admin@localhost",
        {"id": "UR5", "name": "No Role"},
    )
    assert (job["user"]["is_active"], job["triggered_by"]["email"]) == (False, "admin@example.com")
    alone = told.get(f"/jobs/ldap/{job['id']}/", params={"expand": "triggered_by,nothing"})
    assert alone["user"] == "no-reply+admin@localhost"
    assert alone["triggered_by"] == job["triggered_by"]


def test_params_are_for_those_with_the_right(told):
    """The permission of the job's kind, in lists of all kinds too; others do not even see the name."""
    for who, seen in (
        ("admin", {"alm", "analysis", "ldap"}),
        ("alm", {"alm"}),
        ("verifier", {"analysis", "ldap"}),
        ("agent", set()),
        ("reader", set()),
    ):
        shown = {
            job["connection"]["id"] for job in told.get("/jobs/", who=who)["results"] if "params" in job["connection"]
        }  # fmt: skip
        assert shown == {told.made[kind] for kind in seen}
    (job, *_) = told.get("/jobs/alm/")["results"]
    assert job["connection"]["params"] == {"server": "s", "alm_user": "u", "alm_pass": "secret"}
    assert "secret" not in told.ask("GET", f"/jobs/alm/{job['id']}/", who="reader").text


def test_the_projects_older_addresses(told):
    """Lists and single jobs of its connections; nothing of another project."""
    assert ids(told.get("/projects/7/jobs/alm/")) == ids(told.get("/jobs/alm/"))
    assert ids(told.get("/projects/8/jobs/alm/")) == []
    analysis = told.get("/projects/8/jobs/analysis/", params={"page_size": 4})
    assert analysis["count"] == 9
    assert analysis["next"] == f"{told.url}/api/v2/projects/8/jobs/analysis/?page=2&page_size=4"
    job = analysis["results"][0]
    assert told.get(f"/projects/8/jobs/analysis/{job['id']}/") == job
    for path in (
        f"/projects/7/jobs/analysis/{job['id']}/",
        f"/projects/8/jobs/alm/{job['id']}/",
        "/projects/9/jobs/alm/",
    ):
        assert told.get(path, status=404) == {"detail": "Not found."}


def test_a_job_is_found_under_its_kind_only(told):
    """Whatever stands there for an id."""
    (job, *_) = ids(told.get("/jobs/alm/"))
    assert told.get(f"/jobs/issue-tracker/{job}")["id"] == job
    for path in (
        f"/jobs/ldap/{job}/",
        "/jobs/alm/0/",
        "/jobs/alm/x/",
        f"/jobs/alm/{2**63}/",
        "/jobs/nothing/",
        f"/jobs/{job}/",
    ):
        assert told.get(path, status=404) == {"detail": "Not found."}


def test_last_jobs_of_connections(told):
    """`include=last_job` shows the newest, as it is."""
    (connection,) = told.get("/connections/alm/", params={"include": "last_job"})["results"]
    newest = told.get("/jobs/alm/")["results"][0]
    assert (
        connection["last_job"].items()
        >= {name: newest[name] for name in ("id", "ready", "succeeded", "last_run")}.items()
    )
    assert connection["in_progress"] is True


def test_nothing_without_a_token(told):
    """401, and how to come back."""
    answer = told.http.get("/jobs/")
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Token")
    assert answer.json() == {"detail": "Authentication credentials were not provided."}


@pytest.mark.parametrize("state", State)
def test_a_message_is_a_result(state):
    """What a run says while it goes on, such as why it is tried again, is none."""
    now = datetime(2026, 3, 7, tzinfo=UTC)
    job = SdeJob(
        run_no=1, connection_id=1, kind="alm", state=state, reason="why", opened_at=now, run_at=now, automatic=True,
        user="a", triggered_by="b", attachment=None,
    )  # fmt: skip
    course = course_of(job)
    assert course.result_message == ("why" if state in FINAL else "")
    assert (course.ready, course.succeeded) == (state in FINAL, state is State.SUCCEEDED)
