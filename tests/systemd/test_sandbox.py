"""The quick start's collectors inside the unit's own sandbox, in a booted systemd."""

import json
from pathlib import Path

import pytest

ASPECTS = ("files", "accounts", "network", "packages", "sshd", "kernel", "mounts")
INSTEAD_OF_THE_DAEMON = """[Service]
Type=oneshot
WatchdogSec=0
Restart=no
ExecStartPre=
ExecStart=
ExecStart=/opt/jobsd/collect-all
"""
COLLECT_ALL = """#!/bin/sh
set -e
unset PYTHONSAFEPATH  # as jobsd does: it passes nothing of its own environment but PATH and the like
cd "$STATE_DIRECTORY"
for aspect in {aspects}; do
    echo '{{}}' | /opt/jobsd/examples/quickstart/collect/$aspect.py here >$aspect.json
    /opt/jobsd/examples/quickstart/evaluate.py baseline <$aspect.json >$aspect.results
done
oscap=$(command -v oscap) || exit 0
/opt/jobsd/examples/openscap/collect.sh here >oscap.xml
/opt/jobsd/examples/openscap/evaluate.py baseline <oscap.xml >openscap.results
"""


@pytest.fixture
def results(boot, tmp_path):
    """Collect in the sandbox, with or without the drop-in; (aspect) -> {check: result}."""

    def collect(*drop_ins: Path):
        tree = tmp_path / "tree"
        extra = tree / "etc/systemd/system/jobsd.service.d"
        extra.mkdir(parents=True)
        for path in drop_ins:
            (extra / path.name).write_text(path.read_text())
        (extra / "zz-test.conf").write_text(INSTEAD_OF_THE_DAEMON)
        script = tree / "opt/jobsd/collect-all"
        script.parent.mkdir(parents=True)
        script.write_text(COLLECT_ALL.format(aspects=" ".join(ASPECTS)))
        script.chmod(0o755)
        machine = boot(tree)
        assert machine.show("Result") == "success", machine.journal()
        texts = machine.run("sh", "-c", "cat /var/lib/jobsd/*.results").replace("}\n{", "}\0{").split("\0")
        return {one["check"]: one["result"] for text in texts for one in json.loads(text)["results"]}

    return collect


def test_sandbox_lets_collectors_work(results):
    """Under the unit as shipped every collector ends well, and what root alone may read is unknown."""
    found = results()
    assert "error" not in found.values()
    assert found["accounts.no-empty-password"] == "unknown"
    assert found["accounts.only-root-is-uid-0"] in {"pass", "fail"}
    assert found["kernel.addresses-randomised"] in {"pass", "fail"}
    assert found.get("no-empty-password", "unknown") == "unknown"


def test_drop_in_lets_collectors_read(results, drop_in):
    """With the drop-in as shipped nothing is unknown any more."""
    found = results(drop_in.path)
    assert not {"unknown", "error"} & set(found.values()), found
    assert found["accounts.no-empty-password"] in {"pass", "fail"}
