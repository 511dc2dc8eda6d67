"""What is written, to a stock Django REST framework app and to ours: same status, JSON, and words for each fault."""

NOT_KEYS = [
    None,
    "",
    " ",
    "x",
    "1x",
    True,
    [],
    {},
    1.5,
    "1.5",
    -1,
    0,
    "99999",
    99999,
    [1],
    {"id": 1},
    "1.0 x",
]
NOT_FLAGS = [None, "", "x", 2, -1, 1.5, [], {}, "tRue", "null", "wahr"]
FLAGS = [
    True,
    False,
    "true",
    "false",
    "True",
    "FALSE",
    "t",
    "F",
    "yes",
    "No",
    "on",
    "OFF",
    1,
    0,
    "1",
    "0",
    1.0,
    0.0,
]
NOT_TEXTS = [None, [], {}, True, ["x"]]
JOB = {"connection": 1, "automatic": True, "succeeded": True, "result_message": "Done"}
QUEUED = {"connection": 2, "automatic": False, "ready": False}
JIRA = {"name": "Jira", "system": {"id": "jira"}, "params": {"alm_server": "jira.example.com"}}
ONE = {"alias": "Team", "connector": 1, "project": 2, "params": {"alm_project": "X"}}
PEOPLE = {"alias": "People", "params": {"base_dn": "DC=example"}}
NEW_JOB = {"but": [".id"]}


def without(body, *names):
    """`body` without these."""
    return {name: value for name, value in body.items() if name not in names}


def test_results(put):
    """Posted, in every spelling that is taken; blanks around a message go."""
    rows = [JOB | {"automatic": flag} for flag in FLAGS] + [JOB | {"succeeded": flag} for flag in FLAGS]
    rows += [JOB | {"ready": True}, JOB | {"ready": "true"}, JOB | {"ready": 1}]
    rows += [
        JOB | {"result_message": one} for one in ("", " ", " a \n", "é\n\tΩ 😀", 12, 1.5, "x" * 10_000, "<b>&amp;")
    ]
    rows += [JOB | {"connection": one} for one in ("1", " 1", "1.0", 1.0)]
    rows += [JOB | {"nonsense": 1, "id": 77, "user": "x", "last_run": "x", "attachment": 1}]
    put([("POST", "/jobs/alm/", NEW_JOB | {"json": one}) for one in rows])
    put(
        [
            ("POST", "/jobs/analysis/", NEW_JOB | {"json": JOB | {"connection": 3}}),
            ("POST", "/jobs/ldap", NEW_JOB | {"json": JOB | {"connection": 4}}),
        ]
    )
    put([("POST", "/projects/1/jobs/alm/", NEW_JOB | {"json": JOB})])


def test_faults_of_results(put):
    """Every field, and all at once."""
    rows = [
        {},
        without(JOB, "connection"),
        without(JOB, "automatic"),
        without(JOB, "succeeded"),
        without(JOB, "result_message"),
    ]
    rows += [JOB | {"connection": one} for one in NOT_KEYS] + [JOB | {"connection": 3}, JOB | {"connection": 4}]
    rows += [JOB | {name: one} for name in ("automatic", "succeeded", "ready") for one in NOT_FLAGS]
    rows += [JOB | {"result_message": one} for one in NOT_TEXTS]
    rows += [
        JOB | {"result_message": "a\0b"},
        {"connection": "x", "automatic": "x", "succeeded": None, "result_message": []},
    ]
    put([("POST", "/jobs/alm/", {"json": one}) for one in rows])
    put([("POST", f"/jobs/{kind}/", {"json": {}}) for kind in ("analysis", "ldap")])


