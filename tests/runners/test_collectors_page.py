"""docs/collectors.md: its example is run as it stands."""

import json
import re
from pathlib import Path

import pytest
import yaml

from config.definitions import Collector, CollectRun
from runners.api import AssetRef, AssetState, Ended
from runners.local.protocol import RESULTS_LIMIT, results

PAGE = Path(__file__).parents[2] / "docs" / "collectors.md"


@pytest.fixture
def blocks():
    """The page's code blocks, by their language."""
    return dict(re.findall(r"^```(\w+)\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE))


async def test_the_example_works_as_written(lab, blocks):
    """Collector, evaluator and YAML of the page collect and judge this host."""
    for name, language in (("collect.sh", "sh"), ("evaluate.py", "python")):
        (lab.folder / name).write_text(blocks[language])
        (lab.folder / name).chmod(0o700)
    written = yaml.safe_load(blocks["yaml"])["collectors"]["linux"]
    assert written.pop("run_as") == "auditor"
    assets = (AssetRef("localhost", "linux"), AssetRef("elsewhere", "linux"))
    outcome = await lab.run(CollectRun(standards=("accounts-1",)), assets, {"linux": Collector(**written)})
    assert outcome.ended is Ended.COMPLETED
    assert lab.report.of("localhost").state is AssetState.DONE, lab.log
    checks = [result.check for result in lab.report.of("localhost").results]
    assert checks == ["only-root-is-root", "services-cannot-log-in"]
    assert lab.report.of("elsewhere").state is AssetState.UNREACHABLE
    assert lab.report.of("elsewhere").reason == "collect: cannot reach elsewhere"


async def test_a_standard_it_does_not_know(lab, blocks):
    """The example's evaluator refuses an unknown standard, and its words are the asset's reason."""
    (lab.folder / "evaluate.py").write_text(blocks["python"])
    (lab.folder / "evaluate.py").chmod(0o700)
    collector = Collector(collect=("true",), evaluate=("./evaluate.py", "{standard}"))
    await lab.run(CollectRun(standards=("cis",)), (AssetRef("a", "linux"),), {"linux": collector})
    assert lab.report.of("a").reason == "evaluate cis: exit code 1: there is no standard cis"


def test_the_page_tells_the_truth(blocks):
    """The JSON of the page is valid, and the figures it names are the ones in force."""
    assert results(json.dumps(json.loads(blocks["json"])).encode(), "cis")[0].check == "sshd.root-login"
    text = PAGE.read_text()
    assert f"{RESULTS_LIMIT // 1024 // 1024} MiB in all" in text
    assert "64 KiB" in text
