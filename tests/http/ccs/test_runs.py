"""Executing, aborting, and the latest job runs, which clients poll."""

from datetime import timedelta

import pytest

HELD, GONE = "11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"
NOBODY = "5ade67f0-0c93-49f3-9f2b-b8ec4beaa99c"
NEVER = {"RunNow": False}
NOT_SET = "0001-01-01T00:00:00"
FIELDS = ["JobRunID", "JobID", "CustomStatusText", "Exception", "JobStartTime", "JobEndTime", "JobSummary", "Status",
          "ActivityStatusList"]  # fmt: skip
EXECUTE, ABORT = b'{\r\n"Operation":"execute"\r\n}\r\n', b'{\r\n"Operation":"abort"\r\n}\r\n'


@pytest.fixture
def job(script, request_of):
    """Makes jobs that fire only when they are executed; gives their JobIDs."""

    def make(name="Weekly", **details):
        return script.json("POST", "/jobs", request_of(name, **{"Schedule": NEVER, **details}))["JobID"]

    return make


def latest(script, job, query=""):
    """The job runs, newest first."""
    return script.json("GET", f"/jobs/{job}/jobruns{query}")


def test_execute_answers_the_bare_status_of_the_run(face, script, job):
    """The page's fields in its order; polled until it has ended, it is completed."""
    key = job()
    answer = script.json("POST", f"/jobs/{key}", EXECUTE)
    assert list(answer) == FIELDS
    assert (answer["JobID"], answer["JobEndTime"], answer["ActivityStatusList"]) == (key, NOT_SET, [])
    assert answer["Status"] in (1, 2)
    face.house.ended(answer["JobRunID"])
    (status,) = latest(script, key)
    assert list(status) == FIELDS
    assert (status["JobRunID"], status["Status"], status["JobSummary"]) == (
        answer["JobRunID"],
        4,
        "1 of 1 assets done",
    )
    assert (status["CustomStatusText"], status["Exception"]) == ("", None)
    assert status["JobStartTime"] == status["JobEndTime"] == "2026-03-07T12:00:00.0000000Z"
    shown = script.json("GET", f"/jobs/{key}")
    assert (shown["LastRunStatus"], shown["LastRunDate"]) == (4, status["JobStartTime"])
    assert face.house.get(f"/v1/runs/{answer['JobRunID']}")["kind"] == "manual"


@pytest.mark.parametrize(
    "body", ['{"Operation": "EXECUTE"}', '{"operation": 1, "Operation": " Execute "}', '\ufeff{"Operation":"execute"}',
             "Operation=execute", "\r\nOperation=Execute\r\n"],
)  # fmt: skip
def test_the_operation_may_be_written_in_any_of_these_ways(face, script, job, body):
    """Any case, blanks, form text, a byte order mark, fields that are not known."""
    key = job()
    answer = script.json("POST", f"/Jobs/{key.upper()}/", body.encode())
    face.house.ended(answer["JobRunID"])


@pytest.mark.parametrize(
    "body", [b'{"Operation": "delete"}', b'{"Operation": null}', b"{}", b'"execute"', b"execute"]
)
def test_another_operation_is_refused(script, job, body):
    """400 that says what there is."""
    answer = script.json("POST", f"/jobs/{job()}", body, status=400)
    assert set(answer) == {"Message", "Errors"}


def test_while_a_run_is_active_execute_is_refused_and_names_it(face, script, job):
    """400 with the JobRunID; after it has ended the job can be executed again."""
    key = job(AssetsResolutionInfo=[{"Id": HELD, "Type": "held"}])
    run = script.json("POST", f"/jobs/{key}", EXECUTE)["JobRunID"]
    face.house.ended(run, "running")
    assert run in script.text("POST", f"/jobs/{key}", EXECUTE, status=400)
    (status,) = latest(script, key, "?ShowMessages=TRUE")
    assert (status["Status"], status["JobEndTime"]) == (2, NOT_SET)
    assert status["JobSummary"] == "0 of 1 assets done, 1 open"
    assert status["ActivityStatusList"][0]["Status"] == "open"
    (face.house.folder / "go").touch()
    face.house.ended(run)
    again = script.json("POST", f"/jobs/{key}", EXECUTE)["JobRunID"]
    face.house.ended(again)
    assert [status["JobRunID"] for status in latest(script, key, "?count=0")] == [again, run]


