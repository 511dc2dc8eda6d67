"""What is remembered of an SDE server, by name: in a run's memory and in a job's."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

CONNECTION = "sde_connection"
"""Run: which connection of which server the names below are about."""
BASELINE = "sde_baseline"
"""Run: the connection's newest job before the initiation was sent; 0 if there was none."""
SENT = "sde_sent"
"""Run: the instant before the initiation was sent. Without JOB beside it, its answer is not known."""
JOB = "sde_job"
"""Run: the id of its job, and the server's host."""
STATUS = "sde_status"
"""Run: the last state of its job: pending, succeeded, failed."""
FAILED_IN = "sde_failed_in"
"""Run: the number of the attempt that saw its job end badly."""

_FILE = "sde_file:"
_FILE_JOB = "sde_file_job:"
_IMPORTED = "sde_imported:"
_DIGITS = 32

OURS = "ours"
"""Run: what is remembered under `file_job_name`."""


def place(kind: str, connection: int, host: str) -> str:
    """A connection of a server, in one text."""
    return f"{kind}/{connection}@{host}"


def job_value(job_id: int, host: str) -> str:
    """A job of a server, in one text."""
    return f"{job_id}@{host}"


def job_id_in(value: str) -> int:
    """The id in what `job_value` gave."""
    return int(value.partition("@")[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """Run: what became of a file that was sent, or is being sent.

    Attributes:
        digest: Of what was sent, and to where.
        baseline: The newest analysis job before; 0 if there was none.
        sent_at: The instant before, ISO 8601.
        job: The id of its job; None while it is not known.
        failed_in: The number of the attempt that saw its job end badly; 0 if none did.
    """

    digest: str
    baseline: int
    sent_at: str
    job: int | None = None
    failed_in: int = 0

    def text(self) -> str:
        """As JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def of(cls, remembered: Mapping[str, str], name: str) -> Sending | None:
        """That of the file of this name; None where there is none."""
        text = remembered.get(file_name(name))
        return None if text is None else cls(**json.loads(text))


def file_name(name: str) -> str:
    """Run: the name under which a file's Sending is remembered."""
    return _FILE + name


def file_job_name(job_id: int, host: str) -> str:
    """Run: the name under which it is remembered that a job imports a file of it; the value is OURS."""
    return _FILE_JOB + job_value(job_id, host)


def imported_name(digest: str) -> str:
    """Job: the name under which it is remembered that a file was imported; the value has when, and which."""
    return _IMPORTED + digest


def too_many_imported(remembered: Mapping[str, str], most: int) -> list[str]:
    """The names of the files that were imported first, so many that `most` are left."""
    imported = sorted((value, name) for name, value in remembered.items() if name.startswith(_IMPORTED))
    return [name for _, name in imported[: max(0, len(imported) - most)]]


def digest_of(content: str, *, name: str, server: str, system: str, project: int) -> str:
    """Of a file and of where it goes; `content` is the digest of its bytes."""
    text = json.dumps([content, name, server, system, project])
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]
