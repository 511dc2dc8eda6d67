"""`jobsd import sde`: a job for each connection with a frequency, from a real HTTP server that pages its lists."""

import http.server
import json
import re
import threading
from urllib.parse import parse_qs, urlsplit

import pytest

import config
from config.definitions import SdeAgentRun, SdeRun, Secret
from runners.sde.wire import Connection, Kind, Paging, Shape, System, paged

TOKEN = "T0ken-of-jobsd"
JIRA = System("jira", "JIRA", "Atlassian JIRA")
KINDS = {"alm": Kind.ALM, "analysis": Kind.ANALYSIS, "ldap": Kind.LDAP}


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        parts = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        self.server.asked.append((parts.path, query))
        kind = KINDS[parts.path.removeprefix("/api/v2/connections/").strip("/")]
        status, body = self.server.orders.get(kind) or self.listed(kind, query)
        if self.headers["Authorization"] != f"Token {TOKEN}":
            status, body = 401, {"detail": "Invalid token."}
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def listed(self, kind, query):
        items = [
            {**one.wire(kind, Shape.LISTED, params=True), **self.server.odd.get(one.id, {})}
            for one in self.server.connections[kind]
        ]
        size = min(int(query["page_size"]), self.server.most)
        return 200, paged(items, Paging(size, query["page"]), f"http://elsewhere.invalid{self.path}")

    def log_message(self, *arguments):
        pass


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = False

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.connections = {kind: [] for kind in Kind}
        self.orders, self.odd, self.asked = {}, {}, []
        self.most = 2  # of a page, whatever is asked for

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"

    def have(self, kind, number, alias, frequency="daily", **more):
        """A connection; `params` are shown unless None."""
        more = {"params": {"password": "p4ss"}, "command": "sync_jira", "system": JIRA, "project": 3} | more
        self.connections[kind].append(Connection(id=number, alias=alias, frequency=frequency, **more))


@pytest.fixture
def server():
    """An SDE server of this test's own."""
    one = _Server()
    thread = threading.Thread(target=one.serve_forever, args=(0.05,))
    thread.start()
    yield one
    one.shutdown()
    thread.join()
    one.server_close()


FILE = """version: 1
settings: {{timezone: America/New_York{settings}}}
servers:
  sde-prod: {{type: sde, url: '{url}', token: {token}{more}}}
  ccs-prod: {{type: ccs, url: 'https://ccs.example.com', username: a, password: {{env: P}}}}
commands: {{sync_known: {{argv: [/bin/true]}}}}
jobs: []
"""


@pytest.fixture
def imported(jobsd, tmp_path, server, monkeypatch):
    """Import what that server has: (exit_code=0, **what the file says otherwise) -> (result, its configuration)."""
    monkeypatch.setenv("G_SDE", TOKEN)

    def make(*, exit_code=0, told=(), **more):
        values = {"url": server.url, "token": "{env: G_SDE}", "settings": "", "more": ""} | more
        (tmp_path / "jobsd.yaml").write_text(FILE.format(**values))
        found = jobsd("import", "sde", "-c", "jobsd.yaml", "--server", "sde-prod", exit_code=exit_code)
        assert TOKEN not in found.output
        assert "p4ss" not in found.output
        if not found.stdout:
            return found, None
        (tmp_path / "made.yaml").write_text(found.stdout)
        checked = jobsd("check", "made.yaml")
        loaded = config.load(tmp_path / "made.yaml")
        assert checked.stdout.startswith(f"{len(loaded.jobs)} job")
        assert "not acted on" not in checked.stderr
        return found, loaded

    return make


