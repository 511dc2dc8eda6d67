"""The YAML itself: its warnings, and who may write it."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from datetime import datetime

import config
from config import ConfigError
from config.lint import without_effect
from jobsd.doctor.finding import Finding, fail, ok, warning
from jobsd.doctor.patient import Patient

AREA = "file"


def faults(error: ConfigError) -> Iterator[Finding]:
    """Of a file that is refused: one for each fault."""
    for fault in error.faults:
        place, _, text = str(fault).partition(": ")
        yield fail(AREA, place, text, "mend the line; nothing that hangs on the file was examined")


def examine(patient: Patient, now: datetime) -> Iterator[Finding]:
    """What `jobsd check` warns of, and whether others may rewrite the file."""
    jobs = len(patient.configuration.jobs)
    yield ok(AREA, str(patient.path), f"valid, {jobs} job{'' if jobs == 1 else 's'}")
    idle = without_effect(patient.configuration)
    for line in (*patient.configuration.warnings, *idle):
        place, _, text = line.partition(": warning: ")
        yield warning(AREA, place, text, "see docs/configuration.md")
    if remarks := len(config.lint(patient.configuration, now=now)) - len(idle):
        found = f"{remarks} remark{'' if remarks == 1 else 's'} on its schedules and keys"
        yield warning(AREA, str(patient.path), found, f"read them: jobsd check {patient.path}")
    mode = patient.path.stat().st_mode
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        who = "everybody" if mode & stat.S_IWOTH else "its group"
        found = f"{who} may write it, and so run commands as the daemon"
        yield fail(AREA, str(patient.path), found, f"run chmod go-w {patient.path}")
    literal = any("the secret stands in the file itself" in line for line in patient.configuration.warnings)
    if literal and mode & (stat.S_IRGRP | stat.S_IROTH):
        found = "it holds secrets in plain text, and others may read it"
        yield fail(AREA, str(patient.path), found, "write {credential: NAME}, or run chmod 600 on the file")
