"""The programs that jobs start: whether they are there and may be run by whom they are run as."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from config.definitions import CommandRun
from jobsd.doctor.finding import Finding, fail, ok, warning
from jobsd.doctor.patient import Patient, ancestors
from runners.local.environment import Account, account, child_environment

AREA = "program"
NOT_EXECUTABLE = "it is not executable"


@dataclass(frozen=True, slots=True)
class Program:
    """A program of the configuration: where it is written, what it is, as whom it runs."""

    where: str
    name: str
    run_as: str | None


def programs_of(patient: Patient) -> Iterator[Program]:
    """Those of collectors, of commands, of jobs; one that is only known at a run is left out."""
    found = patient.configuration
    for kind, collector in found.collectors.items():
        yield Program(f"collectors.{kind}.collect", collector.collect[0], collector.run_as)
        if collector.evaluate is not None:
            yield Program(f"collectors.{kind}.evaluate", collector.evaluate[0], collector.run_as)
    for name, command in found.commands.items():
        yield Program(f"commands.{name}", command.argv[0], command.run_as)
    for name, job in found.jobs.items():
        if isinstance(job.run, CommandRun):
            yield Program(f"jobs.{name}", job.run.argv[0], job.run.run_as)


def examine(patient: Patient) -> Iterator[Finding]:
    """One finding for each program."""
    for program in programs_of(patient):
        finding = examined(patient, program)
        if finding is not None:
            yield finding


def examined(patient: Patient, program: Program) -> Finding | None:
    """Whether one program can be run; None for one that is only known at a run."""
    if "{" in program.name:
        return None
    who = None
    if program.run_as is not None:
        who = account(program.run_as)
        if who is None:
            found = f"there is no user {program.run_as!r} on this host (run_as)"
            return fail(AREA, program.where, found, "make that user, or name another")
    path = _found(patient, program.name, who)
    if path is None:
        return fail(AREA, program.where, f"there is no program {program.name!r}", "install it, or mend the path")
    if bad := _unfit(path, who):
        advice = f"run chmod +x {path}" if bad == NOT_EXECUTABLE else f"look at {path} and the folders above it"
        return fail(AREA, program.where, f"{path}: {bad}", advice)
    if path.stat().st_mode & stat.S_IWOTH:
        found = f"everybody may write {path}, and so run anything as the daemon"
        return fail(AREA, program.where, found, f"run chmod o-w {path}")
    if who is not None and os.geteuid() not in (0, who.uid):
        found = f"{path}: only a daemon that is root, or has CAP_SETUID and CAP_SETGID, may run it as {who.name}"
        return warning(AREA, program.where, found, "see docs/install.md, When commands need more")
    return ok(AREA, program.where, f"{path} can be run{f' as {who.name}' if who else ''}")


def _found(patient: Patient, name: str, who: Account | None) -> Path | None:
    if "/" in name:
        path = patient.relative(name)
        return path if path.is_file() else None
    found = shutil.which(name, path=child_environment({}, who, patient.configuration.folder)["PATH"])
    return Path(found) if found else None


def _unfit(path: Path, who: Account | None) -> str:
    """Why it cannot be run; empty if it can."""
    if who is not None:
        for folder in ancestors(path.resolve().parent):
            if not _may(folder, who, 0o1):
                return f"{who.name} may not enter {folder}"
    if not os.access(path, os.X_OK):
        return NOT_EXECUTABLE
    if who is not None and not _may(path, who, 0o1):
        return f"{who.name} may not execute it"
    interpreter = _interpreter(path)
    if interpreter is not None and not os.access(interpreter, os.X_OK):
        return f"its interpreter {interpreter} is not there"
    return ""


def _may(path: Path, who: Account, bit: int) -> bool:
    """By the mode: what lists of rights beyond it say is not seen."""
    status = path.stat()
    if who.uid == 0:
        return True
    if status.st_uid == who.uid:
        return bool(status.st_mode & (bit << 6))
    if status.st_gid in (who.gid, *who.groups):
        return bool(status.st_mode & (bit << 3))
    return bool(status.st_mode & bit)


def _interpreter(path: Path) -> Path | None:
    """Of a script; None of anything else, and where it cannot be read."""
    try:
        with path.open("rb") as file:
            line = file.readline(256)
    except OSError:
        return None
    words = line[2:].split() if line.startswith(b"#!") else []
    return Path(os.fsdecode(words[0])) if words else None
