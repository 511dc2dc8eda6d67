"""What the file says of SD Elements: as a server to drive, as an agent, as the API that is served."""

from datetime import timedelta

import pytest

from config.definitions import Permission, SdeFileRun, SdeProject, SdeRun, SdeSystem, Secret

SERVER = "servers: {sde-prod: {type: sde, url: 'https://acme.sdelements.com', token: {credential: sde}}}"
HOURS = timedelta(hours=1)


@pytest.fixture
def run(job):
    """The run of a job with this `run:` at an SDE server."""
    return lambda text: job(run=text, top=SERVER).run


@pytest.fixture
def refused_run(refusal):
    """The text with which this `run:` is refused, from the job's name on."""

    def one(text: str) -> str:
        told = refusal(f"version: 1\n{SERVER}\njobs: [{{name: x, run: {text}}}]\n")
        return told.partition('job "x": ')[2]

    return one


def test_an_initiated_job_has_its_servers_deadlines(run) -> None:
    """What is not written is decided by kind, where the job is followed."""
    found = run("{sde: {server: sde-prod, kind: alm, connection: 12}}")
    assert found == SdeRun(server="sde-prod", connection_kind="alm", connection=12)
    assert (found.deadline, found.poll) == (None, timedelta(seconds=30))
    assert run("{sde: {server: sde-prod, kind: ldap, connection: 12, deadline: 3h}}").deadline == 3 * HOURS


def test_a_file_import(run) -> None:
    """Stays where it is unless a folder is named; may take six hours."""
    text = "server: sde-prod, system: fortify_file_upload, project: 1, files: reports/*.fpr"
    found = run(f"{{sde_file: {{{text}}}}}")
    assert isinstance(found, SdeFileRun)
    assert (found.move_to, found.deadline, found.poll) == (None, 6 * HOURS, timedelta(seconds=30))
    found = run(f"{{sde_file: {{{text}, move_to: sent, deadline: 1h, poll: 5s}}}}")
    assert (found.move_to, found.deadline, found.poll) == ("sent", HOURS, timedelta(seconds=5))


def test_an_agent_takes_all_kinds(run) -> None:
    """Of one frequency, four at once."""
    found = run("{sde_agent: {server: sde-prod, frequency: daily}}")
    assert (found.kinds, found.frequency, found.parallel) == (("alm", "analysis", "ldap"), "daily", 4)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "{sde: {server: sde-prod, kind: alm, connection: 0}}",
            "run.sde.connection: 0 is not a whole number from 1",
        ),
        ("{sde: {server: sde-prod, kind: ALM, connection: 1}}", 'run.sde.kind: "ALM" is not a kind of connection'),
        ("{sde: {server: sde-prod, connection: 1}}", 'run.sde: "kind" is missing'),
        (
            "{sde: {server: sde-prod, kind: alm, connection: 1, deadline: 60}}",
            "run.sde.deadline: 60 is not a duration; a number needs its unit",
        ),
        ("{sde_file: {server: sde-prod, system: x, project: 1}}", 'run.sde_file: "files" is missing'),
        (
            "{sde_file: {server: sde-prod, system: x, project: one, files: x}}",
            'run.sde_file.project: "one" is not a whole number',
        ),
        ("{sde_connection: {connection: 1}}", 'run: "sde_connection" is not a key; write exactly one of'),
    ],
)
def test_what_a_run_cannot_be(text: str, told: str, refused_run) -> None:
    """Each with its key; what the served API makes of its connections is not for the YAML."""
    assert told in refused_run(text)


def test_the_served_api(loads) -> None:
    """Systems with their names, projects, the key for secrets, the limit of uploads, who may edit."""
    found = loads("""version: 1
settings: {encryption_key: {credential: sde_key}, http: {upload_limit: 2GiB}}
users:
  - {name: ops, email: o@x.org, token: {credential: ops}, permissions: [edit-alm-connections, edit_verification_connections, Edit LDAP connections]}
commands: {sync: {argv: [/bin/true], stdin: ini}, import: {argv: [/bin/true], stdin: json}}
sde_systems:
  jira: {command: sync, test: sync}
  fortify_file_upload: {name: Fortify Software Security Center, short_name: Fortify, command: sync, file: import}
sde_projects: {1: {name: Payments}, "42": {name: Portal}}
""")
    assert found.settings.encryption_key == Secret("credential", "sde_key")
    assert found.settings.http.upload_limit == 2 * 1024**3
    assert found.users[0].permissions == (
        Permission.EDIT_ALM_CONNECTIONS,
        Permission.EDIT_VERIFICATION_CONNECTIONS,
        Permission.EDIT_LDAP_CONNECTIONS,
    )
    assert found.sde_systems == {
        "jira": SdeSystem(command="sync", test="sync"),
        "fortify_file_upload": SdeSystem(
            name="Fortify Software Security Center", short_name="Fortify", command="sync", file="import"
        ),
    }
    assert found.sde_projects == {"1": SdeProject(name="Payments"), "42": SdeProject(name="Portal")}


def test_without_any_of_it(loads) -> None:
    """No key, so no secret is taken; every project may be named; a gibibyte may be sent."""
    found = loads("version: 1\n")
    assert (found.settings.encryption_key, found.sde_projects, found.sde_systems) == (None, {}, {})
    assert found.settings.http.upload_limit == 1024**3


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("settings: {encryption_key: 12345}", "settings.encryption_key: this value is not a secret; quote it"),
        ("settings: {encryption_key: {vault: x}}", "settings.encryption_key: this is not a source of a secret"),
        ("settings: {http: {upload_limit: 1}}", "settings.http.upload_limit: "),
        ("settings: {http: {upload_limit: big}}", "settings.http.upload_limit: "),
        ("sde_projects: {0: {name: x}}", "sde_projects: 0 is not the id of a project"),
        ("sde_projects: {one: {name: x}}", 'sde_projects: "one" is not the id of a project'),
        ("sde_projects: {1: {}}", 'sde_projects.1: "name" is missing'),
        ("sde_projects: {1: {name: ''}}", "sde_projects.1.name: "),
        ("sde_systems: {jira: {test: x}}", 'sde_systems.jira: "command" is missing'),
        ("sde_systems: {Jira: {command: x}}", 'sde_systems: "Jira" is not a name'),
        ("commands: {a: {argv: [b], stdin: yaml}}", "commands.a.stdin: "),
        ("users: [{name: a, permissions: [edit-connections]}]", "users.permissions: "),
        ("settings: {frequencies: {spread: 8d}}", "settings.frequencies.spread: "),
        ("settings: {frequencies: {spread: -1s}}", "settings.frequencies.spread: "),
        ("settings: {frequencies: {hourly: {minute: 60}}}", "settings.frequencies.hourly.minute: "),
        ("settings: {frequencies: {daily: {minute: 6}}}", 'settings.frequencies.daily: "minute" is not a key'),
        ("settings: {frequencies: {manually: {}}}", 'settings.frequencies: "manually" is not a key'),
    ],
)
def test_what_is_refused(text: str, told: str, refusal) -> None:
    """Each at its key."""
    assert told in refusal(f"version: 1\n{text}\n")


def test_a_key_in_the_file_itself_is_warned_of_and_not_shown(loads) -> None:
    """As any secret."""
    found = loads("version: 1\nsettings: {encryption_key: correct horse battery staple}\n")
    assert "correct horse" not in repr(found)
    assert ["the secret stands in the file itself" in line for line in found.warnings] == [True]
