"""What a check of a ledger found."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken invariant.

    Attributes:
        invariant: Its name, snake_case and stable.
        says: What is wrong, as a sentence without a full stop.
        job: The name of the job it concerns, where it concerns one.
        run_id: The GUID of the run it concerns, where it concerns one.
    """

    invariant: str
    says: str
    job: str | None = None
    run_id: str | None = None

    def __str__(self) -> str:
        about = [*(["job " + self.job] if self.job else []), *(["run " + self.run_id] if self.run_id else [])]
        return f"{self.invariant}: {', '.join(about)}{': ' if about else ''}{self.says}"
