"""The folders of report files: where jobs look for them, and where imported ones go."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePath

from config.definitions import SdeFileRun
from jobsd.doctor.finding import Finding, fail, ok, warning
from jobsd.doctor.patient import Patient, ancestors

AREA = "access"
_WILD = frozenset("*?[")


def examine(patient: Patient) -> Iterator[Finding]:
    """One finding for each folder of each job that imports files."""
    for name, job in patient.configuration.jobs.items():
        if isinstance(job.run, SdeFileRun):
            source = patient.relative(str(_fixed(job.run.files)))
            yield _source(f"jobs.{name}.files", source, moved=job.run.move_to is not None)
            if job.run.move_to is not None:
                yield _target(f"jobs.{name}.move_to", patient.relative(job.run.move_to))


def _fixed(pattern: str) -> PurePath:
    """The folder of a pattern, as far as it has no wildcards."""
    parts = PurePath(pattern).parent.parts
    fixed = next((n for n, part in enumerate(parts) if _WILD.intersection(part)), len(parts))
    return PurePath(*parts[:fixed])


def _source(name: str, folder: Path, *, moved: bool) -> Finding:
    if not folder.is_dir():
        found = f"there is no folder {folder}: nothing is ever imported from there"
        return warning(AREA, name, found, "make it, or mend the path; a relative one is from the YAML's folder")
    if not os.access(folder, os.R_OK | os.X_OK):
        return fail(AREA, name, f"{folder} may not be read", "give the daemon's user the right to read it")
    if moved and not os.access(folder, os.W_OK):
        found = f"{folder} may not be written: what is imported cannot be moved away"
        return fail(AREA, name, found, "give the daemon's user the right, or leave move_to out")
    return ok(AREA, name, f"{folder} is there")


def _target(name: str, folder: Path) -> Finding:
    there = next((one for one in ancestors(folder) if one.exists()), folder)
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        return fail(AREA, name, f"{there} may not be written", "give the daemon's user the right to write there")
    return ok(AREA, name, f"{folder} can be written" if there == folder else f"{folder} can be made")
