"""Creating and changing jobs: every field does what the page says, and nothing is stored where anything is wrong."""

import json
import socket
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from scheduler.model import Actor, By

HELD, GONE = "11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"
NOBODY = "5ade67f0-0c93-49f3-9f2b-b8ec4beaa99c"
NEVER = {"RunNow": False}
MAIL = {"ToEmailAddress": "a@x.org; b@x.org", "FromEmailAddress": "ccs@x.org", "Subject": "S", "Body": "B\r\nC"}


def definition(face, name):
    """The definition in force."""
    return face.house.dispatcher.definitions[name]


def test_a_created_job_is_an_ordinary_one(face, script, request_of, words):
    """It has its name verbatim and a GUID that stays; the native API knows it too."""
    name = "Weekly – Linux, all (1)"
    answer = script.json("POST", "/jobs", request_of(name, JobDescription="All\r\nof them", Schedule=NEVER))
    assert set(answer) == {"JobID"}
    shown = script.json("GET", f"/jobs/{answer['JobID']}")
    assert {key: shown[key] for key in list(shown)[:10]} == {
        "JobID": answer["JobID"], "JobName": name, "JobCategory": "Collection-Evaluation",
        "JobType": "CollectionEvaluationJob", "JobDescription": "All\r\nof them",
        "JobCreationTime": "2026-03-07T12:00:00.0000000Z", "JobModifiedTime": "2026-03-07T12:00:00.0000000Z",
        "LastRunStatus": 0, "LastRunDate": "0001-01-01T00:00:00", "CreatedBy": r"CORP\auditor",
    }  # fmt: skip
    assert shown["JobDetails"]["Schedule"] == NEVER
    native = {job["job"]: job for job in face.house.get("/v1/jobs")}[name]
    assert (native["guid"], native["origin"]) == (answer["JobID"], "ccs")
    run = definition(face, name).run
    assert [(asset.id, asset.type) for asset in run.assets] == [("web-1", "linux")]
    assert run.standards == ("cis",)


@pytest.mark.parametrize(
    ("details", "found"),
    [
        ({"AssetTimeOut": 5}, ("asset_timeout", timedelta(minutes=5))),
        ({}, ("asset_timeout", timedelta(minutes=30))),
        ({"IsIncremental": True}, ("incremental", timedelta(days=1))),
        ({"IncrementalPeriod": 7}, ("incremental", timedelta(days=7))),
        ({"IncrementalPeriod": 7, "IsIncremental": "False"}, ("incremental", None)),
        ({}, ("incremental", None)),
        ({"CollectionOnlyTimeOutHours": 2, "CollectionOnlyTimeOutMins": 30}, ("collection_timeout", timedelta(hours=2.5))),
        ({"CollectionOnlyTimeOutHours": 0, "CollectionOnlyTimeOutMins": 0}, ("collection_timeout", None)),
        ({"Standards": [NOBODY.upper()]}, ("standards", (NOBODY,))),
    ],
)  # fmt: skip
def test_each_field_reaches_the_collection(face, script, request_of, details, found):
    """Bounds of time, ages and standards, as the runner reads them."""
    script.json("POST", "/jobs", request_of(Schedule=NEVER, **details))
    name, value = found
    assert getattr(definition(face, "Weekly").run, name) == value


def test_what_has_no_meaning_here_is_kept(script, request_of):
    """ShouldSynchronizeResults and notifications that are switched off are answered as they came."""
    given = {"ShouldSynchronizeResults": True, "SuccessNotification": MAIL, "ShouldSendSuccessNotification": False}
    job = script.json("POST", "/jobs", request_of(Schedule=NEVER, **given))["JobID"]
    details = script.json("GET", f"/jobs/{job}")["JobDetails"]
    assert {key: details[key] for key in given} == given


def test_notifications_become_mails(face, script, request_of):
    """To everybody in the list, from whom it says, verbatim; only those that are switched on."""
    script.json("POST", "/jobs", request_of(
        Schedule=NEVER, SuccessNotification=MAIL, ShouldSendSuccessNotification="true", FailureNotification=MAIL,
    ))  # fmt: skip
    notify = definition(face, "Weekly").notify
    mail = notify.success
    assert (mail.to, mail.sender, mail.subject, mail.body) == (("a@x.org", "b@x.org"), "ccs@x.org", "S", "B\r\nC")
    assert notify.failure is None


