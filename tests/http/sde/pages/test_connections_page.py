"""The page on ALM connectors and connections: from the state that it describes, its answers.

Every exception stands beside its sample: the page contradicts itself in the ids that it answers with, in the name
of a system, and in the project of one connection.
"""

RALLY = {"rally": ("CA Agile Central (formerly Rally)", "CA Agile Central", "sync_rally")}
JIRA = {"jira": ("JIRA", "JIRA", "sync_jira")}
SYSTEMS = {**RALLY, **JIRA, "github": ("GitHub", "GitHub", "sync_github"), "ldap": ("LDAP", "LDAP", "sync_ldap")}
NAME = {"system.name": "another name than in the list"}
BASE = "/connectors/alm/"


def test_connectors(scene, samples, same):
    """Created, listed, alone, updated, tested."""
    (page,) = samples["connections", "POST", BASE]
    made = scene(SYSTEMS)
    github = {"name": page["name"], "system": {"id": "github"}, "inaccessible": False, "params": page["params"]}
    same(page, made.made(BASE, **github), {})
    listed = samples["connections", "GET", BASE][0]
    jira = listed["results"][1]
    made.made(BASE, name=jira["name"], system={"id": "jira"}, params=jira["params"])
    same(listed, made.http.get(BASE).json(), {})
    same(samples["connections", "GET", f"{BASE}1/"][0], made.http.get(f"{BASE}1/").json(), {})
    made.made(BASE, **github)
    changed = samples["connections", "PATCH", f"{BASE}3/"][0]
    told = {name: changed[name] for name in ("name", "inaccessible", "params")} | {"system": {"id": "github"}}
    answer = made.http.patch(f"{BASE}3/", json=told).json()
    same(changed, answer, {"id": "3 is patched, 12 answered"})
    tested = made.http.post(
        "/connectors/testalm/", json={"name": "ALM Test", "system": {"id": "github"}, "params": {}}
    )
    same(samples["connections", "POST", "/connectors/testalm/"][0], tested.json(), {})


def rally(scene, params):
    """A server with connection 1 of connector 2, and job 4, which failed."""
    made = scene(SYSTEMS, at="2016-12-15T22:45:27.412Z")
    made.connector(2, "alm", name="Rally", system={"id": "rally"}, params={})
    made.connection(1, "alm", alias="Rally Integration", connector=2, project=1, params=params)
    made.filled()
    made.jobs_before(4)
    asked = {"connection": 1, "automatic": False, "succeeded": False, "result_message": "Error Message"}
    assert made.made("/jobs/alm/", **asked)["id"] == 4
    return made


def test_connections(scene, samples, same):
    """Listed, with the last job, alone, tested."""
    page = samples["connections", "GET", "/connections/alm/"][0]
    made = rally(scene, page["results"][0]["params"])
    same(page, made.http.get("/connections/alm/").json(), {})
    project = {"project": "1 in the list, 2 elsewhere"}
    last = samples["connections", "GET", "/connections/alm/?include=last_job"][0]
    excused = {
        "results.project": project["project"],
        "results.last_job.last_run": "three digits of a fraction, six as elsewhere",
    }
    same(last, made.http.get("/connections/alm/?include=last_job").json(), excused)
    alone = samples["connections", "GET", "/connections/alm/{connection_id}/"][0]
    same(alone, made.http.get("/connections/alm/1/").json(), NAME | project)
    trial = {"connector": 2, "alias": "ALM Test", "project": 2, "system": {"id": "rally"}, "params": {}}
    tested = made.http.post("/connections/testalm/", json=trial).json()
    same(samples["connections", "POST", "/connections/testalm/"][0], tested, {})


def test_connections_that_are_written(scene, samples, same):
    """Created with the params of their connector beneath their own, and updated."""
    (page,) = samples["connections", "POST", "/connections/alm/"]
    own = {"alm_project": "Example Project", "alm_parent_issue": "Parent"}
    beneath = {name: value for name, value in page["params"].items() if name not in own}
    made = scene(SYSTEMS)
    made.connector(1, "alm", name="JIRA", system={"id": "jira"}, params=beneath)
    asked = {
        "alias": "Example Connection",
        "connector": 1,
        "debug_mode": True,
        "project": 1,
        "frequency": "hourly",
    }
    same(page, made.connection(5, "alm", **asked, params=own), {})


def test_connections_that_are_changed(scene, samples, same):
    """By PATCH; the params sent go over the connection's own, of which those that are not named stay."""
    (page,) = samples["connections", "PATCH", "/connections/alm/1/"]
    own = {"alm_project": "Example Project", "alm_parent_issue": "Parent"}
    beneath = {name: value for name, value in page["params"].items() if name not in own}
    made = scene(SYSTEMS)
    made.connector(1, "alm", name="JIRA", system={"id": "jira"}, params=beneath)
    one = {"alias": "Example Connection", "connector": 1, "project": 2, "frequency": "hourly"}
    made.connection(5, "alm", **one, params=own)
    asked = {"alias": "Example Connection Updated Name", "connector": 1, "project": 1, "frequency": "manually"}
    asked |= {"params": {"alm_project": "Project Name"}}
    same(page, made.http.patch("/connections/alm/5/", json=asked).json(), {})
