"""`jobsd doctor`: what the daemon needs of the file, this host and its counterparts, looked at now."""

from __future__ import annotations

from jobsd.doctor.examining import examine, faults
from jobsd.doctor.finding import Finding, Health
from jobsd.doctor.patient import Patient

__all__ = ["Finding", "Health", "Patient", "examine", "faults"]
