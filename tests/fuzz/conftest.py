"""A real daemon for cases made up by schemathesis, and the loop that puts them to it."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import hypothesis
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import strategies as st
from schemathesis import GenerationMode

ROOT = Path(__file__).parents[2]
CASES = int(os.environ.get("JOBSD_FUZZ_CASES", "200"))
"""Cases for each face: 200 in `make test`, the same at each run; with the variable, others at each run."""

LONGEST_S = 15
"""Seconds after which an answer counts as none."""


class FuzzedDaemon:
    """`jobsd run` on a text, in `folder`; can be started again."""

    def __init__(self, folder, text):
        self.folder = folder
        self.state = folder / "state"
        (folder / "jobs.yaml").write_text(text)
        self.process = None

    def start(self):
        """Start it and wait until it listens; returns self."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("JOBSD", "STATE_", "NOTIFY_"))}
        argv = [sys.executable, "-m", "jobsd", "run", "-c", "jobs.yaml", "--state-dir", self.state]
        with (self.folder / "log").open("a") as log:
            self.process = subprocess.Popen(
                [*argv, "--listen", "127.0.0.1:0"],
                cwd=self.folder, env=environment | {"PYTHONPATH": str(ROOT)}, stdout=log, stderr=log,
            )  # fmt: skip
        deadline = time.monotonic() + 30
        while not (self.state / "url").exists():
            assert self.process.poll() is None, self.log()[-2000:]
            assert time.monotonic() < deadline, self.log()[-2000:]
            time.sleep(0.05)
        return self

    def stop(self):
        """SIGTERM; returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)

    def log(self):
        """All that it has said."""
        return (self.folder / "log").read_text()

    @property
    def url(self):
        """Where it listens."""
        return (self.state / "url").read_text()

    def client(self):
        """An HTTP client with the local token."""
        headers = {"Authorization": f"Bearer {(self.state / 'token').read_text()}"}
        return httpx.Client(base_url=self.url, headers=headers, trust_env=False, timeout=LONGEST_S)


def put(operation, mode, cases, *, session, url, headers, known, check):
    """Send `cases` made-up requests of one operation; `known` are real values of parameters, by their names.

    Half of those are replaced by real ones, or else next to nothing would be found to do something with.
    """
    real = {name: tuple(values) for name, values in known.items()}  # what is drawn from may not grow meanwhile
    seed = random.SystemRandom().getrandbits(32) if "JOBSD_FUZZ_CASES" in os.environ else 1

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=cases, deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(data=st.data())
    def send(data):
        case = data.draw(operation.as_strategy(generation_mode=mode))
        for values in (case.path_parameters, case.query, case.body):
            for name in real.keys() & (values if isinstance(values, dict) else {}):
                if data.draw(st.booleans()):
                    values[name] = data.draw(st.sampled_from(real[name]))
        try:
            answer = case.call(base_url=url, session=session, headers=headers, timeout=LONGEST_S)
        except requests.exceptions.InvalidHeader:
            return  # nothing that could be sent
        check(case, answer)

    send()


def shower(document, *, url, headers, known, check, cases=CASES, without=()):
    """Put made-up cases to every operation of an OpenAPI document; returns how many were answered, and the faults.

    Both well-formed and malformed ones; `check(case, answer)` raises for a fault. An operation's faults do not
    keep the others from being tried. What deletes comes last, or little would be there for the others.
    """
    found = [one.ok() for one in schemathesis.openapi.from_dict(document).get_all_operations()]
    operations = [one for one in found if one.path not in without]
    each = -(-cases // (2 * len(operations)))
    answered, faults = [], []

    def noted(case, answer):
        answered.append(answer.status_code)
        check(case, answer)

    with requests.Session() as session:
        session.trust_env = False
        for operation in sorted(operations, key=lambda one: one.method == "delete"):
            modes = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]
            if not (operation.query or operation.body):
                modes[1] = GenerationMode.POSITIVE  # any path is well-formed
            for mode in modes:
                try:
                    put(operation, mode, each, session=session, url=url, headers=headers, known=known, check=noted)
                except (Exception, ExceptionGroup) as fault:  # noqa: BLE001 - all faults are told together
                    faults.append(f"{operation.label}, {mode}: {fault!r} {getattr(fault, '__notes__', '')}")
    return answered, faults


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory):
    """Starts daemons: (text of the YAML) -> FuzzedDaemon; ended at the end."""
    started = []

    def start(text):
        started.append(FuzzedDaemon(tmp_path_factory.mktemp("fuzzed"), text).start())
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            assert one.stop() == 0, one.log()[-2000:]


@pytest.fixture
def rain():
    """`shower`."""
    return shower
