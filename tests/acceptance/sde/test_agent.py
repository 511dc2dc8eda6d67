"""A batch of the remote agent: what each connection comes to, and what the server is told of it."""


def test_a_batch_of_every_kind(sde, agent, secret, settled):
    """Success, failure, a failure that exits with 0, a hang, no params, a command that is not allowed."""
    ids = {name: sde.connection(name) for name in ("good", "bad", "zero", "hang", "warns", "tells", "forbidden")}
    reachable = sde.connection("fine", inaccessible=False)
    weekly = sde.connection("fine", frequency="weekly")
    people = sde.ldap_connection()
    client = agent()
    run_id = client.trigger()
    run = client.until(run_id)
    client.until_posted(7)
    expected = {
        "good": (True, "done"),
        "bad": (False, "failed", "the tracker refused the password"),
        "zero": (False, "failed", "no route to host"),
        "hang": (False, "timed_out", "timed out after 2s"),
        "warns": (True, "done", "Done - Success (2 warnings, last: task T2 is gone)"),
        "tells": (False, "failed", "cannot log in with ***"),
        "forbidden": (False, "failed", "command 'sync_forbidden' is not in this agent's list"),
    }
    assert {name: sde.results(number) for name, number in ids.items()} == {
        name: [(told[0], "".join(told[2:]))] for name, told in expected.items()
    }
    assets = client.assets(run_id)
    assert {name: assets[f"{number}@prod"] for name, number in ids.items()} == {
        name: (told[1], "".join(told[2:])) for name, told in expected.items()
    }
    state, reason = assets[f"{people}@prod"]
    assert (state, "superuser" in reason) == ("failed", True)
    assert set(assets) == {f"{number}@prod" for number in (*ids.values(), people)}
    assert (run["state"], run["assets"]["done"], run["assets"]["timed_out"]) == ("expired", 2, 1)
    assert client.ran() == sorted(set(ids) - {"forbidden"})
    assert sde.ran() == []  # nothing of it runs on the server
    settled(lambda: [sde.jobs(number) for number in (*ids.values(), reachable, weekly)], 1)
    assert (sde.jobs(reachable), sde.jobs(weekly), sde.jobs(people, "ldap")) == ([], [], [])
    _told_once(sde, ids["good"])
    _nothing_secret(sde, client, secret)


def _told_once(sde, connection):
    """A posted result is a job that has ended, by the agent's user, and nobody initiated one."""
    (job,) = sde.jobs(connection)
    assert (job["ready"], job["automatic"], job["user"]) == (True, True, "agent@example.com")
    posted = sde.requests("POST", "/jobs/")
    assert [one["status"] for one in posted] == [201] * 7
    shown = sde.call("GET", f"/connections/alm/{connection}/?include=last_job")
    assert (shown["last_job"]["id"], shown["last_job"]["ready"]) == (job["id"], True)


def _nothing_secret(sde, client, secret):
    """The params went in on standard input, and are in no log and in no ledger."""
    stdin = client.stdin("good").splitlines()
    assert stdin[0] == "[global]"
    assert {f"alm_pass = {secret}", "sde_project = P"} <= {
        line.replace("=", " = ").replace("  ", " ") for line in stdin
    }
    told = client.jobsd("deliveries")
    for text in (sde.log(), client.log(), told):
        assert secret not in text
        assert "-token-" not in text
    for side in (sde, client):
        for file in side.process.state.rglob("*"):
            if file.is_file() and file.name.startswith("ledger.db"):
                data = file.read_bytes()
                assert secret.encode() not in data
                assert b"-token-" not in data


def test_what_the_operator_sees(sde, agent):
    """Server, connection, outcome, words and reason of each result; nothing was told of the others."""
    bad, people = sde.connection("bad"), sde.ldap_connection()
    client = agent()
    client.until(client.trigger())
    (posted,) = client.until_posted(1)
    (job,) = sde.jobs(bad)
    assert posted["result"] == {
        "server": "prod", "kind": "alm", "connection": bad, "succeeded": False,
        "result_message": "the tracker refused the password", "sde_job": job["id"],
    }  # fmt: skip
    shown = client.jobsd("deliveries")
    for words in (
        f"prod: alm {bad}",
        "sde_result, failure",
        "result: the tracker refused",
        f"SDE job {job['id']}",
    ):
        assert words in shown
    covered = client.jobsd("coverage", "agent")
    assert "0% of 2 assets covered: 2 failed" in covered
    assert "the tracker refused the password" in covered
    assert "    bad, made through sde by " in sde.jobsd("jobs")
    line = client.process.logged("delivered")
    assert (line["kind"], line["target"], line["channel"]) == ("sde_result", "prod", f"sde:prod:{bad}")
    missing = client.process.logged("sde_params_missing")
    assert (missing["server"], missing["connections"]) == ("prod", [people])


def test_a_window_stops_the_batch_and_the_rerun_takes_what_is_left(sde, agent):
    """What was stopped posts nothing; the rerun posts it once, and runs nothing that is done again."""
    good, fine = sde.connection("good"), sde.connection("fine")
    schedule = "{once: true, start: 2020-01-01T00:00:00, window: 4s, rerun: {every: 9s, for: 60s}}"
    client = agent(schedule)
    client.hold("fine")
    run_id = client.trigger()
    run = client.until(run_id, "incomplete")
    assert (run["reason"], run["assets"]["open"]) == ("the window closed: 1 of 2 assets left", 1)
    client.until_posted(1)
    assert (sde.results(good), sde.results(fine)) == ([(True, "")], [])
    client.release()
    run = client.until(run_id)
    assert (run["state"], run["attempts"]) == ("succeeded", 2)
    client.until_posted(2)
    assert (sde.results(good), sde.results(fine)) == ([(True, "")], [(True, "")])
    assert client.ran() == ["fine", "fine", "good"]


def test_an_agent_without_permission_runs_nothing(sde, agent):
    """Its user is shown no params of any kind."""
    sde.permit()
    sde.reload()
    good = sde.connection("good")
    client = agent()
    run_id = client.trigger()
    client.until(run_id)
    state, reason = client.assets(run_id)[f"{good}@prod"]
    assert (state, "the permission to edit ALM" in reason) == ("failed", True)
    assert (client.ran(), sde.jobs(good), client.deliveries()) == ([], [], [])
