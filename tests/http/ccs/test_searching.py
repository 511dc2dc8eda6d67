"""The search for jobs: conditions, their values, and pages in one order."""

import time
from datetime import timedelta

import pytest

NEVER = {"RunNow": False}
EXECUTE = b'{"Operation": "execute"}'
NAMES = ["Alpha", "beta, the second", "Gamma (3)", "delta\\4", "'Epsilon'", "50% *", "nightly"]


@pytest.fixture(scope="module")
def found(told, shared, request_of, words, tmp_path_factory):
    """Searches a face with six jobs, a minute between each, of which the first has failed and the second is done."""
    house = type(told)(tmp_path_factory.mktemp("search"), text=words.file())
    face = type(shared)(house)
    script = face.script()
    kinds = ["CollectionJob", "CollectionEvaluationJob", "EvaluationJob"]
    ids = {}
    for number, name in enumerate(NAMES[:-1]):
        house.clock.advance(timedelta(minutes=1))
        body = request_of(name, kind=kinds[number % 3], Schedule=NEVER)
        ids[name] = script.json("POST", "/jobs", body)["JobID"]
    for name in NAMES[:2]:
        house.ended(script.json("POST", f"/jobs/{ids[name]}", EXECUTE)["JobRunID"])

    def search(conditions, status=200, **more):
        answer = script.json("GET", "/jobs", status=status, params={"Attributes": conditions, **more})
        return [job["JobName"] for job in answer] if status == 200 else answer

    search.ids, search.script = ids, script
    yield search
    face.close()
    house.stop()


ALL = sorted(NAMES, key=str.casefold)


@pytest.mark.parametrize(
    ("conditions", "names"),
    [
        ("JobName = Alpha", ["Alpha"]),
        ("jobname=ALPHA", ["Alpha"]),
        ("  JOBNAME ==  alpha  ", ["Alpha"]),
        ("(JobName = Alpha)", ["Alpha"]),
        ("( (JobName = Alpha) )", ["Alpha"]),
        ("JobName = 'Alpha'", ["Alpha"]),
        ('JobName = "Alpha"', ["Alpha"]),
        ("JobName = Alp", []),
        ("JobName = Alp*", ["Alpha"]),
        ("JobName = *", ALL),
        ("JobName = *a", ["Alpha"]),
        (r"JobName = beta\, the second", ["beta, the second"]),
        ("JobName = Gamma (3)", ["Gamma (3)"]),
        ("(JobName = Gamma (3))", ["Gamma (3)"]),
        (r"JobName = delta\\4", ["delta\\4"]),
        (r"JobName = delta\4", ["delta\\4"]),
        ("JobName = \"'Epsilon'\"", ["'Epsilon'"]),
        ("JobName contains ET", ["beta, the second"]),
        ("JobName Contains a (", ["Gamma (3)"]),
        ("JobName like *ta*", ["beta, the second", "delta\\4"]),
        ("JobName LIKE %a", ["Alpha"]),
        ("JobName like a*a*a*a*a*a*a*b", []),
        ("JobName not like *a*", ["'Epsilon'", "50% *", "nightly"]),
        ("JobName StartsWith g", ["Gamma (3)"]),
        ("JobName EndsWith ly", ["nightly"]),
        ("JobName != nightly", [name for name in ALL if name != "nightly"]),
        ("JobName <> nightly, JobType = CollectionJob", ["Alpha", "delta\\4"]),
        ("(JobType = collectionjob), (JobName = Alpha)", ["Alpha"]),
        ("(JobType = CollectionJob, JobName = Alpha)", ["Alpha"]),
        ("JobType = EvaluationJob", ["50% *", "Gamma (3)"]),
        ("JobCategory = Data Collection", ["Alpha", "delta\\4", "nightly"]),
        ("JobCategory contains evaluation", ["'Epsilon'", "50% *", "beta, the second", "Gamma (3)"]),
        ("LastRunStatus = 4", ["Alpha", "beta, the second"]),
        ("LastRunStatus = completed", ["Alpha", "beta, the second"]),
        ("LastRunStatus = 0, JobType = EvaluationJob", ["50% *", "Gamma (3)"]),
        ("LastRunStatus != None", ["Alpha", "beta, the second"]),
        ("JobCreationTime = 2026-03-07T12:01:00Z", ["Alpha"]),
        ("JobCreationTime = 2026-03-07T12:01:00.0000000", ["Alpha"]),
        ("JobCreationTime = 2026-03-07 07:01:00-05:00", ["Alpha"]),
        ("JobCreationTime = 2026-03-07T12:01:00.5", []),
        ("JobCreationTime = 2026-03-07", ALL),
        ("JobCreationTime != 2026-03-07", []),
        ("JobCreationTime > 2026-03-07", []),
        ("JobCreationTime >= 2026-03-07", ALL),
        ("JobCreationTime < 2026-03-07", []),
        ("JobCreationTime <= 2026-03-07", ALL),
        ("JobCreationTime < 2026-03-07T12:02:00", ["Alpha", "nightly"]),
        ("JobCreationTime <= 2026-03-07T12:02:00", ["Alpha", "beta, the second", "nightly"]),
        ("JobCreationTime > 2026-03-07T12:05:00", ["50% *"]),
        ("JobCreationTime >= 2026-03-07T12:05:00", ["'Epsilon'", "50% *"]),
        ("JobModifiedTime >= 2026-03-07T12:02:00,JobModifiedTime<2026-03-07T12:04:00", ["beta, the second", "Gamma (3)"]),
        ("LastRunDate >= 2026-03-07", ["Alpha", "beta, the second"]),
        ("LastRunDate < 9999-12-31T23:59:58", ["Alpha", "beta, the second"]),
    ],
)  # fmt: skip
def test_conditions(found, conditions, names):
    """All of them hold; the jobs come by name, without regard to case."""
    assert found(conditions) == names