def test_the_schedule_counts_in_the_zone_of_the_daemon(face, script, request_of):
    """An offset is converted, a time without one is wall time; windows and reruns are the block's."""
    block = {"RunNow": False, "RunPeriodically": True, "RunEveryNDays": True, "RepeatDays": 7,
             "StartDate": "2026-03-09T22:00:00.5120788Z", "EndJobRunConfigured": True, "EndJobRunTimeInterval": "04:00:00",
             "SubScheduleRepeatDays": 1, "SubScheduleRepeatPeriodDays": 3}  # fmt: skip
    script.json("POST", "/jobs", request_of(Schedule=block))
    script.json("POST", "/jobs", request_of("Other", Schedule={**block, "StartDate": "2026-03-09T22:00:00"}))
    times = {entry["job"]: entry for entry in face.house.get("/v1/next?n=1")}
    assert times["Weekly"]["fire_time"] == "2026-03-09T22:00:00Z"
    assert times["Weekly"]["window_end"] == "2026-03-10T02:00:00Z"
    assert times["Weekly"]["reruns"] == ["2026-03-10T22:00:00Z", "2026-03-11T22:00:00Z"]
    assert times["Other"]["fire_time"] == "2026-03-10T02:00:00Z"


def test_a_recurrence_without_a_start_begins_with_the_job(face, script, request_of):
    """Its creation is the anchor, and stays it over updates and restarts."""
    block = {"RunNow": False, "RunPeriodically": True, "RunEveryNDays": True, "RepeatDays": 2}
    job = script.json("POST", "/jobs", request_of(Schedule=block))["JobID"]

    def coming():
        return face.house.get("/v1/jobs/Weekly/next?n=2")

    assert [entry["local"] for entry in coming()] == ["2026-03-09T07:00:00-04:00", "2026-03-11T07:00:00-04:00"]
    face.clock.advance(timedelta(minutes=50))
    script.json("PATCH", "/jobs", {"JobID": job, "JobDetails": {"Schedule": {**block, "RepeatDays": 4}}})
    assert [entry["local"] for entry in coming()] == ["2026-03-11T07:00:00-04:00", "2026-03-15T07:00:00-04:00"]


@pytest.mark.parametrize(
    ("schedule", "count"), [(None, 0), (NEVER, 0), ({}, 1), ({"RunNow": "True", "RunOnce": True}, 1)]
)
def test_run_now_is_true_where_there_is_a_schedule(face, script, request_of, schedule, count):
    """Without a Schedule a job is only created; in one, RunNow's default is true and beats RunOnce."""
    job = script.json("POST", "/jobs", request_of(Schedule=schedule))["JobID"]
    found = script.json("GET", f"/jobs/{job}/jobruns?count=0")
    assert len(found) == count
    for run in found:
        assert face.house.ended(run["JobRunID"])["state"] == "succeeded"
        assert face.house.get(f"/v1/runs/{run['JobRunID']}")["kind"] == "run_now"


@pytest.mark.parametrize(
    ("assets", "found", "groups"),
    [
        ([("WEB", "linux")], [("web-1", "linux")], ()),
        ([("WEB", "bare")], [("web-1", "linux")], ()),
        ([("web", "symc-anything")], [("web-1", "linux")], ()),
        ([(NOBODY, "linux")], [(NOBODY, "linux")], ()),
        ([("GROUP", "symc-anything"), (NOBODY, "bare")], [(NOBODY, "bare")], ("GROUP",)),
        ([("WEB", "symc-a"), (GONE, "symc-a")], [("web-1", "linux"), ("gone-1", "linux")], ()),
    ],
)
def test_assets_resolve_to_collectors(face, script, request_of, words, assets, found, groups):
    """By the table of GUIDs, by a group's name, else by the type as a collector's name."""
    known = {"WEB": words.web.upper(), "web": words.web, "GROUP": words.group}
    given = [(known.get(guid, guid), kind) for guid, kind in assets]
    script.json("POST", "/jobs", request_of(kind="CollectionJob", assets=given, Schedule=NEVER))
    run = definition(face, "Weekly").run
    assert [(asset.id, asset.type) for asset in run.assets] == found
    assert run.asset_groups == tuple(known[name] for name in groups)


