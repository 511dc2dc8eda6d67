"""Connections of the served API: their system's command, run on this host with their params."""

import asyncio
import json
import os
from datetime import timedelta
from pathlib import Path

import pytest

from config.definitions import SdeConnectionRun
from runners.api import Ended, Outcome, StopReason
from runners.registry import Runners, UnsupportedRunError
from runners.sde.tasks import NoTaskError, Task
from runners.sde.wire import Kind

RUN = SdeConnectionRun(connection=23)


class Kept:
    """The connections of a served API, in memory."""

    def __init__(self, **task):
        self.kept = task

    async def task(self, connection):
        assert connection == 23
        if not self.kept:
            raise NoTaskError("there is no connection 23")
        return Task(**{"kind": Kind.ALM, "alias": "Jira", "system": "jira", "params": {"act": ""}, **self.kept})


@pytest.fixture
def served(host):
    """A host that serves connections; their system is `jira`."""
    host.systems = {"jira": {"command": "sync_jira"}, "Fortify_Upload": {"command": "sync_jira", "file": "import"}}
    host.tasks = Kept(alias="Jira")
    return host


async def test_success(served):
    """The command gets the connection's params; a plain success says nothing; its output is the attempt's."""
    served.tasks.kept = {"params": {"act": "", "alm_pass": "hunter-22", "alm_project": "P"}}
    assert await served.carry_out(RUN) == Outcome(Ended.COMPLETED, "", exit_code=0)
    (ran,) = served.ran()
    assert ran["params"] == {"act": "", "alm_pass": "hunter-22", "alm_project": "P"}
    assert served.lab.log == "Synchronizing P\nDone - Success\n"


@pytest.mark.parametrize(
    ("act", "outcome"),
    [
        ("fail", Outcome(Ended.FAILED, "cannot log in to x with ***", retryable=True, exit_code=1)),
        ("zero", Outcome(Ended.FAILED, "no such project as P", retryable=True, exit_code=0)),
        (
            "warn",
            Outcome(Ended.COMPLETED, "Done - Success (2 warnings, last: T22 is not there for ***)", exit_code=0),
        ),
    ],
)
async def test_other_ends(served, act, outcome):
    """Failures by exit code or by word, and warnings."""
    served.tasks.kept = {"params": {"act": act, "alm_pass": "hunter-22", "alm_project": "P", "alm_server": "x"}}
    assert await served.carry_out(RUN) == outcome


async def test_time_limit(served):
    """The command's own time limit is a failure."""
    served.commands["sync_jira"] = served.command(timeout=timedelta(seconds=0.7))
    served.tasks.kept = {"params": {"act": "hang"}}
    assert await served.carry_out(RUN) == Outcome(Ended.FAILED, "timed out after 0.7s", retryable=True)


async def test_stop(served, until_true, carriers_of):
    """A stop ends it."""
    served.tasks.kept = {"params": {"act": "hang"}}
    work = asyncio.ensure_future(served.carry_out(RUN))
    await until_true(served.ran, "the tool")
    served.lab.stop.request(StopReason.CANCEL)
    assert await work == Outcome(Ended.STOPPED, "stopped: cancelled")
    assert carriers_of(served.lab.token) == []


@pytest.mark.parametrize(
    ("task", "reason"),
    [
        ({}, "there is no connection 23"),
        ({"inaccessible": True}, "the connection is inaccessible: its jobs are run by a remote agent"),
        ({"system": "rally"}, "the system 'rally' is not configured (sde_systems)"),
        ({"params": {"a\nb": "x"}}, "the param 'a\\nb' cannot be a key of an INI"),
    ],
)
async def test_what_cannot_be_carried_out(served, task, reason):
    """Nothing is run, and the reason says why; trying again would not help."""
    served.tasks.kept = task
    assert await served.carry_out(RUN) == Outcome(Ended.FAILED, reason)
    assert served.ran() == []


async def test_a_connection_without_params(served, python):
    """Its command runs: at the server, unlike at an agent, nothing is hidden."""
    served.commands["sync_jira"] = served.command(
        python, "-c", "import sys; sys.exit(repr(sys.stdin.read()))", stdin="ini"
    )
    served.tasks.kept = {"params": {}}
    assert (await served.carry_out(RUN)).reason == r"'[global]\n'"


async def test_a_command_that_is_gone(served):
    """A command that the configuration has lost."""
    served.commands.clear()
    served.tasks.kept = {"alias": "Jira"}
    assert await served.carry_out(RUN) == Outcome(Ended.FAILED, "command 'sync_jira' is not configured (commands)")


async def test_systems_have_no_case(served):
    """A system is found without regard to case: LDAP's is written in capitals by clients."""
    served.tasks.kept = {"system": "JIRA"}
    assert (await served.carry_out(RUN)).ended is Ended.COMPLETED


async def test_an_imported_file(served, python):
    """The command for files gets the path of the file as `file_upload`; it may read it."""
    upload = served.lab.folder / "report.fpr"
    upload.write_text("findings")
    code = (
        "import json, sys; print(open(json.load(sys.stdin)['file_upload']).read(), file=sys.stderr); sys.exit(1)"
    )
    served.commands["import"] = served.command(python, "-c", code, stdin="json")
    served.tasks.kept = {"system": "fortify_upload", "upload": upload, "params": {}}
    assert (await served.carry_out(RUN)).reason == "findings"


async def test_an_imported_file_without_a_command_of_its_own(served):
    """The system's only command gets it."""
    served.tasks.kept = {"upload": Path("/x/report.fpr"), "params": {"act": ""}}
    await served.carry_out(RUN)
    assert served.ran()[0]["params"]["file_upload"] == "/x/report.fpr"


async def test_nothing_secret_is_in_what_it_leaves(served):
    """Neither log nor outcome nor any file of the attempt has a secret param."""
    served.tasks.kept = {
        "params": {"act": "fail", "alm_server": "x", "alm_pass": "hunter-22", "nested": {"token": "t0ken"}}
    }
    outcome = await served.carry_out(RUN)
    assert "hunter-22" not in outcome.reason
    for path in served.lab.output.rglob("*"):
        assert "hunter-22" not in path.name + path.read_text()
    assert "hunter-22" not in json.dumps(dict(os.environ))
    assert "t0ken" not in repr(await served.tasks.task(23))


def test_without_the_api():
    """A daemon that does not serve the API has no such runner."""
    with pytest.raises(UnsupportedRunError):
        Runners({}).runner_for(RUN)
