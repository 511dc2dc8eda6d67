"""Connections and connectors: shown, created, updated, tested."""

import functools

import pytest

from runners.sde.wire import (
    Connection,
    ConnectionFields,
    Connector,
    Frequency,
    Kind,
    LastJob,
    Shape,
    System,
    Trial,
    TrialResult,
    WireFaults,
    effective_params,
    parse_connection,
    parse_connection_request,
    parse_connection_trial,
    parse_connector,
    parse_connector_request,
    parse_connector_trial,
    parse_trial_result,
)

REQUIRED = ["This field is required."]
NULL = ["This field may not be null."]
BLANK = ["This field may not be blank."]
RALLY = System("rally", "CA Agile Central", "CA Agile Central (formerly Rally)")
ONE = Connection(
    id=1, alias="Team A", system=RALLY, frequency="daily", command="sync_rally", params={"alm_pass": "secret"},
    project=2, connector=3, inaccessible=True,
)  # fmt: skip
BASE = {"id", "alias", "system", "frequency", "command", "inaccessible", "params"}


@pytest.mark.parametrize(
    ("kind", "shape", "more"),
    [
        *((kind, Shape.LISTED, {"debug_mode", "connector", "project", "in_progress"}) for kind in (Kind.ALM, Kind.ANALYSIS)),
        (Kind.ALM, Shape.SINGLE, {"debug_mode", "connector", "project"}),
        (Kind.ALM, Shape.CREATED, {"debug_mode", "connector", "project"}),
        (Kind.LDAP, Shape.LISTED, {"in_progress"}), (Kind.LDAP, Shape.SINGLE, set()), (Kind.LDAP, Shape.CREATED, set()),
    ],
)  # fmt: skip
def test_the_fields_of_each_shape(kind, shape, more):
    """Params and the last job where they are to be shown; a connection that never ran has null there."""
    assert set(ONE.wire(kind, shape, params=True)) == BASE | more
    assert set(ONE.wire(kind, shape, params=False)) == (BASE | more) - {"params"}
    assert ONE.wire(kind, shape, params=True, last_job=True)["last_job"] is None
    short = ONE.wire(Kind.ALM, shape, params=True)["system"].get("short_name")
    assert short == (None if shape is Shape.SINGLE else "CA Agile Central")


def test_a_connection_is_read_as_it_is_shown():
    """In a list nothing is lost but whose last job's user was known by more than a number."""
    assert parse_connection(ONE.wire(Kind.ALM, Shape.LISTED, params=True)) == ONE
    assert parse_connection({"id": 1}) == Connection(id=1)
    assert "secret" not in repr(ONE)


@pytest.mark.parametrize(("params", "has"), [(None, False), ({}, False), ({"a": None}, True)])
def test_missing_null_and_empty_params_are_the_same(params, has):
    """None of them can be run."""
    bodies = [{"id": 1, "params": params}] if params is not None else [{"id": 1}, {"id": 1, "params": None}]
    assert {parse_connection(body).has_params for body in bodies} == {has}


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"id": None}, ["id"]), ({"alias": 5}, ["alias"]), ({"frequency": ["daily"]}, ["frequency"]), ({"params": "x"}, ["params"]),
        ({"inaccessible": "yes", "in_progress": 1}, ["inaccessible", "in_progress"]), ({"project": "2"}, ["project"]),
        ({"system": 5}, ["system"]), ({"system": {"id": "-"}}, ["system.id"]), ({"last_job": {}}, ["last_job.id", "last_job.ready"]),
    ],
)  # fmt: skip
def test_a_connection_at_fault(changes, fields):
    """Its fields are named."""
    with pytest.raises(WireFaults) as raised:
        parse_connection({"id": 1} | changes)
    assert [fault.field for fault in raised.value.faults] == fields