def test_initiating(put):
    """Without what belongs to results; what is sent of it is checked."""
    rows = [
        QUEUED | {"connection": 1},
        QUEUED | {"connection": 1, "ready": "false"},
        QUEUED | {"connection": 1, "automatic": True, "succeeded": True},
    ]
    put([("POST", "/jobs/alm/", NEW_JOB | {"json": one}) for one in rows])
    put(
        [
            ("POST", "/jobs/analysis/", NEW_JOB | {"json": QUEUED | {"connection": 3}}),
            ("POST", "/jobs/ldap/", NEW_JOB | {"json": QUEUED | {"connection": 4}}),
        ]
    )
    rows = [
        {"ready": False},
        QUEUED | {"connection": 99},
        QUEUED | {"connection": 3},
        without(QUEUED, "automatic"),
        QUEUED | {"succeeded": "x"},
    ]
    rows += [QUEUED | {"connection": 1, "result_message": []}, QUEUED | {"connection": 1, "automatic": None}]
    put([("POST", "/jobs/alm/", {"json": one}) for one in rows])
    put(
        [
            ("GET", "/connections/alm/"),
            ("GET", "/connections/ldap/?include=nothing"),
            ("GET", "/jobs/?ready=false", {"but": [".results[].id"]}),
        ]
    )


def test_connectors(put):
    """Created, replaced, changed; the names in the system are the server's own."""
    put(
        [
            ("POST", "/connectors/alm/", {"json": JIRA}),
            ("POST", "/connectors/alm", {"json": JIRA | {"inaccessible": True}}),
            (
                "POST",
                "/connectors/alm/",
                {"json": JIRA | {"system": {"id": "rally", "name": "x", "short_name": []}}},
            ),
            ("POST", "/connectors/alm/", {"json": JIRA | {"params": {}}}),
            (
                "POST",
                "/connectors/alm/",
                {"json": JIRA | {"params": {"a": None, "b": [1, {"c": True}], "d": 1.5, "": "e", "é": "Ω"}}},
            ),
            ("POST", "/connectors/alm/", {"json": JIRA | {"name": 12}}),
            ("POST", "/connectors/alm/", {"json": JIRA | {"name": "  blanks  ", "id": 77}}),
            ("POST", "/connectors/analysis/", {"json": JIRA}),
            ("PUT", "/connectors/alm/1/", {"json": JIRA | {"name": "Renamed"}}),
            ("PUT", "/connectors/alm/1", {"json": JIRA | {"inaccessible": False, "params": {"alm_pass": "t"}}}),
            ("PATCH", "/connectors/alm/1/", {"json": {"name": "Patched"}}),
            ("PATCH", "/connectors/alm/1/", {"json": {}}),
            ("PATCH", "/connectors/alm/1/", {"json": {"params": {"alm_server": "x"}}}),
            ("PATCH", "/connectors/alm/1/", {"json": {"system": {"id": "jira"}}}),
            ("PATCH", "/connectors/alm/1/", {"json": {"system": {}}}),
            ("GET", "/connectors/alm/1/"),
            ("GET", "/connections/alm/1/"),
            ("GET", "/connectors/alm/"),
        ]
    )


def test_faults_of_connectors(put):
    """Every field, and all at once."""
    rows = [{}, *(without(JIRA, name) for name in JIRA), JIRA | {"name": ""}, JIRA | {"name": " "}]
    rows += [JIRA | {"name": one} for one in NOT_TEXTS]
    rows += [JIRA | {"inaccessible": one} for one in NOT_FLAGS]
    rows += [JIRA | {"system": one} for one in (None, 1, [], {}, {"name": "x"}, {"id": None}, {"id": "nonsense"})]
    rows += [JIRA | {"params": one} for one in (None, "x", 1, [], True, "{}")]
    put([("POST", "/connectors/alm/", {"json": one}) for one in rows])
    put([(method, "/connectors/alm/1/", {"json": one}) for method in ("PUT", "PATCH") for one in rows[1:9]])


