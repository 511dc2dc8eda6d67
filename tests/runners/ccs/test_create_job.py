"""The Create Job request: what each field takes, and the exact text where it is refused."""

from datetime import timedelta

import pytest

from config.runs import JobType
from runners.ccs.wire import AssetRef, Notification, WireFault, WireFaults, parse_create_job

GUID = "d387d8b5-6278-4bcb-83c7-b55d2072d2a8"
FORM = "must be a GUID, 32 hexadecimal digits as 8-4-4-4-12"
LINE = "must be a text of one line"
LISTED = "must be a list with at least one {Id, Type}"


def faults_of(body, **options):
    """The faults as (field, message)."""
    with pytest.raises(WireFaults) as raised:
        parse_create_job(body, **options)
    return [(fault.field, fault.message) for fault in raised.value.faults]


def test_every_field_is_read(body, mail):
    """Durations are durations, GUIDs are in lower case, a switched-off notification is kept and not sent."""
    job = parse_create_job(body())
    details = job.details
    assert job.job_type is JobType.COLLECTION_EVALUATION
    assert details.name == "Weekly – Linux"
    assert details.assets == (AssetRef(GUID, "unix"),)
    assert details.standards == ("6b020d29-5fe8-47d0-bd89-ccd3339a5ebe",)
    assert details.asset_timeout == timedelta(minutes=30)
    assert details.description == "All of them"
    assert details.incremental == timedelta(days=7)
    assert details.collection_timeout == timedelta(hours=3, minutes=30)
    assert details.on_success == Notification("a@example.com", "ccs@example.com", "S", "B\r\nC")
    assert (details.on_failure, details.failure.subject) == (None, "F")
    assert details.synchronize_results is True
    assert details.schedule == {"RunNow": False, "RunPeriodically": "true", "RecurrenceType": 1}


def test_a_job_of_the_mandatory_fields_only(body):
    """Nothing else is made up: no notification, no schedule, no limit."""
    kept = ("AssetsResolutionInfo", "JobName", "Standards")
    details = parse_create_job(body(**{name: None for name in body()["JobDetails"] if name not in kept})).details
    assert (details.incremental, details.collection_timeout, details.on_success, details.on_failure) == (None,) * 4
    assert (details.asset_timeout, details.schedule, details.description) == (None,) * 3
    assert set(details.wire()) == set(kept)


def test_what_was_read_is_written_and_read_again(body, samples):
    """wire() and the parser are each other's opposite, for the vendor's samples too."""
    assert len(samples) == 5
    for one in [body(), body(IsIncremental=False, Schedule={}), *samples]:
        job = parse_create_job(one)
        assert parse_create_job(job.wire()) == job


def test_the_samples_of_the_page_mean_what_it_says(samples):
    """One for each purpose; booleans as text, GUIDs in either case, the page's own blotted addresses."""
    jobs = [parse_create_job(sample) for sample in samples]
    assert [job.job_type for job in jobs] == [JobType.COLLECTION_EVALUATION] + [JobType.COLLECTION] * 4
    assert [len(job.details.assets) for job in jobs] == [1, 1, 1, 2, 1]
    assert {job.details.standards for job in jobs} == {("6b020d29-5fe8-47d0-bd89-ccd3339a5ebe",)}
    assert [job.details.schedule is None for job in jobs] == [True, False, False, False, False]
    assert [bool(job.details.on_success and job.details.on_failure) for job in jobs] == [False] * 4 + [True]
    assert jobs[4].details.on_failure.subject == "Collection-Evaluation-Reporting job failed"