def test_a_group_is_named_by_its_name_too(face, script, request_of):
    """In either case; it outlives the group, and other names are refused where they stand."""
    assets = [("BARE-Group", "symc-anything")]
    job = script.json("POST", "/jobs", request_of(kind="CollectionJob", assets=assets, Schedule=NEVER))["JobID"]
    assert definition(face, "Weekly").run.asset_groups == ("bare-group",)
    (kept,) = script.json("GET", f"/jobs/{job}")["JobDetails"]["AssetsResolutionInfo"]
    change = {"JobDetails": {"AssetsResolutionInfo": [kept], "JobDescription": "x"}, "JobID": job}
    assert script.json("PATCH", "/jobs", change) == {"JobID": job}
    refused = script.json("POST", "/jobs", request_of("Other", assets=[("bare", "linux")]), status=400)
    assert [fault["Field"] for fault in refused["Errors"]] == ["AssetsResolutionInfo[0].Id"]


@pytest.mark.parametrize(
    ("kind", "assets", "faults"),
    [
        ("CollectionJob", [(NOBODY, "symc-windows")], {"[0].Type": "symc-windows"}),
        ("CollectionJob", [("WEB", "Windows"), (NOBODY, "Linux")], {"[0].Type": "Windows", "[1].Type": "Linux"}),
        ("CollectionEvaluationJob", [(NOBODY, "linux"), (HELD, "bare"), (NOBODY[:-1] + "0", "bare")], {"[2].Type": "bare"}),
        ("EvaluationJob", [(NOBODY, "bare")], {"[0].Type": "bare"}),
        ("EvaluationJob", [("99999999-9999-9999-9999-999999999999", "any")], {"[0].Type": "bare"}),
    ],
)  # fmt: skip
def test_an_asset_type_that_is_not_known_is_named(shared, request_of, words, kind, assets, faults):
    """All of them at once, each at its place; a type that cannot be evaluated is one where it must be."""
    given = [(words.web if guid == "WEB" else guid, asset_type) for guid, asset_type in assets]
    answer = shared.auditor.json("POST", "/jobs", request_of(kind=kind, assets=given, Schedule={}), status=400)
    found = {fault["Field"]: fault["Message"] for fault in answer["Errors"]}
    assert found.keys() == {f"AssetsResolutionInfo{place}" for place in faults}
    for place, word in faults.items():
        assert f'"{word}"' in found[f"AssetsResolutionInfo{place}"]
    assert [job["job"] for job in shared.house.get("/v1/jobs")] == ["hello", "nightly"]


BAD = {
    "not JSON": b"{",
    "empty": b"",
    "blank": b"\r\n \t",
    "a list": b"[]",
    "null": b"null",
    "not UTF-8": b'{"JobType": "\xff"}',
    "UTF-16": json.dumps({"JobType": "x"}).encode("utf-16"),
    "twice": b'{"JobType": "CollectionJob", "JobType": "CollectionJob"}',
    "twice inside": b'{"JobDetails": {"JobName": "a", "JobName": "a"}, "JobType": "CollectionJob"}',
    "NaN": b'{"JobDetails": {"AssetTimeOut": NaN}, "JobType": "CollectionJob"}',
    "Infinity": b'{"JobDetails": {"AssetTimeOut": -Infinity}, "JobType": "CollectionJob"}',
    "beyond all numbers": b'{"JobDetails": {"AssetTimeOut": 1e999}, "JobType": "CollectionJob"}',
    "very many digits": b'{"JobDetails": {"AssetTimeOut": ' + b"9" * 10_000 + b'}, "JobType": "CollectionJob"}',
    "deep": b"[" * 200_000,
    "deep objects": b'{"a":' * 100_000,
    "half a character": b'{"JobDetails": {"JobName": "\\ud800"}, "\\udfff": 1, "JobType": "\\ud800"}',
    "a NUL": b'{"JobDetails": {"JobName": "a\\u0000b"}, "JobType": "CollectionJob"}',
    "form text": b"JobType=CollectionJob",
    "trailing text": b'{"JobType": "CollectionJob"} x',
}


@pytest.mark.parametrize("name", BAD)
def test_a_body_that_is_none_is_refused(shared, name):
    """400 with what is wrong, in every call that has a body; never a 500."""
    for method, path in (("POST", "/jobs"), ("PATCH", "/jobs"), ("POST", f"/jobs/{NOBODY}")):
        answer = shared.auditor.json(method, path, BAD[name], status=400)
        assert set(answer) == {"Message", "Errors"}
        assert answer["Message"]


def test_all_faults_come_at_once_and_nothing_is_stored(shared, request_of):
    """Those of the fields, of the block and of the request together."""
    body = request_of(
        JobName="  ", AssetTimeOut=501, Schedule={"RecurrenceType": 9, "RunPeriodically": True}, Nmae=1
    )
    body["JobType"] = "collectionjob"
    answer = shared.auditor.json("POST", "/jobs", body, status=400)
    assert {fault["Field"] for fault in answer["Errors"]} == {
        "JobName", "AssetTimeOut", "Schedule.RecurrenceType", "Nmae", "JobType",
    }  # fmt: skip
    assert all(fault["Message"] in answer["Message"] for fault in answer["Errors"])
    assert len(shared.house.get("/v1/jobs")) == 2


