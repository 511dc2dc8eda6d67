"""Programs that others write against SD Elements, unchanged, against a daemon."""

import pytest

pytestmark = pytest.mark.acceptance


@pytest.mark.parametrize("slash", [["--slash"], []])
def test_a_session_that_follows_redirects_initiates_one_job_and_reads_it(face, token, slash):
    """With and without the slash: no redirect turns its POST into a GET, and it reads the job until it is ready."""
    reached, unreached = face.connection("good"), face.connection("bad", comment="no route")
    good = face.run("with_requests", token, reached, *slash)
    assert (good["job"]["succeeded"], good["job"]["automatic"], good["hops"]) == (True, False, [])
    assert (good["listed"], len(face.jobs())) == ([good["job"]["id"]], 1)
    bad = face.run("with_requests", token, unreached, *slash)
    assert (bad["job"]["succeeded"], bad["hops"]) == (False, [])
    assert "no route to host" in bad["job"]["result_message"]


def test_the_standard_library_alone(face, token):
    """A result is posted; each refusal is found where such a program looks."""
    told = face.run("with_urllib", token, face.connection("Team A"))
    status, job = told["posted"]
    assert (status, job["ready"], job["result_message"], job["user"]) == (
        201,
        True,
        "12 tasks added",
        "tester@example.com",
    )
    status, faults = told["wrong"]
    assert (status, faults["connection"]) == (400, ['Invalid pk "999" - object does not exist.'])
    assert told["unknown"] == [404, "Not found."]
    assert told["stranger"] == [401, "Invalid token."]
    assert told["method"] == [405, 'Method "DELETE" not allowed.']


def test_the_habits_of_the_public_client(face, password):
    """Content-Type on GETs, a login, page_size=10000, an object put back as it was read, over one connection."""
    first, second = face.connection("Team A", alm_project="A"), face.connection("Team B", alm_project="B")
    face.made("/jobs/alm/", connection=second, automatic=True, succeeded=False, result_message="No route")
    told = face.run("synchronizing", "tester@example.com", password)
    assert (told["count"], told["me"]["email"]) == (2, "tester@example.com")
    assert [one["id"] for one in told["after"]] == [first, second]
    for before, after in zip(told["before"], told["after"], strict=True):
        renamed = {"alias": before["alias"] + " (renamed)", "frequency": "manually"}
        assert after == before | renamed
        assert after["params"]["alm_server"] == "jira.example.com"
    assert told["after"][0]["last_job"] is None
    assert told["after"][1]["last_job"]["result_message"] == "No route"
