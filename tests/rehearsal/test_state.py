"""A stand-in keeps away from the daemon's ledger."""


def test_a_stand_in_refuses_the_ledger_of_a_daemon(start, tmp_path):
    """Exit code 1 and one line that says what to do; the ledger is not opened."""
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "ledger.db").write_bytes(b"a daemon's")
    one = start()
    assert one.process.wait(20) == 1
    assert "--state-dir" in one.process.stderr.read()
    assert (tmp_path / "state" / "ledger.db").read_bytes() == b"a daemon's"
    assert [path.name for path in (tmp_path / "state").iterdir()] == ["ledger.db"]


def test_a_stand_in_takes_its_own_ledger_up_again(start):
    """Its runs are there after a restart; its orders are not."""
    first = start().ready()
    first.http.post("/v1/jobs/hello/trigger", json={})
    first.order({"fault": "drop_before", "match": {"path": "/never"}})
    first.close()
    second = start().ready()
    assert len(second.http.get("/v1/runs").json()) == 1
    assert second.http.get("/rehearsal/faults").json() == []
