"""`jobsd import ccs`: what comes out means what the requests said."""

import json
import re
import stat
from datetime import timedelta
from pathlib import Path

import pytest

import config

SAMPLES = Path(__file__).parents[1] / "runners/ccs/data/create_job.jsonl"
ASSET, STANDARD = "d387d8b5-6278-4bcb-83c7-b55d2072d2a8", "6b020d29-5fe8-47d0-bd89-ccd3339a5ebe"
MAIL = {"ToEmailAddress": "a@x.org; b@x.org", "FromEmailAddress": "ccs@x.org", "Subject": "S: #1", "Body": "one\r\ntwo"}  # fmt: skip


def request(job_type="CollectionEvaluationJob", **details):
    """A Create Job request: the mandatory fields and these."""
    needed = {"AssetsResolutionInfo": [{"Id": ASSET, "Type": "unix"}], "JobName": "x", "Standards": [STANDARD]}
    return {"JobType": job_type, "JobDetails": needed | details}


@pytest.fixture
def imported(jobsd, tmp_path):
    """Import requests, fill in what is to be, check: (text, *options) -> (text of the YAML, its configuration)."""

    def make(text, *options):
        (tmp_path / "in.json").write_text(text)
        raw = jobsd("import", "ccs", "in.json", "--timezone", "America/New_York", *options).stdout
        for program in ("collect.sh", "evaluate.sh"):
            (tmp_path / program).write_text("#!/bin/sh\n")
            (tmp_path / program).chmod(stat.S_IRWXU)
        filled = re.sub(r'\[\]  # FILL IN: .*such as (\[\./\w+\.sh, ".*"\])', r"\1", raw)
        filled = filled.replace('host: ""  # FILL IN', "host: localhost  #").replace(
            "[email protected]", "a@x.org"
        )
        (tmp_path / "made.yaml").write_text(filled)
        found = jobsd("check", "made.yaml")
        loaded = config.load(tmp_path / "made.yaml")
        assert found.stdout.startswith(f"{len(loaded.jobs)} job")
        assert "not acted on" not in found.stderr
        assert "cannot be carried out" not in found.stderr
        return raw, loaded

    return make


def run_of(configuration, name):
    """What one job collects."""
    return configuration.jobs[name].run


def test_the_samples_of_the_page_pass_the_check_once_filled_in(imported):
    """Several documents one after the other; each sample is a job."""
    raw, made = imported(SAMPLES.read_text())
    assert list(made.jobs) == [
        "test_job11", "a1_collectionjob_runow", "a1_collectionjob_schedulerun", "a1_collectionjob_multipleassets",
        "a1_collectionjob_runow_withnotifications",
    ]  # fmt: skip
    first = made.jobs["test_job11"]
    assert (first.description, first.schedule) == ("Test_Job11: Test CER Job", None)
    assert [(asset.id, asset.type) for asset in first.run.assets] == [
        (ASSET, "symc-csm-AssetSystem-Asset-Unix-Machine")
    ]
    assert first.run.standards == (STANDARD,)
    assert [job.schedule.run_now for job in list(made.jobs.values())[1:]] == [True, False, True, True]
    assert raw.count("# RunNow: it also runs once, when it is first loaded.") == 3
    assert len(run_of(made, "a1_collectionjob_multipleassets").assets) == 2
    mails = made.jobs["a1_collectionjob_runow_withnotifications"].notify
    assert (mails.success.subject, mails.failure.subject) == (
        "Collection-Evaluation-Reporting job completed successfully",
        "Collection-Evaluation-Reporting job failed",
    )


def test_what_is_to_be_filled_in_is_all_that_the_check_refuses(jobsd, tmp_path):
    """Each fault is on a line that says FILL IN, and each such line has a fault."""
    raw = jobsd("import", "ccs", SAMPLES).stdout
    (tmp_path / "made.yaml").write_text(raw)
    faults = jobsd("check", "made.yaml", exit_code=1).stderr.splitlines()
    marked = [n for n, line in enumerate(raw.splitlines(), start=1) if "# FILL IN" in line]
    assert [int(fault.split(":")[1]) for fault in faults] == marked
    assert len(marked) == 7


def test_every_field_has_its_key(imported):
    """Durations, mails with several recipients and lines, the Schedule block as it stands."""
    block = {"RunNow": "false", "RunPeriodically": True, "RecurrenceType": 2, "WeeklyDay": 5, "StartDate": "2026-01-02T22:00:00",
             "EndJobRunConfigured": True, "EndJobRunTimeInterval": "04:00", "SubScheduleRepeatDays": 1, "SubScheduleRepeatPeriodDays": 3,
             "MonthlyDay": "junk \u0085\U000e0001 \"'"}  # fmt: skip
    raw, made = imported(json.dumps(request(
        JobName="Über-Prüfung: Linux 🦀", JobDescription='a\nb: "c" # d \u2028', AssetTimeOut=500, IncrementalPeriod=7,
        CollectionOnlyTimeOutHours=1000, CollectionOnlyTimeOutMins=59, ShouldSendSuccessNotification="true",
        SuccessNotification=MAIL, FailureNotification=MAIL, ShouldSynchronizeResults=True, Schedule=block,
    )))  # fmt: skip
    (job,) = made.jobs.values()
    assert job.name == "uber-prufung-linux"
    assert job.description == 'Über-Prüfung: Linux 🦀: a\nb: "c" # d \u2028'
    assert job.run.asset_timeout == timedelta(minutes=500)
    assert job.run.incremental == timedelta(days=7)
    assert job.run.collection_timeout == timedelta(hours=1000, minutes=59)
    mail = job.notify.success
    assert (mail.to, mail.sender, mail.subject, mail.body) == (
        ("a@x.org", "b@x.org"), "ccs@x.org", "S: #1", "one\r\ntwo",
    )  # fmt: skip
    assert job.notify.failure is None
    assert "# The mail on failure is left out: it is switched off in CCS." in raw
    assert "# Results are not synchronized" in raw
    assert (job.schedule.zone, job.schedule.window) == ("America/New_York", timedelta(hours=4))
    assert job.schedule.rerun.every == timedelta(days=1)
    assert '        MonthlyDay: "junk \\u0085\\U000e0001 \\"\'"\n' in raw


