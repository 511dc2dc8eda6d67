"""One jobsd initiates jobs of another that is the SDE server, and follows them to their end."""

import pytest

JOB = """
  - name: sync
    schedule: {schedule}
    run: {{sde: {{server: prod, kind: alm, connection: {connection}, poll: 1s}}}}
"""
UPLOAD = """
  - name: upload
    run: {{sde_file: {{server: prod, system: good, project: 1, files: "reports/*.fpr", move_to: done, poll: 1s}}}}
"""
POST = {"method": "POST", "path": "/jobs/"}
POLL = {"method": "GET", "path": "/jobs/alm/[0-9]+"}
NEVER = "{once: true, start: 2020-01-01T00:00:00}"


@pytest.fixture
def initiator(sde, client):
    """Starts the initiating side for a new connection of a system: -> (client, connection)."""

    def start(system, *, schedule=NEVER):
        connection = sde.connection(system, inaccessible=False, frequency="manually")
        return client.configure(JOB.format(connection=connection, schedule=schedule)).up(), connection

    return start


@pytest.mark.parametrize(
    ("system", "state", "words"),
    [
        ("good", "succeeded", ""),
        ("bad", "failed", "the tracker refused the password"),
        ("zero", "failed", "no route to host"),
    ],
)
def test_a_job_is_initiated_and_followed(sde, initiator, secret, system, state, words):
    """Its outcome there is the run's here, with its words; it ran on the server, once."""
    client, connection = initiator(system)
    run = client.until(client.trigger("sync"))
    assert (run["state"], words in run["reason"]) == (state, True)
    (job,) = sde.jobs(connection)
    assert (job["ready"], job["automatic"], job["succeeded"]) == (True, True, state == "succeeded")
    assert (job["triggered_by"], job["result_message"]) == ("agent@example.com", words)
    assert (sde.ran(), client.ran()) == ([system], [])
    assert f"alm_pass = {secret}" in sde.stdin(system).replace("=", " = ").replace("  ", " ")
    assert secret not in sde.log() + client.log()


def test_an_answer_that_is_lost_initiates_one_job(sde, initiator):
    """The job is found among the connection's, and followed."""
    client, connection = initiator("good")
    lost = sde.order("drop_after", POST)
    assert client.until(client.trigger("sync"))["state"] == "succeeded"
    assert (sde.hits(lost), len(sde.jobs(connection)), sde.ran()) == (1, 1, ["good"])


def test_the_initiator_is_killed_before_the_answer(sde, initiator):
    """After its start it follows the job that there is.

    Rule: crash-elsewhere
    """
    client, connection = initiator("good")
    sde.hold("good")
    order = sde.order("delay", POST, seconds=30, when="after")
    run_id = client.trigger("sync")
    sde.until_hit(order)
    sde.process.until(lambda: sde.ran() == ["good"])
    client.process.kill()
    client.up()
    client.process.until(lambda: client.run(run_id)["state"] == "running")
    sde.release()
    assert client.until(run_id)["state"] == "succeeded"
    assert (len(sde.jobs(connection)), sde.ran()) == (1, ["good"])


def test_the_server_is_restarted_while_a_job_waits_to_be_polled(sde, initiator):
    """The command of a connection may not be repeated: the job has failed there, and so the run here."""
    client, connection = initiator("good")
    sde.hold("good")
    run_id = client.trigger("sync")
    sde.process.until(lambda: sde.ran() == ["good"])
    sde.stop()
    assert client.run(run_id)["state"] == "running"
    sde.up()
    sde.release()
    run = client.until(run_id)
    (job,) = sde.jobs(connection)
    assert (job["ready"], job["succeeded"], run["state"]) == (True, False, "failed")
    assert sde.ran() == ["good"]


def test_a_poll_that_is_throttled_or_lost_is_repeated(sde, initiator):
    """The job goes on meanwhile; nothing is initiated again."""
    client, connection = initiator("good")
    sde.hold("good")
    headers = {"Retry-After": "1"}
    faults = [
        sde.order("status", POLL, status=429, headers=headers),
        sde.order("drop_before", POLL),
        sde.order("garble", POLL),
        sde.order("status", POLL, status=502),
    ]
    run_id = client.trigger("sync")
    for fault in faults:
        sde.until_hit(fault)
    sde.release()
    assert client.until(run_id)["state"] == "succeeded"
    assert len(sde.jobs(connection)) == 1


def test_the_window_ends_and_the_rerun_follows_the_same_job(sde, initiator):
    """SDE cannot stop a job: it is watched no longer, and found again.

    Rule: sde-window
    """
    schedule = "{once: true, start: 2020-01-01T00:00:00, window: 3s, rerun: {every: 6s, for: 60s}}"
    client, connection = initiator("good", schedule=schedule)
    sde.hold("good")
    run_id = client.trigger("sync")
    client.until(run_id, "incomplete")
    sde.release()
    run = client.until(run_id)
    assert (run["state"], run["attempts"]) == ("succeeded", 2)
    assert (len(sde.jobs(connection)), sde.ran()) == (1, ["good"])


def test_report_files_are_imported_each_once(sde, client):
    """Each file is a job of the server's, whose command gets it; then it is moved."""
    sde.permit("edit-alm-connections", "edit-verification-connections")
    sde.reload()
    reports = client.folder / "reports"
    reports.mkdir()
    for name in ("a.fpr", "b.fpr"):
        (reports / name).write_bytes(name.encode() * 1000)
    client.configure(UPLOAD.format()).up()
    run = client.until(client.trigger("upload"))
    assert run["state"] == "succeeded", run["reason"]
    jobs = sde.call("GET", "/jobs/analysis/")["results"]
    assert sorted((job["attachment"], job["succeeded"]) for job in jobs) == [("a.fpr", True), ("b.fpr", True)]
    assert sorted(file.name for file in (client.folder / "done").iterdir()) == ["a.fpr", "b.fpr"]
    assert not list(reports.iterdir())
    client.until(client.trigger("upload"))
    assert len(sde.call("GET", "/jobs/analysis/")["results"]) == 2
