"""Report files go from one daemon to another over real HTTP, each once, also when the sending one is killed."""

import os

import pytest

pytestmark = pytest.mark.acceptance

TOKEN = "files-0123456789abcdef0123456789abcdef"

SERVER = """
version: 1
settings: {encryption_key: {file: key}}
users:
  - {name: importer, email: importer@example.com, token: {file: token}, scope: control}
commands:
  import: {argv: [/bin/sh, -c, 'cat > /dev/null; until [ -e GO ]; do sleep 0.05; done; echo all imported'], stdin: json}
sde_systems:
  fortify_file_upload: {command: import, file: import}
"""

CLIENT = """
version: 1
servers:
  prod: {type: sde, url: "URL", token: {file: token}}
jobs:
  - name: files
    schedule: {daily: {}, start: 2020-01-01T03:00:00}
    run:
      sde_file: {server: prod, system: fortify_file_upload, project: 7, files: "reports/*.fpr", move_to: done, poll: 1s}
"""


@pytest.fixture
def sides(tmp_path, daemon):
    """A serving daemon, and a function that starts the one that sends to it."""
    for side in ("server", "client"):
        (tmp_path / side).mkdir()
        for name, text in (("token", TOKEN), ("key", TOKEN)):
            (tmp_path / side / name).write_text(text)
            (tmp_path / side / name).chmod(0o600)
    server = daemon(SERVER.replace("GO", str(tmp_path / "go")), folder=tmp_path / "server").ready()
    text = CLIENT.replace("URL", server.url)
    return server, lambda: daemon(text, folder=tmp_path / "client").ready()


def imports(server):
    """The jobs of the server, as its API tells them to a user."""
    with server.client() as client:
        answer = client.get("/api/v2/jobs/analysis/", headers={"Authorization": f"Token {TOKEN}"})
    return {job["attachment"]: job for job in answer.json()["results"]}, len(answer.json()["results"])


def test_files_are_imported_once_also_when_the_daemon_is_killed(tmp_path, sides):
    """Killed while the import is at work: the next start finds it again, and goes on with the file that is left."""
    server, start = sides
    reports = tmp_path / "client/reports"
    reports.mkdir()
    for age, name in enumerate(("b.fpr", "a.fpr")):
        (reports / name).write_bytes(name.encode() * 500_000)
        os.utime(reports / name, (1_000 - age, 1_000 - age))
    client = start()
    client.trigger("files")
    server.until(lambda: imports(server)[1])
    client.until(lambda: client.runs("files")[0]["assets"]["total"] == 2)
    client.kill()
    (tmp_path / "go").touch()
    client = start()
    client.until(lambda: client.runs("files")[0]["state"] == "succeeded", 60)
    (run,) = client.runs("files")
    assert run["assets"]["done"] == 2
    jobs, count = imports(server)
    assert (sorted(jobs), count) == (["a.fpr", "b.fpr"], 2)
    assert all(job["succeeded"] and job["connection"]["project"] == 7 for job in jobs.values())
    assert not list(reports.iterdir())
    assert (tmp_path / "client/done/a.fpr").read_bytes() == b"a.fpr" * 500_000
    client.trigger("files")
    client.until(lambda: len(client.runs("files")) == 2 and client.runs("files")[1]["state"] == "succeeded")
    assert client.runs("files")[1]["reason"] == "prod: no files match reports/*.fpr"
    assert imports(server)[1] == 2
    assert TOKEN not in str(client.lines)
