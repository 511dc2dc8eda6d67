"""Connections break over HTTPS as they do without it."""

import httpx
import pytest

from runners import trust

YAML = """
version: 1
settings: {http: {tls: {certificate: tls.pem, key: tls.key}}}
jobs:
  - name: hello
    run: {command: {argv: [/bin/echo, hello]}}
"""


def test_connections_break_over_https(start, authority):
    """No answer, or half of one, and no complaint in the log; the next connection is served."""
    authority.issue()
    one = start(yaml=YAML, verify=trust.authorities(authority.pem)).ready()
    jobs = {"path": "/v1/jobs"}
    for fault in ("drop_before", "drop_after", "truncate"):
        one.order({"match": jobs, "fault": fault})
        with pytest.raises(httpx.TransportError):
            one.http.get("/v1/jobs")
        assert one.http.get("/v1/jobs").status_code == 200
    assert [seen["fault"] for seen in one.requests() if seen["fault"]] == ["drop_before", "drop_after", "truncate"]
    one.close()
    assert {line["event"] for line in one.rest()} >= {"rehearsal_fault", "daemon_stopped"}
    assert not [line for line in one.lines if line["event"] == "library_message"]
