"""Faults of `job_details` are told when the file is read, each at its own place."""

import pytest

from config import ConfigError
from jobsd.loading import load

SERVER = """\
version: 1
servers:
  prod: {type: ccs, url: "https://ccs.example.com:12431", username: svc, password: {env: P}}
  test: {type: ccs, url: "https://ccs-test.example.com:12431", username: svc, password: {env: P}}
jobs:
"""
ASSETS = """AssetsResolutionInfo: [{Id: d387d8b5-6278-4bcb-83c7-b55d2072d2a8, Type: unix}]
          Standards: [6b020d29-5fe8-47d0-bd89-ccd3339a5ebe]
"""


@pytest.fixture
def faults(tmp_path):
    def read(jobs):
        file = tmp_path / "jobs.yaml"
        file.write_text(SERVER + jobs)
        try:
            load(file)
        except ConfigError as error:
            return [str(fault).removeprefix(f"{file}:") for fault in error.faults]
        return []

    return read


def job(name, more="", *, server="prod", job_name="Weekly"):
    return f"""\
  - name: {name}
    run:
      ccs:
        server: {server}
        job_details:
          JobName: {job_name}
          {ASSETS}{more}"""


def test_sound_details(faults):
    """Nothing to say; the same name may be on two servers."""
    assert faults(job("one") + job("two", server="test") + job("three", job_name="Monthly")) == []


def test_every_fault_at_its_own_line(faults):
    """Bounds, unknown fields, a Schedule; beside faults of other kinds, all at once, in the file's order."""
    more = "          AssetTimeOut: 900\n          Schedule: {RunNow: true}\n          Jobdescription: x\n"
    found = faults(
        job("one", more)
        + "    retry: {attempts: 0}\n"
        + "  - name: two\n    run: {ccs: {server: prod, job_details: {JobName: B}}}\n"
    )
    assert [line.partition(" (it is")[0] for line in found] == [
        '14:25: job "one": run.ccs.job_details.AssetTimeOut: must be a whole number from 1 to 500',
        '15:21: job "one": run.ccs.job_details.Schedule: must not stand here: the time is kept by the job\'s own schedule',
        '16:27: job "one": run.ccs.job_details.Jobdescription: is no field of JobDetails: did you mean JobDescription?',
        found[3],
        '19:44: job "two": run.ccs.job_details.AssetsResolutionInfo: is missing: it is mandatory',
        '19:44: job "two": run.ccs.job_details.Standards: is missing: it is mandatory',
    ]
    assert '17:23: job "one": retry.attempts' in found[3]


def test_a_name_that_stands_twice(faults):
    """Two jobs cannot both keep one job of a server: names are compared without regard to case."""
    (fault,) = faults(job("one") + job("two", job_name="weekly"))
    assert fault.endswith(
        'job "two": run.ccs.job_details: "weekly" is already the name of job "one" on that server; write another'
    )
