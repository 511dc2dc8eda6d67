"""The pages on jobs: from the state that each describes, their answers.

Every exception stands beside its sample. They are of these kinds:

- the page contradicts itself: the bot of the server has two addresses, a connection asked for as 12 is answered
  as 23, an initiated LDAP job is ready at once, a result posted as automatic is shown as not automatic;
- what is known of a user: the configuration has one name, and neither when it logged in nor when it joined;
- the older page knows fewer fields than the newer one, which is the one that is served.
"""

import pytest

ALM = {"rally": ("Rally", "Rally", "run_my_connection"), "ldap": ("LDAP", "LDAP", "sync_ldap")}
ANALYSIS = {"whitehat": ("Whitehat", "Whitehat", "run_my_connection"), "ldap": ("LDAP", "LDAP", "sync_ldap")}
MINE = {"alias": "My Connection", "frequency": "daily", "project": 7, "connector": 1}
BOT = {"user": "no-reply+example@localhost here, no-reply+admin@localhost where it is shown whole"}
PERSON = {
    "triggered_by.last_name": "the configuration has one name",
    "triggered_by.last_login": "logins are not kept",
    "triggered_by.date_joined": "the configuration does not say when",
    "user.date_joined": "the configuration does not say when",
}
OLDER = {
    "user": "who asked, in the older page; in the newer one who ran it, and triggered_by who asked",
    "triggered_by": "the older page does not know it",
    "attachment": "the older page does not know it",
}


def ready_made(scene, kind, systems, params, *, connection):
    """A server with connection `connection` of that kind, on a connector of the one system."""
    made = scene(systems)
    system = next(iter(systems))
    made.connector(1, kind, name="Mine", system={"id": system}, params={})
    made.connection(connection, kind, **MINE, params=params)
    return made


def one_of(answer):
    """The one job of a list."""
    assert answer.status_code == 200
    (job,) = answer.json()["results"]
    return job


@pytest.mark.parametrize(("kind", "systems"), [("alm", ALM), ("analysis", ANALYSIS)])
def test_jobs_that_ran(scene, samples, same, kind, systems):
    """Listed and alone, with users by e-mail or whole, in both pages."""
    page = samples["jobs", "GET", f"/jobs/{kind}/"][0]["results"][0]
    made = ready_made(scene, kind, systems, page["connection"]["params"], connection=23)
    made.ran(kind, 12, 23)
    same(page, one_of(made.http.get(f"/jobs/{kind}/")), BOT)
    whole = samples["jobs", "GET", f"/jobs/{kind}/?expand=user,triggered_by"][0]["results"][0]
    same(whole, one_of(made.http.get(f"/jobs/{kind}/?expand=user,triggered_by")), PERSON)
    same(samples["jobs", "GET", f"/jobs/{kind}/{{job_id}}"][0], made.http.get(f"/jobs/{kind}/12").json(), BOT)
    older = samples["older", "GET", f"/jobs/{kind}/"][0]["results"][0]
    params = {"connection.params.alm_auth_mode": "the older page does not have it"} if kind == "alm" else {}
    same(older, one_of(made.http.get(f"/jobs/{kind}/")), OLDER | params)
    same(
        samples["older", "GET", f"/jobs/{kind}/{{job_id}}"][0],
        made.http.get(f"/jobs/{kind}/12/").json(),
        OLDER | params,
    )


def test_jobs_of_all_kinds(scene, samples, same):
    """Without the attachment."""
    page = samples["jobs", "GET", "/jobs/"][0]["results"][0]
    made = ready_made(scene, "analysis", ANALYSIS, page["connection"]["params"], connection=23)
    made.ran("analysis", 12, 23)
    others = "?connection=23"
    same(page, one_of(made.http.get(f"/jobs/{others}")), BOT)
    whole = samples["jobs", "GET", "/jobs/?expand=user,triggered_by"][0]["results"][0]
    same(whole, one_of(made.http.get(f"/jobs/{others}&expand=user,triggered_by")), PERSON)


@pytest.mark.parametrize(("kind", "systems"), [("alm", ALM), ("analysis", ANALYSIS)])
def test_initiating(scene, samples, same, kind, systems):
    """The answer to `ready` false, also at the older address."""
    page = next(body for body in samples["jobs", "POST", f"/jobs/{kind}/"] if not body["ready"])
    made = ready_made(scene, kind, systems, page["connection"]["params"], connection=12)
    made.jobs_before(12)
    asked = {"connection": 12, "automatic": False, "ready": False}
    other = {"connection.id": "asked of 12, the page answers with 23"} if kind == "analysis" else {}
    same(page, made.made(f"/jobs/{kind}/", **asked), other)
    older = next(body for body in samples["older", "POST", f"/projects/1/jobs/{kind}/"] if not body["ready"])
    number = {"id": "the second job of this state"}
    params = {"connection.params.alm_auth_mode": "the older page does not have it"} if kind == "alm" else {}
    same(older, made.made(f"/projects/7/jobs/{kind}/", **asked), OLDER | params | other | number)