BOUNDS = [
    ("AssetTimeOut", [1, 500], [0, 501, -1, True, "30", 30.0, []], "must be a whole number from 1 to 500"),
    ("IncrementalPeriod", [1, 100], [0, 101, "7", False], "must be a whole number from 1 to 100"),
    ("CollectionOnlyTimeOutHours", [0, 1000], [-1, 1001, 1.5], "must be a whole number from 0 to 1000"),
    ("CollectionOnlyTimeOutMins", [0, 59], [-1, 60, "1"], "must be a whole number from 0 to 59"),
    ("IsIncremental", [True, False, "true", "FALSE", " True "], ["yes", 1, 0, "", []], "must be true or false"),
    ("ShouldSendSuccessNotification", [True, "false"], ["on", 1], "must be true or false"),
    ("ShouldSendFailureNotification", [True, "false"], ["on", 1], "must be true or false"),
    ("ShouldSynchronizeResults", [False, "TRUE"], [2, "y"], "must be true or false"),
    ("JobDescription", ["", "a\r\nb", "x" * 100_000], [1, True, []], "must be a text"),
    ("JobDescription", [], ["a\0b", "\ud800"], "must be a text without NUL or half characters"),
    ("JobName", ["x", " x ", "x" * 10_000, "Prüfung 🦀"], [1, True, {}], LINE),
    ("JobName", [], ["", " \t"], f"{LINE} that is not blank"),
    ("JobName", [], ["a\nb", "a\0b", "\udfff", "a\x85b"], f"{LINE} without control characters or half characters"),
    ("Standards", [[GUID], [GUID.upper(), GUID]], [[], GUID, {}, 1], "must be a list with at least one GUID"),
    ("AssetsResolutionInfo", [[{"Id": GUID, "Type": "a b"}]], [[], GUID, {}, 1], LISTED),
    ("SuccessNotification", [], ["a@example.com", [], 1], "must be an object"),
    ("FailureNotification", [], ["a@example.com", [], True], "must be an object"),
    ("Schedule", [{}], ["daily", [], 0], "must be an object"),
]  # fmt: skip


@pytest.mark.parametrize(("field", "value"), [(f, v) for f, good, _, _ in BOUNDS for v in good])
def test_both_ends_of_what_a_field_takes(field, value, body):
    """The lowest and the highest value are taken."""
    assert parse_create_job(body(**{field: value}))


@pytest.mark.parametrize(("field", "value", "message"), [(f, v, m) for f, _, bad, m in BOUNDS for v in bad])
def test_beyond_the_ends_a_field_is_refused(field, value, message, body):
    """Alone, by its name, with what is allowed and what it is."""
    ((found, told),) = faults_of(body(**{field: value}))
    assert found == field
    assert told.startswith(f"{message} (it is ")