def test_the_id_is_a_condition_too(found):
    """In either case; also as not this one."""
    key = found.ids["Alpha"]
    assert found(f"JobID = {key.upper()}") == ["Alpha"]
    assert "Alpha" not in found(f"JobID != {key}")


@pytest.mark.parametrize(
    "query",
    [
        "?(Attributes=JobName = Alpha)&page=1&pagesize=20",
        "?Attributes=JobName+%3D+Alpha",
        "?attributes=JobName%20=%20Alpha&Page=1&PageSize=1",
        "?ATTRIBUTES=(JobName=Alpha)",
        "/?Attributes=JobName=Alpha&unknown=1",
    ],
)
def test_the_query_may_be_written_in_any_of_these_ways(found, query):
    """As the page does it, as forms encode it, with more signs of equality than one."""
    (job,) = found.script.json("GET", "/jobs" + query)
    assert job["JobName"] == "Alpha"
    assert job["JobDetails"]["JobName"] == "Alpha"


def test_pages_are_parts_of_one_order(found):
    """Together they are the whole, each job once; page 0 is the first; beyond the last there is nothing."""
    pages = [found("JobName = *", page=page, pagesize=3) for page in (1, 2, 3)]
    assert [name for page in pages for name in page] == ALL
    assert [len(page) for page in pages] == [3, 3, 1]
    assert found("JobName = *", page=0, pagesize=3) == pages[0]
    assert found("JobName = *", page=4, pagesize=3) == []
    assert found("JobName = *", page=10**9, pagesize=1000) == []
    assert found("JobName = *") == ALL


@pytest.mark.parametrize(
    ("conditions", "word"),
    [
        ("", "mandatory"),
        (",", "mandatory"),
        ("Alpha", "JobName = Weekly"),
        ("JobName", "JobName = Weekly"),
        ("JobName =", "value"),
        ("JobName = ''", "value"),
        ("JobName = Alpha, beta", "comma"),
        ("JobNme = Alpha", "JobNme"),
        ("CreatedBy = me", "CreatedBy"),
        ("JobName > Alpha", ">"),
        ("JobID < 5", "<"),
        ("LastRunStatus > 3", ">"),
        ("LastRunStatus = 8", "LastRunStatus"),
        ("LastRunStatus = done", "LastRunStatus"),
        ("JobCreationTime = yesterday", "YYYY-MM-DD"),
        ("JobCreationTime like 2026*", "like"),
        ("JobCreationTime = 9999-12-31", "YYYY-MM-DD"),
        ("JobCreationTime = 2026-02-30", "YYYY-MM-DD"),
        ("x" * 5000, "Attributes"),
        ("JobName = a,Nix = 1,LastRunStatus = 9", "Nix"),
    ],
)
def test_a_search_that_cannot_be_meant_is_refused(found, conditions, word):
    """400 with what is allowed; all faults at once."""
    answer = found(conditions, status=400)
    assert word in answer["Message"]
    assert {fault["Field"] for fault in answer["Errors"]} == {"Attributes"}
    assert len(answer["Errors"]) == (2 if "Nix" in conditions else 1)


@pytest.mark.parametrize(
    ("name", "value"),
    [("page", "-1"), ("page", "x"), ("page", "1.0"), ("page", ""), ("page", "9" * 30), ("pagesize", "0"),
     ("pagesize", "1001"), ("pagesize", "-5"), ("pagesize", "\u0664")],
)  # fmt: skip
def test_a_page_that_cannot_be_meant_is_refused(found, name, value):
    """400 that names the parameter."""
    answer = found("JobName = *", status=400, **{name: value})
    assert [fault["Field"] for fault in answer["Errors"]] == [name]


def test_without_attributes_all_jobs_are_listed(found):
    """By pages too."""
    pages = ("/jobs", "/jobs?page=1&pagesize=4", "/jobs?page=2&pagesize=4")
    whole, *parts = ([job["JobName"] for job in found.script.json("GET", page)] for page in pages)
    assert whole == ALL
    assert parts == [ALL[:4], ALL[4:]]


def test_nested_parentheses_hold_nobody_up(found):
    """As many as fit into a request are refused at once: each pair could be looked for through the whole text."""
    begin = time.monotonic()
    assert "Attributes" in found("(" * 7000 + "JobName = x" + ")" * 7000, status=400)["Message"]
    assert time.monotonic() - begin < 1


@pytest.mark.parametrize("name", NAMES[:-1])
def test_one_job_by_its_whole_name(found, name):
    """An object, not a list; signs of searches mean nothing in it."""
    job = found.script.json("GET", "/jobs", params={"jobname": name.upper()})
    assert (job["JobName"], job["JobID"]) == (name, found.ids[name])


def test_a_name_that_is_not_there(found):
    """404; of a job that collects nothing too."""
    for name in ("Alp", "Alpha*", "", "hello", "\ufffd"):
        assert found.script.text("GET", "/jobs", params={"jobname": name}, status=404)
