"""What each call needs: every permission of the pages, and a token."""

import pytest

from jobsd.http.ccs import rights

NOBODY = "5ade67f0-0c93-49f3-9f2b-b8ec4beaa99c"
DENIED = {"Message": "You are not authorized to perform this task. Access is denied."}

FOLDERS = {"access-asset-system", "access-standards"}
CREATE = {
    "view-standards", "view-assets", "manage-jobs", "collect-data", "evaluate-standards", "view-evaluation-results",
    "access-asset-system", "access-standards",
}  # fmt: skip
OPERATE = CREATE | {"view-all-jobs"}
READ = {"view-all-jobs"}
DELETE = CREATE - {"view-assets"}

CALLS = {
    "create": ("POST", "/jobs", b"{}", CREATE, 400),
    "update": ("PATCH", "/jobs/", b"{}", CREATE, 400),
    "execute": ("POST", f"/jobs/{NOBODY}", b'{"Operation": "execute"}', OPERATE, 400),
    "abort": ("POST", f"/jobs/{NOBODY}", b'{"Operation": "abort"}', OPERATE, 400),
    "search": ("GET", "/jobs?Attributes=JobName%20=%20x", None, READ, 200),
    "by name": ("GET", "/jobs?jobname=nightly", None, READ, 200),
    "by id": ("GET", f"/jobs/{NOBODY}", None, READ, 404),
    "jobruns": ("GET", f"/jobs/{NOBODY}/jobruns", None, READ, 404),
    "delete": ("DELETE", f"/jobs?jobid={NOBODY}", b"\r", DELETE, 400),
}


def test_the_table_is_the_one_of_the_code():
    """The sets that the routes use are those of the pages."""
    assert {str(name) for name in rights.CREATE} == CREATE
    assert {str(name) for name in rights.OPERATE} == OPERATE
    assert {str(name) for name in rights.READ} == READ
    assert {str(name) for name in rights.DELETE} == DELETE


@pytest.fixture(scope="module")
def people(told, shared, words, tmp_path_factory):
    """A user for every permission that is the only one lacking, and one with each set exactly."""
    users = [
        words.user(f"no {one}", [name for name in words.permissions if name != one]) for one in words.permissions
    ]
    users += [words.user(call, sorted(needed)) for call, (*_, needed, _) in CALLS.items()]
    users += [words.user("nothing", ()), words.user("no word of folders", sorted(OPERATE - FOLDERS))]
    house = type(told)(tmp_path_factory.mktemp("people"), text=words.file(*users))
    face = type(shared)(house)
    try:
        names = [*(f"no {one}" for one in words.permissions), *CALLS, "nothing", "no word of folders"]
        face.permissions = words.permissions
        face.scripts = {name: face.script(name) for name in names}
        yield face
    finally:
        face.close()
        house.stop()


@pytest.mark.parametrize("call", CALLS)
def test_every_call_needs_all_of_its_permissions(people, call):
    """Without any one of them 403 with the documented text, with exactly these the call is looked at."""
    method, path, body, needed, status = CALLS[call]
    assert people.scripts[call].call(method, path, body).status_code == status
    for name, script in people.scripts.items():
        if name.removeprefix("no ") in people.permissions:
            answer = script.call(method, path, body)
            if name.removeprefix("no ") in needed:
                assert (answer.status_code, answer.json()) == (403, DENIED), name
            else:
                assert answer.status_code == status, name
    assert people.scripts["nothing"].json(method, path, body, status=403) == DENIED
    assert people.stranger().call(method, path, body).status_code == 401


@pytest.mark.parametrize("call", CALLS)
def test_folders_are_open_until_one_is_named(people, call):
    """With the other permissions and no word of folders every call is looked at."""
    method, path, body, _, status = CALLS[call]
    assert people.scripts["no word of folders"].call(method, path, body).status_code == status


def test_rights_come_before_everything_else(people):
    """Who may not create learns nothing of a body's faults, nor whether a job exists."""
    poor = people.scripts["nothing"]
    assert poor.json("POST", "/jobs", b"\xff", status=403) == DENIED
    assert poor.json("GET", "/jobs/not-a-guid", status=403) == DENIED
    assert people.stranger().call("POST", "/jobs", b"\xff").status_code == 401


def test_only_the_creator_deletes(face, request_of):
    """Another user with every permission is denied, by either meaning; the case of the name does not matter."""
    mine, theirs = face.script(), face.script(r"CORP\other")
    job = mine.json("POST", "/jobs", request_of(Schedule={"RunNow": False}))["JobID"]
    for meaning in ("", "&DeleteJob=True"):
        assert theirs.json("DELETE", f"/jobs?jobid={job}{meaning}", status=403) == DENIED
    assert mine.json("GET", f"/jobs/{job}")["CreatedBy"] == r"CORP\auditor"
    assert theirs.json("PATCH", "/jobs", {"JobID": job, "JobDetails": {"JobDescription": "theirs"}}) == {
        "JobID": job
    }
    again = face.script(r"corp\AUDITOR")
    assert "deleted" in again.text("DELETE", f"/jobs?jobid={job}&DeleteJob=True", status=200)


def test_every_act_leaves_its_actor(face, request_of):
    """Who, by what and from where stand on the events of jobs and runs.

    Rule: actors
    """
    script = face.script(r"corp\other")
    held = (("11111111-1111-1111-1111-111111111111", "held"),)
    job = script.json("POST", "/jobs", request_of(assets=held, Schedule={}))["JobID"]
    (run,) = script.json("GET", f"/jobs/{job}/jobruns")
    face.house.ended(run["JobRunID"], "running")
    assert script.call("POST", f"/jobs/{run['JobRunID']}", {"Operation": "abort"}).status_code == 204
    face.house.ended(run["JobRunID"])
    script.json("PATCH", "/jobs", {"JobID": job, "JobDetails": {"JobDescription": "x"}})

    def events(connection):
        query = "SELECT name, actor, actor_by, actor_from FROM events WHERE actor_by = 'api'"
        return connection.exec_driver_sql(query).all()

    before = face.house.ledger.read(events)
    script.json("DELETE", f"/jobs?jobid={job}")
    script.json("DELETE", f"/jobs?jobid={job}&DeleteJob=true")
    found = [*before, *face.house.ledger.read(events)]
    assert {row[1:] for row in found} == {(r"CORP\other", "api", "127.0.0.1")}
    assert {row[0] for row in before} == {"record", "open", "stop_requested", "change"}
    assert "remove" in {row[0] for row in found}