def test_a_request_for_a_connection(request_body):
    """Whole, least, and by PATCH; LDAP says whether it is inaccessible, others have it of their connector."""
    found = parse_connection_request(request_body("connection"), Kind.ALM)
    assert found.wire() == request_body("connection")
    least = {
        "alias": "A",
        "connector": 1,
        "project": 2,
        "params": {},
        "inaccessible": True,
        "system": {"id": "x"},
        "command": "rm",
    }
    assert parse_connection_request(least, Kind.ANALYSIS) == ConnectionFields(
        alias="A", connector=1, project=2, params={}, frequency=Frequency.MANUALLY, debug_mode=False
    )
    ldap = {"alias": "A", "connector": "x", "debug_mode": "x", "params": {}, "inaccessible": True}
    assert parse_connection_request(ldap, Kind.LDAP) == ConnectionFields(
        alias="A", params={}, frequency=Frequency.MANUALLY, inaccessible=True
    )
    for kind in Kind:
        assert parse_connection_request({}, kind, partial=True) == ConnectionFields()
    assert parse_connection_request({"frequency": "weekly"}, Kind.ALM, partial=True).wire() == {
        "frequency": "weekly"
    }


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        *((name, ..., REQUIRED) for name in ("alias", "connector", "project", "params")),
        *((name, None, NULL) for name in ("alias", "connector", "project", "params", "frequency", "debug_mode")),
        ("alias", "", BLANK), ("alias", "  ", BLANK), ("alias", {}, ["Not a valid string."]), ("alias", "\0", ["Null characters are not allowed."]),
        ("connector", "a", ["A valid integer is required."]), ("connector", 9, ['Invalid pk "9" - object does not exist.']),
        ("project", 9, ['Invalid pk "9" - object does not exist.']), ("project", "", NULL),
        ("frequency", "Daily", ['"Daily" is not a valid choice.']), ("frequency", "", ['"" is not a valid choice.']),
        ("frequency", 5, ['"5" is not a valid choice.']), ("frequency", ["a"], ["\"['a']\" is not a valid choice."]),
        ("frequency", "x" * 500, [f'"{"x" * 199}…" is not a valid choice.']), ("frequency", "\ud800", ['"\ufffd" is not a valid choice.']),
        ("debug_mode", "maybe", ["Must be a valid boolean."]),
        ("params", [], ['Expected a dictionary of items but got type "list".']),
        ("params", "", ['Expected a dictionary of items but got type "str".']),
        ("params", {"a": {"b": ["c\0"]}}, {"a": ["Null characters are not allowed."]}),
        ("params", {"a": "\ud800"}, {"a": ["Surrogate characters are not allowed: U+D800."]}),
        ("params", {"a": functools.reduce(lambda inner, _: [inner], range(100), 1)}, {"a": ["Value must be valid JSON."]}),
        ("params", {"a": [float("inf")]}, {"a": ["Value must be valid JSON."]}),
    ],
)  # fmt: skip
def test_a_request_for_a_connection_at_fault(request_body, refused, field, value, said):
    """In the framework's words; a PATCH is refused for the same, unless a field is only missing."""
    body = request_body("connection", **{field: value})
    known = {"connectors": {1}.__contains__, "projects": {2}.__contains__}
    assert refused(lambda: parse_connection_request(body, Kind.ALM, **known)) == {field: said}
    if value is ...:
        parse_connection_request(body, Kind.ALM, partial=True, **known)
    else:
        assert refused(lambda: parse_connection_request(body, Kind.ALM, partial=True, **known)) == {field: said}


def test_a_frequency_is_one_of_five(request_body):
    """Exactly so written."""
    for word in ("hourly", "daily", "weekly", "monthly", "manually"):
        assert parse_connection_request(
            request_body("connection", frequency=word), Kind.ALM
        ).frequency is Frequency(word)


def test_params_of_a_connector_stand_under_those_of_a_connection():
    """An update says what it says, and no more."""
    told = {"params": {"alm_project": "Q"}, "alias": "B"}
    found = parse_connection_request(told, Kind.ALM, partial=True)
    assert found.wire() == told
    assert effective_params({"alm_user": "u", "alm_project": "-"}, found.params) == {
        "alm_user": "u",
        "alm_project": "Q",
    }
    assert effective_params(None, None) == {}


CONNECTOR = Connector(id=3, name="Jira", system=System("jira", "JIRA", "JIRA"), params={"alm_pass": "secret"})


def test_a_connector_is_read_as_it_is_shown():
    """Params with the permission only."""
    assert parse_connector(CONNECTOR.wire(params=True)) == CONNECTOR
    assert set(CONNECTOR.wire(params=False)) == {"id", "name", "system", "inaccessible"}
    assert "secret" not in repr(CONNECTOR)
    with pytest.raises(WireFaults, match=r"id: is missing.*inaccessible: must be true or false"):
        parse_connector({"inaccessible": 0})