def test_each_connection_with_a_frequency_has_a_job(imported, server):
    """Of all kinds and all pages; those that the server reaches are initiated at their frequency."""
    for number, frequency in enumerate(("hourly", "daily", "weekly", "monthly", "manually"), start=1):
        server.have(Kind.ALM, number, f"Tracker {number}", frequency)
    server.have(Kind.ANALYSIS, 6, "Fortify", "weekly", params=None)
    server.have(Kind.LDAP, 7, "Staff", "hourly", project=None, system=System(None, name="LDAP"))
    found, made = imported()
    assert {name: job.run for name, job in made.jobs.items()} == {
        "tracker-1": SdeRun(server="sde-prod", connection_kind="alm", connection=1),
        "tracker-2": SdeRun(server="sde-prod", connection_kind="alm", connection=2),
        "tracker-3": SdeRun(server="sde-prod", connection_kind="alm", connection=3),
        "tracker-4": SdeRun(server="sde-prod", connection_kind="alm", connection=4),
        "fortify": SdeRun(server="sde-prod", connection_kind="analysis", connection=6),
        "staff": SdeRun(server="sde-prod", connection_kind="ldap", connection=7),
    }
    assert re.findall("schedule: {frequency: (.*)}", found.stdout) == [
        "hourly", "daily", "weekly", "monthly", "weekly", "hourly",
    ]  # fmt: skip
    assert [job.description for job in made.jobs.values()][:1] == ["Tracker 1"]
    assert {job.retry.attempts for job in made.jobs.values()} == {3}
    assert "connection: 1}}  # Atlassian JIRA, project 3\n" in found.stdout
    assert "set that to manually there, or they run twice" in found.stdout
    assert found.stderr == "1 connection left out: run manually\n"
    assert "# 1 connection left out: run manually\n" in found.stdout
    assert [query["page"] for path, query in server.asked if "/alm/" in path] == ["1", "2", "3"]


def test_what_the_server_does_not_reach_is_run_here(imported, server):
    """One agent for each frequency, with its connections and the commands that they need as comments."""
    server.have(Kind.ALM, 1, "Inside", inaccessible=True)
    server.have(Kind.ALM, 2, "Blind\n- name: evil", inaccessible=True, params=None, command="sync_\n x: y")
    server.have(Kind.LDAP, 3, "Staff", "weekly", inaccessible=True, command="sync_known", project=None)
    server.have(Kind.ALM, 4, "By hand", "manually", inaccessible=True)
    server.have(Kind.ALM, 5, "Reached")
    found, made = imported()
    assert {name: job.run for name, job in made.jobs.items()} == {
        "reached": SdeRun(server="sde-prod", connection_kind="alm", connection=5),
        "sde-prod-agent-daily": SdeAgentRun(server="sde-prod", frequency="daily"),
        "sde-prod-agent-weekly": SdeAgentRun(server="sde-prod", frequency="weekly"),
    }
    lines = found.stdout.splitlines()
    assert "    # alm connection 1 (Inside): sync_jira  # Atlassian JIRA, project 3" in lines
    assert (
        r"    # alm connection 2 (Blind\x0a- name: evil): sync_\x0a x: y; its params are not shown to this token, "
        "so it cannot be run  # Atlassian JIRA, project 3"
    ) in lines
    assert "    # ldap connection 3 (Staff): sync_known  # Atlassian JIRA" in lines
    assert '#   sync_jira: {argv: [sde.py, "sync_jira", -I, -c, "-"], stdin: ini}  # for 1' in lines
    assert '#   sync_known: {argv: [sde.py, "sync_known", -I, -c, "-"], stdin: ini}  # for 3; FILE has it' in lines
    assert not made.commands


def test_the_commands_hold_once_their_comment_signs_are_taken_away(imported, server, jobsd, tmp_path):
    """As the page says."""
    server.have(Kind.ALM, 1, "Inside", inaccessible=True)
    found, _ = imported()
    begin = found.stdout.index("# commands:")
    head, rest = found.stdout[:begin], found.stdout[begin:]
    (tmp_path / "filled.yaml").write_text(head + re.sub("^# ", "", rest, flags=re.MULTILINE))
    jobsd("check", "filled.yaml")
    command = config.load(tmp_path / "filled.yaml").commands["sync_jira"]
    assert (command.argv, command.stdin) == (("sde.py", "sync_jira", "-I", "-c", "-"), "ini")