def test_a_body_beyond_the_limit_is_refused(shared):
    """413 for one that says so and for one that does not."""
    huge = b"x" * (8 * 1024 * 1024 + 1)
    assert "8388608" in shared.auditor.text("POST", "/jobs", huge, status=413)

    def chunks():
        for begin in range(0, len(huge), 65_536):
            yield huge[begin : begin + 65_536]

    answer = shared.auditor.http.post("/jobs", content=chunks())
    assert (answer.status_code, set(answer.json())) == (413, {"Message"})


def test_a_client_that_goes_in_the_middle_of_a_body_is_no_error(shared, caplog):
    """Anybody could fill the log with traces otherwise: no token is needed to begin a token request."""
    where = urlsplit(shared.url)
    head = "POST /ccs/api/v1/oauth/tokens HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n"
    with caplog.at_level("ERROR"):
        with socket.create_connection((where.hostname, where.port)) as connection:
            connection.sendall(f"{head}grant_type".encode())
        for _ in range(20):  # by then the server has seen the end of the one before
            assert shared.auditor.json("GET", "/jobs?jobname=nightly")
    assert [record.getMessage() for record in caplog.records if "ASGI" in record.getMessage()] == []


def test_many_assets_are_taken(face, script, request_of):
    """Five thousand: more than the native routes' limit allows."""
    assets = [(f"{number:08x}-0000-4000-8000-000000000000", "linux") for number in range(5000)]
    job = script.json("POST", "/jobs", request_of(kind="CollectionJob", assets=assets, Schedule=NEVER))["JobID"]
    assert len(definition(face, "Weekly").run.assets) == 5000
    assert len(script.json("GET", f"/jobs/{job}")["JobDetails"]["AssetsResolutionInfo"]) == 5000


@pytest.mark.parametrize("name", ["Weekly", "WEEKLY", "nightly", "Hello"])
def test_a_name_that_is_taken_is_refused(face, script, request_of, name):
    """Without regard to case, and over the jobs of the file too; also as the new name of another job."""
    script.json("POST", "/jobs", request_of(Schedule=NEVER))
    assert name.lower() in script.text("POST", "/jobs", request_of(name, Schedule={}), status=400).lower()
    other = script.json("POST", "/jobs", request_of("Other", Schedule=NEVER))["JobID"]
    script.text(
        "PATCH", "/jobs", {"JobID": other, "JobDetails": {"JobName": name, "JobDescription": "x"}}, status=400
    )
    shown = script.json("GET", f"/jobs/{other}")
    assert (shown["JobName"], shown["JobDescription"]) == ("Other", "")
    assert len(face.house.get("/v1/jobs")) == 4


def test_a_body_may_be_written_in_any_of_these_ways(face, script, request_of):
    """Line breaks and a byte order mark around it, whatever it is labelled as; booleans as text."""
    raw = json.dumps(request_of("A", ShouldSynchronizeResults="TRUE", Schedule={"RunNow": "false"})).encode()
    assert script.call("POST", "/jobs", b"\xef\xbb\xbf\r\n" + raw + b"\r\n").status_code == 200
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    body = raw.replace(b'"A"', b'"B"')
    assert script.call("POST", "/Jobs/", body, headers=form).status_code == 200
    assert face.house.get("/v1/jobs/B")["origin"] == "ccs"


def test_an_update_changes_what_it_names(face, script, request_of, words):
    """The other fields stay; PATCH at /jobs and at /jobs/; the answer names the job."""
    job = script.json("POST", "/jobs", request_of(AssetTimeOut=5, JobDescription="old", Schedule=NEVER))["JobID"]
    face.clock.advance(timedelta(minutes=3))
    change = {
        "JobDetails": {"JobDescription": "new", "JobName": "Renamed", "IncrementalPeriod": 3},
        "JobID": job.upper(),
    }
    assert script.json("PATCH", "/jobs/", change) == {"JobID": job}
    shown = script.json("GET", f"/jobs/{job}")
    assert (shown["JobName"], shown["JobDescription"]) == ("Renamed", "new")
    assert shown["JobCreationTime"] < shown["JobModifiedTime"] == "2026-03-07T12:03:00.0000000Z"
    assert shown["JobDetails"] == {
        "AssetsResolutionInfo": [{"Id": words.web, "Type": words.unix}], "JobName": "Renamed",
        "Standards": [words.standard], "AssetTimeOut": 5, "JobDescription": "new", "IncrementalPeriod": 3,
        "Schedule": NEVER,
    }  # fmt: skip
    assert definition(face, "Renamed").run.incremental == timedelta(days=3)
    assert "Weekly" not in face.house.dispatcher.definitions
    assert script.json("GET", "/jobs?jobname=renamed")["JobID"] == job