def test_connections(put):
    """Created, replaced, changed; params are shown over those of the connector."""
    put(
        [
            ("POST", "/connections/alm/", {"json": ONE}),
            ("POST", "/connections/alm/", {"json": ONE | {"connector": 2, "debug_mode": True}}),
            ("POST", "/connections/alm", {"json": ONE | {"frequency": "monthly", "params": {}}}),
            ("POST", "/connections/alm/", {"json": ONE | {"connector": "1", "project": "2", "debug_mode": "yes"}}),
            (
                "POST",
                "/connections/alm/",
                {"json": ONE | {"params": {"alm_server": "other", "deep": {"a": [1, None]}}}},
            ),
            (
                "POST",
                "/connections/alm/",
                {"json": ONE | {"inaccessible": True, "command": "rm", "system": "x", "id": 9}},
            ),
            ("POST", "/connections/analysis/", {"json": ONE | {"connector": 3}}),
            ("POST", "/connections/ldap/", {"json": PEOPLE}),
            (
                "POST",
                "/connections/ldap/",
                {"json": PEOPLE | {"frequency": "weekly", "inaccessible": True, "connector": 1, "project": "x"}},
            ),
            ("PUT", "/connections/alm/1/", {"json": ONE | {"alias": "Renamed"}}),
            ("PUT", "/connections/alm/1", {"json": ONE | {"frequency": "weekly", "debug_mode": True}}),
            ("PATCH", "/connections/alm/1/", {"json": {}}),
            ("PATCH", "/connections/alm/1/", {"json": {"frequency": "manually"}}),
            ("PATCH", "/connections/alm/1/", {"json": {"params": {"alm_project": "Y"}}}),
            ("PATCH", "/connections/alm/1/", {"json": {"project": 7, "debug_mode": False, "alias": "Team A"}}),
            ("PATCH", "/connections/ldap/4/", {"json": {"frequency": "hourly"}}),
            ("PUT", "/connections/ldap/4/", {"json": PEOPLE}),
            ("GET", "/connections/alm/1/"),
            ("GET", "/connections/alm/"),
            ("GET", "/connections/ldap/"),
        ]
    )


def test_faults_of_connections(put):
    """Every field, and all at once."""
    rows = [{}, *(without(ONE, name) for name in ONE), ONE | {"alias": ""}]
    rows += [ONE | {"alias": one} for one in NOT_TEXTS]
    rows += [ONE | {name: one} for name in ("connector", "project") for one in NOT_KEYS]
    rows += [ONE | {"debug_mode": one} for one in NOT_FLAGS]
    rows += [ONE | {"frequency": one} for one in ("", "yearly", "Daily", " daily", None, 1, True, [], {})]
    rows += [ONE | {"params": one} for one in (None, "x", 1, [], True)]
    put([("POST", "/connections/alm/", {"json": one}) for one in rows])
    put([(method, "/connections/alm/1/", {"json": one}) for method in ("PUT", "PATCH") for one in rows[1:12]])
    put(
        [
            ("POST", "/connections/ldap/", {"json": one})
            for one in ({}, {"alias": ""}, {"params": []}, PEOPLE | {"frequency": "x"})
        ]
    )


def test_trials(put):
    """Whether a tool answers, before anything is kept."""
    trial = ONE | {"system": {"id": "jira"}}
    put(
        [
            ("POST", "/connectors/testalm/", {"json": JIRA}),
            ("POST", "/connectors/testalm", {"json": JIRA}),
            ("POST", "/connectors/testanalysis/", {"json": JIRA}),
            ("POST", "/connectors/testalm/", {"json": {}}),
            ("POST", "/connectors/testalm/", {"json": JIRA | {"system": {"id": "nonsense"}}}),
            ("POST", "/connectors/testalm/", {"json": JIRA | {"params": []}}),
            ("POST", "/connections/testalm/", {"json": trial}),
            ("POST", "/connections/testalm/", {"json": without(trial, "project", "connector")}),
            ("POST", "/connections/testalm/", {"json": {}}),
            ("POST", "/connections/testalm/", {"json": trial | {"connector": 99, "project": 99}}),
        ]
    )


def test_forms(put):
    """A form is read as a browser would have meant it: a flag that is not in it is off."""
    result = {"connection": "1", "automatic": "true", "succeeded": "on", "ready": "true", "result_message": "Done"}
    put(
        [
            ("POST", "/jobs/alm/", NEW_JOB | {"data": result}),
            ("POST", "/jobs/alm/", NEW_JOB | {"data": without(result, "automatic", "succeeded")}),
            ("POST", "/jobs/alm/", {"data": without(result, "connection", "result_message")}),
            ("POST", "/jobs/alm/", {"data": result | {"connection": "x"}}),
            ("POST", "/jobs/alm/", NEW_JOB | {"data": result, "files": {"nothing": b""}}),
            ("POST", "/connectors/alm/", {"data": {"name": "x"}}),
        ]
    )