MANDATORY = "is missing: it is mandatory"
NESTED = [
    ({"AssetsResolutionInfo": [{"Id": "x", "Type": "t"}, None, 3, {"Type": "t"}]}, [
        ("AssetsResolutionInfo[0].Id", f'{FORM} (it is "x")'),
        ("AssetsResolutionInfo[1]", MANDATORY),
        ("AssetsResolutionInfo[2]", "must be an object (it is 3)"),
        ("AssetsResolutionInfo[3].Id", MANDATORY)]),
    ({"AssetsResolutionInfo": [{"Id": GUID, "Type": "a"}, {"Id": GUID.upper(), "Type": "b"}]},
     [("AssetsResolutionInfo[1].Type", 'must be "a", as the same Id has above (it is "b")')]),
    ({"AssetsResolutionInfo": [{"Id": GUID, "Type": " ", "type": 1}]}, [
        ("AssetsResolutionInfo[0].type", "is no field of an asset: did you mean Type?"),
        ("AssetsResolutionInfo[0].Type", f'{LINE} that is not blank (it is " ")')]),
    ({"Standards": [GUID, GUID + "0", None]},
     [("Standards[1]", f'{FORM} (it is "{GUID}0")'), ("Standards[2]", MANDATORY)]),
    ({"JobName": None}, [("JobName", MANDATORY)]),
    ({"Standards": None}, [("Standards", MANDATORY)]),
    ({"AssetsResolutionInfo": None}, [("AssetsResolutionInfo", MANDATORY)]),
    ({"Assettimeout": 5}, [("Assettimeout", "is no field of JobDetails: did you mean AssetTimeOut?")]),
    ({"JobType": "CollectionJob"}, [("JobType", "is no field of JobDetails: write it beside JobDetails")]),
    ({"Zebra": 5}, [("Zebra", "is no field of JobDetails")]),
    ({"Zeb\nra\ud800" + "x" * 100: 5}, [("Zeb\\x0ara\\xd800" + "x" * 52 + "…", "is no field of JobDetails")]),
    ({"IncrementalPeriod": 10**4000},
     [("IncrementalPeriod", "must be a whole number from 1 to 100 (it is a number of many digits)")]),
    ({"Schedule": {"RunNow": 1, "RepeatDayz": 3, "RecurrenceType": 9, "RunPeriodically": True}}, [
        ("Schedule.RepeatDayz", "is no field of a Schedule block: did you mean RepeatDays?"),
        ("Schedule.RecurrenceType", "must be 0 none, 1 daily, 2 weekly or 3 monthly (it is 9)"),
        ("Schedule.RunNow", "must be true or false (it is 1)")]),
    ({"Schedule": {"EndJobRunConfigured": True, "EndJobRunTimeInterval": "24:00:00"}},
     [("Schedule.EndJobRunTimeInterval", 'must be [d.]hh:mm[:ss[.fffffff]] with hours 0 to 23 (.NET reads more as days: write 1.00:00:00 for 24 hours) (it is "24:00:00")')]),
    ({"Schedule": {"RunOnce": True, "RunNow": False}},
     [("Schedule.StartDate", "is missing: must be set when RunOnce is true")]),
    ({"Schedule": {"MonthlyDay": [1], "StartDate": "\ud800", "WeeklyDay": float("nan")}}, [
        ("Schedule.MonthlyDay", "must be a plain value: a text, a number, true or false (it is a list)"),
        ("Schedule.StartDate", 'must be a plain value: a text, a number, true or false (it is "\\\\xd800")'),
        ("Schedule.WeeklyDay", "must be a plain value: a text, a number, true or false (it is NaN)")]),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "expected"), NESTED)
def test_faults_within_a_field_say_where(changes, expected, body):
    """All of them, with the way to each."""
    assert faults_of(body(**changes)) == expected


@pytest.mark.parametrize("which", ["Success", "Failure"])
def test_a_notification_is_mandatory_when_its_flag_is_true(which, body, mail):
    """Whole, and each of its four fields; blank is not enough; when it is false nothing is."""
    field, flag = f"{which}Notification", f"ShouldSend{which}Notification"
    why = f"is missing: it is mandatory when {flag} is true"
    assert faults_of(body(**{field: None, flag: "true"})) == [(field, why)]
    assert faults_of(body(**{field: {}, flag: True})) == [(f"{field}.{part}", why) for part in mail]
    for part in mail:
        lines = "" if part == "Body" else " of one line"
        blank = f'must be a text{lines} that is not blank (it is "")'
        assert faults_of(body(**{field: mail | {part: ""}, flag: True})) == [(f"{field}.{part}", blank)]
        assert parse_create_job(body(**{field: mail | {part: ""}, flag: False}))
        assert faults_of(body(**{field: mail | {part: 1}, flag: False}))[0][0] == f"{field}.{part}"
    split = mail | {"Subject": "a\r\nBcc: everyone@example.com"}
    assert faults_of(body(**{field: split, flag: False}))[0][0] == f"{field}.Subject"
    assert faults_of(body(**{field: mail | {"ToEmailAddress": " ; ,"}, flag: True})) == [
        (f"{field}.ToEmailAddress", 'must name at least one address (it is " ; ,")')
    ]
    assert parse_create_job(body(**{field: None, flag: None}))


def test_several_recipients():
    """Commas and semicolons stand between addresses; each is written to once."""
    assert Notification("a@x.org; b@x.org,a@x.org;").recipients == ("a@x.org", "b@x.org")