def test_no_agent_where_nothing_needs_one(imported, server):
    """Nothing about commands either; and nothing at all where there are no connections."""
    server.have(Kind.ALM, 1, "Reached")
    found, made = imported()
    assert list(made.jobs) == ["reached"]
    assert "commands" not in found.stdout
    server.connections[Kind.ALM].clear()
    found, made = imported()
    assert (made.jobs, found.stderr) == ({}, "")


ALIASES = [
    ("Jira", "jira"), ("Über-Prüfung: Ä", "uber-prufung-a"), ("", "alm-3"), ("🦀 ★", "alm-4"), ("twice", "twice-alm-5"),
    ("Twice!", "twice-alm-6"), ("x" * 300, "x" * 80), ("null", "null"), ("1e5", "1e5"), ("- name: x\n\t#{", "name-x"),
    ("sde-prod-agent-daily", "sde-prod-agent-daily-2"), ('"quoted" \\ \u2028 \x1b[31m', "quoted-31m"), ("..hidden", "hidden"),
]  # fmt: skip


def test_odd_aliases_become_names(imported, server):
    """Valid, unique, told apart by kind and id; the alias itself is the description, whatever is in it."""
    for number, (alias, _) in enumerate(ALIASES, start=1):
        server.have(Kind.ALM, number, alias)
    server.have(Kind.LDAP, 5, "twice", project=None)
    server.have(Kind.ALM, 90, "inside", inaccessible=True)
    _, made = imported()
    by_connection = {job.run.connection: job for job in made.jobs.values() if job.run.kind == "sde" and job.run.connection_kind == "alm"}  # fmt: skip
    assert [by_connection[number].name for number in range(1, len(ALIASES) + 1)] == [name for _, name in ALIASES]
    assert [by_connection[n].description or by_connection[n].name for n in by_connection if n != 3] == [
        alias for alias, _ in ALIASES if alias
    ]
    assert made.jobs["twice-ldap-5"].run.connection_kind == "ldap"


def test_the_only_connection_without_a_name(imported, server):
    """It is called after its kind and id."""
    server.have(Kind.ANALYSIS, 7, "")
    assert list(imported()[1].jobs) == ["analysis-7"]


def test_the_servers_definition_comes_along(imported, server, tmp_path):
    """Its secret as a reference, a literal one not at all; paths absolute, so that the file may lie elsewhere."""
    server.have(Kind.ALM, 1, "Jira")
    (tmp_path / "ca.pem").write_text("")
    found, made = imported(more=", verify: false, timeout: 45s")
    written = made.servers["sde-prod"]
    assert (written.url, written.token, written.verify) == (server.url, Secret("env", "G_SDE"), False)
    assert written.timeout.total_seconds() == 45
    assert "ca:" not in found.stdout
    _, made = imported(more=", ca: ca.pem", token=TOKEN)
    assert made.servers["sde-prod"].ca == str(tmp_path / "ca.pem")
    assert made.servers["sde-prod"].token == Secret("credential", "sde-prod")


def test_the_files_own_times_come_along(imported, server):
    """Zone and frequencies, so that what is made fires when the file's jobs would."""
    server.have(Kind.ALM, 1, "Jira")
    _, made = imported()
    assert made.settings.timezone == "America/New_York"
    times = '{hourly: {minute: 5}, daily: {at: "02:00:30"}, weekly: {on: monday}, monthly: {day: 9, at: "03:00"}, spread: 20m}'
    _, other = imported(settings=f", frequencies: {times}")
    assert other.settings.frequencies.daily.at.isoformat() == "02:00:30"
    assert other.settings.frequencies.weekly.on.name == "MONDAY"
    assert (other.settings.frequencies.monthly.day, other.settings.frequencies.hourly.minute) == (9, 5)
    assert other.settings.frequencies.spread.total_seconds() == 1200
    assert made.settings.frequencies != other.settings.frequencies