@pytest.mark.parametrize(("kind", "systems"), [("alm", ALM), ("analysis", ANALYSIS)])
def test_posting_results(scene, samples, same, kind, systems):
    """The answer to a result, also at the older address."""
    page = next(body for body in samples["jobs", "POST", f"/jobs/{kind}/"] if body["ready"])
    made = ready_made(scene, kind, systems, page["connection"]["params"], connection=12)
    made.jobs_before(12)
    asked = {"connection": 12, "result_message": "My Message", "succeeded": True, "automatic": True}
    other = {"connection.id": "asked of 12, the page answers with 23"} if kind == "analysis" else {}
    user = {"user": "the bot for one kind, who posted it for the other"} if kind == "analysis" else {}
    same(page, made.made(f"/jobs/{kind}/", **asked), other | user)
    older = next(body for body in samples["older", "POST", f"/projects/1/jobs/{kind}/"] if body["ready"])
    number = {"id": "the second job of this state"}
    params = {"connection.params.alm_auth_mode": "the older page does not have it"} if kind == "alm" else {}
    unknown = {name: OLDER[name] for name in ("triggered_by", "attachment")}
    same(older, made.made(f"/projects/7/jobs/{kind}/", **asked), unknown | params | other | number)


def directory(scene, params):
    """A server with LDAP connection 29."""
    made = scene(ALM, at="2017-01-05T18:38:42.604983Z", filler="ldap")
    return made, made.connection(29, "ldap", alias="gg'", frequency="manually", params=params)


def test_directories(scene, samples, same):
    """LDAP jobs: listed and alone, with users by e-mail or whole, in both pages."""
    page = samples["jobs", "GET", "/jobs/ldap/"][0]["results"][0]
    made, _ = directory(scene, page["connection"]["params"])
    made.ran("ldap", 57, 29, automatic=False)
    others = "?connection=29"
    same(page, one_of(made.http.get(f"/jobs/ldap/{others}")), BOT)
    whole = samples["jobs", "GET", "/jobs/ldap/?expand=user,triggered_by"][0]["results"][0]
    same(whole, one_of(made.http.get(f"/jobs/ldap/{others}&expand=user,triggered_by")), PERSON)
    joe = {"triggered_by": "admin in the list, joe alone"}
    same(samples["jobs", "GET", "/jobs/ldap/{job_id}"][0], made.http.get("/jobs/ldap/57/").json(), BOT | joe)


def test_directories_that_are_posted_to(scene, samples, same):
    """Initiated, and with a result."""
    initiated, result = samples["jobs", "POST", "/jobs/ldap/"]
    made, _ = directory(scene, initiated["connection"]["params"])
    made.jobs_before(57)
    made.http.headers["Authorization"] = "Token of-the-admin-Joe"
    at_once = dict.fromkeys(("ready", "succeeded"), "the page's job is ready at once")
    same(initiated, made.made("/jobs/ldap/", connection=29, automatic=False, ready=False), BOT | at_once)
    asked = {"connection": 29, "result_message": "My Message", "succeeded": True, "automatic": True}
    excused = {
        "id": "the second job of this state",
        "automatic": "posted as automatic, the page shows it as not automatic",
        "user": "who posted it, as with ALM jobs",
    }
    same(result, made.made("/jobs/ldap/", **asked), excused)


def test_a_file_import(scene, samples, same):
    """A job with its attachment, on a connection that was made for it."""
    (page,) = samples["jobs", "POST", "/jobs/analysis-file/"]
    systems = ALM | {"fortify_file_upload": ("Fortify Software Security Center", "Fortify", "import_fortify")}
    made = scene(systems, at="2018-08-01T15:51:47.606173-04:00")
    while len(made.others) < 9:
        made.filled()
    made.jobs_before(10)
    own = {"params": '{"sde_project": 1, "sde_businessunit": 1, "sde_application": 1}'}
    answer = made.http.post(
        "/jobs/analysis-file/",
        data={"system": "fortify_file_upload", "project": "1"} | own,
        files={"report_file": ("report.xml", b"<?xml version='1.0'?><ReportDefinition/>", "text/xml")},
    )
    assert answer.status_code == 201, answer.text
    same(page, answer.json(), {"last_run": "the same instant in UTC"})