@pytest.mark.parametrize(
    ("flag", "period", "days"),
    [
        (None, None, None), (None, 1, 1), (None, 100, 100), (True, None, 1), ("true", 5, 5), (False, None, None),
        (False, 5, None), ("False", 0, None),
    ],
)  # fmt: skip
def test_incremental_is_what_flag_and_period_say_together(flag, period, days, body):
    """A period switches it on unless the flag is false; the flag alone is one day."""
    found = parse_create_job(body(IsIncremental=flag, IncrementalPeriod=period)).details.incremental
    assert found == (days and timedelta(days=days))


def test_a_collection_limit_of_nothing_is_none(body):
    """Clients that send every field send 0; the most is 1000 hours and 59 minutes."""

    def limit(hours, mins):
        changes = {"CollectionOnlyTimeOutHours": hours, "CollectionOnlyTimeOutMins": mins}
        return parse_create_job(body(**changes)).details.collection_timeout

    assert (limit(0, 0), limit(None, 5)) == (None, timedelta(minutes=5))
    assert limit(1000, 59) == timedelta(hours=1000, minutes=59)


TYPE = "must be CollectionEvaluationJob, CollectionJob or EvaluationJob, in this case"


@pytest.mark.parametrize("value", ["collectionjob", "CollectionJob ", "", 1, ["CollectionJob"], {}])
def test_the_job_type_is_case_sensitive(value, body):
    """The three words of the page and nothing like them."""
    ((field, message),) = faults_of(body() | {"JobType": value})
    assert field == "JobType"
    assert message.startswith(TYPE)


@pytest.mark.parametrize("kind", JobType)
def test_every_job_type_is_taken(kind, body):
    """By its own name."""
    assert parse_create_job(body() | {"JobType": kind.value}).job_type is kind


@pytest.mark.parametrize(("value", "told"), [(None, "null"), ([], "a list"), ("x", '"x"'), (3, "3")])
def test_a_body_that_is_no_object(value, told):
    """It has no field to name."""
    assert faults_of(value) == [("", f"the body must be a JSON object (it is {told})")]


def test_a_field_in_the_wrong_place(body):
    """What belongs inside JobDetails is told so; both parts are mandatory."""
    assert faults_of({"JobName": "x", "Extra": 1}) == [
        ("JobName", "is no field of a Create Job request: write it inside JobDetails"),
        ("Extra", "is no field of a Create Job request"),
        ("JobDetails", MANDATORY),
        ("JobType", MANDATORY),
    ]
    assert faults_of(body() | {"JobDetails": "x"}) == [("JobDetails", 'must be an object (it is "x")')]


def test_the_answer_to_faults():
    """Message for people, Errors with every fault; a long list is cut in the Message only."""
    faults = WireFaults([WireFault("JobName", "is bad"), WireFault("", "all is")])
    assert faults.body() == {
        "Message": "JobName: is bad; all is",
        "Errors": [{"Field": "JobName", "Message": "is bad"}, {"Field": "", "Message": "all is"}],
    }
    many = WireFaults([WireFault(f"f{i}", "m") for i in range(30)]).body()
    assert many["Message"].endswith("f19: m; … (10 more)")
    assert len(many["Errors"]) == 30


def test_a_body_of_nothing_but_faults_is_not_read_to_its_end(body):
    """An answer tells 1,000 of them; millions would hold a processor for half a minute."""
    for faulty in (body(AssetsResolutionInfo=[0] * 100_000), {f"x{i}": 0 for i in range(100_000)}):
        assert 1000 < len(faults_of(faulty)) < 5000


def test_weekdays_are_numbered_as_the_codec_says(body):
    """With flags 0 is no day; with .NET's numbers it is Sunday."""
    changes = {"Schedule": {"RunPeriodically": True, "RecurrenceType": 2, "WeeklyDay": 0}}
    assert parse_create_job(body(**changes))
    assert faults_of(body(**changes), weekday_codec="flags")[0][0] == "Schedule.WeeklyDay"