def test_a_kind_that_may_not_be_read_leaves_the_others(imported, server):
    """Told, in the file too; the exit code says that something is missing."""
    server.have(Kind.ALM, 1, "Jira")
    server.orders[Kind.LDAP] = 403, {"detail": "You do not have permission to perform this action."}
    server.orders[Kind.ANALYSIS] = 404, {"detail": "Not found."}
    found, made = imported(exit_code=1)
    assert list(made.jobs) == ["jira"]
    assert found.stderr.splitlines() == [
        "sde-prod: analysis connections cannot be read: Not found.",
        "sde-prod: ldap connections cannot be read: You do not have permission to perform this action.",
    ]
    assert all(f"# {line}\n" in found.stdout for line in found.stderr.splitlines())


def test_a_connection_that_cannot_be_read_leaves_the_others(imported, server):
    """With its place in the list, and what is wrong with it; one of a frequency that is new is left out too."""
    for number in (1, 2, 3):
        server.have(Kind.ALM, number, f"Jira {number}")
    server.odd = {2: {"id": "two"}, 3: {"frequency": "quarter\nly"}}
    found, made = imported(exit_code=1)
    assert list(made.jobs) == ["jira-1"]
    assert "sde-prod: alm connections: results[1].id: " in found.stderr
    assert r"alm connection 3 (Jira 3) left out: its frequency 'quarter\nly' is not known here" in found.stderr


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (500, b"<h1>Server Error</h1>", "status 500"),
        (429, {"detail": "Request was throttled. Expected available in 30 seconds."}, "throttled"),
        (200, b"<html>login</html>", "JSON"),
        (200, {"items": []}, "list"),
        (401, {"detail": "User inactive or deleted."}, "User inactive or deleted."),
    ],
)
def test_a_server_that_does_not_answer_as_it_should(status, body, told, imported, server):
    """One plain line, nothing printed."""
    server.have(Kind.ALM, 1, "Jira")
    server.orders[Kind.ANALYSIS] = status, body
    found, made = imported(exit_code=1)
    assert made is None
    (line,) = found.stderr.splitlines()
    assert line.startswith("sde-prod: ")
    assert told in line


def test_nothing_may_be_read(imported, server):
    """Then nothing is printed: a file without jobs would look like a server without connections."""
    server.orders = dict.fromkeys(Kind, (403, {"detail": "No."}))
    found, made = imported(exit_code=1)
    assert made is None
    assert len(found.stderr.splitlines()) == 3


def test_a_token_that_is_wrong_or_not_there(imported, monkeypatch):
    """The server's words; the place where it was looked for."""
    monkeypatch.setenv("G_SDE", "another")
    assert imported(exit_code=1)[0].stderr == "sde-prod: Invalid token.\n"
    monkeypatch.delenv("G_SDE")
    assert "G_SDE" in imported(exit_code=1)[0].stderr


def test_a_server_that_is_not_there(imported, server):
    """Its name, and why."""
    server.server_close()
    found, _ = imported(exit_code=1)
    assert found.stderr.startswith("sde-prod: ")
    assert len(found.stderr.splitlines()) == 1


def test_a_name_that_is_no_sde_server(jobsd, tmp_path):
    """Told with those that there are; a file with faults with its faults."""
    (tmp_path / "jobsd.yaml").write_text(FILE.format(url="http://x", token="{env: T}", settings="", more=""))
    for name in ("sde-prud", "ccs-prod"):
        found = jobsd("import", "sde", "-c", "jobsd.yaml", "--server", name, exit_code=1)
        assert found.stderr.startswith(f'"{name}" is no SDE server of the file: it has sde-prod')
    (tmp_path / "none.yaml").write_text("version: 1\n")
    found = jobsd("import", "sde", "-c", "none.yaml", "--server", "sde", exit_code=1)
    assert found.stderr == "the file has no server of type: sde; write it under servers\n"
    (tmp_path / "bad.yaml").write_text("version: 2\n")
    assert jobsd("import", "sde", "-c", "bad.yaml", "--server", "sde", exit_code=1).stderr.startswith(
        "bad.yaml:1:"
    )
    assert "--server" in jobsd("import", "sde", "-c", "jobsd.yaml", exit_code=2).stderr
    assert "[default: /etc/jobsd/jobsd.yaml]" in " ".join(jobsd("import", "sde", "--help").stdout.split())