def test_a_list_and_jobs_of_one_name(imported):
    """Names are made unique; the type of every asset is asked for once, its evaluation only where there is one."""
    requests = [
        request(JobName="A b"), request("CollectionJob", JobName="a B", AssetsResolutionInfo=[{"Id": ASSET, "Type": "net work: x"}]),
        request("EvaluationJob", JobName="***"), request(JobName="ok"), request(JobName="x" * 500),
    ]  # fmt: skip
    raw, made = imported(json.dumps(requests))
    assert list(made.jobs) == ["a-b", "a-b-2", "job", "ok", "x" * 80]
    assert [job.description for job in made.jobs.values()] == ["A b", "a B", "***", "", "x" * 500]
    assert [str(job.run.type) for job in made.jobs.values()][:3] == ["CollectionEvaluationJob", "CollectionJob", "EvaluationJob"]  # fmt: skip
    assert {name: bool(one.evaluate) for name, one in made.collectors.items()} == {
        "unix": True,
        "net work: x": False,
    }
    assert "smtp" not in raw


def test_run_now_by_default_is_said(imported):
    """A block without it means true; an empty one too."""
    raw, made = imported(json.dumps(request(Schedule={})))
    assert "# RunNow is not written, which means true" in raw
    assert made.jobs["x"].schedule.run_now


def test_weekdays_as_flags(imported):
    """The setting comes along."""
    block = {"RunNow": False, "RunPeriodically": True, "RecurrenceType": 2, "WeeklyDay": 34}
    _, made = imported(json.dumps(request(Schedule=block)), "--weekday-codec", "flags")
    assert made.settings.weekday_codec == "flags"
    assert len(made.jobs["x"].schedule.rule.on) == 2


def test_all_faults_of_all_requests_and_nothing_printed(jobsd, tmp_path):
    """Each with the file, the number and the name of its job."""
    requests = [request(), request(JobName="Bad \x1b one", AssetTimeOut=0, Foo=1), [request(JobName=None)], 3]
    (tmp_path / "in.json").write_text("\n".join(map(json.dumps, requests)) + "\n{")
    found = jobsd("import", "ccs", "in.json", exit_code=1)
    assert found.stdout == ""
    assert found.stderr.splitlines() == [
        'in.json: job 2 ("Bad \\u001b one"): Foo: is no field of JobDetails',
        'in.json: job 2 ("Bad \\u001b one"): JobName: must be a text of one line without control characters or half characters (it is "Bad \\\\x1b one")',
        'in.json: job 2 ("Bad \\u001b one"): AssetTimeOut: must be a whole number from 1 to 500 (it is 0)',
        "in.json: job 3: JobName: is missing: it is mandatory",
        "in.json: job 4: the body must be a JSON object (it is 3)",
        "in.json:5:2: not JSON: expecting property name enclosed in double quotes",
    ]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b" \n", "-: there is no request in it"),
        (b'{"a": NaN}', "-: not JSON: NaN is no number"),
        (b'"\xff"', "-: the byte at 1 is not UTF-8; save the file as UTF-8"),
        (b"[" * 100_000, "-: not JSON: it is nested too deeply"),
        (b"grant_type=password", "-:1:1: not JSON: expecting value"),
    ],
)
def test_what_is_no_json(data, told, jobsd):
    """It is told where it stands."""
    assert jobsd("import", "ccs", "-", input=data, exit_code=1).stderr == told + "\n"


def test_other_places_and_encodings(jobsd, tmp_path):
    """Standard input; UTF-16 and byte order marks, as PowerShell writes them; an empty list."""
    text = json.dumps(request(JobName="Prüfung"), ensure_ascii=False)
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le"):
        assert '- name: "prufung"' in jobsd("import", "ccs", "-", input=text.encode(encoding)).stdout
    (tmp_path / "made.yaml").write_text(jobsd("import", "ccs", "-", input="[]").stdout)
    assert jobsd("check", "made.yaml").stdout.startswith("0 jobs, valid")
    assert jobsd("import", "ccs", "none", exit_code=1).stderr.startswith("none: the file cannot be read")
    assert "Nowhere" in jobsd("import", "ccs", "-", "--timezone", "Nowhere", exit_code=2, input="[]").stderr