def test_abort_ends_the_run_and_may_be_said_again(face, script, job):
    """204 without a body, also for one that is aborted already; another ended run is 400.

    Rule: abort-again
    """
    key = job(AssetsResolutionInfo=[{"Id": HELD, "Type": "held"}])
    run = script.json("POST", f"/jobs/{key}", EXECUTE)["JobRunID"]
    face.house.ended(run, "running")
    for path in (f"/jobs/{run}", f"/JOBS/{run.upper()}/"):
        answer = script.call("POST", path, ABORT)
        assert (answer.status_code, answer.content) == (204, b"")
    face.house.ended(run)
    assert script.call("POST", f"/jobs/{run}", ABORT).status_code == 204
    (status,) = latest(script, key)
    assert status["Status"] == 7
    assert status["JobEndTime"] != NOT_SET
    (face.house.folder / "go").touch()
    done = script.json("POST", f"/jobs/{key}", EXECUTE)["JobRunID"]
    face.house.ended(done)
    assert done in script.text("POST", f"/jobs/{done}", ABORT, status=400)


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/jobs/{none}", EXECUTE, 400),
        ("POST", "/jobs/{none}", ABORT, 400),
        ("POST", "/jobs/{run}", EXECUTE, 400),
        ("POST", "/jobs/{job}", ABORT, 400),
        ("POST", "/jobs/{short}", ABORT, 400),
        ("POST", "/jobs/1", EXECUTE, 400),
        ("POST", "/jobs/{hello}", EXECUTE, 400),
        ("POST", "/jobs/{command}", ABORT, 400),
        ("GET", "/jobs/{none}", None, 404),
        ("GET", "/jobs/{run}", None, 404),
        ("GET", "/jobs/{hello}", None, 404),
        ("GET", "/jobs/{none}/jobruns", None, 404),
        ("GET", "/jobs/{run}/jobruns", None, 404),
        ("GET", "/jobs/x/jobruns", None, 400),
        ("GET", "/jobs/{job}/jobruns?count=-1", None, 400),
        ("GET", "/jobs/{job}/jobruns?count=x", None, 400),
        ("GET", "/jobs/{job}/jobruns?count=1.5", None, 400),
        ("GET", "/jobs/{job}/jobruns?count=99999999999999999999", None, 400),
        ("GET", "/jobs/{job}/jobruns?showmessages=perhaps", None, 400),
    ],
)
def test_what_is_not_there_is_told(told_face, method, path, body, status):
    """404 where it is asked for, 400 where it is to be acted on; only jobs that collect are there at all."""
    answer = told_face.auditor.json(method, path.format(**told_face.known), body, status=status)
    assert answer["Message"]


@pytest.fixture(scope="module")
def told_face(shared):
    """The shared face after a run of a job of the file, and one of a job that collects nothing."""
    nightly = shared.auditor.json("GET", "/jobs?jobname=nightly")["JobID"]
    run = shared.auditor.json("POST", f"/jobs/{nightly}", EXECUTE)["JobRunID"]
    shared.house.ended(run)
    command = shared.house.ran("hello")
    shared.known = {
        "none": NOBODY,
        "job": nightly,
        "run": run,
        "short": run[:8],
        "hello": shared.house.get("/v1/jobs/hello")["guid"],
        "command": command["run_id"],
    }
    return shared


def test_jobs_of_the_file_are_executed_here_too(told_face, words):
    """They have an id that stays, and say what they do in the API's words."""
    shown = told_face.auditor.json("GET", f"/jobs/{told_face.known['job']}")
    details = shown["JobDetails"]
    assert (shown["JobName"], shown["JobType"], shown["JobCategory"], shown["CreatedBy"]) == (
        "nightly", "CollectionJob", "Data Collection", "",
    )  # fmt: skip
    assert shown["JobDescription"] == details["JobDescription"] == "of the file"
    assert [asset["Type"] for asset in details["AssetsResolutionInfo"]] == ["linux", "linux", "asset-group"]
    assert details["AssetsResolutionInfo"][0]["Id"] == words.web
    assert details["Standards"][0] == words.standard
    assert len(set(details["Standards"])) == 2
    assert (details["AssetTimeOut"], details["IncrementalPeriod"], details["IsIncremental"]) == (2, 2, True)
    assert (details["CollectionOnlyTimeOutHours"], details["CollectionOnlyTimeOutMins"]) == (1, 30)
    assert details["FailureNotification"] == {"ToEmailAddress": "a@example.com, b@example.com", "Subject": "S"}
    assert (details["ShouldSendFailureNotification"], details["ShouldSendSuccessNotification"]) == (True, False)
    assert shown == told_face.auditor.json("GET", f"/jobs/{told_face.known['job']}")


def test_count_and_messages(face, script, job):
    """1 is the default, 0 is all, newest first; the assets stand there only where they are asked for."""
    key = job(AssetsResolutionInfo=[{"Id": HELD, "Type": "held"}, {"Id": GONE, "Type": "linux"}])
    (face.house.folder / "go").touch()
    made = []
    for _ in range(3):
        run = script.json("POST", f"/jobs/{key}", EXECUTE)["JobRunID"]
        face.house.ended(run)
        made.insert(0, run)
        face.clock.advance(timedelta(minutes=1))
    for query, found in (("", 1), ("?count=2", 2), ("?count=0", 3), ("?Count=1000", 3), ("?COUNT=+2+", 2)):
        assert [status["JobRunID"] for status in latest(script, key, query)] == made[:found]
    assert latest(script, key, "?showmessages=False")[0]["ActivityStatusList"] == []
    (status,) = latest(script, key, "?count=1&showmessages=true")
    assert status["ActivityStatusList"] == [
        {"AssetID": "held-1", "AssetType": "held", "Status": "done", "Message": "",
         "StartTime": status["JobStartTime"], "EndTime": status["JobEndTime"]},
        {"AssetID": "gone-1", "AssetType": "linux", "Status": "unreachable", "Message": "collect: no route",
         "StartTime": status["JobStartTime"], "EndTime": status["JobEndTime"]},
    ]  # fmt: skip
    assert status["Status"] == 6
    assert status["CustomStatusText"]
    assert status["JobSummary"].startswith("1 of 2 assets done, 1 unreachable")