def test_an_update_of_a_connector(request_body):
    """PUT says everything, inaccessible is false unless said; PATCH leaves what it does not say."""
    systems = {"jira": System("jira", "JIRA", "JIRA 9")}
    put = parse_connector_request(request_body("connector", inaccessible=...), systems=systems)
    assert put.inaccessible is False
    assert put.system == "jira"
    for nothing in ({}, {"system": {}}):
        assert parse_connector_request(nothing, partial=True).wire() == {}
    patched = parse_connector_request({"inaccessible": "true"}, partial=True)
    assert patched.wire() == {"inaccessible": True}
    assert parse_connector_request(request_body("connector", system="jira")).system == "jira"


SYSTEM_FAULTS = [
    (..., REQUIRED), (None, NULL), (5, {"non_field_errors": ["Invalid data. Expected a dictionary, but got int."]}),
    ([], {"non_field_errors": ["Invalid data. Expected a dictionary, but got list."]}),
    ({}, {"id": REQUIRED}), ({"id": None}, {"id": NULL}), ({"id": ""}, {"id": BLANK}), ({"id": []}, {"id": ["Not a valid string."]}),
    ({"id": "other"}, {"id": ['Invalid pk "other" - object does not exist.']}), ("", {"id": BLANK}),
    ({"id": "../x"}, {"id": ['Invalid pk "../x" - object does not exist.']}),
]  # fmt: skip


@pytest.mark.parametrize(("value", "said"), SYSTEM_FAULTS)
@pytest.mark.parametrize(
    ("name", "parse"),
    [
        ("connector", parse_connector_request),
        ("connector trial", parse_connector_trial),
        ("connection trial", parse_connection_trial),
    ],
)
def test_a_system_at_fault(request_body, refused, name, parse, value, said):
    """Faults inside it stand inside it."""
    assert refused(lambda: parse(request_body(name, system=value), systems={"jira"})) == {"system": said}


def test_other_faults_of_a_connector(request_body, refused):
    """All at once; a system whose id can be none is refused by whoever knows no systems too."""
    body = request_body("connector", system={"id": "../x"})
    assert refused(lambda: parse_connector_request(body)) == {
        "system": {"id": ['Invalid pk "../x" - object does not exist.']}
    }
    assert refused(lambda: parse_connector_request({})) == dict.fromkeys(("name", "system", "params"), REQUIRED)
    assert refused(lambda: parse_connector_trial({})) == dict.fromkeys(("name", "system", "params"), REQUIRED)
    assert refused(lambda: parse_connector_request({"name": " ", "inaccessible": "x"}, partial=True)) == {
        "inaccessible": ["Must be a valid boolean."], "name": BLANK,
    }  # fmt: skip


def test_tests(request_body, refused):
    """A connection's may be called by alias or name; what it tells beside is checked where it stands."""
    trial = parse_connection_trial(request_body("connection trial"))
    assert (trial.name, trial.system, trial.connector, trial.project) == ("Team A", "jira", 1, 2)
    named = parse_connection_trial(
        request_body("connection trial", alias=..., name="N", connector=..., project=...)
    )
    assert named == Trial(name="N", system="jira", params=trial.params)
    assert "secret" not in repr(trial)
    assert refused(lambda: parse_connection_trial({})) == dict.fromkeys(("alias", "system", "params"), REQUIRED)
    body = request_body("connection trial", connector=9, project="x")
    assert refused(lambda: parse_connection_trial(body, connectors={1}.__contains__)) == {
        "connector": ['Invalid pk "9" - object does not exist.'], "project": ["A valid integer is required."],
    }  # fmt: skip


def test_results_of_tests():
    """Success alone as the page has it; a reason where there is one."""
    for result in (TrialResult(success=True), TrialResult(success=False, message="Connection refused")):
        assert parse_trial_result(result.wire()) == result
    with pytest.raises(WireFaults, match="success: is missing"):
        parse_trial_result({})


def test_a_last_job_is_included_with_its_user(samples):
    """As the sample has it."""
    listed = next(s for s in samples if s["path"].endswith("include=last_job"))["body"]["results"][0]
    last = parse_connection(listed).last_job
    assert isinstance(last, LastJob)
    assert (last.id, last.user, last.course.ready, last.course.result_message) == (4, 1, True, "Error Message")
