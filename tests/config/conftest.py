"""What the tests of the configuration share."""

from collections.abc import Callable
from pathlib import Path

import pytest

import config

DATA = Path(__file__).parent / "data"


@pytest.fixture
def data() -> Path:
    """The folder of the test data."""
    return DATA


@pytest.fixture
def loads(tmp_path: Path) -> Callable[[str], config.Configuration]:
    """Loads a text as `jobs.yaml` in an empty folder."""
    return lambda text: config.loads(text, file="jobs.yaml", folder=tmp_path)


@pytest.fixture
def refusal(loads: Callable[[str], config.Configuration]) -> Callable[[str], str]:
    """The whole text with which a text is refused."""

    def refuse(text: str) -> str:
        with pytest.raises(config.ConfigError) as caught:
            loads(text)
        return str(caught.value)

    return refuse


@pytest.fixture
def job(loads: Callable[[str], config.Configuration]) -> Callable[..., config.JobDefinition]:
    """The definition of a job `x` with these lines, over these top-level lines."""

    def one(lines: str = "", *, top: str = "", run: str = "{command: {argv: [uptime]}}") -> config.JobDefinition:
        return loads(f"version: 1\n{top}\njobs:\n- name: x\n  run: {run}\n{_indented(lines)}").jobs["x"]

    return one


def _indented(lines: str) -> str:
    return "".join(f"  {line}\n" for line in lines.splitlines())