def test_an_incomplete_run_is_idle_until_its_rerun(face, script, job):
    """Status 3 with what is left; execute names it."""
    rerun = {"RunNow": False, "SubScheduleRepeatDays": 1, "SubScheduleRepeatPeriodDays": 2}
    key = job(AssetsResolutionInfo=[{"Id": GONE, "Type": "linux"}], Schedule=rerun)
    run = script.json("POST", f"/jobs/{key}", EXECUTE)["JobRunID"]
    face.house.ended(run, "incomplete")
    (status,) = latest(script, key)
    assert (status["Status"], status["JobEndTime"]) == (3, NOT_SET)
    assert run in script.text("POST", f"/jobs/{key}", EXECUTE, status=400)
    assert script.call("POST", f"/jobs/{run}", ABORT).status_code == 204
    assert latest(script, key)[0]["Status"] == 7


def test_runs_that_never_started_are_no_job_runs(face, script, job):
    """What was missed or skipped is not listed, and is no last run; what was aborted before it began is.

    Rule: ccs-jobruns
    """
    key = job(
        Schedule={
            "RunNow": False,
            "RunPeriodically": True,
            "RecurrenceType": 1,
            "StartDate": "2026-03-07T08:00:00",
        }
    )
    face.house.post("/v1/jobs/Weekly/pause", json={})
    face.clock.advance(timedelta(minutes=59))
    token = face.login()["access_token"]
    script = face.script(token=token)
    face.clock.advance(timedelta(minutes=2))
    face.house.until(lambda: face.house.get("/v1/runs?job=Weekly"))
    (run,) = face.house.get("/v1/runs?job=Weekly")
    assert run["state"] == "skipped"
    assert latest(script, key, "?count=0") == []
    shown = script.json("GET", f"/jobs/{key}")
    assert (shown["LastRunStatus"], shown["LastRunDate"]) == (0, NOT_SET)
    mine = script.json("POST", f"/jobs/{key}", EXECUTE)["JobRunID"]
    face.house.ended(mine)
    assert [status["JobRunID"] for status in latest(script, key, "?count=0")] == [mine]


@pytest.mark.parametrize("call", ["create", "update", "execute", "abort", "delete"])
def test_a_loop_that_does_not_answer_is_503(build_face, request_of, call):
    """Nothing was done, and the client may ask again; reading goes on."""
    face = build_face()
    script = face.script()
    key = script.json("POST", "/jobs", request_of(Schedule=NEVER))["JobID"]
    run = script.json("POST", f"/jobs/{key}", EXECUTE)["JobRunID"]
    face.house.ended(run)
    method, path, body = {
        "create": ("POST", "/jobs", request_of("Other")),
        "update": ("PATCH", "/jobs", {"JobID": key, "JobDetails": {"JobDescription": "x"}}),
        "execute": ("POST", f"/jobs/{key}", EXECUTE),
        "abort": ("POST", f"/jobs/{run}", ABORT),
        "delete": ("DELETE", f"/jobs?jobid={key}", b"\r"),
    }[call]
    with face.house.blocked():
        answer = script.call(method, path, body)
        assert (answer.status_code, set(answer.json())) == (503, {"Message"})
        assert answer.headers["retry-after"] == "5"
        assert script.json("GET", f"/jobs/{key}")["JobID"] == key


def test_while_the_daemon_stops_nothing_is_begun(build_face, request_of):
    """503: a client that tries again finds the next daemon."""
    face = build_face()
    script = face.script()
    key = script.json("POST", "/jobs", request_of(Schedule=NEVER))["JobID"]
    face.house.call(face.house.dispatcher.stop_firing())
    change = {"JobID": key, "JobDetails": {"JobDescription": "x"}}
    for method, path, body in (
        ("POST", "/jobs", request_of("Other")), ("PATCH", "/jobs", change), ("POST", f"/jobs/{key}", EXECUTE),
    ):  # fmt: skip
        assert "stopping" in script.text(method, path, body, status=503)


def test_a_fault_of_ours_is_500_in_the_shape_of_the_face(build_face, capfd, monkeypatch):
    """Nothing of it is told to the client."""
    from jobsd.http.ccs import reading

    face = build_face()
    script = face.script()

    def broken(*_args):
        raise RuntimeError("the secret inside")

    monkeypatch.setattr(reading.Reader, "named", broken)
    answer = script.json("GET", "/jobs?jobname=x", status=500)
    assert set(answer) == {"Message"}
    assert "secret" not in answer["Message"]
