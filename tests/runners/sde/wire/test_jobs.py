"""Jobs as a client reads them and as they are shown."""

import pytest

from runners.sde.wire import (
    Connection,
    Course,
    Job,
    JobState,
    Kind,
    LastJob,
    System,
    User,
    WireFaults,
    email_of,
    parse_job,
    parse_user,
)

LEAST = {"id": 5, "connection": {"id": 12}, "ready": False}
USER = User(id=3, email="a@example.com")


def test_the_least_that_a_job_has():
    """Id, connection and ready; null is the same as missing; what is not known is ignored."""
    job = parse_job(LEAST)
    assert (job.id, job.connection.id, job.ready, job.user, job.triggered_by, job.attachment) == (
        5,
        12,
        False,
        None,
        None,
        None,
    )
    assert job.course == Course(ready=False)
    nulls = dict.fromkeys(
        ("user", "triggered_by", "succeeded", "automatic", "result_message", "last_run", "attachment")
    )
    assert parse_job(LEAST | nulls | {"new": {"a": []}}) == job
    assert parse_job(LEAST | {"connection": 12}) == job


@pytest.mark.parametrize(
    ("ready", "succeeded", "state"),
    [
        (False, False, JobState.PENDING), (False, True, JobState.PENDING), (False, None, JobState.PENDING),
        (True, True, JobState.SUCCEEDED), (True, False, JobState.FAILED),
    ],
)  # fmt: skip
def test_states(ready, succeeded, state):
    """What is not ready has not succeeded, whatever it says."""
    job = parse_job(LEAST | {"ready": ready, "succeeded": succeeded})
    assert (job.state, job.course.succeeded) == (state, state is JobState.SUCCEEDED)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"id": None}, ["id: is missing: it must be a whole number from 1 to 9223372036854775807"]),
        ({"id": "5"}, ['id: must be a whole number from 1 to 9223372036854775807 (it is "5")']),
        ({"id": True}, ["id: must be a whole number from 1 to 9223372036854775807 (it is true)"]),
        ({"id": 10**100}, ["id: must be a whole number from 1 to 9223372036854775807 (it is a number of many digits)"]),
        ({"ready": None}, ["ready: is missing: it must be true or false"]),
        ({"ready": "true"}, ['ready: must be true or false (it is "true")']),
        ({"ready": True}, ["succeeded: is missing: it must be true or false"]),
        ({"automatic": 1}, ["automatic: must be true or false (it is 1)"]),
        ({"connection": None}, ["connection: is missing: it must be an object or a whole number"]),
        ({"connection": []}, ["connection: must be an object or a whole number (it is a list)"]),
        ({"connection": {}}, ["connection.id: is missing: it must be a whole number from 1 to 9223372036854775807"]),
        ({"connection": {"id": 1, "params": [1]}}, ["connection.params: must be an object"]),
        ({"last_run": "soon"}, ['last_run: must be YYYY-MM-DDThh:mm:ss, with or without a fraction and an offset or Z (it is "soon")']),
        ({"user": False}, ["user: must be an e-mail, a whole number or an object (it is false)"]),
        ({"user": {"id": 1}}, ["user.email: is missing: it must be a text"]),
        ({"attachment": {}, "id": 0}, ["id: must be a whole number from 1 to 9223372036854775807 (it is 0)", "attachment: must be a text (it is an object)"]),
    ],
)  # fmt: skip
def test_a_job_at_fault(changes, told):
    """Each fault by its field, all at once; params are never repeated."""
    with pytest.raises(WireFaults) as raised:
        parse_job(LEAST | changes)
    assert [str(fault) for fault in raised.value.faults] == told
    assert str(raised.value) == "; ".join(told)


def test_what_is_no_job():
    """An answer that is no object."""
    for answer in (None, [], "ok", 5):
        with pytest.raises(WireFaults, match="the answer must be a JSON object"):
            parse_job(answer)


def test_messages_are_read_whatever_they_are():
    """As texts fit for a ledger."""
    assert parse_job(LEAST | {"result_message": "a\0\ud800"}).course.result_message == "a\ufffd\ufffd"
    assert parse_job(LEAST | {"result_message": {"why": 1}}).course.result_message == '{"why": 1}'


def test_users_are_shown_short_or_whole():
    """By e-mail, or whole where asked; a number stays one; nobody is left out."""
    job = Job(id=5, connection=Connection(id=12), course=Course(ready=True), user=USER, triggered_by=USER)
    assert job.wire(Kind.ALM, params=True)["user"] == "a@example.com"
    whole = job.wire(Kind.ALM, params=True, expand={"user"})
    assert (whole["user"], whole["triggered_by"]) == (USER.wire(), "a@example.com")
    assert parse_user(USER.wire()) == USER
    assert parse_job(whole).user == USER
    nobody = Job(id=5, connection=Connection(id=12), course=Course(ready=True), user=7).wire(
        Kind.ALM, params=True, expand={"user"}
    )
    assert nobody["user"] == 7
    assert "triggered_by" not in nobody
    assert [email_of(person) for person in (USER, "b@example.com", 7, None)] == [
        "a@example.com",
        "b@example.com",
        None,
        None,
    ]


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("params", [None, {}, {"alm_pass": "secret"}])
def test_params_are_shown_with_the_permission_only(kind, params):
    """Without it the key is missing; neither params nor tokens stand in a repr."""
    job = Job(id=5, connection=Connection(id=12, params=params, is_file_upload=True), course=Course(ready=True))
    assert "params" not in job.wire(kind, params=False)["connection"]
    assert job.wire(kind, params=True)["connection"].get("params") == params
    assert "secret" not in repr(job)


def test_the_last_job_names_its_user_by_number():
    """As the page has it; whoever is known by e-mail only stays so."""
    job = Job(id=5, connection=Connection(id=12), course=Course(ready=True, succeeded=True), user=USER)
    assert job.as_last() == LastJob(5, job.course, USER)
    assert job.as_last().wire() == {
        "id": 5, "user": 3, "succeeded": True, "automatic": False, "ready": True, "result_message": "", "last_run": None,
    }  # fmt: skip


def test_what_a_job_carries_of_its_connection():
    """A text for the system; a project, or for LDAP whether it is inaccessible; for a file import more."""
    connection = Connection(id=1, system=System("rally", "Agile", "Rally"), project=7, connector=2)
    keys = {"id", "alias", "system", "frequency", "command"}
    course = Course(ready=True)
    assert set(
        Job(id=5, connection=connection, course=course).wire(Kind.ALM, params=True)["connection"]
    ) == keys | {"project"}
    assert set(
        Job(id=5, connection=connection, course=course).wire(Kind.LDAP, params=True)["connection"]
    ) == keys | {"inaccessible"}
    assert connection.in_job(Kind.ALM, params=True)["system"] == "Rally"
    uploaded = Connection(id=1, system=System("f", "F"), is_file_upload=True).in_job(Kind.ANALYSIS, params=True)
    assert set(uploaded) == keys | {"project", "in_progress", "connector", "debug_mode", "is_file_upload"}
    assert uploaded["system"] == {"id": "f", "short_name": "F"}