@pytest.mark.parametrize(
    ("details", "status", "runs"),
    [
        ({"Schedule": {"RunNow": True}}, 200, 1),
        ({"Schedule": {}}, 200, 0),
        ({"JobDescription": "x"}, 200, 0),
        ({"ShouldSendSuccessNotification": True}, 400, 0),
        ({"AssetsResolutionInfo": [{"Id": NOBODY, "Type": "symc-none"}]}, 400, 0),
        ({"AssetTimeOut": 0}, 400, 0),
        ({"JobType": "CollectionJob"}, 400, 0),
    ],
)
def test_an_update_is_judged_whole(face, script, request_of, details, status, runs):
    """What would not be a job is refused and changes nothing; RunNow only runs where it is written."""
    job = script.json("POST", "/jobs", request_of(Schedule=NEVER))["JobID"]
    before = script.json("GET", f"/jobs/{job}")
    script.json("PATCH", "/jobs", {"JobDetails": details, "JobID": job}, status=status)
    if status == 400:
        assert script.json("GET", f"/jobs/{job}") == before
    found = script.json("GET", f"/jobs/{job}/jobruns?count=0")
    assert len(found) == runs
    for run in found:
        face.house.ended(run["JobRunID"])


def test_an_asset_that_cannot_be_collected_any_more_holds_no_update_up(face, script, request_of):
    """Only assets that change are judged: the others fail and say why, and their job can still be mended."""
    job = script.json("POST", "/jobs", request_of(assets=[(NOBODY, "linux")], Schedule=NEVER))["JobID"]
    text = face.house.configuration
    without = {name: one for name, one in text.collectors.items() if name != "linux"}
    jobs = {name: one for name, one in text.jobs.items() if name == "hello"}
    changed = replace(text, collectors=without, jobs=jobs)
    face.house.call(face.house.dispatcher.install(changed, Actor("tester", By.SIGNAL)))
    script.json("PATCH", "/jobs", {"JobID": job, "JobDetails": {"JobDescription": "still there"}})
    run = script.json("POST", f"/jobs/{job}", {"Operation": "execute"})
    face.house.ended(run["JobRunID"], "incomplete", "expired", "failed", "succeeded")
    (status,) = script.json("GET", f"/jobs/{job}/jobruns?showmessages=true")
    assert "linux" in status["ActivityStatusList"][0]["Message"]


def test_jobs_of_the_file_are_not_changed_here(shared):
    """400 that says where they can be; a job that is not there, 400 too."""
    job = shared.auditor.json("GET", "/jobs?jobname=nightly")["JobID"]
    change = {"JobID": job, "JobDetails": {"JobDescription": "x"}}
    assert "configuration file" in shared.auditor.text("PATCH", "/jobs", change, status=400)
    for meaning in ("", "&DeleteJob=true"):
        assert "configuration file" in shared.auditor.text("DELETE", f"/jobs?jobid={job}{meaning}", status=400)
    assert NOBODY in shared.auditor.text("PATCH", "/jobs", {**change, "JobID": NOBODY}, status=400)
    assert NOBODY in shared.auditor.text("DELETE", f"/jobs?jobid={NOBODY}", status=400)


def test_two_updates_at_once_both_count(face, request_of):
    """Each is applied to what the other has left."""
    first, second = face.script(), face.script(r"CORP\other")
    job = first.json("POST", "/jobs", request_of(Schedule=NEVER))["JobID"]
    for number in range(1, 6):
        with ThreadPoolExecutor(2) as pool:
            one = pool.submit(first.json, "PATCH", "/jobs", {"JobID": job, "JobDetails": {"AssetTimeOut": number}})
            change = {"JobID": job, "JobDetails": {"JobDescription": f"take {number}"}}
            other = pool.submit(second.json, "PATCH", "/jobs", change)
            one.result()
            other.result()
        details = first.json("GET", f"/jobs/{job}")["JobDetails"]
        assert (details["AssetTimeOut"], details["JobDescription"]) == (number, f"take {number}")
